// The bar on top: the parts of the tab, and which model and which collection all of them speak of.

const CLIP_PARTS = [
  ["search", "Search", "Find pictures by words, pictures and arithmetic"],
  ["classify", "Classify", "Sort a picture into labels of your own"],
  ["collections", "Collections", "Which pictures are searched, and by which model"],
  ["matrix", "Matrix", "How CLIP is trained: pictures against captions"],
  ["tokens", "Tokens", "What the model sees of a picture"],
  ["probes", "Probes", "Prompts, word order, arithmetic, the gap"],
  ["indexlab", "Index lab", "Exact and approximate indexes, measured"],
];

function makeBar(place, desk) {
  const buttons = CLIP_PARTS.map(([name, words, title]) =>
    piece(
      "button",
      {
        type: "button",
        class: "part-button",
        "data-to": name,
        title,
        onclick: () => desk.show(name),
      },
      words,
    ),
  );
  const nav = piece("nav", { class: "part-nav", "aria-label": "Parts of this tab" }, buttons);
  const model = piece("select", { "aria-label": "Model", "data-pick": "model", onchange: () => desk.choose(model.value) });
  const collection = piece("select", {
    "aria-label": "Collection",
    "data-pick": "collection",
    onchange: () => desk.go({ collection: collection.value }),
  });
  place.className = "bar";
  place.append(
    nav,
    piece(
      "div",
      { class: "bar-picks" },
      piece("label", {}, piece("span", {}, "Model"), model),
      piece("label", {}, piece("span", {}, "Collection"), collection),
    ),
  );

  function showPart() {
    for (const button of buttons) {
      const on = button.dataset.to === desk.part;
      if (on) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
      if (on && nav.scrollWidth > nav.clientWidth) nav.scrollTo({ left: button.offsetLeft - nav.clientWidth / 3 });
    }
    collection.closest("label").hidden = !["search", "classify", "collections", "probes"].includes(desk.part);
  }

  function showPicks() {
    const { models, collections } = desk.start;
    model.replaceChildren(
      ...models.map((one) =>
        piece("option", { value: one.name, disabled: !one.ready }, one.label + (one.ready ? "" : " (not here)")),
      ),
    );
    model.value = desk.model;
    const known = collections.some((one) => one.id === desk.query.collection);
    collection.replaceChildren(
      ...collections.map((one) =>
        piece("option", { value: one.id }, one.title + (one.count ? " · " + wholeText(one.count) : "")),
      ),
      ...(known ? [] : [piece("option", { value: desk.query.collection }, desk.query.collection)]),
    );
    collection.value = desk.query.collection;
  }

  desk.on("part", showPart);
  for (const name of ["start", "collections", "query"]) desk.on(name, showPicks);
  document.addEventListener("clip:part", (event) => desk.root.isConnected && desk.show(event.detail, true));
  showPicks();
}
