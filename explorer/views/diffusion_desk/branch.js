// A branch: the steps up to here stay as they are; from here on something else holds.

function makeBranches(place, desk) {
  const title = piece("h3", {}, "Branches");
  const guidance = piece("input", { type: "number", min: 0, max: 20, step: "any", "aria-label": "Guidance from here on", inputmode: "decimal" });
  const prompt = piece("input", { type: "text", "aria-label": "Prompt from here on", autocomplete: "off", spellcheck: "false" });
  const negative = piece("input", { type: "text", "aria-label": "Negative prompt from here on", placeholder: "none", autocomplete: "off", spellcheck: "false" });
  const scheduler = piece("select", { "aria-label": "Scheduler from here on", onchange: showEta });
  const eta = piece("input", { type: "number", min: 0, max: 1, step: "any", "aria-label": "η from here on", inputmode: "decimal" });
  const go = buttonOf({ icon: "branch", words: "Branch from step 1", name: "strong", press: () => branch(asked()), "data-do": "branch" });
  const field = (words, node, name) => piece("label", { class: "branch-field " + name }, piece("span", { class: "knob-name" }, words), node);
  const etaField = field("η", eta, "narrow");
  const tree = piece("div", {});
  const versus = piece("div", { class: "versus", hidden: true });
  place.append(
    title,
    piece("p", { class: "muted" }, "Go to a step, change something, and run on from there: the steps before it are shared."),
    piece(
      "form",
      { class: "branch-form", onsubmit: (event) => (event.preventDefault(), branch(asked())) },
      field("Prompt", prompt, "wide"), field("Negative prompt", negative, ""), field("Guidance w", guidance, "narrow"), field("Scheduler", scheduler, ""), etaField, go,
    ),
    versus,
    tree,
  );
  makeTree(tree, desk);
  makeVersus(versus, desk);
  go.type = "submit";

  function asked() {
    const { settings } = desk.film;
    return {
      prompt: prompt.value,
      negative: negative.value,
      guidance_scale: settingOf("guidance_scale", guidance.value, desk.start, settings.guidance_scale),
      scheduler: scheduler.value,
      eta: settingOf("eta", eta.value, desk.start, settings.eta),
    };
  }

  /** Runs on from the step that is shown. The new run is compared with the one it left. */
  async function branch(changes) {
    const from = desk.film;
    if (!from?.steps.length || desk.live()) return;
    const step = desk.stepAt();
    const { settings } = from;
    const told = { ...settings, ...changes };
    const film = await desk.begin({ model: from.model, settings: told, parent: { run: from.id, step } });
    if (film && film.state === "done") desk.compare(from);
  }
  desk.branch = branch;

  function showEta() {
    etaField.hidden = !desk.start.schedulers.find((one) => one.name === scheduler.value)?.eta;
  }

  function show() {
    const film = desk.film;
    if (!film) return;
    const { settings } = film;
    prompt.value = settings.prompt;
    negative.value = settings.negative;
    guidance.value = settings.guidance_scale;
    scheduler.value = settings.scheduler;
    eta.value = settings.eta;
    showEta();
  }

  function showStep() {
    for (const node of [prompt, negative]) node.closest("label").hidden = desk.film?.settings.mode !== "text";
    go.disabled = !desk.film?.steps.length || desk.live();
    tellText(go.lastChild, "Branch from step " + (desk.stepAt() + 1));
  }

  desk.on("start", () => {
    scheduler.replaceChildren(...desk.start.schedulers.map((one) => piece("option", { value: one.name }, one.title)));
    showEta();
  });
  desk.on("film", show);
  for (const name of ["position", "film", "busy", "news"]) desk.on(name, showStep);
}
