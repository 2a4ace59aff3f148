// The desk: what is asked, what was found, and what all sections share. Every change of the query goes through `go`.
//
//   desk.start               what the server offers: models, model, collections, factors, templates, examples, limits, ...
//   desk.query, desk.usual   what is asked (query.js), and what the page opens with
//   desk.answer              the newest answer of the search, or null; desk.hits its hits
//   desk.detail              the chosen picture {ref, id, hit} or null; desk.open(id), desk.close()
//   desk.part                "search", "classify", ..., desk.show(part)
//   desk.step()              what follows is a step of the browser's history; another part is one by itself
//   desk.go(changes, burst)  asks anew; changes of one burst (a drag, a word being typed) are one step of the history
//   desk.back(), forward(), reset();  desk.add(term), desk.only(changes)  a term more; a query of this alone
//   desk.take(blob, label, how)  a picture of the visitor's becomes a term ("only", "add", "subtract")
//   desk.send(blob)          a picture of the visitor's for the server: its ref
//   desk.image(ref, size)    an <img>'s address
//   desk.use(part, ref, text) shows a picture in another part
//   desk.on(name, fn)        "start", "query", "answer", "busy", "error", "detail", "part", "collections", "job"
//   desk.fail(error)         says what went wrong

const SEARCH_SIZE = 24;
const SEARCH_WAIT = 220; // ms after the last key before one searches
const BURST_MS = 1500; // a pause this long ends a burst of changes
const PAST_MOST = 100;
const ALL_TEMPLATES = "*";

function makeDesk(root, wire) {
  const heard = {};
  const desk = {
    root,
    wire,
    start: null,
    query: NOTHING_ASKED,
    usual: NOTHING_ASKED,
    answer: null,
    detail: null,
    part: "search",
    model: "avatars",
    go,
    back,
    forward,
    reset,
    add,
    only,
    take,
    send,
    use,
    link,
    on,
    emit,
    facts,
    open,
    close,
    show,
    step,
    choose,
    fail,
    search,
    reload,
    rate,
    at: (name) => root.querySelector('[data-at="' + name + '"]'),
    image: (ref, size) => wire.image(ref, size, desk.model),
    get hits() {
      return desk.answer?.hits ?? [];
    },
    get past() {
      return past.length;
    },
    get future() {
      return future.length;
    },
    collection: () => desk.start?.collections.find((one) => one.id === desk.query.collection) ?? null,
    /** The prompt around the words: none, one, or all of the server's, whose vectors are averaged. */
    template: () => (desk.query.template === ALL_TEMPLATES ? desk.start.templates : desk.query.template),
    about,
    refOf: (id) => ({ item: id, collection: desk.query.collection }),
  };
  let [past, future, burst, moved] = [[], [], null, 0];
  const tab = window.explorer.tab; // this view mounts when its tab is opened

  function facts(changes) {
    Object.assign(root.dataset, changes);
  }

  function on(name, fn) {
    (heard[name] ??= new Set()).add(fn);
  }

  /** One section's trouble is not the others': it goes to the console, where a test sees it. */
  function emit(name, ...args) {
    for (const fn of heard[name] ?? []) {
      try {
        fn(...args);
      } catch (error) {
        console.error(error);
      }
    }
  }

  function fail(error) {
    window.explorer.toast(error.message, error.offline ? "note" : "error");
  }

  // ---- The query and its history ------------------------------------------------------------------------------------------

  function go(changes, kind = null) {
    const next = { ...desk.query, ...changes };
    if (!("page" in changes)) next.page = 0;
    // Another question has an order of its own; a look around at random or at a cell ends with it.
    const asks = ["text", "terms", "likes", "dislikes"].some((name) => name in changes);
    if (asks && !("random" in changes)) next.random = null;
    if (asks && !("cell" in changes)) next.cell = null;
    if (next.collection !== desk.query.collection) Object.assign(next, { where: [], likes: [], dislikes: [], cell: null });
    const now = performance.now();
    if (kind === null || kind !== burst || now - moved > BURST_MS) {
      past.push(desk.query);
      past.splice(0, past.length - PAST_MOST);
    }
    future = [];
    [burst, moved] = [kind, now];
    takeUp(next, kind !== null);
  }

  function takeUp(next, soon = false) {
    const elsewhere = next.collection !== desk.query.collection;
    desk.query = next;
    if (elsewhere) close();
    facts({ state: "busy" });
    emit("query", elsewhere);
    writeLink();
    if (soon) later();
    else later.now();
  }

  function travel(from, to) {
    if (!from.length) return;
    to.push(desk.query);
    burst = null;
    takeUp(from.pop());
  }

  function back() {
    travel(past, future);
  }

  function forward() {
    travel(future, past);
  }

  function reset() {
    close();
    go({ ...desk.usual });
  }

  function add(term) {
    const most = desk.start.limits?.terms ?? 8;
    if (termsOf(desk.query).length >= most)
      return fail(new Error("An equation has at most " + most + " terms; take one out first."));
    go({ terms: [...desk.query.terms, term] });
  }

  /** A query of this alone, over the same collection and filters. */
  function only(changes) {
    const { collection, where, template, duplicates, balanced } = desk.query;
    go({ ...NOTHING_ASKED, collection, where, template, duplicates, balanced, ...changes });
  }

  /** likes or dislikes a picture, or takes that back. */
  function rate(list, id) {
    const other = list === "likes" ? "dislikes" : "likes";
    const on = !desk.query[list].includes(id);
    const without = (name) => desk.query[name].filter((one) => one !== id);
    go({ [list]: on ? [...desk.query[list], id] : without(list), [other]: without(other) });
    window.explorer.announce(on ? (list === "likes" ? "liked" : "disliked") : "taken back");
  }

  // ---- Searching ----------------------------------------------------------------------------------------------------------

  const ask = newestOf((signal) => wire.post("search", requestOf(desk.query, desk.model, desk.template(), SEARCH_SIZE), signal));
  const later = settled(search, SEARCH_WAIT);
  let answered = 0;

  async function search() {
    const asked = desk.query;
    facts({ state: "busy" });
    emit("busy");
    try {
      const told = await ask();
      if (!told || asked !== desk.query) return;
      wire.learn(asked.collection, told.hits);
      desk.answer = told;
      facts({ state: "idle", hits: told.hits.length, query: ++answered });
      emit("answer", told);
    } catch (error) {
      if (asked !== desk.query) return;
      facts({ state: "error" });
      emit("error", error);
    }
  }

  // ---- Pictures of the visitor's -------------------------------------------------------------------------------------------

  let taken = 0;

  async function send(blob, slot = null) {
    const told = await wire.send("picture", { slot }, blob);
    if (told.note) window.explorer.toast(told.note, "note");
    return { picture: told.picture };
  }

  async function take(blob, label, how = "only", kind = null) {
    if (!blob) return null;
    try {
      const ref = await send(blob);
      const term = { kind: "image", ref, weight: how === "subtract" ? -1 : 1, label: label || "your picture " + ++taken };
      if (how === "only") only({ terms: [term] });
      else if (kind && desk.query.terms.some((one) => one.kept === kind)) {
        go({ terms: desk.query.terms.map((one) => (one.kept === kind ? { ...one, ref } : one)) }, kind);
      } else add(kind ? { ...term, kept: kind } : term);
      window.explorer.announce(term.label + " is part of the query");
      return ref;
    } catch (error) {
      fail(error);
      return null;
    }
  }

  // ---- The chosen picture, the parts of the tab ------------------------------------------------------------------------------

  function open(id, ref = desk.refOf(id)) {
    desk.detail = { id, ref, hit: desk.hits.find((hit) => hit.id === id) ?? null };
    facts({ detail: String(id) });
    writeLink();
    emit("detail");
    if (!desk.detail.hit && ref.item !== undefined) lookUp(desk.detail);
  }

  /** What is known of a picture that is on no page of the results, such as one that a link opens. */
  async function lookUp(detail) {
    const hit = await about(detail.id).catch(() => null);
    if (!hit || desk.detail !== detail || detail.hit) return;
    detail.hit = hit;
    emit("detail");
  }

  /** A picture of this collection as a result of the query, whatever its place. */
  async function about(id) {
    const asked = { ...desk.query, where: [], duplicates: null, page: 0, cell: { ids: [id] } };
    if (asksSomething(asked)) asked.random = null;
    return (await wire.post("search", requestOf(asked, desk.model, desk.template(), 1))).hits[0] ?? null;
  }

  function close() {
    if (!desk.detail) return;
    desk.detail = null;
    facts({ detail: "" });
    writeLink();
    emit("detail");
  }

  function show(part, told = false, same = false) {
    if (part === desk.part && root.dataset.part === part && root.dataset.ready === "true") return;
    if (!same) step();
    desk.part = part;
    facts({ part });
    link({ part: part === "search" ? null : part });
    for (const box of root.querySelectorAll("[data-box]")) box.hidden = box.dataset.box !== part;
    emit("part", part);
    if (!told) document.dispatchEvent(new CustomEvent("clip:part", { detail: part }));
  }

  // ---- The browser's history: back leads to the part before, with the query and the picture that stood there -------------------

  const places = new Map(); // by the mark in an entry's state
  let entry = null; // the mark of the entry that is shown, where it has one
  const mark = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 8); // none of before a reload is given again

  function remember() {
    if (entry) places.set(entry, { query: desk.query, detail: desk.detail, part: desk.part, y: window.scrollY });
  }

  function step() {
    if (root.dataset.ready !== "true" || window.explorer.tab !== tab) return;
    if (!entry || history.state?.clip !== entry) history.replaceState({ ...history.state, clip: (entry = mark()) }, "");
    remember();
    history.pushState({ clip: (entry = mark()) }, "", location.href);
  }

  function linked() {
    const { get } = window.explorer;
    return { query: queryFrom(get, desk.usual), detail: null, part: get("part") ?? "search", y: 0 };
  }

  function returned({ state }) {
    if (!root.isConnected || root.dataset.ready !== "true" || window.explorer.tab !== tab) return;
    remember();
    entry = state?.clip ?? null;
    const was = places.get(entry) ?? linked();
    const text = (query) => JSON.stringify(linkOf(query, desk.usual));
    if (was.query !== desk.query && text(was.query) === text(desk.query) && !places.has(entry)) was.query = desk.query;
    if (was.query !== desk.query) {
      past.push(desk.query);
      burst = null;
      takeUp(was.query);
    }
    show(was.part, false, true);
    if (was.detail?.id !== desk.detail?.id) {
      if (was.detail) open(was.detail.id, was.detail.ref);
      else close();
    }
    requestAnimationFrame(() => window.scrollTo(0, was.y));
  }

  window.addEventListener("popstate", returned);
  window.addEventListener("explorer:link", () => {
    if (window.explorer.tab === tab && desk.part === "search" && holdsOwn(desk.query))
      window.explorer.toast("A picture of yours is not part of the link.", "note");
  });
  window.addEventListener("explorer:tab", ({ detail }) => {
    if (detail.tab === tab) return;
    remember();
    entry = null;
  });

  function use(part, ref, text) {
    show(part);
    document.dispatchEvent(new CustomEvent("clip:use", { detail: { ref, text, part } }));
  }

  // ---- Models, and beginning anew -------------------------------------------------------------------------------------------

  /** What the server offers now; a newer list of collections is told to the sections. */
  async function reload() {
    const told = await wire.json("start", { model: desk.model });
    desk.start = told;
    desk.model = told.model?.name ?? desk.model;
    emit("collections");
  }

  async function choose(model) {
    const before = desk.model;
    desk.model = model;
    facts({ state: "busy" });
    emit("busy");
    try {
      await reload();
      link({ model: model === "avatars" ? null : model });
      emit("start");
      document.dispatchEvent(new CustomEvent("clip:part", { detail: desk.part })); // a lesson that is shown begins anew
      search();
    } catch (error) {
      desk.model = before;
      facts({ state: "idle" });
      emit("start");
      fail(error);
    }
  }

  /** Writes into the address, while it is this tab's. */
  function link(changes) {
    if (window.explorer.tab === tab) window.explorer.set(changes);
  }

  function writeLink() {
    link({ ...linkOf(desk.query, desk.usual), open: desk.detail && desk.detail.ref.item !== undefined ? desk.detail.id : null });
  }

  return desk;
}
