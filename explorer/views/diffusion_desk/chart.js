// A small line chart over the steps: axes with units, a line for each series, and a line at the step that is shown.

const CHART = { width: 360, height: 138, left: 44, right: 10, top: 12, bottom: 34 };

/** A title may be [words, sign, words, ...]. chartOf({title, unit, series: [[name, tone]]}) -> node with .draw(rows of values, labels of the x axis) and .mark(i) */
function chartOf({ title, unit, series, seek }) {
  const { width, height, left, right, top, bottom } = CHART;
  const svg = svgPiece("svg", { viewBox: "0 0 " + width + " " + height, role: "img" });
  const legend = piece(
    "p",
    { class: "chart-legend" },
    piece("b", {}, ...[title].flat().map((part, i) => (i % 2 ? signOf(part) : part))),
    series.map(([name, tone]) => name && piece("span", { style: "--tone: var(" + tone + ")", class: "chart-key" }, signOf(name))),
  );
  const node = piece("figure", { class: "chart" }, legend, svg);
  const make = (tag, attributes, text) => {
    const part = svgPiece(tag, attributes, text);
    svg.append(part);
    return part;
  };
  let [count, last] = [0, null];
  const x = (i) => left + (count > 1 ? (i / (count - 1)) * (width - left - right) : 0);
  let marker = null;

  node.draw = (rows, times) => {
    svg.replaceChildren();
    count = rows[0]?.length ?? 0;
    if (!count) return;
    const most = niceTop(Math.max(...rows.flat().filter(Number.isFinite), 0));
    const y = (value) => height - bottom - (value / most) * (height - top - bottom);
    for (const share of [0, 0.5, 1]) {
      make("line", { x1: left, x2: width - right, y1: y(share * most), y2: y(share * most), class: "chart-grid" });
      make("text", { x: left - 6, y: y(share * most) + 4, "text-anchor": "end" }, numberText(share * most, 2));
    }
    for (const i of count > 2 ? [0, Math.floor((count - 1) / 2), count - 1] : [0]) {
      const anchor = i === 0 ? "start" : i === count - 1 ? "end" : "middle";
      make("text", { x: x(i), y: height - bottom + 16, "text-anchor": anchor }, "t = " + Math.round(times[i]));
    }
    make("text", { x: (left + width - right) / 2, y: height - 2, "text-anchor": "middle", class: "chart-unit" }, "step 1 to " + count);
    make("text", { x: 11, y: (top + height - bottom) / 2, "text-anchor": "middle", transform: "rotate(-90 11 " + (top + height - bottom) / 2 + ")", class: "chart-unit" }, unit);
    rows.forEach((row, k) => {
      const path = row.map((value, i) => (i ? "L" : "M") + x(i).toFixed(1) + " " + y(value).toFixed(1)).join("");
      make("path", { d: path, class: "chart-line", style: "--tone: var(" + series[k][1] + ")" });
    });
    marker = make("line", { y1: top, y2: height - bottom, class: "chart-mark" });
    svg.setAttribute("aria-label", [title].flat().join("").replace(/[_{}]/g, "") + " over " + countText(count, "step") + ", at most " + numberText(Math.max(...rows[0])));
    node.mark(last ?? 0);
  };
  node.mark = (i) => {
    last = i;
    if (!marker || !count) return;
    const at = x(Math.min(i, count - 1));
    marker.setAttribute("x1", at);
    marker.setAttribute("x2", at);
  };
  svg.addEventListener("pointerdown", (event) => {
    const box = svg.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width * width - left) / (width - left - right);
    if (count) seek?.(Math.round(Math.min(1, Math.max(0, share)) * (count - 1)));
  });
  return node;
}

/** A round number at or above a value: 1, 2, 5, 10, ... */
function niceTop(value) {
  if (!(value > 0)) return 1;
  const ten = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * ten >= value - 1e-9) * ten;
}
