// The sampling lab: the same noise through the prior and through where pictures are, and what truncation buys and costs.

const SAMPLE_SOURCES = {
  prior: ["The prior", "N(0, I): what the loss asked for"],
  aggregate: ["Where pictures are", "a mixture of Gaussians fitted to the codes of pictures"],
};
const SAMPLE_FIGURES = {
  diversity: ["Diversity", "mean distance between two pictures"],
  certainty: ["Typicality: the judge's certainty", "highest probability, mean of ten attributes"],
  sure: ["Faces that are read without doubt", "share where the judge is surer than 0.9 of all ten"],
  nearest: ["Distance to the nearest code", "|z − z′|, of a picture's code"],
};

const swatch = (source) => piece("span", { class: "way-swatch", "data-way": source, "aria-hidden": "true" });

function samplingLab(lab) {
  const { part } = lab;
  let seed = 1, psi = 1, heat = 1, measured = null, polling = null, ticket = 0, fetched = new Map(), picked = null, stale = true;

  const sheets = Object.fromEntries(Object.entries(SAMPLE_SOURCES).map(([source, [title, words]]) => [source, sheetOf(source, title, words)]));
  const psiSlider = sliderOf({ label: "Truncation psi", min: 0, max: 1.5, step: 0.125, value: 1, input: (value) => ((psi = value), shown(), prefetch()), "data-do": "psi" });
  const heatSlider = sliderOf({ label: "Temperature of the noise", min: 0, max: 1.5, step: 0.125, value: 1, input: (value) => ((heat = value), shown(), later()), "data-do": "heat" });
  const psiText = piece("b", {}), heatText = piece("b", {});
  const fresh = buttonOf({ words: "New noise", title: "Another seed (R)", press: () => reseed(randomSeed()), "data-do": "seed" });
  const seedText = piece("span", { class: "muted" });
  const chosen = piece("div", { class: "tools sample-chosen", role: "status" });
  const progress = piece("progress", { max: 1, value: 0 });
  const stop = buttonOf({ words: "Stop", title: "Stop measuring", press: halt, "data-do": "stop" });
  const again = buttonOf({ words: "Measure", title: "Measure diversity and typicality over psi", press: () => measure(ticket), "data-do": "measure" });
  const state = piece("span", { class: "muted", role: "status" });
  const charts = Object.fromEntries(Object.entries(SAMPLE_FIGURES).map(([name, [title, unit]]) =>
    [name, lineChart({ title, unit, x: ["truncation ψ", 0, 1.5], height: 150, move: (x) => jump(x), from: name === "certainty" || name === "sure" ? 1 : 0 })]));
  const table = piece("table", { class: "figures-table" });
  const told = piece("p", { class: "aside" });
  const verdict = piece("p", { class: "verdict" });
  const files = piece("div", { class: "tools files" });
  const node = piece("div", { class: "tool", "data-tool": "sampling" },
    piece("section", { class: "card" },
      piece("div", { class: "dials" },
        piece("label", { class: "dial" }, piece("span", {}, "Truncation ψ"), psiSlider, psiText),
        piece("label", { class: "dial" }, piece("span", {}, "Temperature T"), heatSlider, heatText),
        piece("span", { class: "tools" }, fresh, seedText)),
      piece("p", { class: "formula aside" }, "z = mean + ψ (centre + T · noise − mean): ψ draws whole codes to the middle, T makes only the noise smaller. The prior has one centre, 0, which is its mean, so there both do the same."),
      piece("div", { class: "pair" }, Object.values(sheets).map(({ node }) => node)), chosen),
    piece("section", { class: "card", "aria-label": "Diversity and typicality" }, piece("div", { class: "tools" }, piece("h4", {}, "Quality for diversity"), progress, state, stop, again),
      verdict, piece("div", { class: "sample-charts" }, Object.values(charts).map(({ node }) => node)), piece("div", { class: "scroll" }, table), told),
    files);

  function sheetOf(source, title, words) {
    const faces = Array.from({ length: 24 }, (_, i) => piece("canvas", { class: "picture" }));
    const buttons = faces.map((canvas, i) => piece("button", { type: "button", class: "sample", "data-sample": source + "-" + i, "aria-label": `Sample ${i + 1} of ${title}; use it elsewhere`, onclick: () => pick(source, i) }, canvas));
    const node = piece("figure", { class: "sheet", "data-source": source }, piece("figcaption", {}, swatch(source), piece("b", {}, title), piece("span", { class: "muted" }, " " + words)), piece("div", { class: "sheet-grid" }, buttons));
    return { node, faces, buttons };
  }

  // ---- Sheets ----------------------------------------------------------------------------------------------------------------------

  const keyOf = (source, p = psi, t = heat) => [part.model.name, source, seed, p, t].join(" ");
  const sheetQuery = (source, p, t) => part.query({ source, seed, psi: p, t, v: part.model.version });

  /** A sheet, fetched once; kept as long as the noise is the same. */
  function fetchSheet(source, p = psi, t = heat) {
    const key = keyOf(source, p, t);
    if (!fetched.has(key)) {
      const asked = part.wire.sprite("paths/sheet", sheetQuery(source, p, t));
      fetched.set(key, asked);
      asked.then((sprite) => (asked.sprite = sprite), () => fetched.delete(key));
    }
    return fetched.get(key);
  }

  /** What is at hand now: the sheet itself, or the nearest psi of the same temperature until it is here. */
  function shown() {
    tellText(psiText, fixedText(psi, 3));
    tellText(heatText, fixedText(heat, 3));
    tellText(seedText, "seed " + seed);
    psiSlider.set(psi);
    heatSlider.set(heat);
    part.set({ psi: psi === 1 ? null : psi, heat: heat === 1 ? null : heat, seed: seed === 1 ? null : seed });
    for (const source of Object.keys(sheets)) {
      const here = fetched.get(keyOf(source))?.sprite;
      if (here) paint(source, here);
      else {
        sheets[source].node.dataset.exact = "false";
        const mine = keyOf(source);
        fetchSheet(source).then((sprite) => mine === keyOf(source) && paint(source, sprite), (error) => mine === keyOf(source) && part.trouble(error, shown));
      }
    }
    for (const chart of Object.values(charts)) chart.cursor(psi);
    row();
    part.facts({ psi: String(psi), heat: String(heat) });
    unpick();
  }

  function paint(source, sprite) {
    sheets[source].faces.forEach((canvas, i) => paintFrame(canvas, sprite, i));
    Object.assign(sheets[source].node.dataset, { exact: "true", psi, heat });
    part.facts({ sheets: Object.values(sheets).every(({ node }) => node.dataset.exact === "true") ? "ready" : "busy" });
  }

  /** The films of psi at this temperature, nearest first, one after the other so that nobody waits for them. */
  async function prefetch() {
    const mine = ++prefetch.ticket;
    const order = [...lab.facts.psis].sort((a, b) => Math.abs(a - psi) - Math.abs(b - psi));
    for (const p of order)
      for (const source of Object.keys(sheets)) {
        if (mine !== prefetch.ticket || !lab.open("sampling")) return;
        await fetchSheet(source, p).catch(() => null);
      }
    if (mine === prefetch.ticket) part.facts({ film: "ready" });
  }
  prefetch.ticket = 0;

  function reseed(next) {
    seed = next;
    fetched = new Map();
    shown();
    prefetch();
    begin();
  }

  function jump(x) {
    const psis = lab.facts.psis;
    const next = psis.reduce((a, b) => (Math.abs(b - x) < Math.abs(a - x) ? b : a));
    if (next !== psi) ((psi = next), shown());
  }

  let waiting = null;
  function later() { // the temperature changes all curves: they are measured when it rests
    clearTimeout(waiting);
    waiting = setTimeout(() => (prefetch(), begin()), 500);
  }

  // ---- A sample goes elsewhere ---------------------------------------------------------------------------------------------------

  function pick(source, i) {
    unpick();
    picked = [source, i];
    sheets[source].buttons[i].setAttribute("aria-pressed", "true");
    const name = ["draw", source, seed, i, psi, heat].join(":");
    const send = (words, tool, place) => buttonOf({ words, title: "Use it there", press: () => lab.give(tool, place, name), "data-give": tool + place });
    chosen.replaceChildren(piece("b", {}, `${SAMPLE_SOURCES[source][0]}, sample ${i + 1}:`), send("A of a path", "path", 0), send("B of a path", "path", 1), ...[..."ABCD"].map((letter, k) => send("Corner " + letter, "corners", k)), send("First of the mix", "mix", 0));
  }

  function unpick() {
    if (picked) sheets[picked[0]].buttons[picked[1]].removeAttribute("aria-pressed");
    picked = null;
    chosen.replaceChildren(piece("span", { class: "muted" }, "Click a sample to take it to a path, a corner of the board, or the mix."));
  }

  // ---- Curves ------------------------------------------------------------------------------------------------------------------------

  function begin() {
    clearTimeout(polling);
    measured = null;
    for (const { node } of Object.values(charts)) node.hidden = true;
    row();
    measure(++ticket);
  }

  async function measure(mine) {
    clearTimeout(polling);
    if (mine !== ticket || !lab.open("sampling")) return;
    busy(true);
    try {
      const told = await part.wire.post("paths/curves", { model: part.model.name, seed, t: heat });
      if (mine !== ticket) return;
      if (told.state === "failed") throw new Error(told.error);
      if (told.state === "done") {
        measured = told.curves;
        busy(false);
        return draw();
      }
      progress.value = told.share;
      tellText(state, told.state === "waiting" ? "Others' curves come first …" : `Measuring ${2 * lab.facts.psis.length} points of ${lab.facts.count} pictures …`);
      polling = setTimeout(() => measure(mine), 500);
    } catch (error) {
      if (mine === ticket) busy(false, error.message);
    }
  }

  function busy(on, words = "") {
    for (const one of [progress, stop]) one.hidden = !on;
    again.hidden = on || !!measured;
    if (!on) tellText(state, words);
    part.facts({ curves: on ? "busy" : measured ? "ready" : "stopped" });
  }

  async function halt() {
    ticket++;
    clearTimeout(polling);
    busy(false, "Stopped.");
    await part.wire.post("paths/stop", { kind: "curves" });
  }

  function draw() {
    for (const [name, chart] of Object.entries(charts)) {
      chart.node.hidden = !measured.prior[name];
      if (chart.node.hidden) continue;
      tellText(chart.node.querySelector(".muted"), name === "diversity" ? `mean distance between two pictures, ${measured.eye.unit}` : SAMPLE_FIGURES[name][1]);
      chart.set(Object.keys(sheets).map((source) => ({ name: SAMPLE_SOURCES[source][0], way: source, xs: measured.psi, ys: measured[source][name].value, errors: measured[source][name].error })),
        { value: measured.pictures[name].value, words: "pictures" });
      chart.cursor(psi);
    }
    row();
    const judged = measured.eye.name === "judge";
    tellText(told, `Each point: N = ${measured.n} pictures of the same seed at every ψ; bands are ± one standard error (of diversity by the jackknife). “Pictures” are ${measured.pictures.n} of the model's own kind, held out of its training where there are enough, each decoded from a draw of its own posterior. ` +
      (judged ? "Distances are of our judge's features φ." : "Nobody judges these pictures, so diversity is that of pixels, and typicality is the distance to the nearest code alone.") + ` Nearest of ${measured.codes} codes.`);
  }

  /** The figures at this psi, and what they say. */
  function row() {
    if (!measured) return void (table.replaceChildren(), tellText(verdict, ""));
    const i = measured.psi.findIndex((p) => Math.abs(p - psi) < 1e-6), names = Object.keys(SAMPLE_FIGURES).filter((name) => measured.prior[name]);
    if (i < 0) return;
    const cell = ({ value, error }) => piece("td", {}, piece("b", {}, shortText(value)), piece("span", { class: "muted" }, " ± " + shortText(error)));
    const line = (words, source, get) => piece("tr", { "data-source": source }, piece("th", { scope: "row" }, swatch(source), words), names.map((name) => cell(get(name))));
    table.replaceChildren(piece("caption", { class: "muted" }, `At ψ = ${fixedText(psi, 3)}, T = ${fixedText(heat, 3)}`),
      piece("thead", {}, piece("tr", {}, piece("th", { scope: "col" }, "Source"), names.map((name) => piece("th", { scope: "col" }, SAMPLE_FIGURES[name][0])))),
      piece("tbody", {}, Object.keys(sheets).map((source) => line(SAMPLE_SOURCES[source][0], source, (name) => ({ value: measured[source][name].value[i], error: measured[source][name].error[i] }))),
        line("Pictures themselves", "pictures", (name) => measured.pictures[name])));
    const full = measured.psi.indexOf(1), { diversity } = measured.aggregate;
    const kept = diversity.value[i] / Math.max(diversity.value[full], 1e-9), near = [measured.prior.nearest, measured.aggregate.nearest].map(({ value, error }) => [value[i], error[i]]);
    const gap = near[0][0] - near[1][0], sure = 2 * Math.hypot(near[0][1], near[1][1]);
    tellText(verdict, `At ψ = ${fixedText(psi, 3)}, diversity is ${fixedText(100 * kept, 0)} % of what it is at ψ = 1. ` +
      (gap > sure ? `Draws from the prior lie ${shortText(gap)} further from the nearest code than draws from where pictures are: the prior's holes, in numbers.`
        : gap < -sure ? `Draws from the prior lie ${shortText(-gap)} nearer to a code than draws from where pictures are.` : "Both sources are as near to codes of pictures, within two standard errors."));
    part.facts({ diversity: diversity.value[i] });
  }

  function csv() {
    if (!measured) return window.explorer.toast("The curves are not measured yet.", "note");
    const names = Object.keys(measured.prior);
    handOver(csvText(["source", "psi", "temperature", "N", ...names.flatMap((name) => [name, name + " standard error"])],
      [...Object.keys(sheets).flatMap((source) => measured.psi.map((p, i) => [source, p, heat, measured.n, ...names.flatMap((name) => [measured[source][name].value[i], measured[source][name].error[i]])])),
        ["pictures", "", "", measured.pictures.n, ...names.flatMap((name) => [measured.pictures[name].value, measured.pictures[name].error])]]), "sampling.csv");
  }

  function offer() {
    files.replaceChildren(piece("span", { class: "muted" }, "Save"),
      ...Object.keys(sheets).map((source) => buttonOf({ words: "Sheet: " + SAMPLE_SOURCES[source][0].toLowerCase(), title: "24 samples as a PNG", press: () => canvasesFile(sheets[source].faces, 6, source + ".png") })),
      buttonOf({ words: "CSV", title: "All curves with their standard errors", press: csv }),
      lab.python("sampling", () => ({ seed, psi, t: heat })), lab.link());
  }

  return {
    node,
    async begin() {
      seed = Math.round(part.number("seed", 1, 0, 999_999_999));
      const snap = (value) => Math.round(value * 8) / 8;
      psi = snap(part.number("psi", 1, 0, 1.5));
      heat = snap(part.number("heat", 1, 0, 1.5));
      fetched = new Map();
      measured = null;
      stale = false;
      offer();
      shown();
      await Promise.all(Object.keys(sheets).map((source) => fetchSheet(source)));
      begin();
      prefetch();
    },
    show() {
      if (stale) return;
      if (!measured) measure(ticket);
      prefetch();
    },
    rest() {
      clearTimeout(polling);
      if (!measured && part.root.dataset.curves === "busy") part.wire.post("paths/stop", { kind: "curves" }).catch(() => {});
    },
    keys: { r: () => reseed(randomSeed()) },
  };
}
