// Talks to the tab's routes. Every failure is an Error with one sentence for the visitor. Knows no page.

function wireTo(prefix) {
  const { route, ask: reach, post: tell, session } = window.explorer;
  let era = "";

  const url = (name, pairs) => route(prefix + "/" + name, pairs);
  const ask = (name, pairs, init) => reach(url(name, pairs), init);
  const json = async (name, pairs, init) => (await ask(name, pairs, init)).json();
  const post = (name, body, signal) => tell(url(name), body, signal);
  const send = (name, pairs, blob) => json(name, pairs, { method: "POST", body: blob });

  /** The address of a picture. A visitor's own are for nobody else, and an <img> can send no header. */
  const image = (ref, size) =>
    url("image", {
      ...ref,
      size,
      session_hash: ref.picture || ref.collection === "mine" ? session() : null,
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
