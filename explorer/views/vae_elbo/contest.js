// Two estimators of the same gradient, drawn live: their means agree, their variances do not.

const WAYS = [["pathwise", "reparametrised", "sym-z"], ["score", "score function", "sym-loss"], ["baseline", "score, with a baseline", "sym-mu"]];
const BINS = 61;
const COLUMNS = ["mean ± s.e.", "variance of one draw", "off the truth by"];

/** What each draw alone says of d/dmu (0) or d/dsigma (1). `f` less the others' mean where there is a baseline. */
function perDraw({ eps, f, slope }, sigma, way, i) {
  const n = eps.length, total = sumOf(f);
  return eps.map((e, j) => {
    if (way === "pathwise") return slope[j] * (i ? e : 1);
    const weight = way === "baseline" ? f[j] - (total - f[j]) / Math.max(1, n - 1) : f[j];
    return (weight * (i ? e * e - 1 : e)) / sigma;
  });
}

/** Means of neighbours, `size` each. */
const grouped = (values, size) => Array.from({ length: Math.floor(values.length / size) }, (_, g) => meanOf(values.slice(g * size, (g + 1) * size)));

/** What the two means may say of each other: {kind, words}. Two that agree only because one of them is unsure are not called the same. */
function comparedMeans([a, errorA], [b, errorB], name, count) {
  const apart = Math.abs(a - b) / Math.hypot(errorA, errorB), after = `After ${countText(count, "draw")} `, by = ` (${apart.toFixed(1)} standard errors apart)`;
  if (apart >= 3) return { kind: "different", apart, words: `${after}both say different things of ${name}${by}.` };
  if (errorB > Math.max(Math.abs(a), 3 * errorA)) return { kind: "wide", apart, words: `${after}the score function’s error bar of ${name} is so wide (± ${shortText(errorB, 2)}) that it cannot contradict ${shortText(a)}.` };
  const sure = errorA < Math.abs(a) / 4 && errorB < Math.abs(b) / 4;
  return { kind: sure ? "same" : "unsure", apart, words: `${after}both say the same ${name}${sure ? "" : " within error bars that are wide beside it"}${by}.` };
}

function makeContest(lab, place) {
  const { part } = lab;
  let of = part.get("of") === "square" ? "square" : "likelihood", which = 0, each = 1, count = 512, began = null, asked = "";
  let draws = { eps: [], f: [], slope: [] }, summary = null;
  const job = makeJob(lab, { node: () => node, path: "elbo/gradients", after: () => draws.eps.length,
    began: (told) => ((began = told), (draws = { eps: [], f: [], slope: [] }), (summary = null), (node.dataset.of = of)),
    news(told) {
      for (const name of Object.keys(draws)) draws[name].push(...told[name]);
      summary = told.summary;
      paint();
    } });
  const ofPick = segmented("f", [["likelihood", "f = log p(x|z)", "The real decoder along this dimension, its slope by autograd"], ["square", "f = z²", "A toy whose gradient is known: 2 mu and 2 sigma"]], (value) => ((of = value), part.set({ of: value === "square" ? value : null }), begin()));
  ofPick.set(of);
  const whichPick = segmented("Gradient", [[0, "∂/∂μ"], [1, "∂/∂σ"]], (value) => ((which = +value), paint()));
  const eachPick = segmented("Draws of one estimate", [[1, "1"], [8, "8"], [32, "32"]], (value) => ((each = +value), paint()));
  const countPick = segmented("Draws in all", [[512, "512"], [2048, "2,048"]], (value) => ((count = +value), begin()));
  const table = piece("tbody");
  const verdict = piece("p", { class: "verdict", "aria-live": "polite" });
  const bars = piece("div", { class: "histograms" });
  const plot = plotPlace({ height: 14 });
  const node = piece("section", { class: "card", "data-run": "none" }, piece("h4", {}, "Two ways to the same gradient, measured"),
    piece("div", { class: "tools" }, ofPick, piece("span", { class: "named" }, "of", whichPick), piece("span", { class: "named" }, "draws in all", countPick), job.bar),
    verdict,
    piece("div", { class: "scroll" }, piece("table", { class: "figures stacks" }, piece("thead", {}, piece("tr", {}, ["estimator", ...COLUMNS].map((words) => piece("th", { scope: "col" }, words)))), table)),
    piece("div", { class: "tools" }, piece("span", { class: "named" }, "draws averaged in one estimate", eachPick)),
    bars, plot.node,
    piece("p", { class: "aside" }, "Reparametrised: f′(z) · 1 and f′(z) · ε. Score function (REINFORCE): f(z) ε / σ and f(z) (ε² − 1) / σ, which asks no slope of f. The baseline, the mean of the other draws’ f, takes away what f’s level adds. The truth is Gauss–Hermite quadrature."));

  const body = () => ({ ...part.query(), picture: part.picture, of, dim: lab.dim, mu: lab.q.mu.map((v, d) => (d === lab.dim ? place().mu : v)), sigma: place().sigma, count, seed: lab.seed });

  function begin() {
    if (!place()) return;
    asked = JSON.stringify(body());
    job.begin(body());
  }

  function paint() {
    if (!summary) return;
    const truth = began.truth[which], name = which ? "∂/∂σ" : "∂/∂μ";
    table.replaceChildren(...WAYS.map(([way, words, colour]) => {
      const { mean, error, variance } = summary[way];
      const off = Math.abs(mean[which] - truth) / error[which];
      return piece("tr", { "data-way": way, "data-variance": variance[which], "data-mean": mean[which], "data-error": error[which] },
        piece("th", { scope: "row", style: `color: var(--${colour})` }, words), [`${shortText(mean[which])} ± ${shortText(error[which], 2)}`, shortText(variance[which]), Number.isFinite(off) ? `${off.toFixed(1)} s.e.` : "–"].map((text, i) => piece("td", { "data-column": COLUMNS[i] }, text)));
    }), piece("tr", {}, piece("th", { scope: "row" }, "truth"), piece("td", { "data-column": "by quadrature" }, shortText(truth)), piece("td"), piece("td")));
    const [a, b] = [summary.pathwise, summary.score];
    const { kind, apart, words } = comparedMeans([a.mean[which], a.error[which]], [b.mean[which], b.error[which]], name, draws.eps.length);
    const ratio = b.variance[which] / a.variance[which];
    tellText(verdict, words + (ratio > 1 ? ` One draw of the score function has ${shortText(ratio, 2)} times the variance: it takes that many times as many draws to be as sure.` : " Here one draw of the score function varies no more than one of the other."));
    node.dataset.says = kind;
    node.dataset.ratio = ratio;
    node.dataset.apart = apart.toFixed(3);
    histogram(truth);
    running(truth);
  }

  /** One row each, over a shared axis that is linear in the middle and logarithmic further out. */
  function histogram(truth) {
    const rows = WAYS.map(([way]) => grouped(perDraw(draws, began.sigma, way, which), each).map((v) => v - truth)).map((row) => row.filter(Number.isFinite));
    const unit = Math.max(1e-9, Math.sqrt(meanOf(rows[0].map((v) => v * v))) || 1e-9);
    const bend = (v) => Math.asinh(v / unit);
    const reach = bend(Math.max(...rows.flat().map(Math.abs), unit)) * 1.02;
    const ticks = [0];
    for (let p = Math.ceil(Math.log10(unit)); bend(10 ** p) < reach; p++) if (bend(10 ** p) > 0.12 * reach) ticks.push(10 ** p, -(10 ** p)); // the truth needs room
    const narrow = bars.clientWidth < 30 * parseFloat(getComputedStyle(document.documentElement).fontSize);
    const sparse = narrow ? [0, ...ticks.slice(-2)] : ticks.length > 9 ? ticks.filter((v) => v === 0 || (Math.round(Math.log10(Math.abs(v))) - Math.ceil(Math.log10(unit))) % 2 === 0) : ticks;
    const left = (v) => ((bend(v) / reach + 1) / 2) * 100;
    bars.replaceChildren(...WAYS.map(([, words, colour], r) => {
      const counts = new Array(BINS).fill(0);
      for (const v of rows[r]) counts[clampTo(Math.floor(((bend(v) / reach + 1) / 2) * BINS), 0, BINS - 1)]++;
      const top = Math.max(...counts, 1);
      return piece("div", { class: "histogram", style: `color: var(--${colour})`, role: "img", "aria-label": `Estimates, ${words}` }, piece("span", { class: "histogram-name" }, words),
        piece("div", { class: "histogram-bars" }, counts.map((c) => piece("span", { style: `height: ${(c / top) * 100}%` }))));
    }), piece("div", { class: "histogram-axis" }, sparse.map((v) => piece("span", { style: `left: ${left(v).toFixed(2)}%` }, v === 0 ? "truth" : (v > 0 ? "+" : "") + tickWords(v)))),
      piece("p", { class: "axis-words" }, `estimate − truth, each of ${countText(each, "draw")}; logarithmic away from the middle`));
  }

  function running(truth) {
    const series = WAYS.map(([way, words, colour]) => {
      const all = perDraw(draws, began.sigma, way, which), points = [];
      let sum = 0, next = 4;
      all.forEach((v, i) => {
        sum += v;
        if (i + 1 >= next || i + 1 === all.length) (points.push([i + 1, Math.max(1e-9, Math.abs(sum / (i + 1) - truth))]), (next = (i + 1) * 1.12));
      });
      return { name: words, colour, points, thin: way === "baseline" };
    });
    plot.show({ series, x: { label: "draws, logarithmic", log: true }, y: { label: "distance of the running mean from the truth", log: true }, words: "The running means approach the truth, the reparametrised one from much nearer" });
  }

  function told(what) {
    if (["shown", "picture", "dim", "moved"].includes(what) && place() && (asked !== JSON.stringify(body()) || node.dataset.run === "stopped")) begin();
  }

  const csv = () => ["eps,f,slope", ...draws.eps.map((e, i) => [e, draws.f[i], draws.slope[i]].join(","))].join("\n") + "\n";
  return { node, told, rest: () => job.halt(), get of() { return of; }, table: () => ({ name: "elbo-gradients", csv: csv(), json: { model: part.model.name, picture: part.picture, of, dim: lab.dim, ...began, summary } }) };
}
