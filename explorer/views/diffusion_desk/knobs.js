// The settings of a run: negative prompt, seed, steps, scheduler, eta, guidance; undone, reset, and what is special about them.

/** A slider with its number beside it, for one setting. */
function knobOf({ name, words, desk, least, most, step, title, tone }) {
  const slider = sliderOf({ label: words, min: least, max: most, step, value: least, input: (value) => desk.change({ [name]: value }, name) });
  if (tone) slider.style.setProperty("--tone", "var(" + tone + ")");
  const number = piece("input", {
    type: "number", min: least, max: most, step: "any", "aria-label": words, inputmode: "decimal",
    onchange: () => (desk.change({ [name]: settingOf(name, number.value, desk.start, desk.settings[name]) }), show()),
    onkeydown: (event) => event.key === "Enter" && (event.preventDefault(), number.blur(), desk.run()),
  });
  const node = piece("div", { class: "knob", "data-knob": name, title }, piece("span", { class: "knob-name" }, words), number, slider);
  function show() {
    const value = desk.settings[name];
    slider.set(value);
    if (document.activeElement !== number || Number(number.value) !== value) number.value = Number(value.toFixed(3));
  }
  desk.on("settings", show);
  desk.on("start", show);
  return node;
}

function makeKnobs(place, desk) {
  const negative = piece("input", {
    type: "text", "aria-label": "Negative prompt", placeholder: "What it should not be", autocomplete: "off", spellcheck: "false",
    oninput: () => desk.change({ negative: negative.value }, "negative"),
    onkeydown: (event) => event.key === "Enter" && !event.isComposing && desk.run(),
  });
  const seed = piece("input", {
    type: "number", min: 0, max: SEED_MOST, step: 1, "aria-label": "Seed", inputmode: "numeric",
    onchange: () => (desk.change({ seed: settingOf("seed", seed.value, desk.start, desk.settings.seed) }), (seed.value = desk.settings.seed)),
    onkeydown: (event) => event.key === "Enter" && (event.preventDefault(), seed.blur(), desk.run()),
  });
  const dice = buttonOf({ icon: "dice", title: "Another seed", press: () => (desk.change({ seed: diceSeed() }), desk.run()), "data-do": "dice" });
  const scheduler = piece("select", { "aria-label": "Scheduler", onchange: () => (desk.change({ scheduler: scheduler.value }), desk.run()) });
  const about = piece("p", { class: "muted small-text" });
  const undo = buttonOf({ icon: "back", words: "Undo", name: "small ghost", press: desk.undo, "data-do": "undo" });
  const reset = buttonOf({ icon: "reset", words: "Reset", name: "small ghost", press: () => (desk.reset(), desk.run()), "data-do": "reset" });
  const ownPicture = piece("div", { class: "own" });
  const eta = knobOf({ name: "eta", words: "η, fresh noise", desk, least: 0, most: 1, step: 0.05, title: "0 is the ODE: no fresh noise; 1 is DDPM's" });
  const labelled = (words, ...nodes) => piece("div", { class: "field" }, piece("span", { class: "knob-name" }, words), ...nodes);

  const size = piece("select", { "aria-label": "Size", onchange: () => desk.change({ size: Number(size.value) || null }) });
  const sizeField = labelled("Size", size);
  const mode = segmented(
    "What the network is told",
    [["text", "Prompt", "The text tower's tokens"], ["labels", "Labels", "Attributes fed in directly: explicit conditioning"], ["none", "Nothing", "Unconditional"]],
    (value) => (desk.change({ mode: value }), desk.run()),
    "modes",
  );
  const negativeField = labelled("Negative prompt", negative);
  const modeField = labelled("Told by", mode);
  place.className = "knobs card";
  place.append(
    knobOf({ name: "guidance_scale", words: "Guidance w", desk, least: 0, most: 20, step: 0.25, tone: "--sym-z", title: "0 ignores the prompt, 1 follows it as trained, more exaggerates it" }),
    knobOf({ name: "steps", words: "Steps", desk, least: 1, most: 100, step: 1 }),
    labelled("Scheduler", scheduler, about),
    eta,
    labelled("Seed", piece("div", { class: "row tight" }, seed, dice)),
    negativeField,
    modeField,
    sizeField,
    ownPicture,
    piece("div", { class: "row knob-foot" }, undo, reset),
  );
  makeOwn(ownPicture, desk);

  desk.on("start", () => {
    scheduler.replaceChildren(...desk.start.schedulers.map((one) => piece("option", { value: one.name, title: one.about }, one.title)));
    const { sizes = [], image } = desk.start.model;
    sizeField.hidden = sizes.length < 2;
    size.replaceChildren(...sizes.map((side) => piece("option", { value: side }, side + " × " + side + (side === image[0] ? ", as trained" : ""))));
    show();
  });
  desk.on("settings", show);

  function show() {
    const { settings } = desk;
    if (negative.value !== settings.negative) negative.value = settings.negative;
    if (Number(seed.value) !== settings.seed || seed.value === "") seed.value = settings.seed;
    scheduler.value = settings.scheduler;
    mode.set(settings.mode);
    size.value = settings.size ?? desk.start.model.image[0];
    modeField.hidden = !desk.start.model.labels;
    negativeField.hidden = settings.mode !== "text";
    const kind = desk.start.schedulers.find((one) => one.name === settings.scheduler);
    eta.hidden = !kind?.eta;
    tellText(about, kind?.about ?? "");
    undo.disabled = !desk.past.length;
    reset.disabled = sameSettings(settings, desk.usual) && !desk.picture;
  }
}
