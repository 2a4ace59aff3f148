// Talks to the tab's routes. Failures come back as one sentence. Knows no page.

function wireTo(prefix) {
  const { route, ask } = window.explorer;
  const url = (name, query) => route(prefix + "/" + name, query);
  const get = async (name, query, init) => (await ask(url(name, query), init)).json();
  const post = (name, body, signal) => window.explorer.post(url(name), body, signal);
  const send = async (name, file) => (await ask(url(name), { method: "POST", body: file })).json();

  /** float32 numbers: {values, shape, header(name)}. */
  async function floats(name, query, init) {
    const reply = await ask(url(name, query), init);
    const shape = reply.headers.get("x-shape").split(",").map(Number);
    return { values: new Float32Array(await reply.arrayBuffer()), shape, header: (key) => reply.headers.get(key) ?? "" };
  }

  /** A sprite: {sheet, count, width, height, columns}, for `drawFrame`. */
  async function sprite(name, query, init) {
    const reply = await ask(url(name, query), init);
    const [count, height, width] = reply.headers.get("x-shape").split(",").map(Number);
    const sheet = await createImageBitmap(await reply.blob());
    return { sheet, count, width, height, columns: Number(reply.headers.get("x-columns")) || Math.round(sheet.width / width) };
  }

  /** A file for the visitor. */
  async function file(name, query) {
    const reply = await ask(url(name, query));
    const named = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "");
    handOver(await reply.blob(), named?.[1] ?? "picture");
  }

  return { get, post, send, floats, sprite, file };
}
