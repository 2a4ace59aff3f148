// Units, and sums that are sums to the last digit shown. Knows no page.

const UNITS = {
  nats: { words: "nats", title: "Natural logarithms, as the loss is trained", digits: 2, per: () => 1 },
  bits: { words: "bits", title: "Logarithms to base 2: nats / ln 2", digits: 2, per: () => Math.LN2 },
  each: { words: "bits / value", title: "Bits for each of the picture's 3 S S numbers", digits: 5, per: (values) => Math.LN2 * values },
};

const klOf = (mu, sigma) => 0.5 * (mu * mu + sigma * sigma - 1) - Math.log(sigma);
const sumOf = (values) => values.reduce((a, b) => a + b, 0);
const meanOf = (values) => sumOf(values) / values.length;

/** The standard error of the mean of independent draws. */
function errorOf(values) {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  return Math.sqrt(sumOf(values.map((v) => (v - mean) ** 2)) / (values.length - 1) / values.length);
}

/** Whole numbers whose sum is that of `values`, rounded: each is its value rounded down or up. */
function rounded(values) {
  const floors = values.map(Math.floor);
  const total = Math.round(sumOf(values));
  const order = values.map((v, i) => [v - floors[i], i]).sort((a, b) => b[0] - a[0]);
  let left = total - sumOf(floors);
  for (const [, i] of order) if (left-- > 0) floors[i] += 1;
  return floors;
}

/** A bill in whole units of its last digit: constant - squared = expected; expected - kl = elbo; kl = sum of lines.
 *  A line that is the same as in the bill `from` {kl, told} is written as it is there. */
function billIn(unit, values, { constant, squared, at_mean }, kl, beta, from = null) {
  const { digits, per } = UNITS[unit];
  const scale = 10 ** digits / per(values);
  const lines = from ? kl.map((v, d) => (sameLine(v, from.kl[d]) ? from.told.lines[d] : Math.round(v * scale))) : rounded(kl.map((v) => v * scale));
  const told = { lines, kl: sumOf(lines), constant: Math.round(constant * scale), squared: Math.round(meanOf(squared) * scale),
    error: errorOf(squared) * scale, mean: Math.round((constant - at_mean) * scale), digits };
  told.expected = told.constant - told.squared;
  told.elbo = told.expected - told.kl;
  told.objective = Number.isFinite(beta) ? told.expected - Math.round(beta * told.kl) : -told.kl;
  return told;
}

const sameLine = (a, b) => Math.abs(a - b) < 1e-4 * Math.max(1, Math.abs(b));

/** A whole number of last digits as text: 12345 with 2 digits is 123.45. */
const digitsText = (whole, digits) => minusText((whole / 10 ** digits).toFixed(digits));
const signedText = (whole, digits) => (whole > 0 ? "+" : "") + digitsText(whole, digits);

/** Fixed digits, without a zero that is negative. */
const evenText = (v, digits) => fixedText(+v.toFixed(digits) === 0 ? 0 : v, digits);

/** About so many figures, for what is no bill. */
function shortText(v, figures = 3) {
  if (!Number.isFinite(v)) return "–";
  if (v === 0) return "0";
  const size = Math.abs(v);
  if (size >= 1e6 || size < 1e-3) {
    const power = Math.floor(Math.log10(size));
    return minusText((v / 10 ** power).toFixed(1)) + " × 10" + String(power).replace(/[-\d]/g, (c) => ({ "-": "⁻" })[c] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[+c]);
  }
  return minusText(size >= 1000 ? v.toFixed(0) : v.toFixed(Math.max(0, figures - 1 - Math.floor(Math.log10(size)))));
}

const clampTo = (v, low, high) => Math.min(high, Math.max(low, v));
