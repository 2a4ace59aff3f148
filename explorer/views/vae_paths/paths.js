// Paths between codes, a board of four corners, a mix of faces, and the sampling lab: one of the four is open.

const PATH_TOOLS = [
  ["path", "A to B", "Three ways from one face to another"],
  ["corners", "Four corners", "A board between four faces, and paths drawn over it"],
  ["mix", "Mix", "Two to eight faces by weights"],
  ["sampling", "Sampling", "Random faces, and what truncation buys and costs"],
];

makePart(element, props, { name: "paths", prefix: "p", models: true, build: buildPart,
  keys: "Space: play a path or a drawn way; ← →: one step along a path; S: swap A and B; R: other random faces" });

async function buildPart(place, part) {
  let tool = PATH_TOOLS.some(([name]) => name === part.get("tool")) ? part.get("tool") : "path";
  let begun = new Set(); // the tools that know the present model

  const lab = {
    part, book: faceBook(part), facts: null,
    /** Names of a few faces that every model has. */
    usual(count) {
      const shown = part.model.captions.length, wanted = count === 2 ? [0, 2] : [0, 2, 1, 3];
      return wanted.slice(0, count).map((i) => (i < shown ? "gallery:" + i : `draw:aggregate:${i}:0:1:1`));
    },
    open: (name) => tool === name && document.vae.part === "paths",
    /** A face of one tool becomes a face of another. */
    async give(name, index, face) {
      await show(name);
      await made[name].take(index, face);
      made[name].node.scrollIntoView({ block: "nearest", behavior: "smooth" });
    },
    python: (kind, query) => buttonOf({ words: "Copy Python", title: "A script that makes this again", "data-do": "python", press: async () => {
      try {
        const reply = await window.explorer.ask(part.wire.url("paths/script", part.query({ kind, ...query() })));
        const text = await reply.text();
        part.root.python = text; // for whoever looks in the console
        part.facts({ script: kind });
        await window.explorer.copy(text, "The script is copied; run it from the repository's root.");
      } catch (error) {
        window.explorer.toast(error.message);
      }
    } }),
    link: () => buttonOf({ words: "Copy link", title: "A link to what is shown here", "data-do": "link", press: () => setTimeout(() => window.explorer.copy(location.href, "The link is copied."), 400) }),
  };

  const made = { path: pathLab(lab), corners: cornerBoard(lab), mix: faceMix(lab), sampling: samplingLab(lab) };
  const choice = segmented("What to look at", PATH_TOOLS, (name) => show(name).catch((error) => part.trouble(error, () => show(name))), "tool-choice");
  choice.set(tool);
  place.append(piece("div", { class: "tools" }, choice), ...Object.values(made).map(({ node }) => node));

  async function show(name) {
    if (name !== tool) made[tool].rest?.();
    tool = name;
    choice.set(name);
    part.set({ tool: name === "path" ? null : name });
    part.facts({ tool: name });
    for (const [other, { node }] of Object.entries(made)) node.hidden = other !== name;
    if (begun.has(name)) return made[name].show?.();
    begun.add(name);
    try {
      await made[name].begin();
    } catch (error) {
      begun.delete(name);
      throw error;
    }
  }

  async function model() {
    for (const one of Object.values(made)) one.rest?.();
    begun = new Set();
    lab.facts = await part.wire.get("paths/start", part.query({ v: part.model.version }));
    await show(tool);
  }

  const key = (name) => () => made[tool].keys?.[name]?.();
  await model();
  return {
    model: () => { // codes of another model mean nothing here
      part.set({ a: null, b: null, c: null, mix: null, w: null, t: null });
      return model();
    },
    show: () => made[tool].show?.(),
    rest: () => made[tool].rest?.(),
    picture: (picture) => made[tool].picture?.(picture),
    keys: Object.fromEntries(["Space", "ArrowLeft", "ArrowRight", "s", "r"].map((name) => [name, key(name)])),
  };
}
