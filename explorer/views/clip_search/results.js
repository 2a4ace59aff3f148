// What was found: a line that says so, notices, the grid, its pages, and moving in it by keys.

function makeResults(place, desk) {
  const line = piece("p", { class: "found-line", role: "status" });
  const notices = piece("div", { class: "notices" });
  const barNote = piece("p", { class: "muted small-text bar-note", hidden: true });
  const cellDeeds = piece(
    "div",
    { class: "row cell-deeds", hidden: true },
    buttonOf({ icon: "left", words: "Back to the matrix", name: "small", press: () => desk.matrix(), "data-do": "to-matrix" }),
    buttonOf({ words: "Search all pictures", name: "small", press: () => desk.go({ cell: null }), "data-do": "leave-cell" }),
  );
  const grid = piece("div", { class: "grid", role: "list", "aria-label": "Results" });
  const trouble = piece("div", { class: "result-trouble", role: "alert", hidden: true });
  const before = buttonOf({ icon: "left", words: "Before", press: () => turn(-1), "data-do": "page-before" });
  const after = buttonOf({ words: "More", press: () => turn(1), "data-do": "page-after" });
  after.append(iconOf("right"));
  const pageText = piece("span", { class: "page-text" });
  const pages = piece("nav", { class: "pages", "aria-label": "Pages of results", hidden: true }, before, pageText, after);
  place.className = "results";
  place.append(piece("div", { class: "found-head" }, line, makeExport(desk)), cellDeeds, barNote, notices, trouble, grid, pages);
  let focusNext = null;

  function turn(way) {
    const page = desk.query.page + way;
    if (page < 0 || (way > 0 && !more())) return false;
    desk.go({ page });
    if (place.getBoundingClientRect().top < 0) place.scrollIntoView({ block: "start" });
    return true;
  }

  const shownTotal = () => desk.answer?.matched ?? 0;
  const more = () => desk.answer?.more ?? desk.query.page + 1 < pageCount();
  const pageCount = () => Math.max(1, Math.ceil(shownTotal() / SEARCH_SIZE));

  function draw(told) {
    const { hits, total, matched, took } = told;
    trouble.hidden = true;
    place.dataset.state = "idle";
    const random = desk.query.random !== null || !asksSomething(desk.query);
    const { cell } = desk.query;
    cellDeeds.hidden = !cell;
    const order = random ? "A random look." : desk.query.least ? "The least similar first." : "The nearest first.";
    const where = cell
      ? "the " + (desk.query.least ? "least similar" : "nearest") + " first"
      : matched < total
        ? wholeText(matched) + " of " + countText(total, "picture") + " pass the filters"
        : countText(total, "picture");
    const time = took ? Object.values(took).reduce((sum, ms) => sum + ms, 0) : null;
    const doing = desk.detail || !hits.length
      ? ""
      : random
        ? "Click one to see more of it, or to search by it."
        : "Click one to see where its score comes from.";
    line.replaceChildren(
      ...[
        piece(
          "b",
          {},
          cell ? countText(matched, "picture") + " " + cell.words : hits.length ? order : "Nothing to show.",
        ),
        (cell ? ", " : " ") + where + (time === null ? ". " : (random ? ", drawn in " : ", searched in ") + msText(time) + ". "),
        doing,
      ],
    );

    const { sure, maybe } = told.background ?? {};
    barNote.hidden = !hits.some((hit) => hit.sure) || !Number.isFinite(sure);
    if (!barNote.hidden)
      tellText(
        barNote,
        "Bar: standard deviations above what unrelated " +
          kindOf(desk.query) +
          " score. Marks: " +
          (fixedText(maybe, 1) === fixedText(sure, 1) ? "" : "perhaps from " + fixedText(maybe, 1) + ", ") +
          "sure from " +
          fixedText(sure, 1) +
          ".",
      );
    notices.replaceChildren(...noticesOf(told, desk.start.model));

    grid.dataset.nothing = String(Boolean(told.nothing));
    grid.replaceChildren(...hits.map((hit, rank) => tileOf(hit, rank, desk)));
    if (!hits.length) grid.append(empty(total));
    mark();
    pages.hidden = !more() && !desk.query.page;
    before.disabled = desk.query.page < 1;
    after.disabled = !more();
    tellText(pageText, "Page " + (desk.query.page + 1) + (desk.query.duplicates === null ? " of " + wholeText(pageCount()) : ""));
    if (focusNext !== null && hits.length) focusTile(focusNext < 0 ? hits.length - 1 : focusNext);
    focusNext = null;
    window.explorer.announce(told.nothing ? "Nothing here matches." : countText(hits.length, "result"));
  }

  function empty(total) {
    if (!total)
      return piece(
        "div",
        { class: "empty" },
        piece("p", {}, "This collection has no pictures yet."),
        buttonOf({ words: "Add pictures", name: "strong", press: () => desk.show("collections") }),
      );
    if (desk.query.where.length)
      return piece(
        "div",
        { class: "empty" },
        piece("p", {}, "No picture passes these filters."),
        buttonOf({ words: "Clear the filters", name: "strong", press: () => desk.go({ where: [] }) }),
      );
    return piece(
      "div",
      { class: "empty" },
      piece("p", {}, "Nothing on this page."),
      buttonOf({ words: "First page", press: () => desk.go({ page: 0 }) }),
    );
  }

  function failed(error) {
    place.dataset.state = "error";
    trouble.hidden = false;
    trouble.replaceChildren(
      piece("p", {}, error.message),
      piece(
        "div",
        { class: "row" },
        buttonOf({ words: "Try again", press: desk.search }),
        buttonOf({ words: "Begin anew", press: desk.reset }),
        desk.query.collection !== desk.usual.collection &&
          buttonOf({ words: "See the collections", press: () => desk.show("collections") }),
      ),
    );
  }

  /** Which results are open, liked or part of the query. */
  function mark() {
    const { likes, dislikes, terms } = desk.query;
    for (const tile of grid.querySelectorAll(".tile[data-id]")) {
      const id = +tile.dataset.id;
      tile.classList.toggle("open", desk.detail?.id === id);
      tile.classList.toggle(
        "used",
        terms.some((term) => term.ref?.item === id && term.ref.collection === desk.query.collection),
      );
      tile.dataset.rated = likes.includes(id) ? "liked" : dislikes.includes(id) ? "disliked" : "";
      tile.querySelector('[data-deed="like"]').setAttribute("aria-pressed", likes.includes(id));
      tile.querySelector('[data-deed="dislike"]').setAttribute("aria-pressed", dislikes.includes(id));
    }
  }

  // ---- Keys -------------------------------------------------------------------------------------------------------------------

  const picks = () => [...grid.querySelectorAll(".tile-pick")];

  function focusTile(index) {
    const all = picks();
    for (const pick of all) pick.tabIndex = -1;
    const pick = all[Math.max(0, Math.min(all.length - 1, index))];
    if (!pick) return;
    pick.tabIndex = 0;
    pick.focus({ preventScroll: true });
    pick.scrollIntoView({ block: "nearest" });
    if (desk.detail) desk.open(+pick.closest(".tile").dataset.id);
  }

  /** The result that keys speak of: the one with the focus, else the open one. */
  function current() {
    const tile = document.activeElement?.closest?.(".tile");
    const id = tile ? +tile.dataset.id : desk.detail?.id;
    return desk.hits.find((hit) => hit.id === id) ?? null;
  }

  function step(key) {
    const all = picks();
    if (!all.length) return;
    const at = all.findIndex(
      (pick) =>
        pick === document.activeElement ||
        (!grid.contains(document.activeElement) && +pick.closest(".tile").dataset.id === desk.detail?.id),
    );
    if (at < 0) return focusTile(0);
    const columns =
      all.filter(
        (pick) => pick.offsetParent && Math.abs(pick.getBoundingClientRect().top - all[0].getBoundingClientRect().top) < 4,
      ).length || 1;
    const next = at + { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key];
    if (next >= 0 && next < all.length) return focusTile(next);
    if (next < 0 && key === "ArrowUp" && desk.query.page === 0) return desk.field.focus();
    const way = next < 0 ? -1 : 1;
    if (desk.query.page + way < 0 || (way > 0 && !more())) return;
    focusNext = way < 0 ? -1 : 0;
    turn(way);
  }

  /** Where the first results will be. */
  function waiting() {
    place.dataset.state = "busy";
    if (desk.answer) return;
    tellText(line, "Searching");
    const ghost = () => piece("div", { class: "tile waits", "aria-hidden": "true" }, piece("span", { class: "tile-picture" }));
    if (!grid.children.length) grid.append(...Array.from({ length: SEARCH_SIZE }, ghost));
  }

  desk.on("busy", waiting);
  desk.on("answer", draw);
  desk.on("error", failed);
  desk.on("query", mark);
  desk.on("detail", mark);
  /** To the top of the page, or of the results where these begin below its fold. */
  function top() {
    desk.root.scrollIntoView({ block: "start" });
    if (place.getBoundingClientRect().top > 0.6 * innerHeight) place.scrollIntoView({ block: "start" });
  }

  desk.results = { focusTile, current, step, grid, top };
}
