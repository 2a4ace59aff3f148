// The matrix itself: a picture a row, a caption a column, numbers in coloured cells, the cross entropies along its edges.

const GRID_VIEWS = {
  cos: { colour: "sym-sigma", name: "cosine", about: "Each cell is the cosine of a picture's and a caption's vector." },
  rows: { colour: "sym-x", name: "p(caption | image)", about: "Softmax along each row: which caption belongs to this picture? Every row sums to 1." },
  columns: { colour: "sym-mu", name: "p(image | caption)", about: "Softmax along each column: which picture belongs to this caption? Every column sums to 1." },
  gradient: { colour: "", name: "gradient", about: "N · ∂L/∂logit = ½(p→ − y) + ½(p↓ − y). + pushes a pair apart, − pulls it together." },
};

/** The number of a view's cell, and how strongly it is coloured: t in 0..1. */
function gridCell(view, told, cos, range, i, j) {
  if (view === "rows" || view === "columns") return { value: told[view][i][j], t: told[view][i][j] };
  if (view === "gradient") {
    const value = told.gradient[i][j];
    return { value, t: Math.min(1, Math.abs(value)) ** 0.6, sign: value > 0.0005 ? "apart" : value < -0.0005 ? "together" : "none" };
  }
  return { value: cos[i][j], t: (cos[i][j] - range[0]) / (range[1] - range[0] || 1) };
}

/** From this t on, text in the panel's colour reads better than ink: the hues are darker than half-way in light, lighter in dark. */
const gridDeep = (node) => (node.closest(".dark") ? 0.58 : 0.76);

/** The words in a cell; narrow ones leave out the zero before the point. */
function gridWords(view, value, narrow) {
  const words = narrow ? shortText(value, 2) : fixedText(value, 2);
  return view === "gradient" && value > 0 && !/^0?\.00$/.test(words) ? "+" + words : words;
}

/** hover(i, j) or hover(null) is called as the pointer or the focus moves; choose(i) when a row's picture is pressed. */
function makeGrid(holder, lab, { hover, choose }) {
  const node = piece("div", { class: "grid", role: "grid", "aria-label": "Similarity of every picture with every caption" });
  holder.append(node);
  let [n, cells, pictures, heads, rowEnds, columnEnds, corner, rowMarks] = [0, [], [], [], [], [], null, []];
  let here = [0, 0];

  node.addEventListener("keydown", walk);
  node.addEventListener("pointerover", (event) => point(event.target.closest("[data-cell]")));
  node.addEventListener("pointerleave", () => hover(null));
  node.addEventListener("focusin", (event) => point(event.target.closest("[data-cell]")));
  node.addEventListener("click", (event) => event.target.closest("[data-cell]")?.focus());

  function point(cell) {
    if (!cell) return;
    const [i, j] = cell.dataset.cell.split(",").map(Number);
    rove(i, j);
    label(cell, i, j);
    hover(i, j);
  }

  /** What a screen reader says of a cell. */
  function label(cell, i, j) {
    cell.setAttribute("aria-label", `Image ${i + 1}, caption ${j + 1}: ${GRID_VIEWS[node.dataset.view].name} ${fixedText(cell.number, 3)}`);
  }

  function rove(i, j) {
    const old = cells[here[0]]?.[here[1]];
    if (old) old.tabIndex = -1;
    here = [i, j];
    cells[i][j].tabIndex = 0;
  }

  function walk(event) {
    const from = event.target.closest("[data-cell]");
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -n], End: [0, n] }[event.key];
    if (!from || !step || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [i, j] = from.dataset.cell.split(",").map(Number);
    cells[within(i + step[0], 0, n - 1)][within(j + step[1], 0, n - 1)].focus();
  }

  function build(count) {
    n = count;
    here = [0, 0];
    node.style.setProperty("--n", n);
    node.dataset.n = n;
    pictures = [];
    rowMarks = [];
    heads = Array.from({ length: n }, (_, j) => piece("span", { class: "column-head", role: "columnheader" }, piece("b", {}, "T" + (j + 1))));
    cells = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) =>
      piece("span", { class: "cell", role: "gridcell", "data-cell": i + "," + j, "data-pair": i === j ? "true" : null, tabindex: i + j ? -1 : 0 })));
    rowEnds = cells.map(() => piece("span", { class: "edge of-rows", role: "gridcell" }));
    columnEnds = cells.map(() => piece("span", { class: "edge of-columns", role: "gridcell" }));
    corner = piece("span", { class: "edge of-both", role: "gridcell" });
    const rows = cells.map((row, i) => {
      pictures[i] = pictureOf(lab.wire, null, "Image " + (i + 1), 64);
      const mark = piece("b", {}, "I" + (i + 1));
      rowMarks[i] = piece("button", { type: "button", class: "row-head", "data-row": i, title: "Replace image " + (i + 1), onclick: () => choose(i) }, mark, pictures[i]);
      return piece("div", { role: "row", class: "grid-row" }, piece("span", { role: "rowheader", class: "row-holder" }, rowMarks[i]), row, rowEnds[i]);
    });
    node.replaceChildren(
      piece("div", { role: "row", class: "grid-row" }, piece("span", { class: "corner", role: "columnheader" }, "image ↓ caption →"), heads,
        piece("span", { class: "edge-head of-rows", role: "columnheader", title: "Cross entropy of each row" }, "−ln p→")),
      ...rows,
      piece("div", { role: "row", class: "grid-row" }, piece("span", { class: "edge-head of-columns", role: "rowheader", title: "Cross entropy of each column" }, "−ln p↓"), columnEnds, corner));
  }

  /** pairs: [{ref, caption}]; told: contrast(cos, scale); stale: cells whose cosine is being asked for, as a set of "i,j". */
  function show({ pairs, cos, told, view, stale, selected }) {
    if (pairs.length !== n) build(pairs.length);
    const all = cos.flat();
    const range = [Math.min(...all), Math.max(...all)];
    const { colour } = GRID_VIEWS[view];
    const deep = gridDeep(node);
    node.dataset.view = view;
    node.style.setProperty("--hue", colour ? "var(--" + colour + ")" : "");
    pairs.forEach(({ ref, caption }, i) => {
      pictures[i].swap(ref);
      heads[i].title = caption;
      heads[i].toggleAttribute("data-selected", selected.has(i));
      rowMarks[i].toggleAttribute("data-selected", selected.has(i));
      tellText(rowEnds[i], fixedText(told.ceRows[i], 2));
      tellText(columnEnds[i], fixedText(told.ceColumns[i], 2));
      for (let j = 0; j < n; j++) {
        const cell = cells[i][j];
        const { value, t, sign = "" } = gridCell(view, told, cos, range, i, j);
        const strength = Math.round(within(t, 0, 1) * 100) + "%";
        const waits = stale.has(i + "," + j);
        cell.number = value; // its label is written when it gets the focus
        tellText(cell, gridWords(view, value, n > 8));
        // What stays the same is not written again: a slider moves 256 cells at a time.
        const look = strength + (t > deep) + sign + waits;
        if (cell.look === look) continue;
        cell.look = look;
        cell.style.setProperty("--t", strength);
        cell.toggleAttribute("data-deep", t > deep);
        cell.dataset.sign = sign;
        cell.toggleAttribute("data-stale", waits);
      }
    });
    tellText(corner, fixedText(told.loss, 2));
    corner.title = "The loss: half the sum of both means";
    return range;
  }

  return { node, show, get here() { return here; } };
}
