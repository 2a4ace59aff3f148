// The sliders of the twin: those of the image run, and the data. Knows no request.

function makeControls(place, twin) {
  const { start } = twin;
  const set = (name) => (v) => twin.change({ [name]: v }, "slider");
  const lim = (name) => ({ min: start.limits[name][0], max: start.limits[name][1] });
  const dataSet = () => start.data.find((one) => one.name === twin.settings.data);

  const data = choice("Data", start.data.map((one) => [one.name, one.title]), twin.settings.data, (v) => twin.change({ data: v }), { "data-control": "data" });
  const kind = segments("Whose score", [["law", "The law itself"], ["points", "A training set"]], "law", (v) => twin.change({ kind: v }));
  const size = slider("Training points", { ...lim("size"), step: 1, value: 200, words: wholeText, change: set("size"), fact: "size" });
  const s = slider("Width s of each", { min: 0, max: 0.5, step: 0.01, value: 0, words: (v) => fixedText(v, 2), change: set("s"), fact: "s", describe: "0: each training point is a point" });
  const classHolder = piece("span");
  const w = slider("Guidance w", { ...lim("w"), step: 0.5, value: 2, words: (v) => fixedText(v, 1), change: set("w"), mark: 1, fact: "w", describe: "0: no class; 1: the class; more: beyond it" });
  const steps = slider("Steps", { ...lim("steps"), step: 1, value: 25, words: wholeText, change: set("steps"), fact: "steps" });
  const eta = slider("Eta", { ...lim("eta"), step: 0.05, value: 0, words: (v) => (v === 0 ? "0, ODE" : v === 1 ? "1, SDE" : fixedText(v, 2)), change: set("eta"), fact: "eta", describe: "0: DDIM, the probability-flow ODE; 1: DDPM, the SDE" });
  const schedule = choice("Schedule", start.schedules.map((one) => [one.name, one.title]), twin.settings.schedule, (v) => twin.change({ schedule: v }), { "data-control": "schedule" });
  const spacing = choice("Timesteps", start.spacings.map((one) => [one.name, one.title]), twin.settings.spacing, (v) => twin.change({ spacing: v }), { "data-control": "spacing" });
  const n = slider("Samples", { min: 50, max: start.limits.n[1], step: 50, value: 600, words: wholeText, change: set("n"), fact: "n" });
  const seed = numberField("Seed", { ...lim("seed"), value: 0, pick: (v) => twin.change({ seed: v }), "data-control": "seed" });
  const curve = piece("div");
  const chart = chartIn(curve, { height: 8 });
  const told = piece("p", { class: "quiet" });
  const take = button("Take its settings", () => twin.takeOver(), { class: "button", "data-do": "take" });
  const use = button("Use these in the image run", () => twin.handBack(), { class: "button", "data-do": "use" });
  const trained = piece("div", { class: "rows" }, size.node, s.node);
  const copy = button("Draw on from these", () => twin.ownCopy(), { class: "button", "data-do": "copy" });

  place.append(
    piece("h4", {}, "Data"), piece("div", { class: "tools" }, data.node, copy), kind.node, trained, classHolder,
    piece("h4", {}, "Sampler"), w.node, steps.node, eta.node,
    piece("div", { class: "tools" }, schedule.node, spacing.node), curve,
    n.node, piece("div", { class: "tools" }, seed.node, button("Another seed", () => twin.change({ seed: Math.floor(Math.random() * 1e6) }), { "data-do": "dice" }), button("Reset", () => twin.reset(), { "data-do": "reset" })),
    piece("h4", {}, "The image run"), told, piece("div", { class: "tools" }, take, use),
  );

  let shownClasses = "";
  function show() {
    const now = twin.settings, preset = dataSet();
    data.select.value = now.data;
    schedule.select.value = now.schedule;
    spacing.select.value = now.spacing;
    kind.node.hidden = preset.kinds.length < 2 || twin.sub === "memory";
    kind.show(now.kind);
    const sweeping = twin.sub === "memory"; // it takes a training set, and all widths
    trained.hidden = now.kind === "law" && !sweeping;
    s.node.hidden = sweeping;
    size.node.hidden = now.data === "own";
    copy.hidden = now.data === "own";
    for (const [one, name] of [[size, "size"], [s, "s"], [w, "w"], [steps, "steps"], [eta, "eta"], [n, "n"], [seed, "seed"]]) one.show(now[name]);
    w.input.disabled = now.y === null;
    const names = twin.classesHere(), key = now.data + names.join();
    if (key !== shownClasses) {
      shownClasses = key;
      const seg = segments("Class asked for", [["none", "No class"], ...names.map(([i, name]) => [String(i), name])], "none", (v) => twin.change({ y: v === "none" ? null : +v }));
      classHolder.replaceChildren(piece("span", { class: "field" }, piece("span", { class: "field-name" }, "Class"), seg.node));
      classHolder.seg = seg;
    }
    classHolder.seg.show(now.y === null ? "none" : String(now.y));
    const other = start.schedules.filter((one) => one.name === now.schedule);
    chart.show({
      series: other.map((one) => ({ name: one.title, colour: "sym-x", points: one.abars.map((a, i) => [i * 8, a]) })),
      x: { label: "timestep t", min: 0, max: 1000 }, y: { label: "ᾱ, the share of the data's variance", min: 0, max: 1 },
      at: twin.film && twin.step() < twin.film.steps ? twin.film.t[twin.step()] : null, words: "ᾱ over the timestep",
    });
  }

  function showRun() {
    const run = twin.imageRun();
    take.disabled = !run;
    tellText(told, run ? `It has ${pluralText(run.steps, "step")}, guidance ${run.w}, eta ${run.eta}, seed ${run.seed}${run.note}.` : "There is no image run yet; its settings can be taken over once there is one.");
  }

  twin.on("settings", show);
  twin.on("run", showRun);
  show();
  showRun();
  return { show, showRun };
}
