// The importance-weighted bound: k draws, weighed, instead of one. It grows with k towards log p(x).

function makeBound(lab) {
  const { part } = lab;
  let count = [1000, 2000, 4000].includes(+part.get("k")) ? +part.get("k") : 1000, shown = null, asked = "";
  const job = makeJob(lab, { node: () => node, path: "elbo/bound", news: (told) => ((shown = told), paint()) });
  const pick = segmented("Draws", [[1000, "1,000"], [2000, "2,000"], [4000, "4,000"]], (value) => {
    count = +value;
    part.set({ k: count === 1000 ? null : count });
    begin();
  });
  pick.set(count);
  const plot = plotPlace({ height: 18 });
  const verdict = piece("p", { class: "verdict", "aria-live": "polite" });
  const body = piece("tbody");
  const table = piece("div", { class: "scroll" }, piece("table", { class: "figures" }, piece("thead", {}, piece("tr", {},
    ["k", "Lₖ, nats", "± s.e.", "groups of k", "draws that count"].map((words) => piece("th", { scope: "col" }, words)))), body));
  const node = piece("section", { class: "card view bound-view", "data-run": "none" },
    piece("p", { class: "formula lead" }, "L", piece("sub", {}, "k"), " = E[ log( 1/k Σ", piece("sub", {}, "i"), " w", piece("sub", {}, "i"), " ) ],  w = p(", symbol("x", "x"), ",", symbol("z", "z"), ") / q(", symbol("z", "z"), "|", symbol("x", "x"), "),  ELBO = L₁ ≤ L₂ ≤ … ≤ log p(", symbol("x", "x"), ")"),
    piece("div", { class: "tools" }, piece("span", { class: "named" }, "draws in all", pick), job.bar),
    verdict, plot.node, table,
    piece("p", { class: "aside" }, "Each draw z ~ q is weighed by how much more likely p makes it than q does; the mean of k weights estimates p(x) itself, so its logarithm is closer to log p(x) than the ELBO is (Burda et al. 2015). Groups share no draw. "
      + "“Draws that count” is (Σ w)² / Σ w²: where it stays near 1, one lucky draw is nearly the whole estimate, and the bound is still loose. "
      + "The numbers are log-densities under a decoder whose σ was set by hand, so they compare pictures and q’s of this model, not models with one another."));

  function begin() {
    asked = JSON.stringify(lab.body({ count }));
    job.begin(lab.body({ count, seed: lab.seed }));
  }

  function paint() {
    const list = shown?.bounds ?? [];
    if (!list.length) return (plot.clear(), body.replaceChildren(), tellText(verdict, "Drawing …"));
    const first = list[0], last = list.at(-1), sure = [...list].reverse().find((one) => one.error !== null) ?? first;
    plot.show({
      series: [{ name: "Lₖ with its standard error; hollow: too few groups for one", colour: "sym-z", dots: true, joined: true, points: list.map(({ k, value, error }) => [k, value, error]) }],
      marks: [{ y: first.value, colour: "sym-loss" }],
      x: { label: "k, draws in a group", log: true, min: 0.9, max: 1100, ticks: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
      y: { label: "nats; the line is the ELBO, L₁" },
      words: `The bound rises from ${first.value.toFixed(1)} at k = 1 to ${last.value.toFixed(1)} at k = ${last.k}`,
    });
    body.replaceChildren(...list.map(({ k, value, error, groups, effective }) => piece("tr", { "data-k": k, "data-value": value.toFixed(4) },
      [wholeText(k), fixedText(value, 2), error === null ? "too few groups" : fixedText(error, 2), wholeText(groups), shortText(effective, 2)].map((text) => piece("td", {}, text)))));
    tellText(verdict, `From one draw to ${wholeText(last.k)} the bound rises by ${fixedText(last.value - first.value, 2)} nats, from ${fixedText(first.value, 2)} to ${fixedText(last.value, 2)}`
      + (last.error === null ? ` (too few groups for a standard error there; the largest k with one is ${wholeText(sure.k)}).` : ".") + (last.effective < 3 && last.k > 20 ? " Few draws count: log p(x) is higher still." : ""));
    node.dataset.k = last.k;
    node.dataset.rise = (last.value - first.value).toFixed(4);
  }

  function told(what) {
    if (!["picture", "shown", "bill"].includes(what) || !lab.own) return;
    if (asked !== JSON.stringify(lab.body({ count })) || node.dataset.run === "stopped") begin();
  }

  const csv = () => ["k,bound_nats,standard_error,groups,effective_draws", ...(shown?.bounds ?? []).map((one) => [one.k, one.value, one.error ?? "", one.groups, one.effective].join(","))].join("\n") + "\n";
  return { node, told, rest: () => job.halt(), table: () => ({ name: "elbo-bound", csv: csv(), json: { picture: part.picture, model: part.model.name, bounds: shown?.bounds ?? [] } }), sheet: () => null, code: "bound", settings: () => ({ count }) };
}
