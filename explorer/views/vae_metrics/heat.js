// The heat map: how much every number of the code knows of every factor, in parts of all there is to know.

/** pick(row, factor) when a cell is chosen. load(...) for another code, show(shares, moved) while it is turned. */
function makeHeat({ pick }) {
  const grid = piece("div", { class: "heat-grid", role: "grid", "aria-label": "Mutual information of numbers and factors", onkeydown: walk });
  const more = buttonOf({ words: "Show all", name: "heat-more", press: () => ((all = !all), build()) });
  const node = piece("div", { class: "heat-box" }, piece("div", { class: "heat-scroll" }, grid), more);
  const FEW = 14;
  let factors = [], order = [], cells = new Map(), heads = new Map(), chosen = null, shares = [], all = false, label = (d) => numberName(d), dead = () => false;

  function load(names, straight, named, isDead) {
    factors = names;
    [label, dead] = [named, isDead];
    // The most knowing first, those of one factor together: a good code has a diagonal.
    const best = straight.map((row) => row.indexOf(Math.max(...row)));
    order = straight.map((_, d) => d).sort((a, b) => Math.max(...straight[b]) - Math.max(...straight[a]));
    const leaders = names.map((_, k) => order.reduce((a, b) => (straight[b][k] > straight[a][k] ? b : a))); // every factor's best is shown
    const first = [...new Set([...leaders, ...order])].slice(0, FEW);
    order = [...first, ...order.filter((d) => !first.includes(d))];
    const top = order.slice(0, FEW).sort((a, b) => best[a] - best[b] || straight[b][best[b]] - straight[a][best[a]]);
    order = [...top, ...order.slice(FEW)];
    shares = straight;
    build();
  }

  function build() {
    const rows = all ? order : order.slice(0, FEW);
    cells = new Map();
    heads = new Map();
    grid.style.setProperty("--factors", factors.length);
    grid.replaceChildren(
      piece("div", { class: "heat-row heat-head", role: "row" }, piece("span", { role: "columnheader" }, ""),
        factors.map((name) => piece("span", { class: "heat-name", role: "columnheader", title: name }, piece("span", {}, name)))),
      ...rows.map((d) => {
        const head = piece("span", { class: "heat-label" + (dead(d) ? " dead" : ""), role: "rowheader", title: dead(d) && "Dead: hardly any KL, so the decoder hardly listens to it" }, label(d), dead(d) && piece("small", {}, "dead"));
        heads.set(d, head);
        const made = factors.map((name, k) => piece("button", { type: "button", class: "heat-cell", role: "gridcell", tabindex: -1, "data-row": d, "data-factor": k, onclick: () => pick(d, k) }));
        cells.set(d, made);
        return piece("div", { class: "heat-row", role: "row" }, head, made);
      }),
    );
    more.hidden = order.length <= FEW;
    tellText(more.lastChild, all ? `Show the first ${FEW}` : `Show all ${order.length} numbers`);
    show(shares, [], true);
    mark(...(chosen ?? [order[0], 0]));
  }

  /** Only the moved rows are written; with no second argument all. */
  function show(next, moved = null, every = false) {
    shares = next;
    for (const [d, row] of cells) {
      if (moved && !every && !moved.includes(d)) continue;
      row.forEach((cell, k) => {
        const share = shares[d]?.[k] ?? 0;
        cell.style.setProperty("--share", (Math.min(1, share) * 100).toFixed(1) + "%");
        cell.classList.toggle("full", share > 0.45);
        tellText(cell, share >= 0.005 ? share.toFixed(2).replace(/^0/, "") : "·");
        cell.setAttribute("aria-label", `${label(d)} and ${factors[k]}: ${share.toFixed(2)}`);
      });
    }
  }

  function turning(moved) {
    for (const [d, head] of heads) head.classList.toggle("moved", moved.includes(d));
  }

  function mark(row, factor) {
    chosen = [row, factor];
    for (const [d, made] of cells) {
      made.forEach((cell, k) => {
        const on = d === row && k === factor;
        cell.setAttribute("aria-selected", String(on));
        cell.tabIndex = on ? 0 : -1;
      });
    }
    if (!cells.has(row)) cells.values().next().value?.[0]?.setAttribute("tabindex", "0");
  }

  function walk(event) {
    const way = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const rows = [...cells.keys()], at = Math.max(0, rows.indexOf(chosen[0]));
    const row = rows[(at + way[0] + rows.length) % rows.length], factor = (chosen[1] + way[1] + factors.length) % factors.length;
    pick(row, factor);
    cells.get(row)[factor].focus();
  }

  return { node, load, show, turning, mark, get order() { return order; } };
}
