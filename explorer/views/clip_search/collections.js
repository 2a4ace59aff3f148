// Which pictures are searched: the bundled faces, folders of the host, and those a visitor brings for now.

function makeCollections(place, desk) {
  const cards = piece("div", { class: "collection-cards", role: "list" });
  const browse = makeBrowse(desk, (job) => refresh(job));
  const upload = makeUpload(desk, () => refresh());
  const models = makeModels(desk);
  const kept = new Map(); // id -> {card, panel}
  let built = false;

  function build() {
    if (built) return;
    built = true;
    place.append(
      piece("h3", { class: "section-name" }, "Collections"),
      cards,
      piece("div", { class: "collection-more" }, upload.node, browse.node),
      models.node,
    );
  }

  function cardOf(id) {
    const title = piece("h4", {});
    const about = piece("p", { class: "muted small-text" });
    const panel = jobPanel(desk, id, () => ended());
    const search = buttonOf({
      words: "Search it",
      name: "small strong",
      press: () => (desk.query.collection !== id && desk.go({ collection: id }), desk.show("search")),
      "data-act": "search",
    });
    const deed = (action, words, title) =>
      buttonOf({ words, title, name: "small", press: () => panel.act(action).then((job) => job && draw()), "data-act": action });
    const deeds = {
      pause: deed("pause", "Pause"),
      resume: deed("resume", "Go on"),
      cancel: deed("cancel", "Cancel"),
      build: deed("build", "Index it", "Indexes the pictures for the model in use"),
      refresh: deed("refresh", "Look for changes", "Finds pictures that are new, changed, moved or gone"),
      remove: buttonOf({
        words: "Remove",
        title: "Takes the index away; the pictures stay",
        name: "small",
        press: remove,
        "data-act": "remove",
      }),
    };
    const card = piece(
      "article",
      { class: "card collection", role: "listitem", "data-collection": id },
      piece("header", { class: "collection-head" }, title, search),
      about,
      panel.node,
      piece("div", { class: "row" }, Object.values(deeds)),
    );
    let [now, sure] = [null, 0];

    /** Asked twice: a second click within four seconds removes it. */
    async function remove() {
      if (!sure) {
        tellText(deeds.remove.lastChild, "Remove the index?");
        sure = setTimeout(() => (tellText(deeds.remove.lastChild, "Remove"), (sure = 0)), 4000);
        return;
      }
      clearTimeout(sure);
      sure = 0;
      tellText(deeds.remove.lastChild, "Remove");
      if (!(await panel.act("remove"))) return;
      desk.wire.renumbered();
      if (desk.query.collection === id) desk.go({ ...desk.usual });
      refresh();
    }

    let was = null;
    desk.on("job", (job) => job.id === id && job.state !== was && ((was = job.state), draw()));

    function draw(one = now) {
      now = one;
      const state = was ?? (one.building ? "running" : null);
      tellText(title, one.title);
      const shared = one.id === "faces";
      tellText(
        about,
        [
          JOB_WORKS.has(was) ? "" : countText(one.count ?? 0, "picture"),
          one.temporary
            ? "yours, for as long as this page is open"
            : shared
              ? "drawn by this app, with captions and attributes"
              : "on the host, in " + (one.path || one.title),
          "model " + (desk.start.model?.label ?? desk.model),
        ]
          .filter(Boolean)
          .join(" · "),
      );
      const works = JOB_WORKS.has(state);
      deeds.pause.hidden = !works;
      deeds.resume.hidden = !["paused", "cancelled", "failed"].includes(state);
      deeds.cancel.hidden = !works && state !== "paused";
      // An index belongs to a model; with another one it has to be made anew.
      const indexed = one.count > 0 && (!one.models || one.models.some((name) => name.startsWith(desk.start.model.fingerprint)));
      deeds.build.hidden = shared || one.temporary || indexed || works || state === "paused";
      deeds.refresh.hidden = shared || one.temporary || works || !indexed;
      deeds.remove.hidden = shared || one.temporary || works;
      search.disabled = !shared && !one.temporary && !indexed && !works;
      card.classList.toggle("chosen", desk.query.collection === one.id);
    }

    return { card, panel, draw };
  }

  const ended = settled(() => refresh(), 300);

  async function refresh(job = null) {
    try {
      await desk.reload();
    } catch (error) {
      return desk.fail(error);
    }
    if (job?.collection) kept.get(job.collection)?.panel.show(job);
  }

  function show() {
    if (!built) return;
    const all = desk.start.collections;
    for (const one of all) {
      const fresh = !kept.has(one.id);
      if (fresh) kept.set(one.id, cardOf(one.id));
      const { draw, panel } = kept.get(one.id);
      draw(one);
      if (fresh || one.building) panel.look(fresh && one.id !== "faces" && !one.temporary);
    }
    for (const id of [...kept.keys()]) if (!all.some((one) => one.id === id)) (kept.get(id).panel.stop(), kept.delete(id));
    cards.replaceChildren(...all.map((one) => kept.get(one.id).card));
    browse.show();
    upload.show();
    models.show();
  }

  desk.on("part", (part) => {
    if (part !== "collections") return;
    build();
    show();
    refresh();
  });
  desk.on("collections", show);
  desk.on("start", show);
}
