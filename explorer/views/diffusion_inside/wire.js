// Talks to the tab's routes. Every failure is an Error with one sentence for the visitor. Knows no page.

function wireTo(prefix) {
  const { route, ask, post } = window.explorer;
  const url = (name, pairs) => route(prefix + "/" + name, pairs);
  const wire = {
    count: 0, // requests so far: a test sees that scrubbing makes none
    ask: (name, pairs) => (wire.count++, ask(url(name, pairs))),
    json: async (name, pairs) => (await wire.ask(name, pairs)).json(),
    post: (name, body) => (wire.count++, post(url(name), body)),
    /** Bare bytes and their shape. */
    async bytes(name, pairs) {
      const reply = await wire.ask(name, pairs);
      const shape = (reply.headers.get("x-shape") ?? "").split(",").map(Number);
      return { shape, values: new Uint8Array(await reply.arrayBuffer()) };
    },
    /** The frames of a sprite whose headers say how it is cut. */
    async strip(name, pairs) {
      const reply = await wire.ask(name, pairs);
      const [count, height, width] = (reply.headers.get("x-shape") ?? "").split(",").map(Number);
      return cutFrames(await reply.blob(), { count, height, width, columns: Number(reply.headers.get("x-columns")) || 1 });
    },
  };
  return wire;
}

const bytesOf = (text) => Uint8Array.from(atob(text || ""), (c) => c.charCodeAt(0));
const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);

/** A sprite that came within JSON: {png, count, columns, height, width}. */
const framesOf = (sprite) => cutFrames(new Blob([bytesOf(sprite.png)], { type: "image/png" }), sprite);

async function cutFrames(blob, { count, columns, height, width }) {
  const sheet = await createImageBitmap(blob).catch(() => {
    throw new Error("The pictures that arrived are damaged.");
  });
  const cut = (i) => createImageBitmap(sheet, (i % columns) * width, Math.floor(i / columns) * height, width, height);
  const frames = await Promise.all(Array.from({ length: count }, (_, i) => cut(i)));
  sheet.close();
  return frames;
}

/** Remembers what was asked by key; the oldest go first. What failed is asked again. */
function remembered(work, most = 40) {
  const kept = new Map();
  return (key, ...args) => {
    if (kept.has(key)) {
      const found = kept.get(key);
      kept.delete(key);
      kept.set(key, found); // the newest last
      return found;
    }
    const asking = work(...args);
    kept.set(key, asking);
    asking.catch(() => kept.get(key) === asking && kept.delete(key));
    if (kept.size > most) kept.delete(kept.keys().next().value);
    return asking;
  };
}
