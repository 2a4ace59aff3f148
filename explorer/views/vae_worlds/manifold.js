// The data manifold: decoded pictures at equal shares of the prior, a part of which is decoded anew when one dives into it.

const MANIFOLD_LESSONS = {
  "0": "Without the KL the prior knows nothing of where the codes are: it covers the middle of the cloud and the gaps there, and never reaches what lies farther out.",
  "0.1": "The cloud is drawn in, but still wider than the prior: its outskirts are not on this board.",
  "1": "Neighbours are alike, and most kinds of picture have a region of their own: one can walk from any of them to any other.",
  "4": "The KL is dearer: rarer kinds make room for the common ones.",
  "16": "The KL is so dear that only a few kinds of picture are worth their code.",
  kl: "One picture everywhere, the mean of them all: the code says nothing, so the decoder cannot tell pictures apart.",
};

/** makeManifold(start, {fetch({model, rect, count}) -> sprite, tell(rect, count), point(z)}) -> {node, model(facts), ...} */
function makeManifold(start, hooks) {
  const { edge, narrow } = start, whole = [edge, 1 - edge, edge, 1 - edge];
  let model = null, rect = whole, count = 15, sheet = null, pinch = null, frame = 0; // sheet: {sprite, rect, count}: what is decoded
  const canvas = piece("canvas", { class: "manifold-canvas", width: 480, height: 480, tabindex: 0, role: "application", "aria-roledescription": "manifold",
    "aria-label": "Data manifold: arrows move, plus and minus dive in and out, 0 shows all",
    onpointerdown: down, onpointermove: move, onpointerup: up, onpointercancel: up, onkeydown: keyed });
  canvas.addEventListener("wheel", wheel, { passive: false });
  const across = piece("p", { class: "muted" }), lesson = piece("p", { class: "manifold-lesson" }), state = piece("span", { class: "muted" });
  const node = piece("div", { class: "manifold-place" }, canvas, piece("div", { class: "tools" },
    buttonOf({ words: "+", title: "Dive in", press: () => zoom(0.5), "aria-label": "Dive in", "data-do": "in" }),
    buttonOf({ words: "−", title: "Come out", press: () => zoom(2), "aria-label": "Come out", "data-do": "out" }),
    buttonOf({ words: "All", title: "The whole prior", press: () => look(whole), "data-do": "all" }), state), lesson, across);
  const pointers = new Map();

  const ask = latest(async (wanted) => {
    const sprite = await hooks.fetch(wanted);
    if (wanted.model !== model) return;
    sheet = { sprite, rect: wanted.rect, count: wanted.count };
    paint();
  });

  /** Where the decoded pictures lie in what is looked at; what is not decoded yet stays empty. */
  function paint() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      const sharp = sheet && same(sheet.rect, rect) && sheet.count === count;
      Object.assign(canvas.dataset, { decoded: Boolean(sharp), rect: rect.map((v) => v.toFixed(5)).join(","), count, whole: same(rect, whole) });
      tellText(state, sharp ? "" : "decoding …");
      if (!sheet) return;
      const { sprite } = sheet, side = Math.min(1024, sprite.width * sheet.count);
      if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, side, side);
      const [x0, x1, y0, y1] = rect, [u0, u1, v0, v1] = sheet.rect;
      const sx = side / (x1 - x0), sy = side / (y1 - y0);
      context.imageSmoothingEnabled = true;
      context.drawImage(sprite.sheet, 0, 0, sprite.width * sheet.count, sprite.height * sheet.count, (u0 - x0) * sx, (y1 - v1) * sy, (u1 - u0) * sx, (v1 - v0) * sy);
    });
  }

  const same = (a, b) => a.every((v, i) => Math.abs(v - b[i]) < 1e-6);

  /** Another part of the prior, kept inside it. It is decoded once the finger rests. */
  function look([x0, x1, y0, y1], rest = true) {
    const fit = (low, high) => {
      const span = Math.min(1 - 2 * edge, Math.max(narrow * 1.001, high - low));
      const start = Math.min(1 - edge - span, Math.max(edge, (low + high - span) / 2));
      return [start, start + span].map((v) => +v.toFixed(6));
    };
    rect = [...fit(x0, x1), ...fit(y0, y1)];
    tell();
    paint();
    if (rest) settle();
  }

  let timer = 0;
  function settle(wait = 160) {
    clearTimeout(timer);
    timer = setTimeout(() => model && ask({ model, rect, count }), wait);
    hooks.tell(rect, count);
  }

  function tell() {
    const [x0, x1, y0, y1] = rect.map(normalQuantile);
    const share = (rect[1] - rect[0]) * (rect[3] - rect[2]);
    const each = share / (count * count);
    tellText(across, `z₀ from ${fixedText(x0)} to ${fixedText(x1)}, z₁ from ${fixedText(y0)} to ${fixedText(y1)}. Each of the ${count} × ${count} pictures stands for the same share of the prior, ${each >= 1e-4 ? (100 * each).toFixed(2) + " %" : "1 in " + wholeText(1 / each)}.`);
  }

  const here = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
  };
  const shareAt = ([u, v]) => [rect[0] + u * (rect[1] - rect[0]), rect[2] + v * (rect[3] - rect[2])];

  function zoom(factor, about = [0.5, 0.5], rest = true) {
    const [px, py] = shareAt(about), w = (rect[1] - rect[0]) * factor, h = (rect[3] - rect[2]) * factor;
    look([px - about[0] * w, px + (1 - about[0]) * w, py - about[1] * h, py + (1 - about[1]) * h], rest);
  }

  function pan(dx, dy, rest = true) {
    const w = rect[1] - rect[0], h = rect[3] - rect[2];
    look([rect[0] + dx * w, rect[1] + dx * w, rect[2] + dy * h, rect[3] + dy * h], rest);
  }

  function wheel(event) {
    if (!event.ctrlKey && document.activeElement !== canvas) return; // a page that scrolls past is not a dive
    event.preventDefault();
    zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 240))), here(event));
  }

  function down(event) {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, here(event));
    pinch = pointers.size === 2 ? gap() : null;
    if (pointers.size === 1) canvas.from = { at: here(event), moved: false };
  }
  const gap = () => {
    const [a, b] = [...pointers.values()];
    return Math.max(0.02, Math.hypot(a[0] - b[0], a[1] - b[1]));
  };

  function move(event) {
    if (!pointers.has(event.pointerId)) return;
    const before = pointers.get(event.pointerId), now = here(event);
    pointers.set(event.pointerId, now);
    if (pointers.size === 2) {
      const wide = gap(), [a, b] = [...pointers.values()];
      canvas.from.moved = true;
      zoom(pinch / wide, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], false);
      pinch = wide;
    } else {
      if (Math.hypot(now[0] - canvas.from.at[0], now[1] - canvas.from.at[1]) > 0.012) canvas.from.moved = true;
      if (canvas.from.moved) pan(before[0] - now[0], before[1] - now[1], false);
    }
  }

  function up(event) {
    if (!pointers.delete(event.pointerId) || pointers.size) return;
    if (canvas.from.moved) settle(0);
    else if (event.type === "pointerup") {
      const cell = here(event).map((v) => (Math.min(count - 1, Math.max(0, Math.floor(v * count))) + 0.5) / count);
      hooks.point(shareAt(cell).map(normalQuantile));
    }
  }

  function keyed(event) {
    const way = { ArrowRight: [0.2, 0], ArrowLeft: [-0.2, 0], ArrowUp: [0, 0.2], ArrowDown: [0, -0.2] }[event.key];
    if (way) pan(...way);
    else if (event.key === "+" || event.key === "=") zoom(0.5);
    else if (event.key === "-") zoom(2);
    else if (event.key === "0") look(whole);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return {
    node, canvas, look,
    show(facts) {
      model = facts;
      tellText(lesson, MANIFOLD_LESSONS[facts.stop] ?? "");
      sheet = null;
      tell(), paint(), settle(0);
    },
    set(nextRect, nextCount) {
      count = nextCount;
      look(nextRect ?? rect);
    },
    get rect() { return rect; },
    /** What is looked at in z: x0, x1, y0, y1. */
    get box() { return rect.map(normalQuantile); },
  };
}

/** The standard normal's inverse distribution function: Acklam's rational fit, good to nine digits. */
function normalQuantile(p) {
  const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239];
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
  const c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
  const poly = (values, x) => values.reduce((sum, value) => sum * x + value, 0);
  const tail = (q) => poly(c, q) / poly([...d, 1], q);
  if (p < 0.02425) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5, r = q * q;
  return (poly(a, r) * q) / poly([...b, 1], r);
}
