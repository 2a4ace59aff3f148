// The ELBO of one picture as a bill, the reparametrisation board, and the decoder as a distribution.

const ELBO_VIEWS = [
  ["bill", "The bill", "What this picture costs: reconstruction and KL, line by line", (lab) => makeBill(lab)],
  ["bound", "Tighter bound", "Many draws instead of one: the importance-weighted bound", (lab) => makeBound(lab)],
  ["board", "Reparametrise", "z = μ + σ ε, and what the trick is good for", (lab) => makeBoard(lab)],
  ["decoder", "Decoder", "The decoder is a distribution: mean, sample, residual", (lab) => makeDecoder(lab)],
  ["blur", "Blur", "Which detail is lost: spectra and a magnifying glass", (lab) => makeBlur(lab)],
];

makePart(element, props, { name: "elbo", prefix: "e", keys: "1 to 5 choose a view, U undoes, R takes the encoder's q again", models: true, build: buildElbo });

async function buildElbo(place, part) {
  const asked = part.get("view");
  let view = ELBO_VIEWS.some(([name]) => name === asked) ? asked : "bill";
  const views = {};
  const lab = makeLab(part, (what) => views[view]?.told(what));
  lab.unit = part.get("unit") in UNITS ? part.get("unit") : "nats";
  lab.seed = part.number("seed", 0, 0, 999999999) | 0;
  lab.samples = [8, 32, 128].includes(+part.get("draws")) ? +part.get("draws") : 32;

  const picker = makePicker(part);
  const tabs = segmented("View", ELBO_VIEWS.map(([name, words, title]) => [name, words, title]), show, "views");
  const stage = piece("div", { class: "stage" });
  const take = makeTake(lab, () => views[view]);
  place.append(piece("div", { class: "tools head" }, tabs, picker.node), stage, take.node);

  function show(name) {
    if (name !== view) views[view]?.rest?.();
    view = name;
    tabs.set(name);
    part.set({ view: name === "bill" ? null : name });
    views[name] ??= ELBO_VIEWS.find(([one]) => one === name)[3](lab);
    stage.replaceChildren(views[name].node);
    part.facts({ view: name });
    views[name].told("shown");
  }

  await Promise.all([picker.load(), lab.load()]);
  picker.set(part.picture);
  show(view);

  return {
    rest: () => views[view]?.rest?.(),
    show: () => views[view]?.told("shown"),
    async model() {
      views[view]?.rest?.();
      await Promise.all([picker.load(), lab.load()]);
      picker.set(part.picture);
    },
    picture(picture) {
      picker.set(picture);
      part.facts({ settled: "false" });
      lab.refresh().catch((error) => part.trouble(error, () => lab.refresh().catch((again) => part.trouble(again))));
    },
    keys: {
      ...Object.fromEntries(ELBO_VIEWS.map(([name], i) => [String(i + 1), () => show(name)])),
      u: () => lab.undo(),
      r: () => lab.reset(),
    },
  };
}
