// Talks to the tab's routes. Failures come back as one sentence. Knows no page.

function wireTo(prefix) {
  const { route, ask } = window.explorer;
  const url = (name, query) => route(prefix + "/" + name, query);
  const get = async (name, query, init) => (await ask(url(name, query), init)).json();
  const post = (name, body, signal) => window.explorer.post(url(name), body, signal);
  const send = async (name, file) => (await ask(url(name), { method: "POST", body: file })).json();

  /** float32 numbers of a response with the header x-shape: {values, shape}. */
  async function floats(name, query, init) {
    const reply = await ask(url(name, query), init);
    return { values: new Float32Array(await reply.arrayBuffer()), shape: reply.headers.get("x-shape").split(",").map(Number) };
  }

  /** A sprite: {sheet, count, width, height, columns}, for `paintFrame`. `body` makes it a POST. */
  async function sprite(name, query, init = {}) {
    const reply = await ask(url(name, query), init);
    const [count, height, width] = reply.headers.get("x-shape").split(",").map(Number);
    const sheet = await createImageBitmap(await reply.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    return { sheet, count, width, height, columns: Number(reply.headers.get("x-columns")) || Math.round(sheet.width / width) };
  }

  const posting = (body, signal) => ({ method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, signal });

  /** A file for the visitor. */
  async function file(name, query, init) {
    const reply = await ask(url(name, query), init);
    const named = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "");
    handOver(await reply.blob(), named?.[1] ?? "vae");
  }

  return { url, get, post, send, floats, sprite, posting, file };
}

/** One frame of a sprite over the whole of a canvas. */
function paintFrame(canvas, { sheet, width, height, columns }, index) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const x = (index % columns) * width, y = Math.floor(index / columns) * height;
  const context = canvas.getContext("2d");
  context.drawImage(sheet, x, y, width, height, 0, 0, width, height);
}

/** Calls with the newest value only, one at a time: what arrives meanwhile replaces what waits. work(value) -> promise. */
function latest(work) {
  let waiting = null, busy = false;
  async function pump() {
    busy = true;
    while (waiting) {
      const [value] = waiting;
      waiting = null;
      try {
        await work(value);
      } catch (error) {
        if (!waiting) window.explorer.toast(error.message);
      }
    }
    busy = false;
  }
  return (value) => {
    waiting = [value];
    if (!busy) pump();
  };
}
