// Prompt sensitivity: one picture, one text, and the same text said otherwise.

async function makePrompts(section, lab) {
  const link = lab.link("prompts");
  const state = { ref: link.face(), text: link.get("text") ?? "" };
  const text = piece("input", { type: "text", maxlength: 300, "aria-label": "Text", "data-do": "prompts-text", oninput: () => typed(), onkeydown: (event) => event.key === "Enter" && typed.flush() });
  const typed = soonOnce(() => ((state.text = text.value.trim()), link.set({ text: state.text || null }), probe.ask()), 600);
  const face = facePicker(lab, "Another picture", 60, (ref) => {
    state.ref = ref;
    state.text = text.value = "";
    link.set({ face: ref.face ?? null, text: null });
    probe.ask();
  });
  const table = piece("div", { class: "prompt-groups", "data-place": "prompts" });
  const probe = probeOf(section, lab, "prompts", () => ({ ...(state.ref && { ref: state.ref }), ...(state.text && { text: state.text }) }), draw);
  let rows = [];
  section.append(
    piece("p", { class: "todo" }, "Change the text or the picture. Each bar says how the score moves when the same is said in other words, with typos, or with “no”."),
    piece("div", { class: "tools" }, face.node, piece("label", { class: "field wide" }, piece("span", { class: "field-name" }, "Text"), text)),
    probe.trouble, probe.see, table,
    piece("div", { class: "tools" }, button("Save CSV", () => handOverTable([["group", "change", "text", "score", "delta", "rank"], ...rows.map((row) => [row.group, row.change, row.text, row.score, row.delta, row.rank])], "prompts.csv"), { class: "button small", "data-do": "prompts-csv" })));

  function draw(told) {
    const { base, groups, of } = told;
    rows = told.rows;
    if (document.activeElement !== text) text.value = told.text;
    if (told.face !== null) face.show(state.ref ?? { face: told.face });
    const widest = Math.max(0.02, ...rows.map((row) => Math.abs(row.delta)));
    table.replaceChildren(
      piece("p", { class: "base-line" }, "As typed: ", piece("b", {}, fixedText(base.score, 3)), ", rank " + base.rank + " of " + of + ". Bars to the left: the score falls; a rank above 1: other faces fit the changed text better."),
      ...groups.map(({ group, title, mean, rank }) => piece("section", { class: "card prompt-group", "data-group": group },
        piece("h4", {}, title, piece("span", { class: "group-mean" }, "mean " + signedText(mean, 3) + ", median rank " + rank)),
        promptHead(of),
        ...rows.filter((row) => row.group === group).map((row) => promptRow(row, widest)))));
    section.dataset.rows = rows.length;
    section.dataset.score = base.score;
  }

  await probe.ask();
}

function promptHead(of) {
  const names = [["score", "The cosine of the picture and the changed text"], ["change", "Against the text as typed"], ["rank", `How many of ${of} faces fit the changed text at least as well as this picture; 1 is best`],
    ["fit", "Of the ten faces that fit the changed text best, the share that shows what the text as typed says"]];
  return piece("div", { class: "prompt-row prompt-head" },
    piece("span", {}, "what changes"), piece("span", {}, "lower | higher"),
    piece("span", { class: "prompt-numbers" }, names.map(([name, title]) => piece("span", { title }, name))));
}

/** The neighbourhood of a change, what is new in bold and what is gone struck through; the whole text is the row's title. */
function promptParts(parts) {
  return parts.flatMap(([words, kind], i) => [i ? " " : null, piece({ new: "b", gone: "del" }[kind] ?? "span", {}, words)]);
}

function promptRow({ change, text, parts, score, delta, rank, right, unknown }, widest) {
  const share = (Math.min(1, Math.abs(delta) / widest) * 50).toFixed(1);
  return piece("div", { class: "prompt-row", title: text },
    piece("span", { class: "prompt-words" }, piece("b", {}, change), piece("span", { class: "prompt-text" }, promptParts(parts)),
      unknown?.length ? piece("span", { class: "unknown" }, "spelled letter by letter: " + unknown.join(", ")) : null),
    piece("span", { class: "delta", "data-way": delta < 0 ? "down" : "up" }, piece("span", { class: "delta-fill", style: (delta < 0 ? "right: 50%" : "left: 50%") + "; width: " + share + "%" })),
    piece("span", { class: "prompt-numbers" }, piece("span", {}, fixedText(score, 3)), piece("b", {}, signedText(delta, 3)), piece("span", {}, String(rank)), piece("span", {}, right === null || right === undefined ? "–" : percentText(right))));
}
