// The guidance lab: at this step, ε̂ = ε_∅ + w (ε_c − ε_∅) for any w, and the picture that the step would then expect. The
// network is not asked again: both noises were kept, and the sweep of pictures is fetched when the slider is touched.

const SWEEPS_MOST = 12; // steps whose sweeps are kept

function makeGuidance(place, desk) {
  const screen = screenOf("lab-screen", "The picture that this step expects with this guidance");
  const slider = sliderOf({ label: "Guidance w at this step", min: 0, max: 20, step: 0.1, value: 1, input: move });
  slider.style.setProperty("--tone", "var(--sym-z)");
  const number = piece("output", { class: "lab-w" });
  const own = buttonOf({ words: "As it was run", name: "small", press: () => desk.weigh(null), "data-do": "own-w" });
  const wholeRun = buttonOf({
    words: "Run with it", name: "small", title: "A whole run with this guidance",
    press: () => (desk.change({ guidance_scale: round(desk.guidance()) }), desk.run()), "data-do": "run-w",
  });
  const onward = buttonOf({
    icon: "branch", words: "Branch here", name: "small", title: "The steps so far, and from here on this guidance",
    press: () => desk.branch({ guidance_scale: round(desk.guidance()) }), "data-do": "branch-w",
  });
  const status = piece("p", { class: "small-text muted lab-status", role: "status" });
  const mosaics = Object.fromEntries(["eps_uncond", "difference", "eps"].map((view) => [view, mosaicOf(VIEWS[view].words)]));
  const [norms, heats] = [{}, {}];
  const termOf = (view, before) => {
    norms[view] = piece("span", { class: "norm" });
    heats[view] = heatBarOf();
    return [before && piece("span", { class: "op" }, before), piece("figure", { class: "term" }, mosaics[view], heats[view], piece("figcaption", {}, signOf(VIEWS[view].sign, VIEWS[view].tone), norms[view]))];
  };
  const times = piece("b", { class: "lab-times" });
  const lengths = chartOf({
    title: "Lengths", unit: "norm", seek: desk.player.goto,
    series: [["‖ε_∅‖", "--sym-eps"], ["‖ε_c − ε_∅‖", "--sym-z"]],
  });
  const angles = chartOf({ title: ["Angle between ", "ε_∅", " and ", "ε_c"], unit: "degrees", seek: desk.player.goto, series: [["", "--sym-mu"]] });
  const scales = piece("div", { class: "scales" });

  place.append(
    piece("h3", {}, "Guidance lab"),
    piece("p", { class: "muted" }, "Drag the guidance of this one step. Both noises are kept, so nothing is computed by the network again."),
    piece(
      "div",
      { class: "lab" },
      piece("figure", { class: "lab-figure" }, screen, piece("figcaption", {}, signOf("x̂_0", "--sym-xhat"), piece("span", {}, "expected at this step"))),
      piece(
        "div",
        { class: "lab-side" },
        piece("div", { class: "lab-slider" }, piece("span", { class: "lab-name" }, signOf("w"), " = ", number), slider, piece("div", { class: "lab-ticks", "aria-hidden": "true" }, ...[0, 1, 5, 10, 15, 20].map((w) => piece("span", { style: "--w: " + w }, String(w))))),
        piece("div", { class: "row" }, own, wholeRun, onward),
        status,
        piece("div", { class: "lab-equation", role: "group", "aria-label": "The guided noise as a sum" }, termOf("eps_uncond"), piece("span", { class: "op" }, "+"), times, termOf("difference"), termOf("eps", "=")),
      ),
      piece("div", { class: "lab-charts" }, lengths, angles),
      scales,
    ),
  );
  makeScales(scales, desk);

  const round = (w) => Math.round(w * 100) / 100;
  const sweeps = new Map(); // run/step/decoder -> bitmaps; the newest few
  const keyOf = () => [desk.film?.id, desk.stepAt(), desk.decoder].join("/");
  const ask = newestOf((signal, pairs) => desk.wire.sprite("sweep", pairs, signal));
  let waiting = "";

  /** Fetches the pictures of all w at this step, once: first a few over the whole range, so that the slider is followed at once. */
  async function fetchSweep() {
    const film = desk.film;
    if (!film?.filled) return;
    const key = keyOf();
    if (sweeps.get(key)?.whole || waiting === key) return;
    waiting = key;
    tellText(status, "Fetching this step for every w …");
    try {
      const pairs = { run: film.id, step: desk.stepAt(), decoder: desk.decoder };
      for (const values of [desk.start.sweep.filter((_, i) => i % 5 === 0), desk.start.sweep]) {
        const whole = values.length === desk.start.sweep.length;
        const told = await ask(whole ? pairs : { ...pairs, w: values.join() });
        if (!told) return;
        const old = sweeps.get(key);
        sweeps.set(key, { values, bitmaps: told.bitmaps, whole });
        show();
        old?.bitmaps.forEach((bitmap) => bitmap.close());
      }
      for (const [old, { bitmaps }] of [...sweeps].slice(0, -SWEEPS_MOST)) {
        bitmaps.forEach((bitmap) => bitmap.close());
        sweeps.delete(old);
      }
      waiting = "";
      show();
    } catch (error) {
      tellText(status, error.message);
    } finally {
      if (waiting === key) waiting = "";
    }
  }

  function move(w) {
    desk.weigh(w);
    fetchSweep();
  }

  for (const name of ["pointerenter", "pointerdown", "focus", "touchstart"]) slider.addEventListener(name, fetchSweep, { passive: true });
  // Over a frame that has no sweep yet, the slider waits for a hand; where it is being held, the next step's is fetched at rest.
  const rest = settled(() => desk.w !== null && desk.film?.filled && fetchSweep(), 250);

  function show() {
    const film = desk.film;
    const w = desk.guidance();
    slider.set(w);
    tellText(number, settingText(w));
    tellText(times, settingText(w) + " ×");
    own.disabled = desk.w === null;
    place.dataset.w = w;
    const ready = Boolean(film?.steps.length);
    slider.disabled = !ready;
    for (const button of [wholeRun, onward]) button.disabled = !ready || desk.live();
    if (!ready) {
      blank(true);
      return screen.show(null);
    }
    const i = desk.stepAt();
    onward.lastChild.textContent = "Branch from step " + (i + 1);
    if (waiting !== keyOf()) tellText(status, desk.atPicture() ? "No noise is predicted after the last step, so this is the last step itself, where little can change. Go to an earlier one to see more." : "");
    const sweep = sweeps.get(keyOf());
    const at = desk.w === null || !sweep ? -1 : nearestOf(sweep.values, w);
    Object.assign(place.dataset, { sweep: sweep?.bitmaps.length ?? 0, frame: at });
    screen.show(at < 0 ? film.at("x0", i) : sweep.bitmaps[at]);
    showSum(film, i, w);
    lengths.mark(i);
    angles.mark(i);
  }

  /** Without its tensors, no sum of a run before is left standing. */
  function blank(none) {
    for (const [view, mosaic] of Object.entries(mosaics)) {
      mosaic.dataset.blank = none;
      if (!none) continue;
      heats[view].tell(0);
      tellText(norms[view], "");
    }
  }

  function showSum(film, i, w) {
    const { tensors } = film;
    blank(!tensors);
    if (!tensors) return showNorms(film.steps[i], w);
    const [u, c, shape] = [tensors.eps_uncond[i], tensors.eps_cond[i], desk.start.model.latent];
    const pull = u.map((value, k) => c[k] - value);
    const sum = u.map((value, k) => value + w * pull[k]);
    const scale = (film.epsScale ??= scaleOf(tensors.eps_cond));
    mosaics.eps_uncond.paint(u, shape, scale);
    mosaics.difference.paint(pull, shape, (film.pullScale ??= scaleOf(film.tensors.eps_cond.map((one, k) => one.map((value, j) => value - tensors.eps_uncond[k][j])))));
    mosaics.eps.paint(sum, shape, scale);
    for (const [view, bar] of Object.entries(heats)) bar.tell(view === "difference" ? film.pullScale : scale);
    tellText(norms.eps_uncond, "‖·‖ = " + numberText(normOf(u)));
    tellText(norms.difference, "‖·‖ = " + numberText(normOf(pull)));
    tellText(norms.eps, "‖·‖ = " + numberText(normOf(sum)));
    place.dataset.norm = normOf(sum).toFixed(4);
  }

  /** Of large latents the page has no tensors; lengths follow from two lengths and an angle. */
  function showNorms({ norms: told = {}, delta, cos }, w) {
    const { eps_uncond: u, eps_cond: c } = told;
    if (!Number.isFinite(u) || !Number.isFinite(c)) return;
    const along = u * c * cos - u * u; // <ε_∅, ε_c − ε_∅>
    tellText(norms.eps_uncond, "‖·‖ = " + numberText(u));
    tellText(norms.difference, "‖·‖ = " + numberText(delta));
    tellText(norms.eps, "‖·‖ = " + numberText(Math.sqrt(Math.max(0, u * u + 2 * w * along + w * w * delta * delta))));
  }

  function drawCharts() {
    const steps = desk.film?.steps ?? [];
    if (!steps.length || desk.film.live()) return;
    const times = steps.map((step) => step.timestep);
    lengths.draw([steps.map((step) => step.norms?.eps_uncond ?? NaN), steps.map((step) => step.delta)], times);
    angles.draw([steps.map((step) => (Math.acos(Math.min(1, Math.max(-1, step.cos))) * 180) / Math.PI)], times);
  }

  desk.on("w", () => (show(), rest()));
  desk.on("position", () => (show(), rest()));
  for (const name of ["film", "frames", "busy"]) desk.on(name, () => (show(), drawCharts()));
}

const nearestOf = (values, value) => values.reduce((best, one, i) => (Math.abs(one - value) < Math.abs(values[best] - value) ? i : best), 0);
