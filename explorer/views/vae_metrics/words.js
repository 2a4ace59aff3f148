// What each metric is, in plain words, and what it is fooled by. Knows no page.

const METRICS = [
  { key: "mig", name: "MIG", long: "mutual information gap", best: "1",
    plain: "For each factor: how much the best number of the code knows of it, less how much the second best knows, in parts of all there is to know. Averaged over factors.",
    fooled: "Falls to 0 when each number is there twice, though nothing was lost; falls when an aligned code is turned. Depends on N and bins: few codes look like knowledge." },
  { key: "d", name: "D", long: "disentanglement, of DCI", best: "1",
    plain: "Does each number serve one factor only? By how much gradient boosting leans on it for each factor.",
    fooled: "Doubling every number leaves it at 1. Falls when an aligned code is turned." },
  { key: "c", name: "C", long: "completeness, of DCI", best: "1",
    plain: "Is each factor held by one number only? By the same importances.",
    fooled: "Doubling costs an aligned code about a third here; so does turning it." },
  { key: "inf", name: "Inf", long: "informativeness, of DCI; test accuracy", best: "1",
    plain: "How often the boosted trees name the factor's value right on codes they have not seen. The paper gives the error, we the accuracy.",
    fooled: "Not fooled by turning or doubling: what is known stays known. So it says nothing of order." },
  { key: "sap", name: "SAP", long: "separated attribute predictability", best: "below 1",
    plain: "For each factor: accuracy of a linear SVM of the best single number, less that of the second best. Averaged.",
    fooled: "Falls to 0 by doubling, and by turning where the code was aligned. With more than two values in order it cannot reach 1: one threshold cannot cut out a middle class." },
  { key: "factor_vae", name: "FactorVAE", long: "FactorVAE score", best: "1",
    plain: "Hold one factor, draw 64 pictures: which number moves least in its usual spread? How often that number names the factor that was held.",
    fooled: "Doubling leaves it at 1. Falls when an aligned code is turned. Needs pictures in which one factor can be held." },
  { key: "path_judge", name: "PPL-φ, judge", long: "path length in the eyes of our judge", best: "small",
    plain: "E‖J(z)(b − a)‖²: how fast the judge's features change on a straight way between two draws of the prior. φ is the judge's last layer but one, scaled to a mean square of 1.",
    fooled: "A decoder that paints one picture for all codes has 0. Turning the code changes nothing. It is no PPL of the literature: φ is not LPIPS." },
  { key: "path_pixels", name: "PPL-φ, pixels", long: "path length in pixels", best: "small",
    plain: "The same with plain pixels from −1 to 1 as φ, as a mean over pixels.",
    fooled: "The same; and a pale picture is a short way." },
];

const figureOf = (value, digits = 3) => (Number.isFinite(value) ? fixedText(value, digits) : "–");
const metricName = (key) => METRICS.find((one) => one.key === key).name;
const shortFactor = (name) => name[0].toUpperCase() + name.slice(1);
/** Counted from 0, as in Python and in the other parts. */
const numberName = (d) => "z" + [...String(d)].map((c) => "₀₁₂₃₄₅₆₇₈₉"[+c]).join("");

/** Ten colours that differ for the colour-blind too and read on white and on black: those of the map of worlds. */
const KINDS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#a89200", "#7a4fbf", "#8c8c8c", "#7b4a2b"];
const KIND_NONE = 8; // the grey one, where nothing is known
const kindColour = (value) => KINDS[value % KINDS.length];

/** A dot, or from the eleventh kind on a square. */
function markKind(context, value, x, y, r) {
  if (value < KINDS.length) {
    context.beginPath();
    context.arc(x, y, r, 0, 7);
    context.fill();
  } else context.fillRect(x - r, y - r, 2 * r, 2 * r);
}

/** A line of marks with their names. */
function kindLegend(names) {
  return piece("ul", { class: "kinds" }, names.map((name, value) =>
    piece("li", {}, piece("span", { class: "kind" + (value < KINDS.length ? "" : " square"), style: `--kind: ${kindColour(value)}` }), name)));
}
