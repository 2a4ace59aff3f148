// All metrics in one table: of this model, and of five codes whose worth is known. A metric that cannot tell these apart is wrong.

function makeSheet({ part, start }) {
  const toys = Object.keys(start.names), report = start.report;
  const many = Object.keys(start.factors).length;
  // As metric_report.py asks for them; the dial computes while one drags, so it has fewer.
  const votes = "10,000 + 5,000 for models, 2,000 + 1,000 for made-up codes, 3,000 + 1,500 in the dial";
  const needs = { mig: 1, d: 2, c: 1, inf: 1, sap: 1, factor_vae: 2 };

  const cellOf = (told, key) => {
    const value = told?.[key];
    return typeof value === "object" && value ? `${figureOf(value.mean, 2)} ± ${figureOf(value.error, 2)}` : figureOf(value ?? NaN);
  };

  function own({ key }) {
    if (key === "path_judge" && !part.model.judged) return "no judge of these pictures";
    if (needs[key] > many) return many ? "needs two factors" : "nothing is known of these pictures";
    if (!report) return key === "mig" || key === "factor_vae" ? "see the dial" : "not computed";
    return cellOf(report, key);
  }

  const head = piece("tr", {}, piece("th", { scope: "col" }, "Metric"), piece("th", { scope: "col" }, part.model.title),
    toys.map((toy) => piece("th", { scope: "col", title: start.names[toy] }, TOY_WORDS[toy])));
  const rows = METRICS.map((metric) => piece("tr", { "data-metric": metric.key },
    piece("th", { scope: "row" }, piece("b", {}, metric.name), " ", piece("span", { class: "muted" }, metric.long + (metric.key === "factor_vae" ? "; votes: " + votes : "")), piece("details", {},
      piece("summary", {}, "what it is"), piece("p", {}, metric.plain), piece("p", {}, piece("b", {}, "What fools it. "), metric.fooled))),
    piece("td", { class: "own" }, own(metric)),
    toys.map((toy) => piece("td", { "data-toy": toy }, metric.key.startsWith("path") ? "–" : cellOf(start.toys.toys?.[toy], metric.key)))));
  const said = report?.n
    ? `This model: MIG and FactorVAE score of N = ${wholeText(report.n)} codes, ${start.bins} bins; DCI and SAP learn from ${wholeText(report.learn)} and are checked on ${wholeText(report.check)} others; path length over ${report.path_pixels.n} places, ± its standard error.`
    : "This model: the slow metrics were not computed beforehand; on the host, python -m explorer.tabs.vae.metric_report does it for what ships.";
  const node = piece("section", { class: "card sheet", "aria-label": "All metrics" },
    piece("h4", {}, "All metrics, and five codes to check them by"),
    piece("p", { class: "aside" }, "Five made-up codes of three factors with five values each. The two in bold are the trap: in the doubled code nothing is lost, in the turned one nothing is lost either, and it has the same ELBO."),
    piece("div", { class: "sheet-scroll", tabindex: 0, role: "region", "aria-label": "Table of metrics" }, piece("table", {}, piece("thead", {}, head), piece("tbody", {}, rows))),
    piece("p", { class: "muted" }, said + " The made-up codes: 4,000 and 2,000, 20 bins. Real models score low on MIG, SAP and C: that is the field's finding, not an error. Inf can be high all the same, for it asks what is known, not in which order."),
    stops());

  /** Where the dial of beta ships: the same metrics at every stop. */
  function stops() {
    const all = Object.entries(start.stops ?? {});
    if (all.length < 2) return null;
    const shown = METRICS.filter(({ key }) => all.some(([, told]) => told[key] !== undefined && told[key] !== null));
    return piece("div", { class: "sheet-scroll", tabindex: 0, role: "region", "aria-label": "The same at every stop of beta" },
      piece("h4", {}, "The same at every stop of β"),
      piece("table", { class: "stops" }, piece("thead", {}, piece("tr", {}, piece("th", { scope: "col" }, "Metric"), all.map(([name]) => piece("th", { scope: "col" }, stopWords(name))))),
        piece("tbody", {}, shown.map((metric) => piece("tr", {}, piece("th", { scope: "row" }, metric.name), all.map(([name, told]) => piece("td", { class: name === part.model.name ? "own" : "" }, cellOf(told, metric.key))))))));
  }

  return { node };
}

const TOY_WORDS = { perfect: "perfect", dead: "with two dead", doubled: "doubled", turned: "turned 45°", noise: "noise" };
const stopWords = (name) => ({ 0: "reconstruction only", kl: "KL only" })[name.split("-")[1]] ?? "β = " + name.split("-")[1];
