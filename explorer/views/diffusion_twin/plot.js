// The plot: axes with numbers, the density of this t, data, points on their way, arrows of the score, traces. It draws the
// moment it is given and says where the pointer is, in the plot's units. Knows neither films nor requests.

const PLOT_REACH = 3.25; // of the axes
const HEAT_CELLS = 72;
const ARROW_GAIN = 0.3; // of (1−ᾱ) · score, which reaches from x to √ᾱ x̂0
const ARROW_MOST = 0.62; // units
const PATHS_SHOWN = 70;

/** The canvas in `holder`. draw(moment) with {mix, a, y, w, x, x0, films..., layers}; on(kind, x, y, event). */
function makePlot(holder, { words, on }) {
  const canvas = piece("canvas", { class: "plot-canvas", tabindex: 0, role: "img", "aria-label": words });
  holder.append(canvas);
  const context = canvas.getContext("2d");
  let [side, ratio, moment, ink, heat, waiting] = [0, 1, null, null, null, 0];

  const box = () => {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const [left, bottom] = [2.1 * rem, 2.3 * rem];
    const unit = Math.min(side - left - 0.4 * rem, side - bottom - 0.4 * rem) / (2 * PLOT_REACH);
    return { rem, unit, x: left + PLOT_REACH * unit, y: 0.4 * rem + PLOT_REACH * unit };
  };

  new ResizeObserver(fit).observe(holder);
  new MutationObserver(() => ((ink = null), (heat = null), ask())).observe(document.body, { attributeFilter: ["class"] });

  function fit() {
    const wide = holder.clientWidth;
    if (!wide) return;
    side = Math.min(wide, Math.max(340, window.innerHeight * 0.64));
    ratio = Math.min(2, window.devicePixelRatio || 1);
    canvas.width = canvas.height = Math.round(side * ratio);
    canvas.style.width = canvas.style.height = side + "px";
    ask();
  }

  function draw(next) {
    moment = next;
    canvas.style.touchAction = next.drawing ? "none" : "pan-y"; // a finger that does not draw scrolls the page
    ask();
  }

  /** At most once a frame. */
  function ask() {
    if (!waiting) waiting = requestAnimationFrame(() => ((waiting = 0), moment && side && paint()));
  }

  function paint() {
    ink ??= inkOf(canvas);
    const view = box();
    const { mix, a, y: cls, w, layers } = moment;
    const to = (x, y) => [view.x + x * view.unit, view.y - y * view.unit];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, side, side);
    context.save();
    context.beginPath();
    context.rect(...to(-PLOT_REACH, PLOT_REACH), 2 * PLOT_REACH * view.unit, 2 * PLOT_REACH * view.unit);
    context.clip();
    if (layers.density && mix) density(mix, a, to, view);
    grid(to, view);
    if (layers.contours && mix && cls !== null && mix.has(cls)) contours(mix, a, cls, to);
    if (layers.data && moment.data) data(to);
    if (layers.paths && moment.paths) paths(to);
    if (layers.ghosts && moment.x0) {
      context.fillStyle = ink.ghost;
      context.globalAlpha = 0.55;
      for (let i = 0; i < moment.x0.length; i += 2) context.fillRect(...to(moment.x0[i], moment.x0[i + 1]).map((v) => v - 1.1), 2.2, 2.2);
      context.globalAlpha = 1;
    }
    if (moment.x) {
      const r = moment.x.length > 800 ? 2 : 2.5;
      context.fillStyle = ink.sample;
      context.globalAlpha = 0.85;
      for (let i = 0; i < moment.x.length; i += 2) markAt(context, "dot", ...to(moment.x[i], moment.x[i + 1]), r);
      context.globalAlpha = 1;
    }
    if (mix) arrows(mix, a, cls, w, layers, to, view);
    if (moment.trace) trace(to);
    if (moment.probe) probe(to);
    if (moment.cursor) cursor(to);
    context.restore();
    axes(to, view);
    canvas.dataset.drawn = moment.name ?? "";
  }

  function grid(to, view) {
    context.strokeStyle = ink.line;
    context.lineWidth = 1;
    for (let v = -3; v <= 3; v++) {
      context.globalAlpha = v ? 0.6 : 1;
      context.beginPath();
      context.moveTo(...to(v, -PLOT_REACH));
      context.lineTo(...to(v, PLOT_REACH));
      context.moveTo(...to(-PLOT_REACH, v));
      context.lineTo(...to(PLOT_REACH, v));
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  function axes(to, view) {
    context.fillStyle = ink.muted;
    context.font = `${0.75 * view.rem}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "top";
    const text = (v) => String(v).replace("-", "−");
    for (let v = -3; v <= 3; v++) context.fillText(text(v), to(v, 0)[0], to(0, -PLOT_REACH)[1] + 0.25 * view.rem);
    context.fillText("x₁, in standard deviations of the noise", to(0, 0)[0], to(0, -PLOT_REACH)[1] + 1.15 * view.rem);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let v = -3; v <= 3; v++) context.fillText(text(v), to(-PLOT_REACH, 0)[0] - 0.35 * view.rem, to(0, v)[1]);
    context.save();
    context.translate(0.45 * view.rem, to(0, 0)[1]);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText("x₂", 0, 0);
    context.restore();
    context.strokeStyle = ink.strong;
    context.strokeRect(...to(-PLOT_REACH, PLOT_REACH), 2 * PLOT_REACH * view.unit, 2 * PLOT_REACH * view.unit);
  }

  function density(mix, a, to, view) {
    const key = a.toFixed(5);
    if (heat?.key !== key || heat.mix !== mix) {
      const cells = mix.density(a, HEAT_CELLS, PLOT_REACH);
      heat = { key, mix, ...heatPicture(cells, HEAT_CELLS, ink.data) };
    }
    context.imageSmoothingEnabled = true;
    context.drawImage(heat.canvas, ...to(-PLOT_REACH, PLOT_REACH), 2 * PLOT_REACH * view.unit, 2 * PLOT_REACH * view.unit);
  }

  let lines = null;
  function contours(mix, a, cls, to) {
    const key = a.toFixed(5) + " " + cls;
    if (lines?.key !== key || lines.mix !== mix) {
      const cells = mix.density(a, HEAT_CELLS, PLOT_REACH, cls);
      lines = { key, mix, cells, most: cells.reduce((x, y) => Math.max(x, y), 0) };
    }
    const place = (u, v) => to(-PLOT_REACH + (u * 2 * PLOT_REACH) / HEAT_CELLS, -PLOT_REACH + (v * 2 * PLOT_REACH) / HEAT_CELLS);
    context.strokeStyle = ink.told;
    context.lineWidth = 1.2;
    for (const share of [0.1, 0.4, 0.75]) {
      context.globalAlpha = 0.35 + 0.5 * share;
      context.beginPath();
      levelLine(context, lines.cells, HEAT_CELLS, lines.most * share, place);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  function data(to) {
    const { points, label } = moment.data;
    context.globalAlpha = moment.drawing ? 1 : 0.75;
    points.forEach(([x, y], i) => {
      context.fillStyle = moment.drawing ? ink.classes[label[i] % 4] : moment.y !== null && label[i] === moment.y ? ink.told : ink.data;
      markAt(context, CLASS_MARKS[label[i] % 5], ...to(x, y), moment.drawing ? 3.6 : 1.9);
    });
    context.globalAlpha = 1;
  }

  function paths(to) {
    const { film, until } = moment.paths;
    context.strokeStyle = ink.sample;
    context.globalAlpha = 0.3;
    context.lineWidth = 1;
    const most = Math.min(PATHS_SHOWN, film.n);
    for (let i = 0; i < most; i++) {
      context.beginPath();
      for (let k = 0; k <= until; k++) context[k ? "lineTo" : "moveTo"](...to(film.x(k)[2 * i], film.x(k)[2 * i + 1]));
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  function arrows(mix, a, cls, w, layers, to, view) {
    const kinds = ["free", "told", "guided"].filter((name) => layers[name] && (name === "free" || cls !== null));
    if (!kinds.length || !(a < 1)) return;
    const n = side < 460 ? 11 : 13, step = (2 * 3) / (n - 1), size = (1 - a) * ARROW_GAIN;
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < n; i++) {
        const x = -3 + i * step, y = -3 + j * step;
        const free = mix.look(x, y, a).score;
        const told = cls === null ? free : mix.look(x, y, a, cls).score;
        const of = { free, told, guided: mix.guided(free, told, w) };
        for (const name of kinds) {
          let [dx, dy] = of[name].map((v) => v * size);
          const long = Math.hypot(dx, dy);
          if (long > ARROW_MOST) [dx, dy] = [(dx / long) * ARROW_MOST, (dy / long) * ARROW_MOST];
          context.fillStyle = context.strokeStyle = ink[name];
          context.globalAlpha = 0.85;
          arrowTo(context, ...to(x, y), dx * view.unit, -dy * view.unit, name === "guided" ? 1.8 : 1.3);
        }
      }
    }
    context.globalAlpha = 1;
  }

  function trace(to) {
    const { ode, sde } = moment.trace;
    const line = (points) => {
      context.beginPath();
      points.forEach(([x, y], k) => context[k ? "lineTo" : "moveTo"](...to(x, y)));
      context.stroke();
    };
    context.lineWidth = 1.3;
    context.strokeStyle = ink.sde;
    context.globalAlpha = 0.75;
    for (const one of sde) line(one);
    context.globalAlpha = 1;
    context.lineWidth = 3.4;
    context.strokeStyle = ink.panel;
    line(ode);
    context.lineWidth = 2;
    context.strokeStyle = ink.trace;
    line(ode);
    context.fillStyle = ink.sde;
    for (const one of sde) markAt(context, "square", ...to(...one.at(-1)), 3.2);
    context.fillStyle = ink.trace;
    markAt(context, "diamond", ...to(...ode.at(-1)), 4);
  }

  function probe(to) {
    const { x, x0 } = moment.probe;
    if (x0) {
      context.strokeStyle = ink.ghost;
      context.lineWidth = 1.6;
      context.setLineDash([4, 3]);
      context.beginPath();
      context.moveTo(...to(...x));
      context.lineTo(...to(...x0));
      context.stroke();
      context.setLineDash([]);
      context.beginPath();
      context.arc(...to(...x0), 6, 0, 2 * Math.PI);
      context.stroke();
    }
    context.lineWidth = 4;
    context.strokeStyle = ink.panel;
    context.beginPath();
    context.arc(...to(...x), 6, 0, 2 * Math.PI);
    context.stroke();
    context.lineWidth = 2;
    context.strokeStyle = ink.ink;
    context.stroke();
  }

  function cursor(to) {
    const [x, y] = to(...moment.cursor);
    context.strokeStyle = ink.ink;
    context.lineWidth = 1.5;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 10 * dx, y + 10 * dy);
    }
    context.stroke();
  }

  function place(event) {
    const view = box(), frame = canvas.getBoundingClientRect();
    return [(event.clientX - frame.left - view.x) / view.unit, (view.y - (event.clientY - frame.top)) / view.unit];
  }

  for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, (event) => on(kind, ...place(event), event));
  }
  canvas.addEventListener("keydown", (event) => on("key", 0, 0, event));

  return { canvas, draw, again: ask, unit: () => box().unit, picture: () => new Promise((done) => canvas.toBlob(done, "image/png")) };
}
