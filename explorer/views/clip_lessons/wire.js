// Talks to the tab's routes. Failures come back as one sentence. Knows no page.

const WIRE_RETRIES = 4; // of a request that the server is too busy for

function wireTo(prefix) {
  // The session tells the server whose pictures and whose run are meant: Gradio's own, so that closing the page frees them.
  const session = window.__gradio_session_hash__ || "page-" + Math.random().toString(36).slice(2);

  function url(name, query = {}) {
    const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    const text = new URLSearchParams(pairs).toString();
    return window.explorer.url(prefix + "/" + name + (text && "?" + text));
  }

  async function ask(name, query, init = {}, tried = 0) {
    let reply;
    try {
      reply = await fetch(url(name, query), { ...init, headers: { "x-session": session, ...init.headers } });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new Error("The server does not answer; is the app still running?");
    }
    if (reply.ok) return reply;
    if (reply.status === 429 && tried < WIRE_RETRIES) {
      await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** tried));
      return ask(name, query, init, tried + 1);
    }
    const told = await reply.json().catch(() => null);
    throw Object.assign(new Error(told?.error || "The server answered with error " + reply.status + "."), { status: reply.status });
  }

  const get = async (name, query, init) => (await ask(name, query, init)).json();

  const post = async (name, body, signal) =>
    (await ask(name, {}, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, signal })).json();

  /** One file, as it is. */
  const send = async (name, file) => (await ask(name, {}, { method: "POST", body: file })).json();

  /** The address of a picture. An uploaded one is its visitor's alone, so the address says whose it is. */
  const image = (ref, size = 128) => url("image", { ...ref, size, session_hash: "picture" in ref ? session : null });

  return { get, post, send, image };
}

/** One name for the same picture, whichever way a reference is written. */
const refKey = (ref) => Object.keys(ref).sort().map((key) => key + "=" + ref[key]).join("&");
