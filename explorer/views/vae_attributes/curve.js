// A small line chart: shares from 0 to 1 over doses, with marks and a place that a hand can drag. Knows no edit.

/** shareChart({label, low, high, seek}): `.node`, `.show({lines: [{name, points: [[x, y]], hue, dash}], marks: [{x, words, hue}], words})`,
 *  `.at(x)` moves the mark of where one is. */
function shareChart({ axis, low, high, seek = null }) {
  const svg = svgPiece("svg", { class: "plot", role: "img" });
  const keys = piece("p", { class: "plot-keys" });
  const node = piece("div", { class: "plot-place" }, keys, svg);
  let shown = { lines: [], marks: [], words: "" }, here = null, line = null, box = null;
  new ResizeObserver(() => draw()).observe(node);
  const px = (x) => box.left + ((x - low) / (high - low)) * (box.right - box.left);
  const py = (y) => box.bottom - y * (box.bottom - box.top);

  function draw() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const wide = node.clientWidth, high_ = 9 * rem;
    if (!wide) return;
    box = { left: 2.75 * rem, right: wide - 0.75 * rem, top: 0.75 * rem, bottom: high_ - 2.5 * rem };
    const text = (x, y, words, anchor = "middle") => svgPiece("text", { x, y, "text-anchor": anchor, class: "tick" }, words);
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      parts.push(svgPiece("line", { x1: box.left, x2: box.right, y1: py(share), y2: py(share), class: "grid-line" }), text(box.left - 0.4 * rem, py(share) + 0.3 * rem, Math.round(100 * share) + " %", "end"));
    }
    for (let x = Math.ceil(low); x <= high; x++) parts.push(text(px(x), box.bottom + 1.1 * rem, fixedText(x, 0)));
    parts.push(text((box.left + box.right) / 2, high_ - 0.3 * rem, axis));
    for (const mark of shown.marks) parts.push(svgPiece("line", { x1: px(mark.x), x2: px(mark.x), y1: box.top, y2: box.bottom, class: "mark", style: `--hue: var(--${mark.hue})` }));
    for (const one of shown.lines) {
      const points = one.points.filter(([, y]) => y !== null).map(([x, y]) => px(x).toFixed(1) + "," + py(y).toFixed(1)).join(" ");
      parts.push(svgPiece("polyline", { points, class: "curve", style: `--hue: var(--${one.hue})`, "stroke-dasharray": one.dash ?? "" }));
    }
    line = svgPiece("line", { y1: box.top, y2: box.bottom, class: "here" });
    svg.setAttribute("viewBox", `0 0 ${wide} ${high_}`);
    svg.setAttribute("height", high_);
    svg.setAttribute("aria-label", shown.words);
    svg.replaceChildren(...parts, line);
    keys.replaceChildren(...shown.lines.map((one) => piece("span", { class: "plot-key", style: `--hue: var(--${one.hue})` },
      svgPiece("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, svgPiece("line", { x1: 1, x2: 23, y1: 4, y2: 4, "stroke-dasharray": one.dash ?? "" })), one.name)));
    at(here);
  }

  function at(x) {
    here = x;
    if (!line || !box) return;
    line.style.display = x === null ? "none" : "";
    if (x === null) return;
    line.setAttribute("x1", px(Math.min(high, Math.max(low, x))));
    line.setAttribute("x2", px(Math.min(high, Math.max(low, x))));
  }

  if (seek) {
    svg.classList.add("drag");
    const move = (event) => box && seek(Math.min(high, Math.max(low, low + ((event.clientX - svg.getBoundingClientRect().left - box.left) / (box.right - box.left)) * (high - low))), false);
    svg.addEventListener("pointerdown", (event) => (svg.setPointerCapture(event.pointerId), move(event)));
    svg.addEventListener("pointermove", (event) => svg.hasPointerCapture(event.pointerId) && move(event));
    svg.addEventListener("pointerup", () => seek(null, true));
  }
  return { node, show: (what) => ((shown = what), draw()), at };
}
