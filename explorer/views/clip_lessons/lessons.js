// The lessons' frame: which part is shown, and what the lessons share. Every lesson gets `lab`:
//
//   lab.root, lab.wire       the view's root; requests (wire.js)
//   lab.start, lab.model     what the server offers; the model that lessons ask
//   lab.head(title, line)    a lesson's heading
//   lab.link(prefix)         {get(name), number(name, usual, low, high), face(), set({name: value})}: a lesson's own settings in the link
//   lab.facts({state})       data-* of the root
//   lab.pick(words, from, then)   the dialog that chooses a picture
//   lab.later(run)           calls run when the browser has time, and says in its place what goes wrong

const LESSONS = { matrix: makeMatrix, tokens: makeTokens, probes: makeProbes, indexlab: makeIndexLab };

const LESSON_KEYS = { // the page's help lists the keys of what is shown
  matrix: "← → ↑ ↓: walk through the cells of the matrix; Home End: to the ends of a row; Ctrl+Z: undo a change to the matrix; Ctrl+Shift+Z: redo",
  tokens: "← → ↑ ↓: walk through the patches of the picture",
  probes: "← → ↑ ↓: move the word on the face, or walk through the pairs of the gap",
};

const root = element.querySelector(".lessons");
const lab = makeLessons(root, wireTo(props.routes));

function makeLessons(root, wire) {
  const places = Object.fromEntries([...root.querySelectorAll("[data-lesson]")].map((node) => [node.dataset.lesson, node]));
  const built = {}; // lesson -> promise of what its factory returned
  const tab = window.explorer.tab; // this view mounts when its tab is opened
  const lab = {
    root, wire, start: null, model: null,
    facts: (changes) => Object.assign(root.dataset, changes),
    head: (title, line) => piece("header", { class: "lesson-head" }, piece("h3", {}, title), piece("p", { class: "todo" }, line)),
    link: (prefix) => ({
      get: (name) => window.explorer.get(prefix + "_" + name),
      /** A number of the link, or the usual one where it holds none that makes sense. */
      number(name, usual, low, high) {
        const text = this.get(name);
        const v = text === null || text.trim() === "" ? NaN : +text;
        return v >= low && v <= high ? v : usual;
      },
      /** A face that the link names, as a reference, or null. */
      face() {
        const face = this.number("face", null, 0, 999_999);
        return Number.isInteger(face) ? { face } : null;
      },
      set: (changes) => window.explorer.tab === tab && window.explorer.set(Object.fromEntries(Object.entries(changes).map(([name, value]) => [prefix + "_" + name, value]))),
    }),
    pick: (...args) => (picker ??= pickerOf(lab))(...args),
    later: (run) => setTimeout(() => Promise.resolve().then(run).catch((error) => window.explorer.toast(error.message))),
  };
  let picker = null;
  let opening = null;

  /** What the server offers, for the model that the link names; asked for once a model. */
  async function open() {
    const named = window.explorer.get("model");
    const wanted = named && named !== "avatars" ? named : null; // the usual one needs no name
    if (opening?.wanted !== wanted) {
      const asking = wire.get("start", { model: wanted });
      opening = { wanted, asking };
      asking.catch(() => opening?.asking === asking && (opening = null));
      for (const name of Object.keys(built)) forget(name);
    }
    lab.start = await opening.asking;
    lab.model = lab.start.model;
    wire.model = lab.model.name;
  }

  function forget(name) {
    delete built[name];
    places[name].replaceChildren();
    places[name].dataset.ready = "false";
  }

  async function show(part) {
    const mine = Object.hasOwn(LESSONS, part);
    root.hidden = !mine;
    for (const [name, node] of Object.entries(places)) node.hidden = name !== part;
    lab.facts({ part: mine ? part : "", keys: (mine && LESSON_KEYS[part]) || "", ready: String(!mine || places[part].dataset.ready === "true") });
    if (!mine) return lab.facts({ state: "idle" });
    try {
      await build(part);
    } catch (error) {
      forget(part);
      if (root.dataset.part === part) fail(part, error);
      return null;
    }
    if (root.dataset.part === part) lab.facts({ ready: "true", state: "ready" });
    return built[part];
  }

  async function build(part) {
    await open();
    if (!built[part]) {
      const place = places[part];
      place.replaceChildren();
      lab.facts({ state: "busy" });
      built[part] = Promise.resolve(LESSONS[part](place, lab)).then((made) => ((place.dataset.ready = "true"), made ?? {}));
    }
    return built[part];
  }

  function fail(part, error) {
    lab.facts({ state: "failed" });
    const trouble = troublePlace();
    trouble.show(error, () => show(part));
    places[part].replaceChildren(trouble.node);
    console.info(error);
  }

  document.addEventListener("clip:part", ({ detail }) => element.isConnected && show(detail));
  document.addEventListener("clip:use", async ({ detail }) => {
    if (!element.isConnected || !Object.hasOwn(LESSONS, detail?.part)) return;
    if (root.dataset.part !== detail.part) document.dispatchEvent(new CustomEvent("clip:part", { detail: detail.part })); // for all views
    await show(detail.part);
    (await built[detail.part])?.use?.(detail);
  });
  queueMicrotask(() => show(window.explorer.get("part") ?? ""));
  return lab;
}
root.lab = lab;
