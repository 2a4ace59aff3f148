// One part of the tab: shown when its name is opened, built at its first opening, told of another model or picture.
//
//   makePart(element, props, { name, prefix, keys, models, build })
//   build(place, part) -> {show?, rest?, model?, picture?, keys?}   asked once a model is there; may be async
//
//   part.root, part.wire        the view's root; requests (wire.js)
//   part.model                  the facts of the model: {name, title, beta, dims, size, far, data, judged, factors, captions}
//   part.picture                "gallery:3" or "upload:..."
//   part.facts({...})           data-* of the root
//   part.get(key), part.number(key, usual, low, high), part.set({key: value})   the part's own settings in the link
//   part.query({...})           a query that names the model
//   part.trouble(error, again)  one sentence in the part, with a button to try again; part.fine() takes it away

function makePart(element, props, { name, prefix, keys = "", models = true, build }) {
  const root = element.querySelector(".part"), block = root.closest("[id^=vae-]") ?? root;
  const tab = window.explorer.tab; // this view is mounted when its tab is opened
  const place = piece("div", { class: "part-place" });
  const words = piece("span");
  const againButton = piece("button", { type: "button", class: "button", "data-do": "again", onclick: () => retry?.() }, "Try again");
  const trouble = piece("p", { class: "trouble", role: "alert", hidden: true }, words, againButton);
  root.replaceChildren(trouble, place);
  let made = null, turn = Promise.resolve(), retry = null, asked = "";

  const part = {
    root, place, wire: wireTo(props.routes), model: null,
    get picture() { return document.vae?.picture ?? "gallery:0"; },
    facts: (changes) => Object.assign(root.dataset, changes),
    get: (key) => window.explorer.get(prefix + "_" + key),
    number(key, usual, low, high) {
      const text = part.get(key);
      const v = text === null || text.trim() === "" ? NaN : +text;
      return v >= low && v <= high ? v : usual;
    },
    set: (changes) => window.explorer.tab === tab && window.explorer.set(Object.fromEntries(Object.entries(changes).map(([key, value]) => [prefix + "_" + key, value]))),
    query: (more = {}) => ({ model: part.model?.name === "faces" ? null : part.model?.name, ...more }),
    trouble(error, again = null) {
      tellText(words, error.message);
      retry = again && (() => ((trouble.hidden = true), again()));
      againButton.hidden = !again;
      trouble.hidden = false;
      part.facts({ state: "failed" });
    },
    fine: () => (trouble.hidden = true),
  };

  const mine = () => document.vae?.part === name;

  /** The model's facts, asked once for each model. True where they are another model's than before. */
  async function meet() {
    const wanted = models ? document.vae.model : "faces";
    if (part.model?.name === wanted) return false;
    asked = wanted;
    const facts = await part.wire.get("model", { model: wanted === "faces" ? null : wanted });
    if (asked !== wanted) return meet();
    part.model = facts;
    return true;
  }

  function show() {
    root.hidden = block.hidden = !mine(); // with its block, or the page leaves a gap for each part that is not open
    part.facts({ keys: mine() ? keys : "" });
    if (!mine()) return void made?.rest?.();
    turn = turn.then(present); // one after the other, each what is wanted by then
  }

  async function present() {
    if (!mine()) return;
    try {
      part.fine();
      if (models ? (await meet()) || !made : !made) {
        part.facts({ ready: "false", state: "busy" });
        await (made?.model ? made.model(part.model) : rebuild());
      } else made.show?.();
      part.facts({ ready: "true", state: "ready", model: part.model?.name ?? "" });
    } catch (error) {
      if (mine()) part.trouble(error, show);
    }
  }

  async function rebuild() {
    made?.rest?.();
    place.replaceChildren();
    made = null;
    made = (await build(place, part)) ?? {};
  }

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !made?.keys) return;
    if (event.target.closest("input:not([type=range]), select, textarea") || (event.key === " " && event.target.closest("button, summary"))) return;
    if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    const run = made.keys[event.key === " " ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (run) (event.preventDefault(), run());
  });
  const live = (work) => (event) => element.isConnected && work(event.detail);
  document.addEventListener("vae:part", live(show));
  document.addEventListener("vae:model", live(() => mine() && show()));
  document.addEventListener("vae:picture", live(({ picture }) => mine() && made?.picture?.(picture)));
  queueMicrotask(show);
  element.part = part; // for tests, and for whoever looks in the console; not on the root, where `part` is an attribute
  return part;
}
