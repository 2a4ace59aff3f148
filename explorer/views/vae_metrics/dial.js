// The dial: the code is turned, the picture and the ELBO stay, the metrics change. Disc, slider, figures, bill and heat map.

const SOURCES = [["perfect", "A perfect code"], ["model", "This model"], ["doubled", "All doubled"], ["noise", "Noise"]];
const DIAL_SETTLE = 250; // ms without a change after which the slow figures are asked for

/** hub: {part, start, live, source, names, use(source)}; the hub tells `fresh(first)` when other codes are there. */
function makeDial(hub) {
  const { part, start } = hub;
  let turn = { kind: "plane", i: 0, j: 1, degrees: 0, seed: 1, part: 0 }, log = null, now = null, cell = null, colour = 0;
  let bill = null, settle = 0, curveRun = 0, waiting = 0, saps = new Map(), straightSap = null, asked = 0, touched = false;

  const source = segmented("Which code is measured", SOURCES.map(([key, words]) => [key, words, key === "model" ? "The codes of held-out pictures" : start.names[key]]), hub.use, "dial-source");
  const kind = segmented("What is turned", [["plane", "Two numbers"], ["all", "All at once"]], (value) => set({ kind: value }, true));
  const first = piece("select", { "aria-label": "First number of the plane", onchange: () => pair(+first.value, turn.j) });
  const second = piece("select", { "aria-label": "Second number of the plane", onchange: () => pair(turn.i, +second.value) });
  const paints = piece("select", { "aria-label": "Colour by factor", onchange: () => ((colour = +paints.value), legend(), draw()) });
  const slider = sliderOf({ label: "Turn", min: 0, max: 90, step: 1, value: 0, input: (v) => seek(v / 90), "data-dial": true, style: "--track: var(--sym-z)" });
  const degrees = piece("output", { class: "dial-value" });
  const other = buttonOf({ words: "Another rotation", press: () => set({ seed: turn.seed + 1 }, true) });
  const disc = makeDisc({ turned: (v) => set({ degrees: v }), rested: rest });
  const kinds = piece("div", {});
  const count = piece("p", { class: "muted dial-count", role: "status" });
  const planeTools = piece("span", { class: "tools" }, first, piece("span", { class: "muted" }, "towards"), second);
  const figures = piece("dl", { class: "figures" });
  const values = {};
  const heat = makeHeat({ pick });
  const chart = makeChart({ seek, rested: rest });
  const chartKey = piece("p", { class: "muted chart-key" });
  const axis = makeAxis(part);
  const sum = piece("div", { class: "bill", "aria-live": "off" });
  const pictures = piece("div", { class: "bill-pictures" });
  const original = piece("canvas", { class: "picture", role: "img", "aria-label": "The picture" }), repainted = piece("canvas", { class: "picture", role: "img", "aria-label": "Its reconstruction by the turned model" });
  pictures.append(
    piece("figure", { class: "shot" }, original, piece("figcaption", { class: "c-x" }, "x")),
    piece("figure", { class: "shot" }, repainted, piece("figcaption", { class: "c-xhat" }, "x̂ = g(Rᵀz′)")),
  );
  const floor = piece("span", {});
  const explained = piece("p", { class: "muted" }, "Mutual information in parts of the factor's entropy, 0 to 1. ", floor, " Choose a cell to see its film below.");
  const deadWords = piece("p", { class: "muted dead-words", hidden: true }, `Dead: a mean KL below ${start.dead} nats. Such a number may still seem to know something: mutual information asks for order, not for size, and the decoder hardly listens to it.`);
  const silent = piece("p", { class: "muted", hidden: true });

  const node = piece("div", { class: "dial" },
    piece("div", { class: "tools" }, source, count),
    piece("div", { class: "dial-grid" },
      piece("section", { class: "card dial-turn", "aria-label": "The dial" },
        piece("h4", {}, "Turn the code"),
        disc.node, piece("label", { class: "named" }, "Coloured by", paints), kinds,
        piece("div", { class: "tools" }, slider, degrees), piece("div", { class: "tools" }, kind, planeTools, other),
      ),
      piece("section", { class: "card dial-heat", "aria-label": "What each number knows" },
        piece("h4", {}, "What each number knows of each factor"), heat.node, silent, explained, deadWords,
      ),
      piece("section", { class: "card dial-figures", "aria-label": "Scores" },
        piece("h4", {}, "What stays, what changes"), figures, chart.node, chartKey,
        piece("p", { class: "muted dial-moral" }, "Turn an aligned code and its scores fall; turn one that was never aligned and they may rise. So a score speaks of the axes, not of the model."),
        piece("h4", {}, "The picture's bill, in nats"), piece("div", { class: "bill-grid" }, pictures, sum),
      ),
    ),
    axis.node,
  );
  for (const [key, words, title] of [["elbo", "ELBO", "of the picture below"], ["mig", "MIG", METRICS[0].plain], ["factor_vae", "FactorVAE", METRICS[5].plain], ["sap", "SAP", METRICS[4].plain], ["d", "D", METRICS[1].plain], ["c", "C", METRICS[2].plain], ["inf", "Inf", METRICS[3].plain]]) {
    values[key] = { now: piece("span", { class: "figure-now", "data-figure": key }), was: piece("span", { class: "figure-was muted" }), bar: piece("span", { class: "figure-bar", "aria-hidden": "true" }) };
    figures.append(piece("dt", { title }, words), piece("dd", {}, values[key].now, values[key].bar, values[key].was));
  }

  const D = () => hub.live.dims, name = (d) => numberName(d);
  const isDead = (d) => hub.source === "model" && start.axes[d].kl < start.dead;

  function seek(share) {
    if (turn.kind === "all") set({ part: Math.round(share * 20) / 20 });
    else set({ degrees: Math.round(share * 90) });
  }

  function step(way) {
    if (turn.kind === "all") set({ part: Math.min(1, Math.max(0, turn.part + 0.05 * way)) });
    else set({ degrees: Math.min(90, Math.max(0, turn.degrees + 5 * way)) });
  }

  function pair(i, j) {
    if (i === j) [i, j] = [i, turn.i === i ? turn.j : turn.i];
    set({ i, j }, true);
  }

  /** Another turn; drawn once a frame, however many come. */
  function set(changes, settled = false) {
    touched = true;
    Object.assign(turn, changes);
    waiting ||= requestAnimationFrame(async () => {
      waiting = 0;
      await ready();
      draw();
    });
    if (settled) (curves(), rest());
    clearTimeout(settle);
    settle = setTimeout(rest, DIAL_SETTLE);
  }

  async function ready() {
    if (turn.kind !== "all" || D() < 2) return;
    const key = D() + ":" + turn.seed;
    if (log?.key === key) return;
    const { values: flat } = await part.wire.floats("metrics/logarithm", { dims: D(), seed: turn.seed });
    log = { key, A: Array.from({ length: D() }, (_, i) => Float64Array.from(flat.subarray(i * D(), (i + 1) * D()))) };
  }

  const logOf = () => (log?.key === D() + ":" + turn.seed ? log.A : null);

  function draw() {
    if (!hub.live || (turn.kind === "all" && D() > 1 && !logOf())) return;
    now = hub.live.at(turn, logOf());
    const moved = isStraight(turn) ? [] : turn.kind === "all" ? now.columns.map((_, d) => d) : [turn.i, turn.j];
    heat.show(now.shares);
    heat.turning(moved);
    const all = turn.kind === "all", share = all ? turn.part : turn.degrees / 90;
    slider.set(Math.round(share * 90));
    tellText(degrees, all ? Math.round(turn.part * 100) + " %" : turn.degrees + "°");
    planeTools.hidden = all;
    other.hidden = !all;
    const own = hub.source === "model" && bill ? turnedOwn() : null;
    if (D() > 1) {
      disc.draw({ x: now.columns[turn.i], y: now.columns[turn.j], n: now.n, kinds: hub.live.codes.v[colour] ?? null, names: [name(turn.i), name(turn.j)].map((one) => one + (isStraight(turn) ? "" : "′")),
        degrees: all ? 0 : turn.degrees, own: own && [own[turn.i], own[turn.j]], free: !all });
    }
    tellFigures();
    chartDraw();
    part.facts({ turn: turnText(turn), mig: figureOf(now.mig, 4), n: now.n, total: hub.live.codes.total, source: hub.source });
  }

  const turnedOwn = () => turnMatrix(turn, D(), logOf()).map((row) => row.reduce((sum, r, k) => sum + r * bill.mu[k], 0));

  /** What was computed beforehand for this very code and turn. */
  function shipped() {
    if (hub.source === "model") {
      if (isStraight(turn)) return start.report;
      return turn.kind === "all" && turn.part === 1 && turn.seed === 0 ? start.turned : null;
    }
    if (isStraight(turn)) return start.toys.toys?.[hub.source];
    const plane = turn.kind === "plane" && hub.source === "perfect" && [turn.i, turn.j].every((d) => d < 2);
    return plane ? start.toys.angles?.find((one) => one.degrees === turn.degrees) : null;
  }

  function tellFigures() {
    const known = hub.live.factors > 0, several = hub.live.factors > 1, unknown = "no factor of these pictures is known";
    const votes = now.factor(), straight = hub.live.at({ kind: "plane", degrees: 0 }), was = isStraight(turn);
    const computed = shipped(), base = hub.source === "model" ? start.report : start.toys.toys?.[hub.source];
    tellOne("mig", known ? now.mig : NaN, !known ? unknown : was ? "" : `${figureOf(straight.mig)} unturned`);
    // Fewer votes and, of a model, fewer codes than the table's: the third digit is chance.
    const cast = several ? `${wholeText(hub.live.votes.train)} + ${wholeText(hub.live.votes.test)} votes` : "";
    const taking = `${votes.active} of ${D()} numbers take part: those of a spread (std) ≥ ${start.prune}`;
    tellOne("factor_vae", several ? votes.score : NaN, several ? `${was ? taking : aboutText(straight.factor().score) + " unturned"}; ${cast}` : known ? "needs two factors" : unknown, aboutText);
    const sap = saps.get(hub.source + " " + turnText(turn));
    const sapText = hub.source === "model" ? aboutText : figureOf;
    tellOne("sap", known ? sap?.sap ?? (sap ? NaN : undefined) : NaN, !known ? unknown : !Number.isFinite(sap?.sap) ? sap?.why ?? "" : straightSap === null || was ? `of ${sap.learn} + ${sap.check} codes` : `${sapText(straightSap)} unturned`, sapText);
    for (const key of ["d", "c", "inf"]) {
      const value = computed?.[key], text = !known ? unknown : base?.[key] === undefined ? "takes minutes: not computed" : base[key] === null ? "makes no sense with " + (hub.live.factors < 2 ? "one factor" : "one number") : `${figureOf(base[key])} unturned`;
      tellOne(key, value ?? NaN, Number.isFinite(value) && was ? `of ${computed.learn} + ${computed.check} codes` : text);
    }
    tellBill();
  }

  const aboutText = (value) => (Number.isFinite(value) ? "≈ " : "") + figureOf(value, 2);

  function tellOne(key, value, note, textOf = figureOf) {
    const { now: place, was, bar } = values[key];
    tellText(place, value === undefined ? "…" : textOf(value));
    tellText(was, note);
    bar.style.setProperty("--value", Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0);
  }

  function tellBill() {
    const model = hub.source === "model";
    pictures.hidden = !model;
    values.elbo.bar.hidden = true;
    if (hub.source === "noise") { // no code of anything, so no posterior either
      tellText(values.elbo.now, "–");
      tellText(values.elbo.was, "noise has none");
      return void sum.replaceChildren(piece("p", { class: "muted" }, "Plain noise stands for no picture: it has no decoder and no posterior, so there is no bill."));
    }
    if (!model) {
      const spread = Float64Array.from({ length: D() }, () => 0.05), mu = Float64Array.from(hub.live.codes.z, (column) => column[0]);
      const told = turnedBill(mu, spread, turnMatrix(turn, D(), logOf()));
      tellText(values.elbo.now, "stays");
      tellText(values.elbo.was, "its KL below");
      return void sum.replaceChildren(
        billLine("KL of the first code", told.kl, "c-loss"),
        piece("p", { class: "muted" }, "This code has no decoder. Each of its points is a Gaussian of σ = 0.05, round, so it is diagonal in any axes."));
    }
    if (!bill) return;
    const told = turnedBill(bill.mu, bill.sigma, turnMatrix(turn, D(), logOf())), elbo = -(bill.distortion + told.kl);
    const shown = (Math.round(100 * bill.distortion) + Math.round(100 * told.kl)) / 100; // the sum of the lines as they are written
    tellText(values.elbo.now, fixedText(-shown, 2));
    tellText(values.elbo.was, isStraight(turn) ? "nats" : "nats, to the digit");
    part.facts({ elbo: elbo.toFixed(4), gap: told.gap.toFixed(4) });
    sum.replaceChildren(
      billLine("reconstruction", bill.distortion, "c-xhat"), billLine("KL of N(Rμ, RΣRᵀ)", told.kl, "c-loss"), billLine("−ELBO", shown, "", true),
      billLine("if q had to be diagonal", told.gap, "muted", false, "+"));
  }

  const billLine = (words, value, name, total = false, sign = "") => piece("p", { class: "bill-line" + (total ? " total" : "") },
    piece("span", { class: name }, words), piece("b", {}, sign + fixedText(value, 2)));

  /** The curve of the whole dial, a few points a turn of the event loop. */
  async function curves() {
    const run = ++curveRun, live = hub.live;
    if (!live || !live.factors || live.dims < 2) return;
    await ready();
    const all = turn.kind === "all", steps = all ? 10 : 30, mig = [], votes = [];
    for (let i = 0; i <= steps; i++) {
      await new Promise((go) => setTimeout(go, all ? 30 : 4));
      if (run !== curveRun) return;
      const at = live.at({ ...turn, degrees: (90 * i) / steps, part: i / steps }, logOf());
      mig.push(at.mig);
      votes.push(at.factor().score);
    }
    curve = { mig, votes, all };
    chartDraw();
    part.facts({ curve: mig.length });
  }

  let curve = null;
  function chartDraw() {
    const all = turn.kind === "all", fits = curve && curve.all === all, lines = [];
    if (fits) lines.push({ values: curve.mig, colour: "sym-z" });
    if (fits && hub.live.factors > 1) lines.push({ values: curve.votes, colour: "sym-sigma", dashed: true });
    chart.draw({ lines, at: all ? turn.part : turn.degrees / 90, ticks: all ? [[0, "as learnt"], [1, "a random rotation"]] : [[0, "0°"], [0.5, "45°"], [1, "90°"]] });
    chart.node.hidden = chartKey.hidden = !hub.live.factors; // no factor, no score to draw
    chartKey.replaceChildren(piece("span", { class: "c-z" }, "— MIG"), " ", ...(hub.live.factors > 1 ? [piece("span", { class: "c-sigma" }, "- - FactorVAE")] : []), all ? " on the way; the ELBO is the same everywhere." : " along the dial; the ELBO is the same everywhere. At 90° only the names have changed.");
  }

  /** The dial came to rest: the link, the slow figures, the film. */
  async function rest() {
    clearTimeout(settle);
    if (!hub.live) return;
    await ready();
    part.set({ turn: touched && !isStraight(turn) ? turnText(turn) : null });
    axisLoad();
    repaint();
    const mine = ++asked, key = hub.source + " " + turnText(turn);
    if (!hub.live.factors || saps.has(key) || hub.live.n < hub.live.codes.total) return void tellFigures();
    try {
      const who = hub.source === "model" ? part.query({ v: part.model.version }) : { toy: hub.source };
      const told = await part.wire.get("metrics/sap", { ...who, turn: turnText(turn) });
      if (told.busy) return void (mine === asked && setTimeout(() => mine === asked && rest(), 2500));
      saps.set(key, told);
      if (isStraight(turn)) straightSap = told.sap;
    } catch (error) {
      saps.set(key, { sap: NaN, why: error.message });
    }
    if (mine === asked) (draw(), part.facts({ sap: figureOf(saps.get(key)?.sap, 4) }));
  }

  function pick(row, factor) {
    cell = [row, factor];
    heat.mark(row, factor);
    part.set({ cell: `${row}.${factor}` });
    part.facts({ cell: `${row}.${factor}` });
    axisLoad();
  }

  function axisLoad() {
    if (!now || !cell) return;
    const [row, k] = cell, names = Object.keys(hub.names), model = hub.source === "model", label = name(row) + (isStraight(turn) ? "" : "′");
    const own = model && bill ? turnedOwn()[row] : 0, effect = model && isStraight(turn) ? start.axes[row] : null;
    const share = now.shares[row]?.[k];
    axis.load({
      dim: row, turn: turnText(turn), column: now.columns[row], n: now.n, kinds: hub.live.codes.v[k], names: names.length ? hub.names[names[k]] : [], own, label, filmed: model, factorName: names[k] ?? "",
      words: (share === undefined ? "" : `${label} knows ${Math.round(share * 100)} % of what there is to know of ${names[k]}. `) +
        (isStraight(turn) && isDead(row) ? `It is dead: its mean KL is ${fixedText(start.axes[row].kl)} nats, so its film hardly changes. ` : "") +
        (effect?.effect ? `From −2 to 2 it changes ${effect.effect} most, as the judge sees it: in ${Math.round(effect.share * 100)} % of faces. ` : "") +
        (model ? `The film changes ${label} alone and keeps the other ${D() - 1} numbers of the ${isStraight(turn) ? "" : "turned "}code.` : "A toy has no decoder, so no film."),
    });
  }

  /** x, and what the turned model paints of it: the decoder after R transposed, at R mu. */
  async function repaint() {
    if (hub.source !== "model" || !bill) return;
    const R = turnMatrix(turn, D(), logOf()), own = turnedOwn();
    const back = Array.from({ length: D() }, (_, k) => own.reduce((sum, m, d) => sum + R[d][k] * m, 0));
    await paintRaw(part, repainted, "decode", part.query({ z: back.map((m) => m.toFixed(4)).join(","), v: part.model.version }));
  }

  function legend() {
    const names = Object.values(hub.names)[colour];
    kinds.replaceChildren(...(names ? [kindLegend(names)] : []));
  }

  /** Other codes, or more of them. */
  function fresh(begun) {
    const { live } = hub, names = Object.keys(hub.names), straight = live.at({ kind: "plane", degrees: 0 });
    source.set(hub.source);
    const left = live.codes.total - live.n;
    tellText(count, left ? `${wholeText(live.n)} of ${wholeText(live.codes.total)} codes so far …` : `N = ${wholeText(live.n)} codes, ${live.dims} numbers, ${countText(live.factors, "known factor")}.`);
    if (begun) {
      turn = { kind: "plane", i: 0, j: Math.min(1, live.dims - 1), degrees: 0, seed: turn.seed, part: 0 };
      const best = straight.shares.map((row) => (row.length ? Math.max(...row) : 0));
      const order = straight.shares.map((_, d) => d).sort((a, b) => (live.factors ? best[b] - best[a] : start.axes[b].kl - start.axes[a].kl));
      if (hub.source === "model" && live.dims > 1) {
        const leads = (d) => straight.shares[d].indexOf(best[d]);
        turn.i = order[0];
        turn.j = order.slice(1).find((d) => leads(d) !== leads(order[0])) ?? order[1];
      }
      [saps, straightSap, curve] = [new Map(), null, null];
      for (const select of [first, second]) select.replaceChildren(...order.map((d) => piece("option", { value: d }, name(d))));
      paints.replaceChildren(...names.map((factor, k) => piece("option", { value: k }, factor)));
      paints.parentNode.hidden = !names.length;
      if (restored) part.set({ cell: null });
      cell = null; // another source has other numbers: only the link's own cell, at first, is kept
      restore();
      colour = live.factors ? straight.shares[turn.i].indexOf(Math.max(...straight.shares[turn.i])) : 0;
      cell = cell && cell[0] < live.dims && cell[1] < Math.max(1, live.factors) ? cell : [turn.i, colour];
      heat.node.hidden = explained.hidden = !live.factors;
      deadWords.hidden = !live.factors || !straight.shares.some((_, d) => isDead(d));
      silent.hidden = !!live.factors;
      tellText(silent, "Nothing is known of these pictures, so no metric here can be computed: all compare a code with known factors. The film and the dial still work; for the metrics choose the faces, or the perfect code.");
      disc.node.hidden = live.dims < 2;
      hub.filmed?.(hub.source === "model");
    }
    // Miller 1955: so many nats too much, on average, where there is nothing to know.
    const chance = live.codes.values.map((values, k) => ((start.bins - 1) * (values - 1)) / (2 * live.n * (live.entropies[k] || 1)));
    if (live.factors) tellText(floor, `Of ${wholeText(live.n)} codes in ${start.bins} bins; a number that knows nothing shows up to ${Math.max(...chance).toFixed(3)} by chance.`);
    if (begun || !left) heat.load(names, straight.shares, name, isDead);
    heat.mark(...cell);
    if (begun) repaint();
    first.value = turn.i;
    second.value = turn.j;
    kind.set(turn.kind);
    paints.value = colour;
    legend();
    ready().then(() => (draw(), axisLoad(), !left && (rest(), curves())));
  }

  /** What the link says, once. */
  let restored = false;
  function restore() {
    if (restored) return;
    restored = true;
    const [kindText, ...parts] = (part.get("turn") ?? "").split(":"), numbers = parts.map(Number);
    const dim = (d) => Number.isInteger(d) && d >= 0 && d < D();
    if (kindText === "plane" && dim(numbers[0]) && dim(numbers[1]) && numbers[0] !== numbers[1] && numbers[2] >= 0 && numbers[2] <= 90) Object.assign(turn, { i: numbers[0], j: numbers[1], degrees: numbers[2] });
    if (kindText === "all" && Number.isInteger(numbers[0]) && numbers[0] >= 0 && numbers[1] >= 0 && numbers[1] <= 1) Object.assign(turn, { kind: "all", seed: numbers[0], part: numbers[1] });
    touched = !isStraight(turn);
    const at = (part.get("cell") ?? "").split(".").map(Number);
    if (at.length === 2 && at.every((one) => Number.isInteger(one) && one >= 0)) cell = at;
  }

  async function picture() {
    const told = await part.wire.get("metrics/bill", part.query({ picture: part.picture, v: part.model.version }));
    bill = told;
    await paintRaw(part, original, "metrics/picture", part.query({ picture: part.picture, v: part.model.version }));
    if (hub.live) (draw(), axisLoad(), repaint());
  }

  return { node, fresh, picture, axis, heat, rest: () => axis.rest(), turn: () => turn, now: () => now, set,
    keys: { ArrowRight: () => step(1), ArrowLeft: () => step(-1), Space: axis.toggle } };
}
