// One step opened: the scheduler's equation with the numbers of this step, every term a picture, and their sum, which is the
// next frame. It is asked for when the section is in sight and the film rests: scrubbing asks nothing.

function makeOneStep(place, desk) {
  const equation = piece("p", { class: "equation" });
  const filled = piece("div", { class: "sum", role: "group", "aria-label": "The equation with this step's numbers" });
  const estimate = piece("p", { class: "equation small" });
  const notes = piece("p", { class: "equation small" });
  const verdict = piece("p", { class: "small-text verdict", role: "status" });
  const title = piece("h3", {}, "One step opened");
  place.append(
    title,
    piece("p", { class: "muted" }, "What the scheduler does with the guided noise. Move the guidance above, and the sum follows."),
    equation,
    filled,
    estimate,
    notes,
    verdict,
  );

  const ask = newestOf(async (signal, run, step, w) => {
    const pairs = { run, step, w };
    const [told, film] = await Promise.all([
      desk.wire.json("terms", pairs, { signal }),
      desk.wire.sprite("terms.png", { ...pairs, decoder: desk.decoder }, signal),
    ]);
    return { told, film };
  });
  let [seen, held, wanted, whose, judged] = [false, "", "", null, ""];

  const keyOf = () => [desk.film?.id, desk.stepAt(), desk.w, desk.decoder].join("/");
  const later = settled(load, 120);

  async function load() {
    if (!seen || desk.player.playing || !desk.film?.filled) return;
    const key = keyOf();
    if (key === held || key === wanted) return;
    wanted = key;
    try {
      const found = await ask(desk.film.id, desk.stepAt(), desk.w);
      if (!found || key !== keyOf()) return;
      held = key;
      whose = found.told.run;
      draw(found.told, found.film);
      stale();
    } catch (error) {
      tellText(verdict, error.message);
    } finally {
      if (wanted === key) wanted = "";
    }
  }

  /** What is drawn belongs to a run that is no longer the one shown: until the new one can be opened, it is no news. */
  function stale() {
    const old = whose !== null && (desk.stale || whose !== desk.film?.id);
    place.dataset.stale = old;
    if (whose !== null) tellText(verdict, old ? "This is a step of the run before" + (desk.error ? ": the new one failed." : ".") : judged);
  }

  function figureOf(bitmap, sign, words, more, label) {
    const screen = screenOf("sum-screen", label);
    const node = piece("figure", { class: "sum-term" }, screen, piece("figcaption", {}, sign, piece("small", {}, words), more));
    screen.show(bitmap);
    return node;
  }

  function draw(told, film) {
    const parts = told.terms.flatMap((term, i) => [
      i ? piece("span", { class: "op" }, term.coefficient < 0 ? "−" : "+") : term.coefficient < 0 && piece("span", { class: "op" }, "−"),
      piece("b", { class: "coefficient" }, numberText(Math.abs(term.coefficient), 4) + " ×"),
      figureOf(film.bitmaps[i], signOf(term.symbol), term.label, piece("small", { class: "muted" }, "‖·‖ = " + numberText(term.norm)), term.label),
    ]);
    const last = told.step + 1 >= desk.film.total;
    filled.replaceChildren(
      ...parts.filter(Boolean),
      piece("span", { class: "op" }, "="),
      figureOf(film.bitmaps.at(-1), signOf(told.equation.split("=")[0].trim(), "--sym-x"), told.changed ? "what would come next" : last ? "the picture" : "the next frame", piece("small", { class: "muted" }, "‖·‖ = " + numberText(told.result_norm)), "The sum"),
    );
    equation.replaceChildren(piece("span", { class: "muted" }, titleOf(told.scheduler) + ": "), signOf(told.equation));
    tellText(title, "Step " + (told.step + 1) + " opened");
    // Where the estimate comes from: in the variance-preserving space, or in that of Euler's family.
    const { abar, sigma } = told;
    const own = told.in_sigma
      ? ["x̂_0 = x̃_t − σ_t ε̂ = x̃_t − ", numberText(sigma, 4), " ε̂"]
      : ["x̂_0 = (x_t − √(1−ᾱ_t) ε̂) / √ᾱ_t = (x_t − ", numberText(Math.sqrt(1 - abar), 4), " ε̂) / ", numberText(Math.sqrt(abar), 4)];
    estimate.replaceChildren(piece("span", { class: "muted" }, "where "), ...own.map((text, i) => (i % 2 ? piece("b", {}, text) : signOf(text))));
    notes.replaceChildren(...(told.notes ?? []).flatMap((note) => [...mixedOf(note), " "]));
    const error = told.result_error;
    verdict.dataset.changed = told.changed;
    judged = told.changed
      ? "With w = " + settingText(told.guidance) + " instead of " + settingText(told.own_guidance) + ": the sum is up to " + numberText(error) + " away from the frame that was made."
      : "The sum equals " + (last ? "the picture’s latent" : "the next frame") + ". It is computed anew from the stored tensors by the same scheduler and compared with " + (last ? "it" : "that frame") + ": the largest difference of any number is " + (error === 0 ? "0" : error.toExponential(1).replace("-", "−")) + ".";
    place.dataset.step = told.step;
    place.dataset.error = error;
    place.dataset.terms = told.terms.length;
  }

  const titleOf = (name) => desk.start.schedulers.find((one) => one.name === name)?.title ?? name ?? "";

  new IntersectionObserver(([entry]) => ((seen = entry.isIntersecting), seen && later()), { rootMargin: "80px" }).observe(place);
  for (const name of ["position", "w", "frames", "film", "rows"]) desk.on(name, later);
  for (const name of ["film", "busy"]) desk.on(name, stale);
}
