// What else moves: one edit for each attribute on many held-out pictures, and how far each attribute moved. Wanted on the diagonal.

const matrixShare = (value) => Math.round(100 * value);

/** A row of shares: wanted in the colour of z, unwanted in that of the loss. */
function shareCells(row, factors, wanted, press = null) {
  return factors.map((name) => {
    const value = row.moved[name], own = name === wanted;
    const attributes = { class: "heat " + (own ? "wanted" : "unwanted"), style: `--share: ${matrixShare(value)}%`, "data-factor": name };
    if (!press) return piece("td", attributes, String(matrixShare(value)));
    return piece("td", attributes, piece("button", { type: "button", tabindex: -1, title: `${name} moved by ${matrixShare(value)} %, reads differently in ${matrixShare(row.changed[name])} %`, onclick: () => press(name) }, String(matrixShare(value))));
  });
}

function makeMatrix(part, desk) {
  const table = piece("table", { class: "numbers matrix", onkeydown: walk });
  const wait = waitingFor(part, "Trying edits on held-out pictures");
  const method = segmented("Directions by", Object.entries(desk.known.methods).map(([name, words]) => [name, { mean: "mean", probe: "probe", svm: "SVM", lda: "LDA" }[name], words]), (name) => (part.set({ m: name === "mean" ? null : name }), load(name)));
  const words = piece("p", { class: "verdict" });
  const pairs = piece("div", { class: "pairs" });
  const open = piece("div", { class: "tools" });
  const node = piece("section", { class: "card", "aria-label": "What else moves" },
    piece("h3", {}, "What else moves?"),
    piece("p", { class: "aside muted" }, `Rows are edits, one dose on up to 200 held-out pictures that show what the edit starts from; columns are what ${desk.known.reader ?? "a reader"} then says. A cell is the distance between its probabilities before and after (total variation), in percent: `,
      piece("b", { class: "c-z" }, "wanted change"), " on the diagonal, ", piece("b", { class: "c-loss" }, "unwanted change"), " elsewhere. Choose a cell to see the pictures."),
    piece("div", { class: "tools" }, method), wait.node,
    piece("div", { class: "matrix-place" }, piece("div", { class: "scroll" }, table), piece("div", { class: "matrix-cell" }, words, pairs, open)));
  let rows = [], turn = 0;

  async function load(name) {
    const mine = (turn += 1);
    method.set(name);
    if (!desk.known.reader) return;
    node.dataset.state = "busy";
    try {
      const found = await wait.ask("attributes/matrix", part.query({ method: name }));
      if (!found || mine !== turn) return;
      rows = found;
      draw();
      node.dataset.state = "ready";
      node.dataset.method = name;
      choose(worst());
    } catch (error) {
      tellText(words, error.message);
      node.dataset.state = "failed";
    }
  }

  const factors = () => Object.keys(desk.known.factors);

  function draw() {
    table.replaceChildren(
      piece("thead", {}, piece("tr", {}, piece("th", { scope: "col" }, "edit"), factors().map((name) => piece("th", { scope: "col", class: "turned" }, piece("span", {}, name))), piece("th", { scope: "col", class: "turned" }, piece("span", {}, "arrives")))),
      piece("tbody", {}, rows.map((row, i) => {
        const edit = editsFrom(row.edit)[0];
        const head = piece("th", { scope: "row" }, piece("button", { type: "button", class: "link", title: "Put this edit in hand", onclick: () => desk.take(edit) }, piece("span", {}, edit.factor), piece("small", {}, `${edit.before === "rest" ? "any" : edit.before} → ${edit.after}`)));
        if (row.error) return piece("tr", {}, head, piece("td", { colspan: factors().length + 1, class: "muted left" }, row.error));
        return piece("tr", { "data-row": i }, head, shareCells(row, factors(), edit.factor, (name) => choose([i, name])), piece("td", { title: "share of the pictures that then show what was wanted" }, percentText(row.hit)));
      })));
    const first = table.querySelector("td button");
    if (first) first.tabIndex = 0;
  }

  /** The unwanted cell that moved most. */
  function worst() {
    let best = null, most = -1;
    rows.forEach((row, i) => {
      if (row.error) return;
      for (const [name, value] of Object.entries(row.moved)) if (name !== editsFrom(row.edit)[0].factor && value > most) ((most = value), (best = [i, name]));
    });
    return best ?? (rows.length && !rows[0].error ? [0, editsFrom(rows[0].edit)[0].factor] : null);
  }

  async function choose(cell) {
    if (!cell) return;
    const [i, name] = cell, row = rows[i], edit = editsFrom(row.edit)[0], own = name === edit.factor;
    for (const one of table.querySelectorAll("td[data-on]")) delete one.dataset.on;
    const found = table.querySelector(`tr[data-row="${i}"] td[data-factor="${name}"]`);
    if (found) found.dataset.on = "true";
    node.dataset.cell = i + ":" + name;
    tellText(words, own ? `${editWords(edit)}: ${percentText(row.hit)} of ${row.faces} pictures then read ${edit.after}.`
      : `${editWords(edit)} also moves ${name} by ${matrixShare(row.moved[name])} %; it reads differently in ${percentText(row.changed[name])} of ${row.faces} pictures. Those in which it moved most:`);
    open.replaceChildren(...[
      buttonOf({ words: "Put this edit in hand", title: "Makes it the edit of the slider above", press: () => desk.take(edit) }),
      !own && buttonOf({ words: `Keep ${name} as it is`, name: "strong", title: "Three ways to leave it alone, measured below", press: () => desk.keep(edit, name), "data-do": "keep" })].filter(Boolean));
    try {
      const sprite = await part.wire.sprite("attributes/examples", part.query({ edit: row.edit, numbers: row.worst[name].join(","), v: part.model.version }));
      if (node.dataset.cell !== i + ":" + name) return;
      pairs.replaceChildren(...row.worst[name].map((number, k) => {
        const [a, b] = [piece("canvas"), piece("canvas")];
        paintFrame(a, sprite, 2 * k);
        paintFrame(b, sprite, 2 * k + 1);
        return piece("figure", { class: "shot two", role: "img", "aria-label": `picture ${number} before and after` }, a, b);
      }));
    } catch (error) {
      window.explorer.toast(error.message);
    }
  }

  function walk(event) {
    const way = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const cell = event.target.closest("td");
    if (!way || !cell) return;
    event.preventDefault();
    event.stopPropagation();
    const line = cell.parentNode, lines = [...line.parentNode.children].filter((one) => one.dataset.row);
    const next = lines[lines.indexOf(line) + way[0]]?.children[[...line.children].indexOf(cell) + way[1]]?.querySelector("button");
    if (!next || next.classList.contains("link")) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  return { node, load, rest: wait.drop, get rows() { return rows; } };
}
