// Two runs frame by frame: both pictures at this step, where they differ, and by how much over time.

function makeVersus(place, desk) {
  const ours = screenOf("versus-screen", "This run");
  const theirs = screenOf("versus-screen", "The other run");
  const apart = screenOf("versus-screen", "Where they differ");
  const chart = chartOf({ title: "How far apart", unit: "mean |Δ| of 255", series: [["|Δx̂_0|", "--warn"]], seek: desk.player.goto });
  const words = piece("p", { class: "small-text muted" });
  const figure = (screen, caption) => piece("figure", { class: "versus-figure" }, screen, piece("figcaption", {}, caption));
  place.append(
    figure(ours, "this run"), figure(theirs, "the other"), figure(apart, "|difference|"),
    piece("div", { class: "versus-told" }, chart, words, buttonOf({ words: "Stop comparing", name: "small", press: () => desk.compare(null) })),
  );

  const ask = newestOf(async (signal, a, b, decoder) => {
    const pairs = { a, b, decoder };
    const [film, told] = await Promise.all([desk.wire.sprite("difference", pairs, signal), desk.wire.json("difference.json", pairs, { signal })]);
    return { film, told };
  });

  async function load() {
    const [a, b] = [desk.film, desk.rival];
    place.hidden = !b;
    if (!b || !a?.filled || !b.filled) return;
    const key = [a.id, b.id, desk.decoder].join("/");
    if (desk.apart?.key === key) return;
    desk.apart?.frames?.forEach((bitmap) => bitmap.close());
    desk.apart = { key, frames: null, values: [] };
    try {
      const found = await ask(a.id, b.id, desk.decoder);
      if (!found || desk.apart.key !== key) return;
      desk.apart.frames = found.film.bitmaps;
      desk.apart.values = found.told.frames.map((frame) => frame.pixels);
      const times = a.steps.map((step) => step.timestep);
      chart.draw([desk.apart.values.slice(0, times.length)], times);
      const first = found.told.frames.findIndex((frame) => frame.rms > 1e-4);
      tellText(words, first < 0 ? "They are the same." : "They part at step " + (first + 1) + ".");
      place.dataset.done = key;
      desk.emit("frames");
    } catch (error) {
      tellText(words, error.message);
    }
  }

  function show() {
    if (!desk.rival) return void (place.hidden = true);
    const i = desk.player.position;
    ours.show(desk.film?.at("x0", i) ?? null);
    theirs.show(desk.rival.at("x0", i));
    apart.show(desk.apart?.frames?.[Math.min(i, desk.apart.frames.length - 1)] ?? null);
    chart.mark(i);
  }

  for (const name of ["rival", "film", "frames", "rows"]) desk.on(name, () => (load(), show()));
  desk.on("position", show);
}
