// A and B, and the film between their codes. Faces come from the desk, playing is the Film view's work.

const morph = element.querySelector(".morph");
const line = element.querySelector(".line");
const frames = props.frames;
const slots = { a: null, b: null }; // each {source, z: the code to morph with, image}
let desk = null;
let film = null;
let loaded = ""; // the pair whose film is shown

const sym = (name, letter) => '<i class="sym sym-' + name + '">' + letter + "</i>";

/** What a link can say of a slot: a gallery face, a seed, or the code itself. */
function name(slot) {
  const { source, edited, z } = slot;
  if (!edited && source.index !== undefined) return "g" + source.index;
  if (!edited && source.seed !== undefined) return ["s" + source.seed, source.heat, source.from].join("_");
  return "c" + desk.pack(z);
}

/** The means mu where a picture was encoded, else the code that was drawn. A noisy z would blur what A and B are. */
function meant(source) {
  return { source, z: source.code ? source.code.mu : source.z, edited: false };
}

async function named(text) {
  const gallery = /^g(\d+)$/.exec(text || "");
  if (gallery && +gallery[1] < desk.start.gallery.length) return meant(desk.fromGallery(+gallery[1]));
  const seed = /^s(\d{1,6})_([\d.]+)_(aggregate|prior)$/.exec(text || "");
  if (seed) return meant(await desk.fromSeed(+seed[1], Math.min(1.5, +seed[2]), seed[3]));
  const code = /^c([\w-]+)$/.exec(text || "");
  const z = code && desk.unpack(code[1], desk.start.dims);
  return z && { source: desk.fromCode(z), z, edited: true };
}

// ---- Slots ---------------------------------------------------------------------------------------------------------

function furnish(key) {
  const slot = morph.querySelector('[data-slot="' + key + '"]');
  const letter = key.toUpperCase();
  slot.innerHTML =
    '<canvas width="64" height="64" role="img"></canvas>' +
    '<div><h4>' + letter + '</h4><p class="title"></p><div class="choices">' +
    '<button type="button" class="choice" data-take="here">Use the one above</button>' +
    '<button type="button" class="choice" data-take="random">Random</button>' +
    '<button type="button" class="choice" data-take="gallery" aria-expanded="false">Choose</button>' +
    '<label class="choice">Picture<input type="file" accept="image/*" class="unseen" aria-label="Picture for ' + letter + '"></label>' +
    '</div></div><div class="shelf" role="group" aria-label="Pictures for ' + letter + '" hidden></div>';

  const shelf = slot.querySelector(".shelf");
  slot.addEventListener("click", (event) => {
    const take = event.target.closest("[data-take]")?.dataset.take;
    if (take === "here") put(key, { source: desk.source, z: desk.z, edited: desk.edited });
    if (take === "random") attempt(async () => put(key, meant(await desk.fromSeed(Math.floor(Math.random() * 1e6), 1, "aggregate"))));
    if (take === "gallery") unfold(slot, shelf.hidden);
  });
  slot.addEventListener("keydown", (event) => event.key === "Escape" && unfold(slot, false));
  slot.querySelector("input").addEventListener("change", (event) => {
    fromFile(key, event.target.files[0]);
    event.target.value = "";
  });
  slot.addEventListener("dragover", (event) => (event.preventDefault(), slot.toggleAttribute("data-drop", true)));
  slot.addEventListener("dragleave", () => slot.toggleAttribute("data-drop", false));
  slot.addEventListener("drop", (event) => {
    event.preventDefault();
    slot.toggleAttribute("data-drop", false);
    if (event.dataTransfer.files.length) return fromFile(key, event.dataTransfer.files[0]);
    attempt(async () => {
      const face = await named(event.dataTransfer.getData("text/plain"));
      if (face) put(key, face);
    });
  });
}

/** The gallery of the model that is on the desk. */
function stock(key) {
  const slot = morph.querySelector('[data-slot="' + key + '"]');
  slot.querySelector(".shelf").replaceChildren(...desk.start.gallery.map(({ caption }, i) => {
    const thumb = document.createElement("button");
    thumb.type = "button";
    thumb.title = caption;
    thumb.setAttribute("aria-label", caption);
    const { width, height } = desk.faces[i];
    thumb.append(Object.assign(document.createElement("canvas"), { width, height }));
    thumb.firstChild.getContext("2d").putImageData(desk.faces[i], 0, 0);
    thumb.addEventListener("click", () => (unfold(slot, false), put(key, meant(desk.fromGallery(i)))));
    return thumb;
  }));
}

function unfold(slot, open) {
  slot.querySelector(".shelf").hidden = !open;
  slot.querySelector("[data-take=gallery]").setAttribute("aria-expanded", String(open));
}

function fromFile(key, file) {
  if (file) attempt(async () => put(key, meant(await desk.fromFile(file))));
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    window.explorer.toast(error.message, "error");
  }
}

function put(key, face) {
  slots[key] = face;
  return roll();
}

// ---- The film ------------------------------------------------------------------------------------------------------

let rolling = 0;
async function roll(begin = 0) {
  const { a, b } = slots;
  const ticket = ++rolling;
  morph.dataset.state = "busy";
  const query = { a: desk.wire.numbers(a.z), b: desk.wire.numbers(b.z), frames };
  const url = (format) => desk.wire.url("morph", format ? { ...query, format } : query);
  await attempt(async () => {
    const [first, last] = await Promise.all([desk.wire.picture(a.z), desk.wire.picture(b.z)]);
    const exports = Object.fromEntries(desk.start.exports.map((format) => [format, url(format)]));
    const size = desk.start.size;
    const shown = await film.load({ src: url(), frames, width: size, height: size, start: begin, exports });
    if (!shown || ticket !== rolling) return; // overtaken, or the film says what went wrong
    for (const [key, image] of [["a", first], ["b", last]]) {
      const slot = morph.querySelector('[data-slot="' + key + '"]');
      desk.paint(slot.querySelector("canvas"), image);
      slot.querySelector("canvas").setAttribute("aria-label", "Reconstruction of " + slots[key].source.title);
      slot.querySelector(".title").textContent = slots[key].edited ? "edited: " + slots[key].source.title : slots[key].source.title;
      slot.dataset.name = name(slots[key]);
    }
    tell(begin);
    window.explorer.set({ a: name(a), b: name(b) });
    morph.dataset.state = "ready";
    morph.dataset.ready = "true";
  });
  if (ticket === rolling && morph.dataset.state === "busy") morph.dataset.state = "error";
}

/** The line z(t) with the numbers of the frame that is shown. */
function tell(index) {
  const t = index / (frames - 1);
  const weight = (v) => "<b>" + v.toFixed(3) + "</b>";
  const end = (slot) => (slot.source.code && !slot.edited ? sym("mu", "μ") : sym("z", "z"));
  line.innerHTML = sym("z", "z") + "(t) = (1 − t) " + end(slots.a) + "<sub>A</sub> + t " + end(slots.b) + "<sub>B</sub>" +
    '<span class="now">t = ' + weight(t) + "</span><span class=\"now\">" + weight(1 - t) + " A + " + weight(t) + " B</span>";
  window.explorer.set({ frame: index || null });
}

// ---- Beginning -----------------------------------------------------------------------------------------------------

/** An element of another view, as soon as that view has put its handle on it. */
function handle(selector, property) {
  return new Promise((resolve) => {
    const look = () => {
      const found = [...document.querySelectorAll(selector), ...document.querySelectorAll(selector + " *")].find((e) => e[property]);
      return found ? resolve([found[property], found]) : requestAnimationFrame(look);
    };
    look();
  });
}

async function begin() {
  let deskRoot;
  [desk, deskRoot] = await handle(props.desk, "desk");
  await desk.ready;
  const [player, root] = await handle("#" + element.closest("[id]").id, "film");
  film = player;
  root.addEventListener("film:frame", (event) => morph.dataset.ready === "true" && tell(event.detail.index));
  furnish("a");
  furnish("b");
  deskRoot.addEventListener("desk:model", anew);
  morph.querySelector(".swap").addEventListener("click", () => {
    [slots.a, slots.b] = [slots.b, slots.a];
    roll(frames - 1 - (film.index || 0));
  });

  await anew();
}

/** The pair that the link names, or the first one, of the model that is on the desk. */
async function anew() {
  for (const key of ["a", "b"]) {
    stock(key);
    unfold(morph.querySelector('[data-slot="' + key + '"]'), false);
  }
  const get = (key) => window.explorer.get(key);
  const first = (index) => meant(desk.fromGallery(Math.min(index, desk.start.gallery.length - 1)));
  const linked = (key) => named(get(key)).catch(() => null);
  slots.a = (await linked("a")) || first(props.pair[0]);
  slots.b = (await linked("b")) || first(props.pair[1]);
  const frame = Math.round(Number(get("frame")));
  await roll(frame > 0 && frame < frames ? frame : 0);
}

begin();
