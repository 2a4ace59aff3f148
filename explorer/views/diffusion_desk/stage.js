// The step as large pictures: the noisy latent beside the picture it expects, the latent's own numbers, and what is known of it.

const STAGE_LAST = { x: ["x_0", "the last latent, decoded"], x0: ["x̂_0", "all that is left to expect"] };

function makeStage(place, desk) {
  const [screens, captions] = [{}, {}];
  const figure = (view) => {
    const { sign, words, tone } = VIEWS[view];
    screens[view] = screenOf("stage-screen", words);
    const caption = (captions[view] = piece("figcaption", {}));
    caption.tell = (last) => caption.dataset.last !== String(last) && (Object.assign(caption.dataset, { last }), caption.replaceChildren(...(last ? STAGE_LAST[view] : [sign, words]).map((text, i) => (i ? piece("span", { class: "figure-words" }, text) : signOf(text, tone)))));
    caption.tell(false);
    return piece("figure", { class: "stage-figure", "data-view": view }, screens[view], caption);
  };
  const mosaic = mosaicOf("The channels of the latent as heat maps", "stage-screen");
  const heat = heatBarOf();
  const numbers = piece("div", { class: "channel-numbers", "aria-hidden": "true" });
  const numbered = piece("div", { class: "numbered" }, mosaic, numbers);
  const latent = piece(
    "figure",
    { class: "stage-figure", "data-view": "channels" },
    numbered,
    heat,
    piece("figcaption", {}, signOf("x_t", "--sym-x"), piece("span", { class: "figure-words" }, "channel by channel")),
  );
  const facts = piece("dl", { class: "step-facts" });
  const mix = piece("div", { class: "mix", role: "img" }, piece("span", { class: "mix-signal" }), piece("span", { class: "mix-noise" }));
  const mixWords = piece("p", { class: "small-text muted" });
  const aside = piece("p", { class: "small-text muted step-aside" });
  const ratio = piece("p", { class: "small-text ratio" });
  place.className = "stage";
  place.append(figure("x"), figure("x0"), latent, piece("div", { class: "step-told" }, piece("h3", { class: "step-title" }), facts, mix, mixWords, aside, ratio));
  const title = place.querySelector(".step-title");

  function row(sign, value, words) {
    return [piece("dt", { title: words }, signOf(sign)), piece("dd", {}, value)];
  }

  function show() {
    const film = desk.film;
    const i = desk.player.position;
    for (const view of ["x", "x0"]) screens[view].show(film?.at(view, i) ?? null);
    if (!film || !film.steps.length) {
      tellText(title, desk.live() ? "The first step is on its way" : "No run yet");
      return;
    }
    const step = film.steps[desk.stepAt()];
    const end = desk.atPicture();
    for (const view of ["x", "x0"]) captions[view].tell(end && film.state === "done");
    tellText(title, end ? (film.state === "done" ? "The picture" : "Where it was stopped") : "Step " + (step.index + 1) + " of " + film.total);
    const after = end && step.coefficients?.abar_next !== undefined;
    const [abar, sigma] = after ? [step.coefficients.abar_next, step.coefficients.sigma_next] : [step.abar, step.sigma];
    facts.replaceChildren(
      ...row("t", end ? (film.state === "done" ? "0" : "–") : settingText(step.timestep), "Time: 999 is pure noise, 0 is a picture"),
      ...row("ᾱ_t", numberText(abar, 4), "Share of the variance that is signal"),
      ...row("σ_t", numberText(sigma), "Noise per unit of signal: √(1−ᾱ) / √ᾱ"),
      ...row("‖ε_c − ε_∅‖", end ? "none" : numberText(step.delta), "How far the prompt pulls"),
    );
    const [signal, noise] = [Math.sqrt(abar), Math.sqrt(1 - abar)];
    mix.style.setProperty("--signal", (100 * signal) / (signal + noise) + "%");
    mix.setAttribute("aria-label", "Signal " + fixedText(signal) + ", noise " + fixedText(noise));
    tellText(mixWords, fixedText(signal) + " × picture + " + fixedText(noise) + " × noise");
    const faces = abar < 0.05 && desk.decoder !== "rgb" && desk.start.model.family === "mini";
    tellText(aside, end ? "No noise is predicted after the last step." : faces ? "Almost pure noise. The decoder paints face-like patches from it, as it knows nothing but faces." : "");
    showLatent(film, i);
  }

  function showLatent(film, i) {
    const k = Math.min(i, film.steps.length - 1);
    const values = film.tensors?.x[k];
    if (film.channels?.[k]) mosaic.tile(film.channels[k]);
    if (values) mosaic.paint(values, desk.start.model.latent, (film.scale ??= scaleOf(film.tensors.x)));
    heat.tell(film.scale, Boolean(film.channels));
    const { latent: [channels] } = desk.start.model;
    const columns = Math.ceil(Math.sqrt(channels));
    numbers.style.gridTemplateColumns = "repeat(" + columns + ", 1fr)";
    numbers.style.gridTemplateRows = "repeat(" + Math.ceil(channels / columns) + ", 1fr)";
    if (numbers.childElementCount !== channels) numbers.replaceChildren(...Array.from({ length: channels }, (_, c) => piece("span", {}, String(c + 1))));
  }

  function showRatio() {
    const { latent: [c, h, w], image, ratio: times } = desk.start.model;
    const [height, width] = image;
    const [small, large] = [c * h * w, 3 * height * width];
    ratio.replaceChildren(
      "Every step works on " + c + " × " + h + " × " + w + " = " + wholeText(small) + " numbers; the picture has 3 × " + height + " × " + width + " = " +
        wholeText(large) + ": ",
      piece("b", {}, numberText(times ?? large / small, 2) + " times fewer numbers"),
      ".",
    );
  }

  desk.on("start", showRatio);
  for (const name of ["position", "frames", "film", "news", "busy"]) desk.on(name, show);
}
