// One state, one draw() per display frame. Drawing reads bitmaps that lie in the page; only load() and export ask the server.

const root = element.querySelector(".film");
const find = (selector) => root.querySelector(selector);
const [stage, strip, scrub, message] = [".picture", ".thumbs", ".scrub", ".message"].map(find);

const CELL = 44; // CSS pixels that a small frame is wide at least: a fingertip
const TALLEST = 72; // and high at most
const RETRIES = 5; // of a request that the server is too busy for

const state = {
  frames: [], // ImageBitmaps
  width: 64,
  height: 64,
  index: 0,
  playing: false,
  phase: 0, // frames played since the beginning; on the way back of a ping-pong it counts on
  loop: props.loop,
  pingpong: props.pingpong,
  speed: 1,
  status: "empty", // empty | loading | ready | error
  message: "", // one sentence, shown over the picture
  labels: props.ends,
  exports: {}, // kind -> address
  exporting: "", // the kind that is being made
};

/** The only way in which the state changes. */
function change(changes) {
  Object.assign(state, changes);
  plan();
}

// ---- Drawing -------------------------------------------------------------------------------------------------------

let planned = false;
function plan() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(draw);
}

// CSS pixels that the stage and the strip have: measured when they change, for asking in every frame would force a layout.
const room = { stage: 0, strip: 0 };
const measure = new ResizeObserver(() => {
  Object.assign(room, { stage: stage.clientWidth, strip: strip.parentElement.clientWidth });
  plan();
});
measure.observe(stage);
measure.observe(strip.parentElement);

// What is on the screen now, so that nothing is drawn twice.
const drawn = { film: 0, frame: null, index: -1, wide: 0, strip: "", clock: 0 };

function draw(now) {
  planned = false;
  if (state.playing) advance(Math.min(250, now - drawn.clock)); // a page in the background does not catch up
  drawn.clock = now;

  drawStage();
  drawStrip();
  drawControls();
  if (state.playing) plan();
}

function drawStage() {
  const frame = state.frames[state.index];
  const wide = Math.min(1536, Math.max(state.width, Math.round(room.stage * devicePixelRatio)));
  if (!frame || (frame === drawn.frame && wide === drawn.wide)) return;
  if (wide !== drawn.wide || stage.height !== Math.round((wide * state.height) / state.width)) {
    stage.width = wide;
    stage.height = Math.round((wide * state.height) / state.width);
    stage.style.aspectRatio = state.width + " / " + state.height;
  }
  const context = stage.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(frame, 0, 0, stage.width, stage.height);

  const moved = state.index !== drawn.index || drawn.frame === null;
  Object.assign(drawn, { frame, wide, index: state.index });
  root.dataset.frame = state.index;
  if (moved) root.dispatchEvent(new CustomEvent("film:frame", { bubbles: true, detail: { index: state.index } }));
}

/** Small frames, as many as fit, evenly chosen from the first to the last. */
function drawStrip() {
  const { frames, width, height } = state;
  const wide = room.strip;
  if (!frames.length || !wide) return;
  const count = Math.max(1, Math.min(frames.length, Math.floor(wide / CELL)));
  const cell = wide / count;
  const tall = Math.round(Math.min(TALLEST, (cell * height) / width));
  const key = [wide, count, tall, devicePixelRatio, drawn.film].join();
  if (key === drawn.strip) return;
  drawn.strip = key;

  strip.parentElement.style.setProperty("--cell", cell + "px");
  strip.parentElement.style.setProperty("--thumb-height", tall + "px");
  strip.width = Math.round(wide * devicePixelRatio);
  strip.height = Math.round(tall * devicePixelRatio);
  const context = strip.getContext("2d");
  context.imageSmoothingQuality = "high";
  const scale = Math.min(strip.width / count / width, strip.height / height);
  for (let i = 0; i < count; i++) {
    const frame = frames[count > 1 ? Math.round((i * (frames.length - 1)) / (count - 1)) : 0];
    const left = ((i + 0.5) * strip.width) / count - (width * scale) / 2;
    context.drawImage(frame, left, (strip.height - height * scale) / 2, width * scale, height * scale);
  }
}

function drawControls() {
  const { frames, index, status } = state;
  const last = Math.max(0, frames.length - 1);
  const t = last ? (index / last).toFixed(2) : "0.00";

  root.dataset.state = status;
  root.dataset.playing = state.playing;
  say(message, state.message || (status === "empty" ? "No film yet." : ""));
  message.dataset.kind = state.message ? "error" : "";
  find(".busy").hidden = status !== "loading";

  scrub.max = Math.max(1, last);
  scrub.value = index;
  scrub.disabled = last === 0;
  scrub.setAttribute("aria-valuetext", "t = " + t + ", frame " + (index + 1) + " of " + frames.length);
  stage.setAttribute("aria-label", frames.length ? props.name + ", frame " + (index + 1) + " of " + frames.length : "No film yet");
  say(find(".t"), frames.length ? "t = " + t + " · " + (index + 1) + "/" + frames.length : "");
  root.querySelectorAll(".end").forEach((end, i) => say(end, state.labels[i]));

  for (const name of ["play", "back", "forth"]) find('[data-do="' + name + '"]').disabled = last === 0;
  find(".play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
  for (const name of ["loop", "pingpong"]) find('[data-do="' + name + '"]').setAttribute("aria-pressed", state[name]);
  for (const item of find(".menu").children) {
    item.disabled = Boolean(state.exporting) || !frames.length;
    say(item.lastChild, state.exporting === item.dataset.kind ? "being made …" : item.dataset.hint);
  }
}

/** Text that stays the same is not written again: it would be laid out again, and a screen reader would repeat it. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// ---- Playing -------------------------------------------------------------------------------------------------------

/** Moves on by so many milliseconds. There and back is twice the way; a loop rests on each of its frames alike. */
function advance(elapsed) {
  const last = state.frames.length - 1;
  const once = state.pingpong ? 2 * last : last;
  let phase = state.phase + (elapsed / 1000) * props.fps * state.speed;
  if (state.loop) phase %= state.pingpong ? once : once + 1;
  else if (phase >= once) [phase, state.playing] = [once, false];
  const step = Math.floor(phase);
  Object.assign(state, { phase, index: step > last ? 2 * last - step : step });
}

function play() {
  if (state.frames.length < 2 || state.playing) return;
  const atEnd = state.index === state.frames.length - 1;
  // From its end a film begins again, unless it is to come back from there.
  const index = atEnd && !state.pingpong ? 0 : state.index;
  drawn.clock = performance.now();
  change({ playing: true, index, phase: index });
}

function pause() {
  change({ playing: false });
}

/** Shows frame i and stays there. Out of range is the nearest end. */
function goto(i) {
  const last = state.frames.length - 1;
  if (last < 0 || !Number.isFinite(i)) return;
  change({ index: Math.min(last, Math.max(0, Math.round(i))), playing: false });
}

// ---- Loading -------------------------------------------------------------------------------------------------------

let newest = 0;
let request = null;

/**
 * Fetches a film and shows its frame `start`. Until then, and if that fails, the old film stays.
 * Resolves to true when it is shown; to false when it failed (the view says why) or a newer load overtook it.
 */
async function load({ src, frames, width, height, labels, start = 0, exports = {}, autoplay = false }) {
  const ticket = ++newest;
  request?.abort();
  request = new AbortController();
  change({ status: "loading", message: "" });
  try {
    const reply = await ask(src, request.signal);
    const film = await unpacked(reply, { frames, width, height });
    if (ticket !== newest) return film.bitmaps.forEach((bitmap) => bitmap.close()), false;

    const old = state.frames;
    const index = Math.min(film.bitmaps.length - 1, Math.max(0, Math.round(start)));
    drawn.film++;
    drawn.frame = null;
    change({
      frames: film.bitmaps, width: film.width, height: film.height, index, phase: index, exports, status: "ready",
      labels: labels ?? props.ends, playing: state.playing && film.bitmaps.length > 1,
    });
    old.forEach((bitmap) => bitmap.close());
    furnish();
    if (autoplay && !matchMedia("(prefers-reduced-motion: reduce)").matches) play();
    return true;
  } catch (error) {
    if (ticket === newest) change({ status: "error", message: error.message });
    return false;
  }
}

/** A reply that is well, or an Error whose message is one sentence. */
async function ask(src, signal) {
  for (let tried = 0; ; tried++) {
    let reply;
    try {
      reply = await fetch(src, { signal, headers: { "x-session": window.__gradio_session_hash__ ?? "" } });
    } catch {
      throw new Error("The server does not answer; is the app still running?");
    }
    if (reply.ok) return reply;
    if (reply.status !== 429 || tried === RETRIES) {
      const told = await reply.json().catch(() => null);
      throw new Error(told?.error || "The server answered with error " + reply.status + ".");
    }
    await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** tried));
  }
}

/** The frames of a sprite (PNG) or of bare RGB or RGBA bytes, each as a bitmap of its own. */
async function unpacked(reply, told) {
  const shape = reply.headers.get("x-shape")?.split(",").map(Number) ?? [told.frames, told.height, told.width, 3];
  const [count, height, width, channels] = shape;
  const cut = reply.headers.get("content-type").startsWith("image/")
    ? await cutSprite(await reply.blob(), width, height, reply.headers.get("x-columns"))
    : cutBytes(new Uint8Array(await reply.arrayBuffer()), width, height, channels);
  if (!(count > 0)) throw new Error("The film that arrived is empty.");
  const bitmaps = await Promise.all(Array.from({ length: count }, (_, i) => cut(i)));
  return { bitmaps, width, height };
}

// As they are: no colour management, and no rounding through premultiplied alpha.
const EXACT = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

async function cutSprite(blob, width, height, columns) {
  const sheet = await createImageBitmap(blob, EXACT).catch(() => {
    throw new Error("The film that arrived is damaged.");
  });
  columns = Number(columns) || Math.floor(sheet.width / width);
  return (i) => createImageBitmap(sheet, (i % columns) * width, Math.floor(i / columns) * height, width, height, EXACT);
}

function cutBytes(bytes, width, height, channels) {
  return (i) => {
    const frame = bytes.subarray(i * width * height * channels, (i + 1) * width * height * channels);
    if (frame.length !== width * height * channels) throw new Error("The film that arrived is not whole.");
    const image = new ImageData(width, height);
    for (let p = 0; p < width * height; p++) {
      for (let c = 0; c < 4; c++) image.data[4 * p + c] = c < channels ? frame[channels * p + c] : c === 3 ? 255 : frame[channels * p];
    }
    return createImageBitmap(image, EXACT);
  };
}

// ---- Export --------------------------------------------------------------------------------------------------------

const KINDS = {
  gif: ["GIF", "plays everywhere"],
  mp4: ["MP4", "for slides and phones"],
  strip: ["PNG strip", "all frames in one picture"],
  png: ["PNG strip", "all frames in one picture"],
};

/** The menu: what the film's exports say is possible, and the frame on the stage, which needs no server. */
function furnish() {
  const kinds = Object.keys(state.exports).filter((kind) => kind in KINDS && state.exports[kind]);
  const items = [...kinds.map((kind) => [kind, ...KINDS[kind]]), ["frame", "This frame", "PNG"]];
  find(".menu").replaceChildren(...items.map(([kind, title, hint]) => {
    const item = document.createElement("button");
    item.type = "button";
    Object.assign(item.dataset, { kind, hint });
    item.append(title, Object.assign(document.createElement("small"), { textContent: hint }));
    item.addEventListener("click", () => exportAs(kind));
    return item;
  }));
  plan();
}

/** As it plays: at this speed, and there and back if it does so. */
async function exportAs(kind) {
  change({ exporting: kind, message: "" });
  try {
    if (kind === "frame") return save(await pictureOfFrame(), slug() + "-" + (state.index + 1) + ".png");
    const src = new URL(state.exports[kind], location.href);
    const fps = Math.min(50, Math.max(1, props.fps * state.speed));
    for (const [key, value] of Object.entries({ fps, pingpong: +state.pingpong, loop: +state.loop })) src.searchParams.set(key, value);
    const reply = await ask(src);
    const named = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "");
    save(await reply.blob(), named?.[1] ?? slug() + "." + (kind === "strip" ? "png" : kind));
  } catch (error) {
    change({ message: error.message });
  } finally {
    change({ exporting: "" });
    find(".export").open = false;
  }
}

function pictureOfFrame() {
  const scale = Math.max(1, Math.floor(512 / state.width));
  const canvas = Object.assign(document.createElement("canvas"), { width: state.width * scale, height: state.height * scale });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(state.frames[state.index], 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const slug = () => props.name.toLowerCase().replace(/[^a-z0-9]+/g, "-");

// ---- Hands ---------------------------------------------------------------------------------------------------------

scrub.addEventListener("input", () => goto(Number(scrub.value)));

const ACTIONS = {
  play: () => (state.playing ? pause() : play()),
  back: () => goto(state.index - 1),
  forth: () => goto(state.index + 1),
  loop: () => change({ loop: !state.loop }),
  pingpong: () => change({ pingpong: !state.pingpong, phase: state.index }),
};
for (const [name, action] of Object.entries(ACTIONS)) find('[data-do="' + name + '"]').addEventListener("click", action);
find(".speed").addEventListener("change", (event) => change({ speed: Number(event.target.value) }));

// Dragging over the stage moves through the film, its whole width being the whole film; a tap plays and pauses.
let drag = null;
stage.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || state.frames.length < 2) return;
  drag = { x: event.clientX, index: state.index, moved: false };
  stage.setPointerCapture(event.pointerId);
});
stage.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const way = event.clientX - drag.x;
  drag.moved ||= Math.abs(way) > 4;
  if (drag.moved) goto(drag.index + (way / stage.clientWidth) * (state.frames.length - 1));
});
stage.addEventListener("pointerup", () => {
  if (drag && !drag.moved) ACTIONS.play();
  drag = null;
});
stage.addEventListener("pointercancel", () => (drag = null));

const KEYS = {
  " ": ACTIONS.play,
  ArrowLeft: ACTIONS.back,
  ArrowRight: ACTIONS.forth,
  Home: () => goto(0),
  End: () => goto(state.frames.length - 1),
};
root.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  // Buttons, menus and the slider keep the keys that are theirs.
  if (event.target.matches("select") || (event.key === " " && event.target.matches("button, summary"))) return;
  if (event.key !== " " && event.target === scrub) return;
  event.preventDefault();
  KEYS[event.key]();
});

const menu = find(".export");
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  event.stopPropagation();
  menu.open = false;
  menu.firstElementChild.focus();
});
document.addEventListener("pointerdown", (event) => menu.contains(event.target) || (menu.open = false));

root.setAttribute("aria-label", props.name);
root.film = {
  load, goto, play, pause,
  get index() { return state.index; },
  get length() { return state.frames.length; },
  get playing() { return state.playing; },
};
furnish();
