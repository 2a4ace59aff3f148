// The desk itself: one state, everything drawn from it, every change through `go` or `move`.

const FIRST = 12; // sliders shown before one asks for all
const film = { from: -REACH, to: REACH, frames: 49 }; // a step of 1/8 sigma
// What a model's pictures are called, and what it has seen.
const NOUNS = { avatars: ["face", "avatars"], digits: ["digit", "handwritten digits"], fashion_mnist: ["garment", "garments"] };
const HOVER = 120; // ms a pointer rests before a film is fetched ahead of its touch
const SETTLE = 140; // ms without a move after which the face is decoded exactly

const desk = element.querySelector(".desk");
const find = (selector) => desk.querySelector(selector);
const wire = wireTo(props.routes);

// What is on the desk. A source is what a code came from, and never changes:
//   {ref: "g3" | "s7" | "u" | "c", title, z: the code it begins with, code: {mu, sigma, kl} | null, x: ImageData | null, ...}
const state = {
  source: null,
  z: [],
  touched: null, // the dimension the equation speaks of
  face: null, // the ImageData on the stage
  past: [],
  future: [],
};
let start = null; // what the model says of itself
let faces = []; // the gallery's pictures
let rows = [];
let showChart = null;
let all = false;

const facts = (changes) => Object.assign(desk.dataset, changes);
const count = (name) => (desk.dataset[name] = +(desk.dataset[name] || 0) + 1);

// ---- Sources -------------------------------------------------------------------------------------------------------

function fromGallery(index, seed = null) {
  const { caption, mu, sigma, kl } = start.gallery[index];
  const source = { ref: "g" + index, index, title: caption, code: { mu, sigma, kl }, x: faces[index], z: mu, eps: null };
  return seed === null ? source : withNoise(source, seed);
}

/** The same picture with a z drawn from its posterior instead of its mean. */
function withNoise(source, seed) {
  const eps = normals(seed, start.dims);
  const { mu, sigma } = source.code;
  return { ...source, eps: seed, z: mu.map((m, d) => m + sigma[d] * eps[d]) };
}

function fromCode(z) {
  return { ref: "c", title: `a ${noun()} from a link`, code: null, x: null, z };
}

/** A random face. The temperature scales the draw about the middle, so one request serves every temperature. */
const draws = new Map();
async function fromSeed(seed, heat, from) {
  const key = seed + from;
  if (!draws.has(key)) {
    draws.set(key, wire.json("sample", { seed, source: from }));
    draws.get(key).catch(() => draws.delete(key));
  }
  const { middle, z } = await draws.get(key);
  return {
    ref: "s" + seed, seed, heat, from, title: `random ${noun()}, seed ` + seed, code: null, x: null,
    z: z.map((v, d) => middle[d] + heat * (v - middle[d])),
  };
}

async function fromFile(file) {
  const told = await wire.json("encode", {}, { method: "POST", body: file });
  const pixels = fromRgb(Uint8Array.from(atob(told.pixels), (c) => c.charCodeAt(0)), start.size, start.size);
  const { mu, sigma, kl, note } = told;
  return { ref: "u", title: "your picture", code: { mu, sigma, kl }, x: pixels, z: mu, eps: null, note };
}

// ---- Changing the state --------------------------------------------------------------------------------------------

/** Puts a source on the desk, with the code it begins with or another one. */
function go(source, z = source.z, keep = true) {
  if (keep) remember();
  wire.overtake();
  Object.assign(state, { source, z: Array.from(z) });
  draw();
  exact();
}

function remember() {
  if (!state.source) return;
  state.past.push({ source: state.source, z: Array.from(state.z) });
  state.past.splice(0, state.past.length - 200);
  state.future = [];
  burst = null;
}

function travel(from, to) {
  if (!from.length) return;
  to.push({ source: state.source, z: Array.from(state.z) });
  const { source, z } = from.pop();
  burst = null;
  go(source, z, false);
  syncTools(source);
}

// A drag, or a key held down on one slider, is one step of the history.
let burst = null;
let settling = 0;

function move(dim, value) {
  if (!state.source) return;
  if (burst !== dim) {
    remember();
    burst = dim;
  }
  state.z[dim] = value;
  state.touched = dim;
  facts({ settled: "false" });
  clearTimeout(settling);

  const strip = wire.film(state.z, dim, film);
  if (strip.frames) {
    const frame = Math.round(((clamp(value, film.from, film.to) - film.from) / (film.to - film.from)) * (film.frames - 1));
    wire.overtake();
    asked = "";
    show(strip.frames[frame], "film:" + frame);
  } else {
    // What the page draws in the meantime delays the picture, so the rest waits and appears with it.
    near(state.z);
  }
  drawRow(dim);
}

/** The picture of a code on the way, unless it is the one that was asked for last. */
let asked = "";
function near(z) {
  const code = wire.numbers(z);
  if (code === asked) return;
  asked = code;
  count("decodes");
  wire.decode(z, (image) => show(image, "near"), complain);
}

/** A value that the slider is about to have: asks for its picture before the slider says so. */
function ahead(dim, value) {
  if (!state.source || value === state.z[dim] || wire.film(state.z, dim, film).frames) return;
  near(state.z.with(dim, value));
}

function release() {
  clearTimeout(settling);
  settling = setTimeout(() => {
    burst = null;
    exact();
  }, SETTLE);
}

/** The picture of exactly this code, and the end pictures that go with it. */
function exact() {
  clearTimeout(settling);
  asked = "";
  facts({ settled: "false" });
  const z = Array.from(state.z);
  const here = () => z.every((v, d) => v === state.z[d]);
  count("decodes");
  const decoded = new Promise((resolve, reject) => {
    wire.decode(z, (image) => (show(image, "exact"), resolve()), reject);
  });
  Promise.all([decoded, drawEnds(z, here)])
    .then(() => here() && facts({ settled: "true", state: "ready" }))
    .catch((error) => here() && complain(error));
  writeLink();
}

let hovering = 0;
function hover(dim) {
  clearTimeout(hovering);
  hovering = setTimeout(() => state.source && prefetch(dim), HOVER);
}

/** `data-film` names the dimension whose film is at hand. A drag that has none asks for its pictures one by one. */
function prefetch(dim) {
  const strip = wire.film(state.z, dim, film, true);
  if (strip.frames) facts({ film: dim });
  else strip.ready.then(() => facts({ film: dim })).catch(() => {});
}

function touch(dim, anew) {
  if (!state.source) return;
  clearTimeout(hovering);
  if (anew) burst = null;
  state.touched = dim;
  prefetch(dim);
  drawSoon();
}

// ---- Drawing -------------------------------------------------------------------------------------------------------

/** The picture, what follows from its pixels, and soon the numbers that belong to it. */
function show(image, frame) {
  drawSoon();
  state.face = image;
  paint(find(".face"), image);
  facts({ frame, state: "ready" });
  count("painted");
  const { x } = state.source;
  if (x) {
    const { mse, psnr } = difference(x.data, image.data);
    paint(find(".xhat"), image);
    paint(find(".diff"), differencePicture(x, image));
    find(".measure").innerHTML = "MSE <b>" + mse.toFixed(4) + "</b> PSNR <b>" + psnr.toFixed(1) + " dB</b>";
  }
}

let planned = false;
function drawSoon() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    drawEquation();
    drawButtons();
    showChart(state.z, state.source.code, state.touched);
  });
}

function drawRow(dim) {
  rows[dim].value(state.z[dim], state.source.z[dim]);
}

/** Everything but the pixels that are still to come. */
function draw() {
  const { source } = state;
  for (const [dim, row] of rows.entries()) {
    drawRow(dim);
    row.posterior(source.code ? source.code.mu[dim] : null, source.code ? source.code.sigma[dim] : null);
  }
  facts({ source: source.ref });
  desk.toggleAttribute("data-encoded", Boolean(source.x));
  if (source.x) paint(find(".x"), source.x);
  find(".face").setAttribute("aria-label", `The decoded ${noun()}: ` + source.title);
  for (const [i, thumb] of [...find(".strip").children].entries()) {
    thumb.setAttribute("aria-pressed", String(source.index === i));
  }
  find(".note").textContent = remark(source);
  const { code } = source;
  find(".bill").innerHTML = code
    ? `This ${noun()}: KL = <b>` + text(code.mu.reduce((sum, mu, d) => sum + divergence(mu, code.sigma[d]), 0), 1) + "</b> nats" : "";
  find(".lead").innerHTML = `This ${noun()} is ` + start.dims + " numbers. <b>Drag one.</b>";
  drawSoon();
}

function remark(source) {
  if (source.ref === "u") {
    return (source.note ? source.note + " " : "") +
      `The model has only ever seen ${seen()}: of any other picture it draws the nearest it knows. The picture is not kept.`;
  }
  if (source.ref === "c") return `A link carries the numbers of a ${noun()}, not the picture it came from.`;
  if (source.from === "prior") {
    return `Drawn from the prior N(0, I). It reaches places where no ${noun()} was ever encoded, so some of these come out odd.`;
  }
  if (source.from) {
    return "Drawn from q(z), the density of the codes of many pictures (the aggregate posterior): it avoids the prior’s empty places.";
  }
  const known = source.title.startsWith("trained on"); // among pictures that a visitor brought
  return "Encoded: " + source.title + (known ? "." : `. The model has never seen this ${noun()}.`);
}

const noun = () => NOUNS[start?.data]?.[0] ?? "picture";
const seen = () => NOUNS[start?.data]?.[1] ?? "the pictures it was trained on";

const sym = (name, letter) => '<i class="sym sym-' + name + '">' + letter + "</i>";
const arrow = (word) => '<span class="arrow">' + word + "</span>";

function drawEquation() {
  const { source, z } = state;
  const dim = state.touched ?? start.order[0];
  const sub = "<sub>" + dim + "</sub>";
  if (!source.code) {
    const origin = source.from === "aggregate" ? sym("z", "z") + " ~ q(" + sym("z", "z") + ")"
      : source.from === "prior" ? sym("z", "z") + " ~ N(0, I)" : sym("z", "z");
    const heat = source.heat === undefined ? "" : ", temperature " + text(source.heat);
    showSymbols(origin + heat + arrow("decoder") + sym("xhat", "x̂"));
    showValues(sym("z", "z" + sub) + " = " + num("z", z[dim]));
    desk.toggleAttribute("data-far", false);
    find(".verdict").textContent = "Nothing was encoded, so there is no posterior on the tracks.";
    return;
  }
  showSymbols(sym("x", "x") + arrow("encoder") + sym("mu", "μ") + ", " + sym("sigma", "σ") +
    '<span class="arrow bare"></span>' + sym("z", "z") + " = " + sym("mu", "μ") + " + " + sym("sigma", "σ") + " · " + sym("eps", "ε") +
    arrow("decoder") + sym("xhat", "x̂"));

  const shown = equation(z[dim], source.code.mu[dim], source.code.sigma[dim]);
  showValues(sym("z", "z" + sub) + " = " + num("mu", shown.mu) + " + " + num("sigma", shown.sigma, 3) + " · " +
    num("eps", shown.eps, 2, true) + " = " + num("z", shown.z));

  find(".verdict").textContent = verdict(dim, shown, source.code.mu[dim], source.code.sigma[dim]);
  desk.toggleAttribute("data-far", Math.abs(shown.eps) > 3);
  facts({ eps: shown.eps });
}

function verdict(dim, { eps }, mu, sigma) {
  const z = "z" + dim;
  if (Math.abs(mu) < 0.4 && sigma > 0.8) return `For this ${noun()} ` + z + " says almost nothing: its posterior is nearly the prior.";
  if (Math.abs(eps) < 0.005) return "ε = 0: " + z + " is the mean, where the encoder put it.";
  if (Math.abs(eps) <= 2) return "An ε of this size is drawn often: still a likely code of x.";
  if (Math.abs(eps) <= 3) return "An ε of this size is drawn rarely: an unlikely code of x, but a possible one.";
  return z + " is " + Math.round(Math.abs(eps)) + " σ from where the encoder put it: no longer a code of x.";
}

/** The model as a line of symbols: it changes with the source, not with a drag. */
let symbols = "";
function showSymbols(html) {
  if (html !== symbols) find(".symbols").innerHTML = symbols = html;
}

/** Beside the sliders, and on a phone under the face, which stays in sight. */
function showValues(html) {
  for (const place of desk.querySelectorAll(".values")) place.innerHTML = html;
}

/** A number in its symbol's colour; `factor` puts a negative one in brackets. */
function num(name, v, digits = 2, factor = false) {
  const shown = factor && v < 0 ? "(" + text(v, digits) + ")" : text(v, digits);
  return '<b class="sym-' + name + '">' + shown + "</b>";
}

function drawButtons() {
  find("[data-do=undo]").disabled = !state.past.length;
  find("[data-do=redo]").disabled = !state.future.length;
  find("[data-do=reset]").disabled = state.z.every((v, d) => v === state.source.z[d]);
  find("[data-do=noise]").disabled = find("[data-do=mean]").disabled = !state.source.code;
}

const visible = () => (all ? start.order : start.order.slice(0, FIRST));

async function drawEnds(z, here) {
  const dims = visible();
  const images = await wire.frames("ends", { z: wire.numbers(z), dims: dims.join(","), at: rounded(END * film.to, 2) });
  if (!here()) return;
  dims.forEach((dim, i) => rows[dim].ends([images[2 * i], images[2 * i + 1]]));
}

/** One sentence about what went wrong; what is on the desk stays. */
function complain(error) {
  drawSoon();
  facts({ state: "ready" });
  window.explorer.toast(error.message, "error");
}

// ---- The link ------------------------------------------------------------------------------------------------------

function writeLink() {
  const { source, z } = state;
  const link = { face: null, eps: null, seed: null, t: null, from: null, code: null, dim: state.touched };
  for (let d = 0; d < start.dims; d++) link["z" + d] = null;
  if (source.index !== undefined) {
    link.face = "g" + source.index;
    link.eps = source.eps;
  } else if (source.seed !== undefined) {
    Object.assign(link, { seed: source.seed, t: source.heat, from: source.from });
  } else {
    link.code = pack(z);
  }
  if (link.code === null) {
    z.forEach((v, d) => v !== source.z[d] && (link["z" + d] = rounded(v, 3)));
  }
  window.explorer.set(link);
}

async function readLink() {
  const get = (key) => window.explorer.get(key);
  const number = (key, fallback, low, high) => {
    const v = parseFloat(get(key));
    return Number.isFinite(v) ? clamp(v, low, high) : fallback;
  };
  const chosen = /^gallery:(\d+)$/.exec(document.vae?.picture ?? ""); // in another part
  let source = fromGallery(chosen && +chosen[1] < start.gallery.length ? +chosen[1] : 0);
  const face = /^g(\d+)$/.exec(get("face") || "");
  if (face && +face[1] < start.gallery.length) source = fromGallery(+face[1], get("eps") === null ? null : number("eps", 0, 0, 2 ** 31));
  else if (get("seed") !== null) {
    const from = get("from") === "prior" ? "prior" : "aggregate";
    source = await fromSeed(Math.round(number("seed", 7, 0, 999999)), number("t", 1, 0, 1.5), from);
  } else if (get("code") !== null) {
    const z = unpack(get("code"), start.dims);
    if (z) source = fromCode(z);
  }
  const z = source.z.map((v, d) => number("z" + d, v, -start.far, start.far));
  const dim = number("dim", null, 0, start.dims - 1);
  if (dim !== null) state.touched = Math.round(dim);
  syncTools(source);
  go(source, z, false);
}

// ---- Tools ---------------------------------------------------------------------------------------------------------

/** The fields show what the face on the desk was drawn with. */
function syncTools({ seed, heat, from }) {
  if (seed === undefined) return;
  find(".seed").value = seed;
  find(".heat").value = heat;
  find(".from").value = from;
  find(".heat-value").textContent = text(heat);
}

/** A temperature that is being dragged is one step of the history. */
let drawn = null;
let heating = false;
async function drawFace(field) {
  const seed = clamp(Math.round(+find(".seed").value || 0), 0, 999999);
  const heat = +find(".heat").value;
  find(".heat-value").textContent = text(heat);
  const ticket = (drawn = {});
  try {
    const source = await fromSeed(seed, heat, find(".from").value);
    if (drawn !== ticket || source.z.every((v, d) => v === state.z[d])) return;
    if (field !== "heat") return go(source);
    if (!heating) remember();
    heating = true;
    wire.overtake();
    Object.assign(state, { source, z: Array.from(source.z) });
    facts({ settled: "false" });
    near(state.z);
    draw();
  } catch (error) {
    complain(error);
  }
}

let reading = null;
async function usePicture(file) {
  if (!file || !start) return;
  const ticket = (reading = {});
  facts({ state: "busy" });
  find(".note").textContent = "Reading your picture.";
  try {
    const source = await fromFile(file);
    if (reading !== ticket) return;
    go(source);
    window.explorer.announce("Your picture is encoded.");
  } catch (error) {
    find(".note").textContent = remark(state.source);
    complain(error);
  }
}

function save() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 512;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmapOf(state.face), 0, 0, 512, 512);
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = noun() + "-" + state.source.ref + ".png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

function showAll(wanted) {
  if (all === wanted) return;
  all = wanted;
  for (const dim of start.order.slice(FIRST)) rows[dim].element.hidden = !all;
  const more = find(".more");
  more.textContent = all ? "Show the first " + FIRST : "Show all " + start.dims;
  more.setAttribute("aria-expanded", String(all));
  if (all && state.source) exact(); // the unfolded rows want their end pictures
}

function pick(dim) {
  if (start.order.indexOf(dim) >= FIRST) showAll(true);
  rows[dim].element.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
  rows[dim].slider.focus({ preventScroll: true });
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const actions = {
  random() {
    find(".seed").value = Math.floor(Math.random() * 1000000);
    drawFace("random");
  },
  undo: () => travel(state.past, state.future),
  redo: () => travel(state.future, state.past),
  reset: () => go(state.source),
  noise: () => go(withNoise(state.source, Math.floor(Math.random() * 1000000))),
  mean: () => go({ ...state.source, eps: null, z: state.source.code.mu }),
  save,
  more: () => showAll(!all),
  options() {
    const open = desk.toggleAttribute("data-options");
    find(".options").setAttribute("aria-expanded", String(open));
  },
  retry: begin,
};

desk.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button && (start || button.dataset.do === "retry")) actions[button.dataset.do]();
});
find(".seed").addEventListener("change", () => drawFace("seed"));
find(".seed").addEventListener("keydown", (event) => event.key === "Enter" && drawFace("seed"));
find(".from").addEventListener("change", () => drawFace("from"));
find(".heat").addEventListener("input", () => drawFace("heat"));
find(".heat").addEventListener("change", () => ((heating = false), release()));
find(".file").addEventListener("change", (event) => {
  usePicture(event.target.files[0]);
  event.target.value = ""; // the same file may be chosen again
});

desk.addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  desk.toggleAttribute("data-drop", true);
});
desk.addEventListener("dragleave", (event) => {
  if (!desk.contains(event.relatedTarget)) desk.toggleAttribute("data-drop", false);
});
desk.addEventListener("drop", (event) => {
  desk.toggleAttribute("data-drop", false);
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  usePicture(event.dataTransfer.files[0]);
});

const onScreen = () => desk.isConnected && desk.offsetParent !== null;
const writing = (node) => node instanceof Element && node.matches("textarea, select, [contenteditable], input:not([type=range])");

document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files || [])].find((f) => f.type.startsWith("image/"));
  if (file && onScreen() && !writing(event.target)) usePicture(file);
});
document.addEventListener("keydown", (event) => {
  if (!start || !onScreen() || writing(event.target) || event.altKey) return;
  const key = event.key.toLowerCase();
  const action = event.ctrlKey || event.metaKey
    ? { z: event.shiftKey ? actions.redo : actions.undo, y: actions.redo }[key]
    : { r: actions.random, e: state.source?.code && actions.noise }[key];
  if (!action) return;
  event.preventDefault();
  action();
});

// The stage is drawn in the pixels of the screen, so a resize asks for it anew.
new ResizeObserver(() => {
  if (!state.face) return;
  paint(find(".face"), state.face);
}).observe(find(".face"));

// ---- Beginning -----------------------------------------------------------------------------------------------------

function furnish() {
  Object.assign(film, { from: -start.reach, to: start.reach });
  find("[data-do=random]").textContent = "Random " + noun();
  find("[data-do=random]").title = `A random ${noun()} (R)`;
  find(".from [value=aggregate]").textContent = `encoded ${noun()}s, q(z)`;
  all = false;
  find(".strip").replaceChildren(
    ...start.gallery.map(({ caption }, i) => {
      const thumb = document.createElement("button");
      thumb.type = "button";
      thumb.className = "thumb";
      thumb.title = caption;
      thumb.draggable = true;
      thumb.setAttribute("aria-label", caption);
      thumb.innerHTML = '<canvas width="64" height="64"></canvas>';
      thumb.addEventListener("click", () => state.source && go(fromGallery(i)));
      thumb.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", "g" + i));
      return thumb;
    }),
  );
  [...find(".strip").children].forEach((thumb, i) => paint(thumb.firstChild, faces[i]));

  const on = {
    hover, touch, ahead, move, release,
    reset: (dim) => (remember(), (state.z[dim] = state.source.z[dim]), (state.touched = dim), draw(), exact()),
  };
  rows = start.axes.map((axis, dim) => makeRow(dim, axis, on, start.reach));
  find(".rows").replaceChildren(...start.order.map((dim) => rows[dim].element));
  for (const dim of start.order.slice(FIRST)) rows[dim].element.hidden = !all;

  const more = find(".more");
  more.hidden = start.dims <= FIRST;
  more.textContent = "Show all " + start.dims;
  showChart = makeChart(find(".plot"), start.order, start.axes, pick, start.reach);
  find(".key").innerHTML = sym("mu", "μ") + " dot, " + sym("sigma", "σ") + " whisker, " + sym("z", "z") +
    " ring; most informative first, bands at 1, 2 and 3 σ of the prior. Tap a column to reach its slider.";
}

let model = document.vae?.model ?? window.explorer.get("model") ?? ""; // the one on the desk
let beginning = null;

async function begin() {
  const ticket = (beginning = {});
  find(".failure").hidden = true;
  facts({ state: "loading", ready: "false" });
  wire.setModel(model === "faces" ? "" : model);
  try {
    const told = await Promise.all([wire.json("start"), wire.frames("gallery")]);
    if (beginning !== ticket) return;
    [start, faces] = told;
    wire.setVersion(start.version);
    furnish();
    await readLink();
    if (beginning !== ticket) return;
    facts({ ready: "true", model: model || "faces" });
    ready();
    element.dispatchEvent(new CustomEvent("desk:model"));
  } catch (error) {
    if (beginning !== ticket) return;
    facts({ state: "error" });
    find(".failure").hidden = false;
    find(".failure p").textContent = error.message;
  }
}

// What a neighbour on the page may do: read the face, put one on the desk, and turn what a link names into a code.
let ready;
element.desk = {
  ready: new Promise((resolve) => (ready = resolve)),
  wire, fromGallery, fromSeed, fromFile, fromCode, go, paint, pack, unpack,
  get start() { return start; },
  get faces() { return faces; },
  get source() { return state.source; },
  get z() { return Array.from(state.z); },
  get face() { return state.face; },
  get edited() { return state.source.eps !== undefined && state.source.eps !== null || state.z.some((v, d) => v !== state.source.z[d]); },
  get history() { return [state.past.length, state.future.length]; },
};

/** Another model was chosen: nothing of the one before holds for it. A desk that is not seen waits until it is. */
function follow() {
  const { vae } = document;
  const same = vae && (vae.model || "faces") === (model || "faces");
  if (!element.isConnected || !vae || vae.part !== "explore" || (beginning && same)) return;
  if (!same) {
    model = vae.model;
    const link = { face: null, eps: null, seed: null, t: null, from: null, code: null, dim: null, a: null, b: null, frame: null };
    for (let d = 0; d < (start?.dims ?? 0); d++) link["z" + d] = null;
    window.explorer.set(link);
    draws.clear();
    burst = drawn = reading = null;
    asked = "";
    Object.assign(state, { source: null, touched: null, past: [], future: [] });
  }
  begin();
}
document.addEventListener("vae:model", follow);
document.addEventListener("vae:part", follow);

// A picture of the gallery that was chosen in another part is on the desk when one comes back.
document.addEventListener("vae:picture", ({ detail }) => {
  const shown = /^gallery:(\d+)$/.exec(detail.picture);
  const same = (document.vae.model || "faces") === (model || "faces");
  if (element.isConnected && shown && same && state.source && start.gallery[shown[1]]) go(fromGallery(+shown[1]));
});

// A class that opens a link to another part asks nothing for this one. Where the bar is not there yet, it will tell.
if (document.vae?.part === "explore") begin();
