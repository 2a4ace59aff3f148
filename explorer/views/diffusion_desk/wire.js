// Talks to the tab's routes. Every failure is an Error with one sentence for the visitor. Knows no page.

// As they are: no colour management, and no rounding through premultiplied alpha.
const EXACT = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

const IN_FLIGHT = 3; // requests of a film at once: the server refuses a page that asks for too much

function wireTo(prefix) {
  const { route, ask: reach, post: tell } = window.explorer;
  const url = (name, pairs) => route(prefix + "/" + name, pairs);

  let flying = 0;
  const line = [];

  /** Does the work when fewer than IN_FLIGHT others are under way. */
  async function inTurn(work) {
    if (flying >= IN_FLIGHT) await new Promise((resolve) => line.push(resolve));
    else flying++;
    try {
      return await work();
    } finally {
      if (line.length) line.shift()(); // its place goes to the next
      else flying--;
    }
  }

  const wire = {
    count: 0, // requests so far: a test sees that scrubbing makes none
    url,
    // News waits for its run, so it has no place among those that are answered at once.
    ask: (name, pairs, init) => (wire.count++, name === "news" ? reach(url(name, pairs), init) : inTurn(() => reach(url(name, pairs), init))),
    json: async (name, pairs, init) => (await wire.ask(name, pairs, init)).json(),
    post: (name, body, signal) => (wire.count++, tell(url(name), body, signal)),
    send: (name, pairs, blob) => wire.json(name, pairs, { method: "POST", body: blob }),
    sprite: async (name, pairs, signal) => cutSprite(await wire.ask(name, pairs, { signal })),
    /** Bare float32 numbers and their shape. */
    async floats(name, pairs, signal) {
      const reply = await wire.ask(name, pairs, { signal });
      const shape = (reply.headers.get("x-shape") ?? "").split(",").map(Number);
      return { shape, values: new Float32Array(await reply.arrayBuffer()) };
    },
  };
  return wire;
}

/** The frames of a sprite, each as a bitmap of its own; `told` is what its headers say besides. */
async function cutSprite(reply) {
  const [count, height, width] = (reply.headers.get("x-shape") ?? "").split(",").map(Number);
  const columns = Number(reply.headers.get("x-columns")) || 1;
  const sheet = await createImageBitmap(await reply.blob(), EXACT).catch(() => {
    throw new Error("The film that arrived is damaged.");
  });
  if (!(count > 0)) throw new Error("The film that arrived is empty.");
  const cut = (i) => createImageBitmap(sheet, (i % columns) * width, Math.floor(i / columns) * height, width, height, EXACT);
  const bitmaps = await Promise.all(Array.from({ length: count }, (_, i) => cut(i)));
  sheet.close();
  return { bitmaps, width, height, told: (name) => reply.headers.get(name) };
}

/** Runs one request at a time: a newer one ends the older, whose answer is dropped (null). */
function newestOf(work) {
  let running = null;
  const ask = async (...args) => {
    running?.abort();
    const mine = (running = new AbortController());
    try {
      const told = await work(mine.signal, ...args);
      return mine === running ? told : null;
    } catch (error) {
      if (mine.signal.aborted || mine !== running) return null;
      throw error;
    }
  };
  ask.drop = () => (running?.abort(), (running = null));
  return ask;
}

/** Calls `work` when `wait` ms have passed without another call. `.now` calls at once, `.stop` not at all. */
function settled(work, wait) {
  let timer = 0;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), wait);
  };
  later.stop = () => clearTimeout(timer);
  later.now = (...args) => (clearTimeout(timer), work(...args));
  return later;
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
