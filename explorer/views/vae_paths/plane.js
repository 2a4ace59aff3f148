// A model of two numbers: where its pictures have their codes, the prior's rings, and paths between two ends one can drag.

/** latentPlane({move(end, z, done)}): `.node`, `.data(map)`, `.paths({way: [[x, y]]}, ends)`, `.at({way: [x, y]})`. */
function latentPlane({ move }) {
  const SIDE = 400, PAD = 26;
  const dots = svgPiece("g", {}), rings = svgPiece("g", {}), lines = svgPiece("g", {}), marks = svgPiece("g", {}), handles = svgPiece("g", {}), ticks = svgPiece("g", {});
  const art = svgPiece("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, class: "plane-art", role: "group", "aria-label": "Map of the codes with the three paths" }, rings, dots, ticks, lines, marks, handles);
  const legend = piece("p", { class: "plane-legend muted" });
  const node = piece("figure", { class: "plane" }, art, legend);
  let middle = [0, 0], reach = 3;
  const onX = (x) => PAD + ((x - middle[0] + reach) / (2 * reach)) * (SIDE - 2 * PAD);
  const onY = (y) => PAD + ((middle[1] - y + reach) / (2 * reach)) * (SIDE - 2 * PAD);
  const scale = () => (SIDE - 2 * PAD) / (2 * reach);

  function data({ codes, labels, values, factor }) {
    const low = [0, 1].map((d) => Math.min(-3, ...codes.map((code) => code[d])));
    const high = [0, 1].map((d) => Math.max(3, ...codes.map((code) => code[d])));
    middle = [0, 1].map((d) => (low[d] + high[d]) / 2);
    reach = Math.max(high[0] - low[0], high[1] - low[1]) / 2 + 0.2;
    dots.replaceChildren(...codes.map(([x, y], i) => svgPiece("circle", { cx: onX(x).toFixed(1), cy: onY(y).toFixed(1), r: 2, class: "plane-dot", "data-kind": labels ? labels[i] % 10 : "" })));
    rings.replaceChildren(...[1, 2, 3].map((sigma) => svgPiece("circle", { cx: onX(0), cy: onY(0), r: sigma * scale(), class: "plane-ring" })));
    const step = reach > 8 ? 5 : 2, numbers = [];
    for (let v = -100; v <= 100; v += step) {
      if (Math.abs(v - middle[0]) < reach) numbers.push(svgPiece("text", { x: onX(v), y: SIDE - 8, class: "chart-tick", "text-anchor": "middle" }, minusText(String(v))));
      if (Math.abs(v - middle[1]) < reach) numbers.push(svgPiece("text", { x: 12, y: onY(v) + 4, class: "chart-tick", "text-anchor": "middle" }, minusText(String(v))));
    }
    ticks.replaceChildren(...numbers);
    const keys = labels ? values.slice(0, 10).map((value, i) => piece("span", { class: "plane-key", "data-kind": i }, value)) : [];
    legend.replaceChildren(piece("span", {}, labels ? `Dots: codes of pictures by ${factor}: ` : "Dots: codes of pictures. "), ...keys, piece("span", {}, " Rings: 1, 2, 3 σ of the prior; z₀ to the right, z₁ up. Drag A and B."));
  }

  function paths(ways, ends) {
    lines.replaceChildren(...Object.entries(ways).map(([way, points]) => svgPiece("polyline", { class: "plane-path", "data-way": way, points: points.map(([x, y]) => onX(x).toFixed(1) + "," + onY(y).toFixed(1)).join(" ") })));
    ends.forEach(([x, y], i) => {
      const handle = handles.children[i] ?? handles.appendChild(handleOf(i));
      handle.setAttribute("transform", `translate(${onX(x).toFixed(1)} ${onY(y).toFixed(1)})`);
      handle.place = [x, y];
      handle.setAttribute("aria-valuetext", `${fixedText(x)}, ${fixedText(y)}`);
    });
  }

  function at(points) {
    marks.replaceChildren(...Object.entries(points).map(([way, [x, y]]) => svgPiece("circle", { cx: onX(x), cy: onY(y), r: 5, class: "plane-mark", "data-way": way })));
  }

  function handleOf(i) {
    const letter = "AB"[i];
    const bound = (v) => Math.min(middle[0] + 3 * reach, Math.max(middle[0] - 3 * reach, v));
    const place = (event) => {
      const box = art.getBoundingClientRect();
      const unit = SIDE / box.width;
      const x = ((event.clientX - box.left) * unit - PAD) / scale() + middle[0] - reach, y = middle[1] + reach - ((event.clientY - box.top) * unit - PAD) / scale();
      const keep = (v, d) => Math.min(middle[d] + reach, Math.max(middle[d] - reach, v));
      return [bound(keep(x, 0)), keep(y, 1)];
    };
    const handle = svgPiece("g", { class: "plane-handle", tabindex: 0, role: "slider", "aria-label": "Code of " + letter, "aria-valuenow": 0,
      onpointerdown: (event) => handle.setPointerCapture(event.pointerId),
      onpointermove: (event) => handle.hasPointerCapture(event.pointerId) && move(i, place(event), false),
      onpointerup: (event) => move(i, place(event), true),
      onkeydown: (event) => {
        const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        if (!way) return;
        event.preventDefault();
        event.stopPropagation();
        move(i, handle.place.map((v, d) => v + way[d] * reach / 30), true);
      },
    }, svgPiece("circle", { r: 22, class: "plane-touch" }), svgPiece("circle", { r: 10, class: "plane-end" }), svgPiece("text", { y: 4, "text-anchor": "middle", class: "plane-letter" }, letter));
    return handle;
  }

  return { node, data, paths, at };
}
