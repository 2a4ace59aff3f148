// The frame: which part is shown, and what the two parts share. Each gets `lab`:
//
//   lab.root, lab.wire          the view's root; requests (wire.js)
//   lab.facts({...})            data-* of the root
//   lab.link(prefix)            {get(name), number(name, usual, low, high), set({name: value})}: a part's own settings in the link
//   lab.part(name)              asks the desk to show another part

const PARTS = { forward: makeForward, guidances: makeGuidances };
const KEYS = {
  forward: "Space: play or pause the film of noise; ← →: one time step; ↑ ↓ in a heat map: walk through its cells; E: draw a training example",
  guidances: "Space: play or pause the film of steps; ← →: one step; R: run again with another seed",
};

const root = element.querySelector(".lab");

function makeLab(root, wire) {
  const places = Object.fromEntries([...root.querySelectorAll("[data-lab]")].map((node) => [node.dataset.lab, node]));
  const built = {}; // part -> promise of what its factory returned
  const tab = window.explorer.tab; // this view mounts when its tab is opened
  const lab = {
    root, wire,
    facts: (changes) => Object.assign(root.dataset, changes),
    link: (prefix) => ({
      get: (name) => window.explorer.get(prefix + "_" + name),
      number(name, usual, low, high) {
        const text = this.get(name);
        const v = text === null || text.trim() === "" ? NaN : +text;
        return v >= low && v <= high ? v : usual;
      },
      set: (changes) => window.explorer.tab === tab && window.explorer.set(Object.fromEntries(Object.entries(changes).map(([name, value]) => [prefix + "_" + name, value]))),
    }),
    part: (name) => document.dispatchEvent(new CustomEvent("diffusion:part", { detail: { part: name } })),
  };

  async function show(part) {
    const mine = Object.hasOwn(PARTS, part);
    root.hidden = !mine;
    for (const [name, node] of Object.entries(places)) node.hidden = name !== part;
    lab.facts({ part: mine ? part : "", keys: mine ? KEYS[part] : "" });
    for (const [name, made] of Object.entries(built)) if (name !== part) made.then(({ rest }) => root.dataset.part !== name && rest?.(), () => {});
    if (!mine) return;
    try {
      if (!built[part]) {
        const place = places[part];
        place.replaceChildren();
        lab.facts({ ready: "false", state: "busy" });
        built[part] = PARTS[part](place, lab).then((made) => ((place.dataset.ready = "true"), made));
      }
      const made = await built[part];
      if (root.dataset.part === part) made.show?.();
    } catch (error) {
      delete built[part];
      places[part].dataset.ready = "false";
      if (root.dataset.part === part) {
        lab.facts({ state: "failed" });
        const trouble = troublePlace();
        trouble.show(error, () => show(part));
        places[part].replaceChildren(trouble.node);
      }
      return;
    }
    if (root.dataset.part === part) lab.facts({ ready: "true", state: "ready" });
  }

  root.addEventListener("keydown", async (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input:not([type=range]), select, textarea") || (event.key === " " && event.target.closest("button, summary"))) return;
    if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    const part = root.dataset.part;
    const made = part && (await built[part]);
    made?.keys?.[event.key === " " ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key]?.();
  });
  root.addEventListener("keydown", (event) => {
    // In time, as the browser scrolls at once.
    if (event.key === " " && !event.target.closest("button, input, select, textarea, summary")) event.preventDefault();
  });
  document.addEventListener("diffusion:part", ({ detail }) => element.isConnected && show(detail?.part ?? detail));
  queueMicrotask(() => show(document.diffusion?.part ?? window.explorer.get("part") ?? ""));
  return lab;
}
root.lab = makeLab(root, wireTo(props.routes));
