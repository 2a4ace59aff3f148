// The part: settings on the left, the film of one training on the right, all trainings side by side below.

makePart(element, props, { name: "train", prefix: "t", keys: "Space: play the film of the training; T: train; S: stop or go on", models: false, build: buildPart });

async function buildPart(place, part) {
  const told = await part.wire.get("train/start");
  const films = makeFilms(part, redraw);
  const stage = makeStage(part, films);
  const compare = makeCompare({ choose: turn, remove });
  const controls = makeControls(part, told.menu, told.lacking, ready);
  const upload = makeUpload(part, films);
  controls.upload.append(upload.node);

  const go = buttonOf({ words: "Train", name: "strong train-go", title: "Train with these settings (T)", press: train });
  const opener = makeOpener(part, (answer) => (films.take(answer), turn(answer.run)));
  const hint = piece("span", { class: "aside" });
  const words = piece("p", { class: "train-state", role: "status" });
  const bar = piece("progress", { max: 1, value: 0, "aria-label": "Steps done" });
  const stop = buttonOf({ words: "Stop", title: "Stop after this step; the model is kept and can go on (S)", press: () => act("stop"), hidden: true });
  const on = buttonOf({ words: "Go on", title: "Train further (S)", press: () => act("continue"), hidden: true });
  const tabs = [["explore", "Explore"], ["worlds", "Three worlds"], ["elbo", "ELBO"], ["attributes", "Attributes"], ["paths", "Paths"], ["metrics", "Metrics"]];
  const use = piece("div", { class: "tools train-use", hidden: true }, piece("b", {}, "Use it:"),
    tabs.map(([to, title]) => buttonOf({ words: title, "data-use": to, title: `Open this model in “${title}”`, press: () => open(to) })));
  const out = piece("div", { class: "tools train-out" },
    buttonOf({ words: "Save model", title: "model.safetensors and card.json in a ZIP", "data-out": "model", press: () => part.wire.file("train/save", { run: stage.run }).catch(complain) }),
    buttonOf({ words: "Film as GIF", "data-out": "gif", press: () => part.wire.file("train/film", { run: stage.run, format: "gif" }).catch(complain) }),
    buttonOf({ words: "PNG", title: "Map and pictures of the moment that is shown", "data-out": "png", press: () => stage.picture().toBlob((blob) => handOver(blob, "vae-training.png")) }),
    buttonOf({ words: "CSV", title: "The losses at each moment", "data-out": "csv", press: () => handOver(table(), "vae-training.csv") }),
    buttonOf({ words: "Copy Python", "data-out": "python", press: python }));

  place.append(
    piece("h3", {}, "Train one here"),
    piece("p", { class: "aside" }, "A VAE of two numbers learns handwritten digits in seconds. Choose what it sees, how heavy the KL term is and how large the code, and watch the map take shape: codes of one digit gather, the KL pulls them to the prior, the decoder’s board sharpens."),
    piece("div", { class: "train-desk" },
      piece("section", { class: "card", "aria-label": "Settings" }, controls.node, piece("div", { class: "tools" }, go, opener.node, hint)),
      piece("section", { class: "card", "aria-label": "The training" }, piece("div", { class: "tools train-head" }, words, bar, stop, on), use, stage.node, out)),
    compare.node);

  function redraw(state) {
    const run = films.of(stage.run);
    if (!run && state.runs.length) return turn(state.runs.at(-1).run);
    upload.show(state.upload);
    ready();
    if (run) tell(run);
    stage.show();
    compare.show(state.runs, films, stage.run);
    if (state.runs.some((one) => one.kept && kept.get(one.run) !== one.title)) {
      for (const one of state.runs) if (one.kept) kept.set(one.run, one.title);
      document.vae?.renew();
    }
    part.facts({ runs: state.runs.length, upload: state.upload?.state ?? "none", pictures: state.upload?.count ?? 0 });
  }
  const kept = new Map(); // models that the bar knows of

  function tell(run) {
    const last = films.filmOf(run.run).moments.at(-1), own = run.run !== told.example;
    const at = `${wholeText(run.step)} of ${wholeText(run.goal)} steps`;
    const rate = last?.rate ? `, ${wholeText(last.rate)} pictures a second` : "";
    tellText(words, {
      waiting: `In line, place ${run.place || 1}: two train at a time on this host.`,
      opening: run.note || "Getting its pictures ready.",
      running: `Training: ${at}${rate}, about ${Math.max(1, Math.round(run.left ?? 0))} s left.`,
      stopped: `Stopped at ${at}. ${run.note}`,
      done: run.saved === run.step ? `Opened from a file: ${wholeText(run.step)} steps, trained in ${run.seconds.toFixed(1)} s.` : `Done: ${wholeText(run.step)} steps in ${run.seconds.toFixed(1)} s. ${run.run === told.example ? "This is the example that everybody sees." : ""}`,
      failed: run.note,
    }[run.state] ?? "");
    words.toggleAttribute("data-failed", run.state === "failed");
    bar.max = run.goal;
    bar.value = run.step;
    stop.hidden = !own || !run.live;
    on.hidden = !own || run.live || run.state === "failed";
    tellText(on.firstChild, run.state === "done" ? `Train ${wholeText(run.settings.steps)} more` : "Go on");
    use.hidden = !run.kept || run.live;
    use.querySelector("[data-use=worlds]").hidden = run.settings.dims !== 2; // its maps are planes
    out.hidden = !run.step;
    part.facts({ run: run.run, runstate: run.state });
  }

  function ready() {
    const own = controls.settings.data === "upload" && !films.state.upload?.count;
    const full = films.state.runs.filter(({ run }) => run !== told.example).length >= told.most;
    go.disabled = own || full;
    opener.disable(full);
    tellText(hint, own ? "Bring pictures first." : full ? `A page keeps ${told.most} trainings; delete one to train another.` : "");
  }

  function turn(run) {
    films.show(run);
    stage.set(run);
    const found = films.of(run);
    if (found) tell(found);
    compare.show(films.state.runs, films, run);
    films.refresh();
  }

  async function train() {
    go.disabled = true;
    try {
      const answer = await part.wire.post("train/do", { do: "train", settings: controls.settings });
      films.take(answer);
      turn(answer.run);
    } catch (error) {
      complain(error);
    }
    ready();
  }

  const act = (what) => part.wire.post("train/do", { do: what, run: stage.run }).then((answer) => (films.take(answer), films.refresh())).catch(complain);

  async function remove(run) {
    try {
      films.take(await part.wire.post("train/do", { do: "delete", run }));
      document.vae?.renew();
    } catch (error) {
      complain(error);
    }
  }

  async function open(to) {
    if (to === "worlds") document.vae.fourth = stage.run; // beside the three that ship
    await document.vae.renew();
    document.vae.choose(stage.run);
    document.vae.open(to);
  }

  function table() {
    const names = ["reconstruction", "kl", "held_reconstruction", "held_kl"];
    return [["step", "seconds", ...names].join(","), ...stage.film().moments.map((m) => [m.step, m.seconds, ...names.map((name) => m.losses[name] ?? "")].join(","))].join("\n") + "\n";
  }

  async function python() {
    try {
      const { script } = await part.wire.get("train/script", { run: stage.run });
      window.explorer.copy(script, "The Python that trains this model is copied.");
    } catch (error) {
      complain(error);
    }
  }

  const complain = (error) => window.explorer.toast(error.message);

  controls.read();
  films.take(told);
  turn(told.runs.at(-1).run);
  films.wake();
  return {
    show: films.wake,
    rest: films.rest,
    keys: { Space: stage.toggle, t: () => go.disabled || train(), s: () => (!stop.hidden ? act("stop") : !on.hidden && act("continue")) },
  };
}
