// Charts as SVG: lines, dots with error bars, marks; linear and logarithmic axes. Knows no part.

function tenTicks(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first) / 5));
  const tens = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i).filter((p) => (p - first) % every === 0).map((p) => 10 ** p);
  if (tens.length > 2) return tens;
  const more = [];
  for (let p = first - 1; p <= last; p++) for (const m of [1, 2, 5]) if (m * 10 ** p >= low * 0.999 && m * 10 ** p <= high * 1.001) more.push(m * 10 ** p);
  return more;
}

const tenText = (v) => (Number.isInteger(+Math.log10(Math.abs(v)).toFixed(6)) ? shortText(v, 1).replace(/^(−?)1\.0 × /, "$1") : shortText(v, 2));
const tickWords = (v) => (Math.abs(v) >= 1e5 || (v && Math.abs(v) < 1e-3) ? tenText(v) : minusText(String(+v.toPrecision(6))));

/**
 * A chart that draws itself again when its width changes. show({
 *   series: [{name, points: [[x, y, error?]], colour: "sym-x", dash, dots, thin}], marks: [{x or y, words, colour}],
 *   x: {label, log, min, max, ticks}, y: {label, log, min, max}, words })
 */
function plotPlace({ height = 15, name = "" } = {}) {
  const holder = piece("div", { class: "plot " + name });
  let shown = null;
  new ResizeObserver(() => shown && draw()).observe(holder);

  function draw() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const wide = holder.clientWidth, high = height * rem;
    if (!wide) return;
    const { series, marks = [], x, y, words } = shown;
    const good = (v, axis) => Number.isFinite(v) && (!axis.log || v > 0);
    const all = series.flatMap((one) => one.points).filter(([a, b]) => good(a, x) && good(b, y));
    if (!all.length) return holder.replaceChildren();
    const ends = (axis, values) => {
      let low = axis.min ?? Math.min(...values), top = axis.max ?? Math.max(...values);
      if (!(top > low)) [low, top] = axis.log ? [low / 2, top * 2] : [low - 1, top + 1];
      return [low, top];
    };
    const [x0, x1] = ends(x, all.map(([a]) => a));
    let [y0, y1] = ends(y, all.flatMap(([, b, error = 0]) => (y.log ? [b] : [b - error, b + error])).concat(marks.filter((m) => "y" in m).map((m) => m.y)));
    if (!y.log && y.min === undefined) [y0, y1] = [y0 - (y1 - y0) * 0.06, y1 + (y1 - y0) * 0.06];
    const ticks = y.log ? tenTicks(y0, y1) : roundTicks(y0, y1, 4);
    const longest = Math.max(...ticks.map((v) => tickWords(v).length), 3);
    const box = { left: (0.48 * longest + 0.75) * rem, right: wide - 0.75 * rem, top: 0.75 * rem, bottom: high - 2.5 * rem };
    const share = (v, low, top, log) => (log ? Math.log(v / low) / Math.log(top / low) : (v - low) / (top - low));
    const px = (v) => box.left + share(v, x0, x1, x.log) * (box.right - box.left);
    const py = (v) => box.bottom - clampTo(share(y.log ? Math.max(v, y0) : v, y0, y1, y.log), -0.02, 1.02) * (box.bottom - box.top);

    const svg = svgPiece("svg", { viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, role: "img", "aria-label": words });
    const say = (text, left, top, kind, anchor = "middle") => {
      const node = svgPiece("text", { x: left, y: top, class: kind, "text-anchor": anchor });
      node.textContent = text;
      svg.append(node);
    };
    for (const v of ticks) {
      svg.append(svgPiece("line", { x1: box.left, x2: box.right, y1: py(v), y2: py(v), class: "grid" }));
      say(tickWords(v), box.left - 0.4 * rem, py(v) + 0.28 * rem, "tick", "end");
    }
    const across = x.ticks ?? (x.log ? tenTicks(x0, x1) : roundTicks(x0, x1, wide < 26 * rem ? 3 : 6));
    for (const v of across) if (v >= x0 * (x.log ? 0.999 : 1) - 1e-9 && v <= x1 * 1.0001 + 1e-9) say(tickWords(v), px(v), box.bottom + 1.05 * rem, "tick");
    say(x.label, (box.left + box.right) / 2, high - 0.3 * rem, "axis");
    for (const mark of marks) {
      const at = "x" in mark ? { x1: px(mark.x), x2: px(mark.x), y1: box.top, y2: box.bottom } : { x1: box.left, x2: box.right, y1: py(mark.y), y2: py(mark.y) };
      svg.append(svgPiece("line", { ...at, class: "mark", style: `stroke: var(--${mark.colour ?? "muted"})` }));
      if ("x" in mark && mark.words) {
        const end = px(mark.x) > (box.left + box.right) / 2;
        say(mark.words, px(mark.x) + (end ? -0.35 : 0.35) * rem, box.top + (mark.row ?? 0) * 1.15 * rem + 0.6 * rem, "tick strong", end ? "end" : "start");
      }
    }
    for (const one of series) {
      const group = svgPiece("g", { style: `color: var(--${one.colour})` });
      const points = one.points.filter(([a, b]) => good(a, x) && good(b, y));
      for (const [a, b, error] of points) {
        if (error > 0) group.append(svgPiece("line", { x1: px(a), x2: px(a), y1: py(b - error), y2: py(b + error), class: "whisker" }));
        if (one.dots) group.append(svgPiece("circle", { cx: px(a), cy: py(b), r: 0.26 * rem, class: error === null ? "hollow" : "dot" }));
      }
      if (!one.dots || one.joined) group.prepend(svgPiece("polyline", { points: points.map(([a, b]) => px(a).toFixed(1) + "," + py(b).toFixed(1)).join(" "),
        "stroke-dasharray": one.dash, "stroke-width": one.thin ? 1.25 : 2 }));
      svg.append(group);
    }
    const keys = series.filter((one) => one.name).map((one) => piece("span", { class: "plot-key", style: `color: var(--${one.colour})` },
      svgPiece("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, one.dots ? svgPiece("circle", { cx: 12, cy: 4, r: 4, class: "dot" })
        : svgPiece("line", { x1: 1, x2: 23, y1: 4, y2: 4, stroke: "currentColor", "stroke-width": 2.5, "stroke-dasharray": one.dash })), piece("span", {}, one.name)));
    holder.replaceChildren(piece("p", { class: "plot-head" }, piece("b", {}, y.label), keys), svg);
  }

  return { node: holder, show: (what) => ((shown = what), draw()), clear: () => ((shown = null), holder.replaceChildren()) };
}
