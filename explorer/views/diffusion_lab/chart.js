// Line charts: curves with their names above, ticks that are round numbers, a line where one is. Knows no part.

function powerTicks(low, high) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const every = Math.max(1, Math.ceil((last - first) / 5));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i).filter((p) => p % every === 0).map((p) => 10 ** p);
}

const tickText = (v) => figureText(v);

/**
 * A chart in a place of its own, drawn again when its size changes. show({
 *   series: [{name, points: [[x, y]], colour (palette name), dash, strong, dots, level: bool}],
 *   x: {label, min, max}, y: {label, log, min, max}, at: x | null, words: for the screen reader})
 * `pick(x)` is called where a hand points.
 */
function chartPlace({ height = 12, pick = null } = {}) {
  const holder = piece("div", { class: "chart" });
  let shown = null, scale = null, down = false;
  new ResizeObserver(() => shown && draw()).observe(holder);
  const seek = (event) => scale && pick(scale(event.clientX - holder.querySelector("svg").getBoundingClientRect().left));
  if (pick) {
    holder.addEventListener("pointerdown", (event) => event.target.closest("svg.plot") && ((down = true), seek(event)));
    holder.addEventListener("pointermove", (event) => down && seek(event));
    for (const over of ["pointerup", "pointercancel", "pointerleave"]) holder.addEventListener(over, () => (down = false));
  }

  function draw() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const [wide, high] = [holder.clientWidth, height * rem];
    if (!wide) return;
    const { series, x, y, at = null, words } = shown;
    const box = { left: 3.25 * rem, right: wide - 0.75 * rem, top: 0.6 * rem, bottom: high - 2.4 * rem };
    const all = series.flatMap((one) => one.points).filter(([, v]) => Number.isFinite(v) && (!y.log || v > 0));
    const y0 = y.min ?? Math.min(...all.map(([, v]) => v));
    const y1 = y.max ?? Math.max(...all.map(([, v]) => v));
    const share = (v, low, top, log) => (log ? Math.log(Math.max(v, low) / low) / Math.log(top / low) : (v - low) / (top - low));
    const px = (v) => box.left + share(v, x.min, x.max) * (box.right - box.left);
    const py = (v) => box.bottom - within(share(v, y0, y1, y.log), 0, 1) * (box.bottom - box.top);
    scale = (left) => within(x.min + ((left - box.left) / (box.right - box.left)) * (x.max - x.min), x.min, x.max);

    const svg = svgPiece("svg", { viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, role: "img", class: "plot", "aria-label": words });
    const say = (text, left, top, name, anchor = "middle") => {
      const node = svgPiece("text", { x: left, y: top, class: name, "text-anchor": anchor });
      node.textContent = text;
      svg.append(node);
    };
    for (const v of y.log ? powerTicks(y0, y1) : roundTicks(y0, y1)) {
      svg.append(svgPiece("line", { x1: box.left, x2: box.right, y1: py(v), y2: py(v), class: "grid-line" }));
      say(tickText(v), box.left - 0.4 * rem, py(v) + 0.3 * rem, "tick", "end");
    }
    for (const v of roundTicks(x.min, x.max, wide < 24 * rem ? 3 : 5)) say(tickText(v), px(v), box.bottom + rem, "tick");
    say(x.label, (box.left + box.right) / 2, high - 0.35 * rem, "axis");
    if (at !== null) svg.append(svgPiece("line", { x1: px(at), x2: px(at), y1: box.top, y2: box.bottom, class: "here" }));
    for (const one of series) {
      const group = svgPiece("g", { class: "series", style: "--series: var(--" + one.colour + ")" });
      const points = one.points.filter(([, v]) => Number.isFinite(v)).map(([a, b]) => [px(a), py(b)]);
      if (one.dots) points.forEach(([a, b]) => group.append(svgPiece("circle", { cx: a, cy: b, r: 0.28 * rem })));
      else group.append(svgPiece("polyline", {
        points: points.map((point) => point.map((v) => v.toFixed(1)).join(",")).join(" "), "stroke-dasharray": one.dash ?? "", "stroke-width": one.strong ? 3 : 1.75,
      }));
      if (at !== null && !one.dots && !one.level && one.points.length) {
        const near = one.points.reduce((best, point) => (Math.abs(point[0] - at) < Math.abs(best[0] - at) ? point : best));
        if (Number.isFinite(near[1])) group.append(svgPiece("circle", { cx: px(near[0]), cy: py(near[1]), r: (one.strong ? 0.3 : 0.2) * rem }));
      }
      svg.append(group);
    }
    const keys = series.filter((one) => one.name && one.points.length).map((one) =>
      piece("span", { class: "series-key", style: "--series: var(--" + one.colour + ")", "data-strong": !!one.strong },
        svgPiece("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, one.dots ? svgPiece("circle", { cx: 12, cy: 4, r: 4 })
          : svgPiece("line", { x1: 1, x2: 23, y1: 4, y2: 4, "stroke-dasharray": one.dash ?? "" })),
        one.name));
    holder.replaceChildren(piece("p", { class: "chart-head" }, piece("b", {}, y.label), keys), svg);
  }

  return { node: holder, show: (what) => ((shown = what), draw()) };
}
