// The runs of this page as a tree: a branch hangs below the run it left. A click shows a run; another one is compared with it.

function makeTree(place, desk) {
  const list = piece("ol", { class: "tree", "aria-label": "Runs" });
  const none = piece("p", { class: "muted" }, "Runs gather here.");
  place.append(list, none);

  /** Roots first, each followed by its branches. */
  function ordered() {
    const films = desk.films.all().filter((film) => film.steps.length || film.live());
    const known = new Set(films.map((film) => film.id));
    const out = [];
    const walk = (parent, depth) => {
      for (const film of films) {
        if ((known.has(film.parent) ? film.parent : null) !== parent) continue;
        out.push([film, depth]);
        walk(film.id, depth + 1);
      }
    };
    walk(null, 0);
    return out;
  }

  function cardOf(film, depth) {
    const parent = desk.films.get(film.parent);
    const before = parent ? { ...parent.settings } : null;
    const thumb = screenOf("tree-thumb", "");
    thumb.show(film.final());
    const on = film === desk.film;
    const versus = film === desk.rival;
    const words = changesOf(film.settings, before, desk.start);
    return piece(
      "li",
      { class: "tree-run", "data-run": film.id, "data-on": on, "data-versus": versus, style: "--depth: " + Math.min(depth, 6) },
      piece(
        "button",
        { type: "button", class: "tree-show", "aria-pressed": on, onclick: () => desk.show(film) },
        thumb,
        piece(
          "span",
          { class: "tree-words" },
          parent && piece("small", { class: "muted" }, "from step " + ((film.step ?? 0) + 1)),
          piece("span", {}, words.join(", ")),
          film.state !== "done" && piece("small", { class: "muted" }, film.live() ? "running" : film.state),
        ),
      ),
      piece(
        "span",
        { class: "tree-tools" },
        buttonOf({ words: versus ? "Compared" : "Compare", name: "small ghost", press: () => desk.compare(versus ? null : film), disabled: on, "aria-pressed": versus, "data-do": "compare-run" }),
        buttonOf({ icon: "close", title: "Forget this run", name: "small ghost", press: () => desk.forget(film), disabled: film.live() }),
      ),
    );
  }

  function show() {
    const runs = ordered();
    none.hidden = runs.length > 0;
    const focus = document.activeElement?.closest?.(".tree-run")?.dataset.run;
    list.replaceChildren(...runs.map(([film, depth]) => cardOf(film, depth)));
    place.dataset.runs = runs.length;
    if (focus) list.querySelector('[data-run="' + focus + '"] .tree-show')?.focus({ preventScroll: true });
  }

  let planned = 0;
  const plan = () => (planned ||= requestAnimationFrame(() => ((planned = 0), show())));
  for (const name of ["runs", "film", "rival"]) desk.on(name, plan);
}
