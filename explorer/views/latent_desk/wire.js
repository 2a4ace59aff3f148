// Talks to one model's routes. Pictures come back as ImageData, failures as one sentence. Knows no page.

const IN_FLIGHT = 3; // more gains nothing and would starve the browser's six connections
const KEPT_FILMS = 12; // 49 frames of 64 x 64 are 0.8 MB each

function wireTo(prefix) {
  const numbers = (z) => Array.from(z, (v) => +v.toFixed(4)).join(",");

  let version = ""; // of the model: browsers keep pictures, and another model gives others for the same numbers
  let model = ""; // "" for the usual one

  function url(name, query = {}) {
    const pairs = Object.entries({ ...query, ...(model && { model }), ...(version && { v: version }) }).map(([key, value]) => key + "=" + value);
    return window.explorer.url(prefix + "/" + name + (pairs.length ? "?" + pairs.join("&") : ""));
  }

  const ask = (name, query, init) => window.explorer.ask(url(name, query), init);
  const json = async (name, query, init) => (await ask(name, query, init)).json();

  /** One picture of raw RGB bytes. */
  async function picture(z) {
    const reply = await ask("decode", { z: numbers(z) });
    const [, height, width] = reply.headers.get("x-shape").split(",").map(Number);
    return fromRgb(new Uint8Array(await reply.arrayBuffer()), width, height);
  }

  /** The frames of a sprite: ImageData each, in order. */
  async function frames(name, query) {
    const reply = await ask(name, query);
    const [count, height, width] = reply.headers.get("x-shape").split(",").map(Number);
    const sheet = await createImageBitmap(await reply.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    const canvas = new OffscreenCanvas(sheet.width, sheet.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(sheet, 0, 0);
    const columns = sheet.width / width;
    return Array.from({ length: count }, (_, i) =>
      context.getImageData((i % columns) * width, Math.floor(i / columns) * height, width, height),
    );
  }

  // Decoding while something moves: at most three requests at once, the newest value waits, late answers are dropped.
  let waiting = null;
  let flying = 0;
  let sent = 0;
  let shown = 0;

  function pump() {
    while (waiting && flying < IN_FLIGHT) {
      const { z, deliver, fail } = waiting;
      const number = ++sent;
      waiting = null;
      flying++;
      picture(z)
        .then((image) => {
          if (number <= shown) return;
          shown = number;
          deliver(image);
        })
        .catch((error) => number > shown && fail(error))
        .finally(() => (flying--, pump()));
    }
  }

  function decode(z, deliver, fail) {
    waiting = { z: Array.from(z), deliver, fail };
    pump();
  }

  /** Whatever is under way is stale now: something newer is on the screen. */
  function overtake() {
    waiting = null;
    shown = sent;
  }

  // The film of a dimension depends on all the others, so these name it. One that failed stays, so that a drag does not
  // ask for it at every move; `again` asks once more.
  const films = new Map();

  function film(z, dim, range, again = false) {
    const others = Array.from(z);
    others[dim] = 0;
    const key = dim + ":" + numbers(others);
    if (films.has(key) && !(again && films.get(key).failed)) return films.get(key);
    const query = { z: numbers(others), dim, from: range.from, to: range.to, frames: range.frames };
    const entry = { frames: null, failed: false };
    entry.ready = frames("film", query).then((images) => (entry.frames = images));
    entry.ready.catch(() => (entry.failed = true));
    films.set(key, entry);
    if (films.size > KEPT_FILMS) films.delete(films.keys().next().value);
    return entry;
  }

  const setVersion = (text) => (version = text);

  /** Another model: what is known of the one before is forgotten. */
  function setModel(name) {
    overtake();
    films.clear();
    [model, version] = [name, ""];
  }

  return { url, json, picture, frames, numbers, decode, overtake, film, setVersion, setModel };
}

function fromRgb(bytes, width, height) {
  const image = new ImageData(width, height);
  for (let i = 0, j = 0; i < bytes.length; i += 3, j += 4) {
    image.data[j] = bytes[i];
    image.data[j + 1] = bytes[i + 1];
    image.data[j + 2] = bytes[i + 2];
    image.data[j + 3] = 255;
  }
  return image;
}
