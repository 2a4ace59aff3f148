// Talks to the tab's routes. Every failure is an Error with one sentence for the visitor. Knows no page.

function wireTo(prefix) {
  const { route, ask: reach, post: tell, session } = window.explorer;
  const versions = new Map(); // "collection/item" -> what the server calls the picture as it is now

  const url = (name, pairs) => route(prefix + "/" + name, pairs);
  const ask = (name, pairs, init) => reach(url(name, pairs), init);
  const json = async (name, pairs, init) => (await ask(name, pairs, init)).json();
  const post = (name, body, signal) => tell(url(name), body, signal);
  const send = (name, pairs, blob) => json(name, pairs, { method: "POST", body: blob });

  /**
   * The address of a picture. A visitor's own are for nobody else, and an <img> can send no header. A folder's numbers are
   * those of one model's index, and a picture that has changed is another address.
   */
  const image = (ref, size, model) =>
    url("image", {
      ...ref,
      size,
      model: ref.item !== undefined && (ref.collection ?? "faces") !== "faces" ? model : null,
      session_hash: ref.picture || ref.collection === "mine" ? session() : null,
      v: versions.get(ref.collection + "/" + ref.item),
    });

  /** What an answer says of its pictures: which version of each is there now. */
  const learn = (collection, hits) =>
    hits.forEach(({ id, version }) => version && versions.set(collection + "/" + id, version));

  /** Numbers of pictures are given anew: which versions they had says nothing any more. */
  const renumbered = () => versions.clear();

  return { ask, json, post, send, image, learn, renumbered };
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
