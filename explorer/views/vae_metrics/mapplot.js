// One flat map: points in their kinds, one of them marked, a cross where one looks. Says where the pointer is. Knows no requests.

const NAMES_APART = 14; // px between two names

/** on.point(i), on.place(x, y, final) in the map's own units. */
function makeMapPlot({ words, on }) {
  const canvas = piece("canvas", { class: "map-canvas", tabindex: 0, role: "application", "aria-label": words + "; arrow keys move the cross, Enter decodes",
    onpointerdown: (event) => (canvas.setPointerCapture(event.pointerId), (held = true), look(event)),
    onpointermove: (event) => (held || event.pointerType === "mouse") && look(event), onpointerup: drop, onpointercancel: drop, onkeydown: walk });
  const context = canvas.getContext("2d");
  let shown = null, side = 0, ratio = 1, waiting = 0, held = false, marked = -1, cross = null, layer = null;
  new ResizeObserver(fit).observe(canvas);
  new MutationObserver(() => ((layer = null), ask())).observe(document.body, { attributeFilter: ["class"] });

  function fit() {
    if (!canvas.clientWidth || canvas.clientWidth === side) return;
    side = canvas.clientWidth;
    ratio = Math.min(2, window.devicePixelRatio || 1);
    canvas.width = canvas.height = Math.round(side * ratio);
    layer = null;
    ask();
  }

  function ask() {
    waiting ||= requestAnimationFrame(() => ((waiting = 0), shown?.points && side && paint()));
  }

  const to = (x, y) => {
    const [[left, right], [bottom, top]] = shown.frame;
    return [((x - left) / (right - left)) * side, ((top - y) / (top - bottom)) * side];
  };

  function look(event) {
    if (!shown?.points) return;
    const box = canvas.getBoundingClientRect();
    const [u, v] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((s) => Math.min(1, Math.max(0, s)));
    at(u, v, false);
  }

  function at(u, v, final) {
    const [[left, right], [bottom, top]] = shown.frame;
    cross = [left + u * (right - left), top - v * (top - bottom)];
    on.point(nearest(u, v));
    on.place(...cross, final);
    ask();
  }

  function nearest(u, v) {
    let best = -1, least = Infinity;
    for (let i = 0; i < shown.points.length / 2; i++) {
      const [x, y] = to(shown.points[2 * i], shown.points[2 * i + 1]), far = (x - u * side) ** 2 + (y - v * side) ** 2;
      if (far < least) [best, least] = [i, far];
    }
    return best;
  }

  function drop() {
    if (held && cross) on.place(...cross, true);
    held = false;
  }

  function walk(event) {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!shown?.points || (!way && event.key !== "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = cross ? to(...cross) : [side / 2, side / 2], step = event.shiftKey ? 0.1 : 0.025;
    at(...[x / side + (way?.[0] ?? 0) * step, y / side + (way?.[1] ?? 0) * step].map((s) => Math.min(1, Math.max(0, s))), !way);
  }

  /** The points are drawn once; only the marks move. */
  function drawPoints() {
    layer = piece("canvas", { width: canvas.width, height: canvas.height });
    const ink = layer.getContext("2d"), r = Math.max(2, side / 150);
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.globalAlpha = 0.8;
    for (let i = 0; i < shown.points.length / 2; i++) {
      ink.fillStyle = kindColour(shown.kinds[i]);
      markKind(ink, shown.kinds[i], ...to(shown.points[2 * i], shown.points[2 * i + 1]), r);
    }
  }

  /** The name of each kind at the middle of its points, where the middles lie apart: small marks alone say little. */
  function drawNames(style) {
    const { points, kinds, names = [] } = shown;
    const middles = names.map((_, kind) => {
      const mine = [];
      for (let i = 0; i < points.length / 2; i++) if (kinds[i] === kind) mine.push(i);
      const middle = (d) => mine.map((i) => points[2 * i + d]).sort((a, b) => a - b)[mine.length >> 1];
      return mine.length ? to(middle(0), middle(1)) : null;
    });
    const there = middles.filter(Boolean), crowded = there.some(([x, y], i) => there.slice(0, i).some(([u, v]) => Math.hypot(x - u, y - v) < NAMES_APART));
    canvas.dataset.names = crowded ? 0 : there.length;
    if (crowded) return;
    const ink = layer.getContext("2d");
    ink.globalAlpha = 1;
    Object.assign(ink, { font: "700 14px system-ui, sans-serif", textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 4 });
    ink.strokeStyle = style.getPropertyValue("--panel").trim();
    ink.fillStyle = style.getPropertyValue("--ink").trim();
    middles.forEach((at, kind) => at && (ink.strokeText(names[kind], ...at), ink.fillText(names[kind], ...at)));
  }

  function paint() {
    const style = getComputedStyle(canvas), ink = style.getPropertyValue("--ink").trim();
    if (!layer) (drawPoints(), drawNames(style));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(layer, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.strokeStyle = ink;
    context.lineWidth = 2;
    if (marked >= 0) {
      context.beginPath();
      context.arc(...to(shown.points[2 * marked], shown.points[2 * marked + 1]), Math.max(5, side / 45), 0, 7);
      context.stroke();
    }
    if (cross) {
      const [x, y] = to(...cross);
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x - 8, y); context.lineTo(x + 8, y);
      context.moveTo(x, y - 8); context.lineTo(x, y + 8);
      context.stroke();
    }
    canvas.dataset.marked = marked;
  }

  return {
    node: canvas,
    draw: (next) => ((shown = { ...shown, ...next }), (layer = null), ask()),
    mark: (i) => ((marked = i), ask()),
    uncross: () => ((cross = null), ask()),
    get points() { return shown?.points ?? []; },
  };
}
