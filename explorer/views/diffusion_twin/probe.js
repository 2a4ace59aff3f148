// One point opened: the score's equation with this point's numbers, the three scores, the estimate of x_0, and the step.

const vecText = (v, digits = 3) => "(" + v.map((one) => fixedText(one, digits)).join(", ") + ")";
const HUES = { free: "--sym-x", told: "--sym-mu", guided: "--ink", sample: "--sym-xhat", ghost: "--sym-z", data: "--sym-eps" };
const PARTS_SHOWN = 6;

/** Where the point is at step k: {x, next}, next null at the end. */
function probeNow(twin, k) {
  const { probe, film } = twin;
  if (probe.kind === "sample") {
    const of = (step) => [film.x(step)[2 * probe.i], film.x(step)[2 * probe.i + 1]];
    return { x: of(k), next: k < film.steps ? of(k + 1) : null, sigma: film.sigma[k] ?? 0 };
  }
  const path = probe.trace?.ode, at = k - probe.first;
  const x = at > 0 && path ? path[Math.min(at, path.length - 1)] : probe.at;
  return { x, next: path && at >= 0 ? (path[at + 1] ?? null) : null, sigma: 0, before: at < 0 };
}

/** What the plot draws of it: the point, and the guided estimate as a ghost. */
function probeDrawn(twin, k) {
  if (!twin.film || !twin.probe) return null;
  const { x } = probeNow(twin, k);
  return { x, x0: k < twin.film.steps ? probeValues(twin, x, twin.film.abar[k]).guided.x0 : null };
}

function probeValues(twin, x, a) {
  const { mix, settings } = twin;
  const { y, w } = settings;
  const copy = (of) => ({ ...of, r: of.r.slice() });
  const free = copy(mix.look(x[0], x[1], a));
  const told = y === null ? free : copy(mix.look(x[0], x[1], a, y));
  const blend = (name) => mix.guided(free[name], told[name], y === null ? 0 : w);
  return { free, told, guided: { score: blend("score"), eps: blend("eps"), x0: blend("x0") } };
}

function makeProbe(place, twin) {
  const head = piece("h4"), body = piece("div", { class: "probe" });
  place.append(head, body);
  const sub = (text) => piece("sub", {}, text);
  const tone = (name, ...words) => piece("b", { style: `color: var(${HUES[name]})` }, ...words);
  const line = (...parts) => piece("p", { class: "maths" }, ...parts);

  function show() {
    const { film, settings } = twin;
    if (!film || !twin.probe) {
      tellText(head, "One point");
      return body.replaceChildren(piece("p", { class: "quiet" }, "Click on the plot: a point on its way, or a place to start from."));
    }
    const k = twin.step(), { x, next, sigma, before } = probeNow(twin, k);
    tellText(head, twin.probe.kind === "sample" ? `Point ${twin.probe.i + 1} of ${wholeText(film.n)}` : `Your start point, from step ${twin.probe.first}`);
    if (k >= film.steps) return body.replaceChildren(line("It has arrived at ", tone("sample", "x", sub("0")), " = ", vecText(x), "."));
    const a = film.abar[k], of = probeValues(twin, x, a), at = twin.mix.noisy(a);
    const order = Array.from(of.free.r.keys()).sort((p, q) => of.free.r[q] - of.free.r[p]).slice(0, PARTS_SHOWN);
    const rest = 1 - order.reduce((sum, i) => sum + of.free.r[i], 0);
    const bars = piece("div", { class: "bars", role: "img", "aria-label": "Responsibilities: " + order.map((i) => percentText(of.free.r[i])).join(", ") });
    for (const i of order) {
      if (of.free.r[i] < 0.0005 && i !== order[0]) continue;
      bars.append(piece("span", { class: "bar-name" }, `part ${i + 1}`, piece("small", {}, ` ${twin.className(twin.mix.label[i])}`)),
        piece("span", { class: "bar-track" }, piece("span", { class: "bar-fill", style: `width: ${of.free.r[i] * 100}%; --hue: var(${settings.y !== null && twin.mix.label[i] === settings.y ? "--sym-mu" : "--sym-x"})` })),
        piece("span", { class: "bar-words" }, fixedText(of.free.r[i], 3)));
    }
    const terms = order.slice(0, 3).filter((i) => of.free.r[i] >= 0.0005).map((i) => {
      const pull = [(at.px[i] - x[0]) / at.vx[i], (at.py[i] - x[1]) / at.vy[i]];
      const v = at.vx[i] === at.vy[i] ? fixedText(at.vx[i], 3) : vecText([at.vx[i], at.vy[i]]);
      return line(piece("span", { class: "quiet" }, `part ${i + 1}: `), `${fixedText(of.free.r[i], 3)} · (${vecText([at.px[i], at.py[i]], 2)} − ${vecText(x, 2)}) / ${v} = ${vecText(pull.map((one) => one * of.free.r[i]), 2)}`);
    });
    const rows = [["free", "no class"], ...(settings.y === null ? [] : [["told", twin.className(settings.y)], ["guided", `guided, w = ${settings.w}`]])];
    const table = piece("table", { class: "numbers" },
      piece("thead", {}, piece("tr", {}, ["", "score", "ε̂", "x̂₀"].map((one) => piece("th", { scope: "col" }, one)))),
      piece("tbody", {}, rows.map(([name, words]) => piece("tr", {}, piece("th", { scope: "row" }, tone(name, words)),
        ["score", "eps", "x0"].map((what) => piece("td", {}, vecText(of[name][what], 2)))))));
    body.replaceChildren(
      line(piece("i", {}, "x"), sub("t"), " = ", vecText(x), `, log p`, sub("t"), `(x) = ${fixedText(of.free.logp, 2)} nats`, before ? " (before its start)" : ""),
      line("score = Σ r", sub("k"), " (√ᾱ μ", sub("k"), " − x) / v", sub("k"), ", with ", piece("i", {}, "r"), sub("k"), " how likely part ", piece("i", {}, "k"), " is:"),
      bars, ...(twin.mix.count > 40 && settings.kind === "law" ? [piece("p", { class: "quiet" }, `The curve is ${wholeText(twin.mix.count)} small Gaussians; these are the nearest.`)] : []), ...(rest > 0.0005 ? [piece("p", { class: "quiet" }, `All other parts together: ${fixedText(rest, 3)}.`)] : []),
      ...terms,
      line(piece("span", { class: "quiet" }, "sum: "), tone("free", "score = " + vecText(of.free.score, 2)), ", and ε̂ = −√(1−ᾱ) · score"),
      table,
      line(tone("ghost", "x̂", sub("0")), ` = (x − √(1−ᾱ) ε̂) / √ᾱ = ${vecText(of.guided.x0)}: the mean of all data that could have become this point`, settings.y !== null && settings.w > 1 ? ", pushed on by guidance" : "", "."),
      ...stepLines(film, k, of.guided, x, next, sigma),
    );
  }

  function stepLines(film, k, { eps, x0 }, x, next, sigma) {
    if (!next) return [];
    const [a, b] = [film.abar[k], film.abar[k + 1]];
    const [p, q] = [Math.sqrt(b), Math.sqrt(Math.max(0, 1 - b - sigma * sigma))];
    const mean = [0, 1].map((i) => p * x0[i] + q * eps[i]);
    const z = sigma > 0 ? [0, 1].map((i) => (next[i] - mean[i]) / sigma) : null;
    const sum = z ? mean.map((v, i) => v + sigma * z[i]) : mean;
    return [
      line("x", sub("next"), " = √ᾱ′ x̂", sub("0"), " + √(1−ᾱ′−σ²) ε̂", z ? " + σ z" : "", ", this step:"),
      piece("p", { class: "maths", "data-equation": Math.hypot(sum[0] - next[0], sum[1] - next[1]).toExponential(1) },
        `${fixedText(p, 3)} · ${vecText(x0, 2)} + ${fixedText(q, 3)} · ${vecText(eps, 2)}${z ? ` + ${fixedText(sigma, 3)} · ${vecText(z, 2)}` : ""} = ${vecText(sum)}`),
      piece("p", { class: "quiet" }, `The film's next frame has ${vecText(next)}.`),
    ];
  }

  twin.on("film", show);
  twin.on("position", () => !place.hidden && show());
  twin.on("probe", show);
  return { show };
}
