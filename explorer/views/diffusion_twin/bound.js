// Two lessons on likelihood: exact by the ODE, and DDPM's bound that tightens with T.

function makeLikelihood(place, twin) {
  return makePanel(place, twin, {
    name: "likelihood", title: "Likelihood by the ODE",
    lead: "The ODE can be run backwards: a data point becomes noise, and the divergence on the way says how the density changed. So a diffusion model knows log p(x). Here the true log p is known too, and the error shows.",
    build(body) {
      const charts = [piece("div"), piece("div")], table = piece("div");
      body.append(piece("div", { class: "duo" }, charts.map((one) => piece("div", { class: "card" }, one))), table,
        piece("p", { class: "maths" }, "log p(x₀) = log N(x_T; 0, I) + ∫ ∇·ε̂ dσ − 2 log √(1+σ²), over σ = √((1−ᾱ)/ᾱ), with ∇ taken along x̄ = x/√ᾱ and in closed form."));
      const [agree, error] = charts.map((one) => chartIn(one, { height: 13 }));
      return (told) => {
        const low = Math.min(...told.exact, ...told.ode), high = Math.max(...told.exact, ...told.ode);
        agree.show({
          series: [{ name: "points", colour: "sym-xhat", dots: true, line: false, points: told.exact.map((v, i) => [v, told.ode[i]]) }, { name: "equal", colour: "ink", dash: "4 3", points: [[low, low], [high, high]] }],
          x: { label: "exact log p, nats" }, y: { label: `log p by the ODE, ${told.calls} calls, nats` }, legend: true,
        });
        const hues = { euler: ["Euler", "sym-mu", "circle"], heun: ["Heun", "sym-sigma", "square"], rk4: ["Runge-Kutta 4", "sym-z", "diamond"] };
        error.show({
          series: Object.entries(told.solvers).map(([name, rows]) => ({ name: hues[name][0], colour: hues[name][1], glyph: hues[name][2], dots: true, points: rows.map((row) => [row.calls, Math.log10(Math.max(1e-6, row.mean))]) })),
          x: { label: "calls of the score", log: true }, y: { label: "log₁₀ of the mean error in nats" }, levels: [{ y: Math.log10(0.02), label: "0.02 nats" }],
        });
        table.replaceChildren(tableOf([["mean error, nats", ...told.solvers.rk4.map((row) => row.calls + " calls")], ...Object.entries(told.solvers).map(([name, rows]) => [hues[name][0], ...rows.map((row) => fixedText(row.mean, 4))])], "Errors"));
        const best = told.solvers.rk4.at(-1);
        return `${wholeText(told.n)} points of the mixture: log p is ${fixedText(told.mean_exact, 3)} nats on average, the ODE says ${fixedText(told.mean_ode, 3)}; Runge-Kutta with ${best.calls} calls is ${fixedText(best.mean, 4)} nats off (at worst ${fixedText(best.max, 3)}).`;
      };
    },
  });
}

function makeElbo(place, twin) {
  return makePanel(place, twin, {
    name: "elbo", title: "The bound and its three terms",
    lead: "DDPM is trained on a bound: −log p(x) ≤ L_T + Σ L_(t−1) + L_0. With a perfect predictor only the number of steps T and the variance of each step are left to blame, and the bound closes in on the truth.",
    build(body) {
      const holder = piece("div"), where = piece("div"), bars = piece("div", { class: "card" }), table = piece("div");
      body.append(piece("div", { class: "duo" }, piece("div", { class: "card" }, holder, where), bars), table);
      const chart = chartIn(holder, { height: 14 }), each = chartIn(where, { height: 10 });
      return (told) => {
        chart.show({
          series: [
            { name: "best variance per step", colour: "sym-z", dots: true, points: told.rows.map((row) => [row.T, row.total]) },
            { name: "DDPM's fixed β̃", colour: "sym-mu", dash: "4 3", dots: true, glyph: "square", points: told.rows.map((row) => [row.T, row.fixed]) },
          ],
          x: { label: "steps T of the chain", log: true }, y: { label: "bound on −log p, nats" }, levels: [{ y: told.nll, label: "true −log p: " + fixedText(told.nll, 3) }], legend: true,
        });
        const finest = told.rows.at(-1), wide = finest.T / finest.each.length;
        each.show({
          series: [{ name: "", colour: "sym-z", points: finest.each.map((v, i) => [(i + 0.5) * wide, v / wide]) }],
          x: { label: "timestep t", min: 0, max: finest.T }, y: { label: `Lₜ₋₁ of each t, nats, T = ${wholeText(finest.T)}`, min: 0 },
        });
        const terms = [["reconstruction", "L₀, reconstruction", "sym-xhat"], ["denoising", "Σ Lₜ₋₁, denoising", "sym-z"], ["prior", "L_T, prior", "sym-prior"]];
        const most = Math.max(...told.rows.flatMap((row) => terms.map(([name]) => Math.abs(row[name]))));
        bars.replaceChildren(piece("h4", {}, "The three terms, in nats"), piece("div", { class: "terms" }, told.rows.map((row) => [
          piece("b", { class: "term-head" }, `T = ${wholeText(row.T)}`),
          ...terms.map(([name, words, hue]) => [piece("span", { class: "bar-words" }, words), piece("span", { class: "term-track" },
            piece("span", { class: "term-fill", style: `--hue: var(--${hue}); ${row[name] < 0 ? "right" : "left"}: 50%; width: ${(50 * Math.abs(row[name])) / most}%` })), piece("span", { class: "bar-words" }, fixedText(row[name], 3))]),
        ]).flat(2)));
        table.replaceChildren(tableOf([["nats", ...told.rows.map((row) => "T = " + wholeText(row.T))],
          ...terms.map(([name, words]) => [words, ...told.rows.map((row) => fixedText(row[name], 3))]),
          ["the bound", ...told.rows.map((row) => fixedText(row.total, 3))], ["true −log p", ...told.rows.map(() => fixedText(told.nll, 3))],
          ["gap", ...told.rows.map((row) => fixedText(row.total - told.nll, 3))], ["gap with DDPM's β̃", ...told.rows.map((row) => fixedText(row.fixed - told.nll, 3))]], "The bound"));
        const [first, final] = [told.rows[0], told.rows.at(-1)];
        return `True −log p is ${fixedText(told.nll, 3)} nats. The bound is ${fixedText(first.total, 3)} with T = ${first.T} and ${fixedText(final.total, 3)} with T = ${wholeText(final.T)}: a gap of ${fixedText(final.total - told.nll, 3)} nats. DDPM's fixed variance takes the data for a point, so it stays ${fixedText(final.fixed - told.nll, 3)} above.`;
      };
    },
  });
}
