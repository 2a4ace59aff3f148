// Talks to the tab's routes. Every failure is an Error with one sentence for the visitor. Knows no page.

const WIRE_RETRIES = 4; // of a request that the server is too busy for

function wireTo(prefix) {
  // The session tells the server whose pictures are meant. Gradio's own, so that closing the page frees them.
  const session = window.__gradio_session_hash__ || "page-" + Math.random().toString(36).slice(2);

  let era = "";

  function url(name, pairs = {}) {
    const known = Object.entries(pairs).filter(([, value]) => value !== null && value !== undefined);
    const query = new URLSearchParams(known).toString();
    return window.explorer.url(prefix + "/" + name + (query && "?" + query));
  }

  async function ask(name, pairs, init = {}, tried = 0) {
    let reply;
    try {
      reply = await fetch(url(name, pairs), { ...init, headers: { "x-session": session, ...init.headers } });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw Object.assign(new Error("The server does not answer; is the app still running?"), { offline: true });
    }
    if (reply.ok) return reply;
    if (reply.status === 429 && tried < WIRE_RETRIES) {
      await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** tried));
      return ask(name, pairs, init, tried + 1);
    }
    const told = await reply.json().catch(() => null);
    throw Object.assign(new Error(told?.error || "The server answered with error " + reply.status + "."), {
      status: reply.status,
    });
  }

  const json = async (name, pairs, init) => (await ask(name, pairs, init)).json();

  const post = (name, body, signal) =>
    json(name, {}, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, signal });

  const send = (name, pairs, blob) => json(name, pairs, { method: "POST", body: blob });

  /** The address of a picture. A visitor's own are for nobody else, and an <img> can send no header. */
  const image = (ref, size) =>
    url("image", {
      ...ref,
      size,
      session_hash: ref.picture || ref.collection === "mine" ? session : null,
      v: era && ref.collection !== "faces" ? era : null,
    });

  /** Numbers of pictures are given anew: what the browser keeps under the old ones is no longer shown. */
  const renumbered = () => void (era = Date.now().toString(36));

  return { ask, json, post, send, image, renumbered };
}

/** Runs one request at a time: a newer one ends the older, whose answer is dropped (null). */
function newestOf(work) {
  let running = null;
  return async (...args) => {
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
