// Small charts: lines over a common axis, with error bands, a level and a cursor. Knows no path and no model.

/** A number with as many digits as its size needs. */
function shortText(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (!size) return "0";
  return fixedText(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** Where the axis of values up to `most` (from `least`) ends: a round number. */
function roundUp(most) {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * power >= most * 0.999) * power;
}

/** The fewest decimals that write all of these exactly, five at most: numbers of one axis have the same. */
const axisDigits = (values) => [0, 1, 2, 3, 4].find((digits) => values.every((v) => Math.abs(v * 10 ** digits - Math.round(v * 10 ** digits)) < 1e-6)) ?? 5;

/** lineChart({title, unit, x: [label, low, high], height, move(x), from}): `.node`, `.cursor(x)`,
 *  `.set([{name, way, xs, ys, errors?}], {value, words}, high)`: lines, a level, where the axis ends. `from` 1: it need not begin at 0. */
function lineChart({ title, unit, x: [across, left, right], height = 112, move = null, from = 0 }) {
  const pad = { left: 40, right: 8, top: 8, bottom: 30 };
  let width = 320, redraw = () => {};
  const inner = { w: width - pad.left - pad.right, h: height - pad.top - pad.bottom };
  const plot = svgPiece("g", { transform: `translate(${pad.left} ${pad.top})` });
  const art = svgPiece("svg", { height, class: "chart-art", role: "img" }, plot);
  const head = piece("figcaption", { class: "chart-head" }, piece("b", {}, title), piece("span", { class: "muted" }, unit));
  const node = piece("figure", { class: "chart" }, head, art);
  const cursor = svgPiece("line", { y1: 0, y2: inner.h, class: "chart-cursor", visibility: "hidden" });
  let series = [], level = null;
  const atX = (x) => ((x - left) / (right - left)) * inner.w;

  // Letters keep their size, whatever room there is.
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width < 40 || Math.abs(contentRect.width - width) < 1) return;
    width = contentRect.width;
    inner.w = width - pad.left - pad.right;
    redraw();
  }).observe(art);

  function set(next, mark = level, high = null) {
    redraw = () => (set(next, mark, high), place());
    series = next;
    level = mark;
    const tops = series.flatMap(({ ys, errors }) => ys.map((y, i) => y + (errors?.[i] ?? 0)));
    const bottoms = series.flatMap(({ ys, errors }) => ys.map((y, i) => y - (errors?.[i] ?? 0)));
    let top = high ?? roundUp(Math.max(...tops.filter(Number.isFinite), level?.value ?? 0, 1e-9)), bottom = 0;
    if (from !== 0 && bottoms.length) { // an axis that does not begin at zero says so by its numbers
      bottom = Math.max(0, Math.floor(Math.min(...bottoms) * 20) / 20);
      top = Math.min(top, 1);
      if (bottom >= top) bottom = top - 0.05;
    }
    const atY = (y) => inner.h * (1 - (Math.min(y, top) - bottom) / (top - bottom));
    const middle = (bottom + top) / 2;
    const levels = [bottom, middle, top], digits = axisDigits(levels);
    const ticks = levels.map((y) => [
      svgPiece("line", { x1: 0, x2: inner.w, y1: atY(y), y2: atY(y), class: "chart-grid" }),
      svgPiece("text", { x: -6, y: atY(y) + 4, class: "chart-tick", "text-anchor": "end" }, minusText(y.toFixed(digits))),
    ]).flat();
    const ends = [left, (left + right) / 2, right].map((x, i) =>
      svgPiece("text", { x: atX(x), y: inner.h + 13, class: "chart-tick", "text-anchor": ["start", "middle", "end"][i] }, String(x)));
    const name = svgPiece("text", { x: inner.w / 2, y: inner.h + 27, class: "chart-tick", "text-anchor": "middle" }, across);
    const lines = series.map((one) => {
      const point = (i, y) => `${atX(one.xs[i]).toFixed(1)},${atY(y).toFixed(1)}`;
      const path = one.ys.map((y, i) => point(i, y)).join(" ");
      const band = one.errors && svgPiece("polygon", { class: "chart-band", "data-way": one.way,
        points: [...one.ys.map((y, i) => point(i, y + one.errors[i])), ...one.ys.map((y, i) => point(i, y - one.errors[i])).reverse()].join(" ") });
      return [band, svgPiece("polyline", { class: "chart-line", "data-way": one.way, points: path })];
    }).flat();
    const marked = level && [
      svgPiece("line", { x1: 0, x2: inner.w, y1: atY(level.value), y2: atY(level.value), class: "chart-level" }),
      svgPiece("text", { x: inner.w, y: atY(level.value) + (atY(level.value) < 14 ? 12 : -4), class: "chart-tick", "text-anchor": "end" }, level.words),
    ];
    plot.replaceChildren(...[...ticks, ...ends, name, ...(marked || []), ...lines, cursor].filter(Boolean));
    art.setAttribute("aria-label", title + ", " + unit + ": " + series.map(({ name, ys }) => `${name} from ${shortText(ys[0])} to ${shortText(ys.at(-1))}`).join("; "));
  }

  if (move) {
    const at = (event) => {
      const box = art.getBoundingClientRect();
      const x = event.clientX - box.left - pad.left;
      move(Math.min(right, Math.max(left, left + (x / inner.w) * (right - left))));
    };
    art.addEventListener("pointerdown", (event) => (art.setPointerCapture(event.pointerId), at(event)));
    art.addEventListener("pointermove", (event) => art.hasPointerCapture(event.pointerId) && at(event));
    art.classList.add("chart-drag");
  }

  let here = null;
  function place() {
    if (here === null) return;
    cursor.setAttribute("visibility", "visible");
    cursor.setAttribute("x1", atX(here));
    cursor.setAttribute("x2", atX(here));
  }

  return { node, set, cursor: (x) => ((here = x), place()) };
}

/** Rows of numbers as a file that spreadsheets open. */
function csvText(head, rows) {
  const cell = (value) => (/[",\n]/.test(String(value)) ? '"' + String(value).replaceAll('"', '""') + '"' : String(value));
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

/** Canvases side by side in rows of `columns`, as a PNG for the visitor. */
async function canvasesFile(canvases, columns, name, side = 128) {
  const sheet = piece("canvas", { width: columns * side, height: Math.ceil(canvases.length / columns) * side });
  const context = sheet.getContext("2d");
  canvases.forEach((canvas, i) => context.drawImage(canvas, (i % columns) * side, Math.floor(i / columns) * side, side, side));
  const blob = await new Promise((done) => sheet.toBlob(done, "image/png"));
  handOver(blob, name);
}
