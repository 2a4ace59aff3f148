// Line charts: curves with names at their ends, a dashed line for chance, ticks that are round numbers. Knows no lesson.

/** 1, 2, 5, 10, ... where they lie in [low, high], all positive; only the powers of ten where that is too many. */
function logTicks(low, high) {
  const out = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++) {
    for (const m of [1, 2, 5]) out.push(m * 10 ** p);
  }
  const inside = out.filter((v) => v >= low * 0.999 && v <= high * 1.001);
  return inside.length > 6 ? inside.filter((v) => /^1/.test(v.toExponential())) : inside;
}

const tickText = (v) => (Math.abs(v) >= 1000 ? wholeText(v) : String(+v.toPrecision(3))).replace("-", "−");

function chartGlyph(name, x, y, r) {
  if (name === "diamond") return svgPiece("path", { d: `M${x} ${y - r * 1.3}L${x + r * 1.3} ${y}L${x} ${y + r * 1.3}L${x - r * 1.3} ${y}z` });
  return name === "square" ? svgPiece("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r }) : svgPiece("circle", { cx: x, cy: y, r });
}

/**
 * A chart in `holder`, drawn again when its size changes. show({
 *   series: [{name, points: [[x, y]], colour (palette name), dash: "4 3" | "", dots: bool, line: bool, glyph: "circle" | "diamond" | "square"}],
 *   x: {label, log, min, max}, y: {label, min, max}, levels: [{y, label}], at: x | null (a vertical line), words: for the screen reader})
 */
function chartIn(holder, { height = 11 } = {}) {
  let shown = null;
  holder.classList.add("chart");
  new ResizeObserver(() => shown && draw()).observe(holder);

  function show(what) {
    shown = what;
    draw();
  }

  function draw() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const [wide, high] = [holder.clientWidth, height * rem];
    if (!wide) return;
    const { series, x, y, levels = [], at = null, words } = shown;
    const box = { left: 3 * rem, right: wide - 0.75 * rem, top: 0.9 * rem, bottom: high - 2.4 * rem };
    const all = series.flatMap((one) => one.points);
    const span = (axis, values) => {
      let low = axis.min ?? Math.min(...values, ...(axis === y ? levels.map((one) => one.y) : []));
      let high = axis.max ?? Math.max(...values, ...(axis === y ? levels.map((one) => one.y) : []));
      if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = axis.log ? [1, 10] : [0, 1];
      if (high <= low) [low, high] = axis.log ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
      return axis.log ? [low / 1.25, high * 1.25] : [low, high];
    };
    const [x0, x1] = span(x, all.map(([v]) => v));
    const [y0, y1] = span(y, all.map(([, v]) => v));
    const share = (v, low, top, log) => (log ? Math.log(v / low) / Math.log(top / low) : (v - low) / (top - low));
    const px = (v) => box.left + share(v, x0, x1, x.log) * (box.right - box.left);
    const py = (v) => box.bottom - share(v, y0, y1, false) * (box.bottom - box.top);

    const svg = svgPiece("svg", { viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, role: "img", "aria-label": words ?? y.label + " over " + x.label });
    const say = (text, left, top, name, anchor = "middle") => {
      const node = svgPiece("text", { x: left, y: top, class: name, "text-anchor": anchor });
      node.textContent = text;
      svg.append(node);
      return node;
    };
    for (const v of roundTicks(y0, y1, high < 9 * rem ? 2 : 4)) {
      svg.append(svgPiece("line", { x1: box.left, x2: box.right, y1: py(v), y2: py(v), class: "grid-line" }));
      say(tickText(v), box.left - 0.4 * rem, py(v) + 0.3 * rem, "tick", "end");
    }
    for (const v of x.log ? logTicks(x0, x1) : roundTicks(x0, x1, wide < 24 * rem ? 3 : 5)) say(tickText(v), px(v), box.bottom + 1 * rem, "tick");
    say(x.label, (box.left + box.right) / 2, high - 0.35 * rem, "axis");
    for (const level of levels) {
      svg.append(svgPiece("line", { x1: box.left, x2: box.right, y1: py(level.y), y2: py(level.y), class: "level" }));
      say(level.label, box.right, py(level.y) - 0.3 * rem, "level-name", "end");
    }
    if (at !== null) svg.append(svgPiece("line", { x1: px(at), x2: px(at), y1: box.top, y2: box.bottom, class: "here" }));
    for (const one of series) {
      const group = svgPiece("g", { class: "series", style: "--series: var(--" + one.colour + ")" });
      const points = one.points.filter((point) => point.every(Number.isFinite)).map(([a, b]) => [px(a), py(b)]);
      if (points.length > 1 && one.line !== false) {
        group.append(svgPiece("polyline", { points: points.map((point) => point.map((v) => v.toFixed(1)).join(",")).join(" "), "stroke-dasharray": one.dash ?? "" }));
      }
      if (one.dots || points.length === 1) {
        points.forEach(([a, b], i) => {
          const r = 0.28 * rem;
          const glyph = chartGlyph(one.glyph, a, b, r);
          const title = svgPiece("title");
          title.textContent = (one.titles?.[i] ?? one.name) + ": " + tickText(one.points[i][0]) + ", " + tickText(one.points[i][1]);
          glyph.append(title);
          group.append(glyph);
        });
      }
      svg.append(group);
    }
    // Names stand above the chart, with the colours and dashes of their lines.
    const keys = series.filter((one) => one.name && one.points.length).map((one) =>
      piece("span", { class: "series-key", style: "--series: var(--" + one.colour + ")" },
        one.dots ? svgPiece("svg", { viewBox: "0 0 12 12", "aria-hidden": "true", class: "key-glyph" }, chartGlyph(one.glyph, 6, 6, 4))
          : svgPiece("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, svgPiece("line", { x1: 1, x2: 23, y1: 4, y2: 4, "stroke-dasharray": one.dash ?? "" })),
        one.name));
    holder.replaceChildren(piece("p", { class: "chart-head" }, piece("b", {}, y.label), keys.length > 1 || shown.legend ? keys : []), svg);
  }

  return { show };
}
