// The edit in hand made conditional: what it is to leave alone, by three ways, what each costs; and how identity wears with the dose.

const NOTHING = "-"; // in a link: every name was taken away again

function makeKeep(part, desk) {
  const choices = piece("div", { class: "tools", role: "group", "aria-label": "Keep" });
  const table = piece("table", { class: "numbers matrix" });
  const wait = waitingFor(part, "Measuring");
  const driftWait = waitingFor(part, "Measuring identity");
  const words = piece("p", { class: "verdict", "aria-live": "polite" });
  const measure = buttonOf({ words: "Measure", name: "strong", title: "Tries the edit as it is and in three ways on held-out pictures", press: () => run(), "data-do": "measure" });
  const chart = shareChart({ axis: "dose", low: 0, high: 3 });
  const driftWords = piece("p", { class: "verdict" });
  const title = piece("h4");
  const node = piece("section", { class: "card keep", "aria-label": "Leave the rest alone" },
    piece("h3", {}, "Leave the rest alone"), title,
    piece("p", { class: "aside muted" }, "An edit is made conditional by taking out of its direction what would move another attribute: its projection on how that attribute moves codes, plainly or where the codes are whitened; or by fitting it anew among pictures that agree in that attribute. What it costs is measured, not hoped for."),
    piece("div", { class: "tools" }, choices, measure), wait.node, piece("div", { class: "scroll" }, table), words,
    piece("h4", {}, "Identity over the dose"), driftWait.node, chart.node, driftWords,
    piece("p", { class: "aside muted" }, "Kept: the share of the other attributes that still read the same. Likeness: the cosine between the reader's features before and after, less their mean, so that two unlike pictures have about 0; the wanted change counts as loss there, too."));
  let wanted = new Set(), result = null, shownFor = "", timer = 0, linked = part.get("keep");

  const othersOf = (edit) => Object.keys(desk.known.factors).filter((name) => name !== edit.factor);

  /** The chosen names that the link holds, as far as they are known; null where it says nothing. */
  function linkedNames(edit) {
    const names = (linked ?? "").split("+").filter((name) => othersOf(edit).includes(name));
    return names.length || linked === NOTHING ? names : null;
  }

  function show(force = false) {
    const edit = desk.edits[desk.active];
    node.hidden = !edit || !desk.known.reader;
    if (node.hidden) {
      linked = null; // what a link keeps belongs to the edit that it opens with
      return part.set({ keep: null });
    }
    const text = editText(bareEdit({ ...edit, keep: [], how: "" }));
    if (text !== shownFor || force) {
      shownFor = text;
      wanted = new Set(linkedNames(edit) ?? edit.keep);
      linked = null;
      result = null;
      table.replaceChildren();
      tellText(words, "");
      table.closest(".scroll").hidden = true;
    }
    tellText(title, editWords(edit));
    const others = othersOf(edit), names = [...wanted].sort().join("+");
    part.set({ keep: names === [...edit.keep].sort().join("+") ? null : names || NOTHING });
    choices.replaceChildren(others.length ? "Keep " : "There is no other attribute to keep.", ...others.map((name) =>
      piece("button", { type: "button", class: "chip-small", "aria-pressed": String(wanted.has(name)), "data-keep": name, onclick: () => toggle(name) }, name)));
    measure.disabled = !wanted.size;
    measure.hidden = !others.length;
    clearTimeout(timer);
    timer = setTimeout(drift, 500);
    if (result) draw();
  }

  function toggle(name) {
    if (wanted.has(name)) wanted.delete(name);
    else wanted.add(name);
    result = null;
    show();
  }

  async function run() {
    const edit = { ...bareEdit(desk.edits[desk.active]), keep: [...wanted].sort(), how: "span" };
    node.dataset.state = "busy";
    try {
      const found = await wait.ask("attributes/kept", part.query({ edit: editText(edit) }));
      if (!found) return;
      result = { edit, found };
      draw();
      node.dataset.state = "ready";
    } catch (error) {
      tellText(words, error.message);
      node.dataset.state = "failed";
    }
  }

  function draw() {
    const { edit, found } = result, factors = Object.keys(desk.known.factors);
    const total = (row) => factors.filter((name) => name !== edit.factor).reduce((sum, name) => sum + row.moved[name], 0);
    const now = desk.edits[desk.active];
    table.closest(".scroll").hidden = false;
    table.replaceChildren(
      piece("thead", {}, piece("tr", {}, piece("th", { scope: "col" }, "one dose"), factors.map((name) => piece("th", { scope: "col", class: "turned", "data-kept": edit.keep.includes(name) }, piece("span", {}, name))), piece("th", { scope: "col", class: "turned" }, piece("span", {}, "all unwanted")), piece("th", { scope: "col", class: "turned" }, piece("span", {}, "arrives")), piece("th"))),
      piece("tbody", {}, Object.entries(found).map(([how, row]) => {
        const plain = how === "plain", head = piece("th", { scope: "row", class: "way" }, plain ? "as it is" : desk.known.ways[how]);
        if (row.error) return piece("tr", { "data-way": how }, head, piece("td", { colspan: factors.length + 3, class: "muted left" }, row.error));
        const on = plain ? !now.how : now.how === how && now.keep.join() === edit.keep.join();
        const button = buttonOf({ words: on ? "in use" : "Use", title: "Use this direction in the stack", press: () => desk.alter(plain ? { keep: [], how: "" } : { keep: edit.keep, how }), "data-use": how });
        button.disabled = on;
        return piece("tr", { "data-way": how }, head, shareCells(row, factors, edit.factor), piece("td", {}, String(matrixShare(total(row)))), piece("td", {}, percentText(row.hit)), piece("td", {}, button));
      })));
    const plain = found.plain, tried = Object.entries(found).filter(([how, row]) => how !== "plain" && !row.error);
    if (plain.error || !tried.length) return tellText(words, plain.error ?? "None of the three ways can be had here.");
    const kept = (row) => edit.keep.reduce((sum, name) => sum + row.moved[name], 0);
    const [how, best] = tried.reduce((a, b) => (kept(b[1]) < kept(a[1]) ? b : a));
    tellText(words, `${listWords(edit.keep)} moved by ${matrixShare(kept(plain))} %; with ${desk.known.ways[how]} by ${matrixShare(kept(best))} %. The price: ${plain.hit === null ? "" : `what was wanted arrives in ${percentText(best.hit)} instead of ${percentText(plain.hit)}, and `}everything unwanted together moves by ${matrixShare(total(best))} % instead of ${matrixShare(total(plain))} %.`);
    node.dataset.before = kept(plain).toFixed(4);
    node.dataset.after = kept(best).toFixed(4);
  }

  async function drift() {
    const edit = desk.edits[desk.active];
    if (!edit || document.vae.part !== "attributes") return;
    const text = editText(bareEdit(edit));
    try {
      const found = await driftWait.ask("attributes/drift", part.query({ edit: text }));
      if (!found || !desk.edits[desk.active] || text !== editText(bareEdit(desk.edits[desk.active]))) return;
      const line = (name, words, hue, dash) => found[name].length && { name: words, hue, dash, points: found.dose.map((x, k) => [x, found[name][k] === null ? null : Math.max(0, found[name][k])]) };
      const at = (name) => found[name][found.dose.indexOf(1)];
      tellText(driftWords, `At one dose, over ${found.faces} held-out pictures: ${found.hit.length ? percentText(at("hit")) + " show what was wanted, " : ""}${at("kept") === null ? "" : percentText(at("kept")) + " of the other attributes are kept, "}the likeness is ${fixedText(at("cosine"), 2)}.`);
      chart.show({ lines: [line("hit", "arrives", "sym-z"), line("kept", "others kept", "ink", "6 3"), line("cosine", "likeness", "sym-sigma", "2 3")].filter(Boolean), marks: [], words: driftWords.textContent });
      chart.at(1);
      desk.drift = { text, ...found };
      node.dataset.drift = text;
    } catch (error) {
      tellText(driftWords, error.message);
    }
  }

  /** From a cell of the matrix: this edit, with that attribute kept. */
  function from(name) {
    wanted = new Set([name]);
    show();
    run();
    node.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  return { node, show, from, rest: () => (wait.drop(), driftWait.drop(), clearTimeout(timer)), get result() { return result; } };
}
