// One number of the code: a film of the picture while it runs, and where the pictures of each class lie on it.

/** change() after the film came. load({dim, factor, turn, column, n, kinds, names, own, words}) shows another number. */
function makeAxis(part) {
  const canvas = piece("canvas", { class: "picture axis-picture", width: 64, height: 64 });
  const ridge = piece("canvas", { class: "ridge", role: "img" });
  const title = piece("h4", {});
  const value = piece("output", { class: "axis-value" });
  const slider = sliderOf({ label: "Value of this number", min: 0, max: 32, step: 1, value: 16, input: (at) => ((frame = at), paint()), style: "--track: var(--sym-z)" });
  const play = buttonOf({ icon: null, words: "Play", name: "axis-play", press: toggle });
  const words = piece("p", { class: "muted" });
  const film = piece("div", { class: "axis-film" }, canvas, piece("div", { class: "tools" }, slider, play), value);
  const node = piece("section", { class: "card axis", "aria-label": "One number of the code" }, title,
    piece("div", { class: "axis-pair" }, film, piece("figure", { class: "axis-ridge" }, ridge, piece("figcaption", { class: "muted" }))), words);
  let sprite = null, frame = 16, given = null, running = 0, asked = 0, wait = 0;
  new ResizeObserver(() => given && draw()).observe(ridge);
  new MutationObserver(() => given && draw()).observe(document.body, { attributeFilter: ["class"] });

  const valueAt = (i) => given.low + ((given.high - given.low) * i) / 32;

  function load(next) {
    const low = quantile(next.column, next.n, 0.005), high = quantile(next.column, next.n, 0.995), reach = Math.max(high - low, 0.5);
    given = { ...next, low: Math.max(-99, low - 0.1 * reach), high: Math.min(99, high + 0.1 * reach) };
    tellText(title, `${next.label}${next.factorName ? " and " + next.factorName : ""}`);
    tellText(words, next.words);
    film.hidden = !next.filmed;
    const caption = node.querySelector("figcaption");
    tellText(caption, next.names.length
      ? `Where pictures of each ${next.factorName} lie on ${next.label}: one row for each value, all rows to one scale. The line is where the film is.`
      : `Where all ${wholeText(next.n)} pictures lie on ${next.label}. The line is where the film is.`);
    draw();
    if (!next.filmed) return;
    frame = Math.round((32 * (Math.min(given.high, Math.max(given.low, next.own)) - given.low)) / (given.high - given.low));
    slider.set(frame);
    clearTimeout(wait);
    wait = setTimeout(fetchFilm, 120);
  }

  const query = (more = {}) => part.query({ picture: part.picture, turn: given.turn, dim: given.dim, from: given.low.toFixed(3), to: given.high.toFixed(3), v: part.model.version, ...more });

  async function fetchFilm() {
    const mine = ++asked;
    try {
      const got = await part.wire.sprite("metrics/film", query());
      if (mine !== asked) return;
      sprite = got;
      node.dataset.film = `${given.turn} ${given.dim}`;
      paint();
    } catch (error) {
      if (mine === asked) part.trouble(error, fetchFilm);
    }
  }

  function paint() {
    if (!given) return;
    slider.set(frame);
    tellText(value, `${given.label} = ${fixedText(valueAt(frame))}`);
    if (sprite) paintFrame(canvas, sprite, frame);
    draw();
  }

  function toggle() {
    if (running) return void stop();
    const begun = performance.now(), from = frame;
    const step = (now) => {
      const at = (from + (now - begun) / 60) % 64;
      frame = Math.round(at < 32 ? at : 64 - at);
      paint();
      running = requestAnimationFrame(step);
    };
    running = requestAnimationFrame(step);
    tellText(play.lastChild, "Pause");
  }

  function stop() {
    cancelAnimationFrame(running);
    running = 0;
    tellText(play.lastChild, "Play");
  }

  function draw() {
    if (!ridge.clientWidth) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize), ratio = Math.min(2, window.devicePixelRatio || 1);
    const rows = Math.max(1, given.names.length), wide = ridge.clientWidth, row = rows === 1 ? 5 * rem : 1.55 * rem, high = rows * row + 1.5 * rem;
    ridge.style.height = high + "px";
    ridge.width = Math.round(wide * ratio);
    ridge.height = Math.round(high * ratio);
    const context = ridge.getContext("2d"), style = getComputedStyle(ridge), colour = (name) => style.getPropertyValue("--" + name).trim();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const left = given.names.length ? 5.2 * rem : 0.5 * rem, right = wide - 0.5 * rem, BINS = 48, counts = Array.from({ length: rows }, () => new Float64Array(BINS));
    for (let i = 0; i < given.n; i++) {
      const bin = Math.floor(((given.column[i] - given.low) / (given.high - given.low)) * BINS);
      if (bin >= 0 && bin < BINS) counts[given.names.length ? given.kinds[i] : 0][bin]++;
    }
    const most = Math.max(1, ...counts.map((one) => Math.max(...one))), x = (share) => left + share * (right - left);
    context.font = `${0.75 * rem}px system-ui, sans-serif`;
    context.textBaseline = "alphabetic";
    counts.forEach((one, r) => {
      const base = (r + 1) * row;
      context.fillStyle = given.names.length ? kindColour(r) : colour("sym-mu");
      one.forEach((count, b) => context.fillRect(x(b / BINS), base - (count / most) * (row - 3), (right - left) / BINS + 0.3, (count / most) * (row - 3)));
      context.strokeStyle = colour("line");
      context.strokeRect(left, base, right - left, 0);
      if (!given.names.length) return;
      context.fillStyle = colour("ink");
      context.textAlign = "right";
      context.fillText(given.names[r], left - 0.4 * rem, base - 0.25 * rem, left - 0.6 * rem);
    });
    context.fillStyle = colour("muted");
    for (const value of ticksOf(given.low, given.high)) {
      context.textAlign = "center";
      context.fillText(minusText(String(value)), x((value - given.low) / (given.high - given.low)), rows * row + 1.05 * rem);
    }
    context.strokeStyle = colour("sym-z");
    context.lineWidth = 2;
    if (given.filmed) {
      context.beginPath();
      context.moveTo(x(frame / 32), 0);
      context.lineTo(x(frame / 32), rows * row);
      context.stroke();
    }
    ridge.setAttribute("aria-label", `Histograms of ${given.label}${given.names.length ? " for " + given.names.join(", ") : ""}`);
  }

  return { node, load, rest: stop, query, toggle, frame: () => frame, get given() { return given; } };
}

function quantile(column, n, q) {
  const step = Math.max(1, Math.floor(n / 2000)), some = [];
  for (let i = 0; i < n; i += step) some.push(column[i]);
  return some.sort((a, b) => a - b)[Math.min(some.length - 1, Math.floor(q * some.length))] ?? 0;
}

/** A handful of round numbers between two. */
function ticksOf(low, high) {
  const rough = (high - low) / 5, ten = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].map((m) => m * ten).find((s) => s >= rough);
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) found.push(+v.toFixed(6));
  return found;
}
