// Talks to the tab's routes. Failures come back as one sentence. Knows no page.

function wireTo(prefix) {
  const { route, ask, session } = window.explorer;

  const url = (name, query) => route(prefix + "/" + name, query);
  const get = async (name, query, init) => (await ask(url(name, query), init)).json();
  const post = (name, body, signal) => window.explorer.post(url(name), body, signal);

  /** One file, as it is. */
  const send = async (name, file) => (await ask(url(name), { method: "POST", body: file })).json();

  /**
   * The address of a picture. A visitor's own are for nobody else, so the address says whose it is; a folder's numbers are
   * those of one model's index, so it says which.
   */
  const image = (ref, size = 128) =>
    url("image", {
      ...ref,
      size,
      model: "item" in ref && (ref.collection ?? "faces") !== "faces" ? wire.model : null,
      session_hash: "picture" in ref || ref.collection === "mine" ? session() : null,
    });

  const wire = { get, post, send, image, model: null }; // the name of the model that lessons ask
  return wire;
}

/** One name for the same picture, whichever way a reference is written. */
const refKey = (ref) => Object.keys(ref).sort().map((key) => key + "=" + ref[key]).join("&");
