// What the lab is made of: numbers as text, buttons, sliders, fields. Knows no part.

const within = (v, low, high) => Math.min(high, Math.max(low, v));

/** A number with so many decimals, a true minus sign, and never "−0.00". */
function fixedText(v, digits = 2) {
  if (!Number.isFinite(v)) return v > 0 ? "∞" : v < 0 ? "−∞" : "–";
  const size = Math.abs(v).toFixed(digits);
  return (v < 0 && +size !== 0 ? "−" : "") + size;
}

/** A number in three figures: 0.0047, 12.3, 1.2·10⁻⁵ as "1.2e−5". */
function figureText(v) {
  if (!Number.isFinite(v)) return fixedText(v);
  if (v === 0) return "0";
  const size = Math.abs(v);
  const text = size < 0.001 || size >= 100_000 ? size.toExponential(1).replace("e+", "e").replace(".0e", "e") : String(+size.toPrecision(3));
  return (v < 0 ? "−" : "") + text.replace("e-", "e−");
}

/** For an equation: a negative number stands in brackets. */
const factorText = (v, digits = 3) => (v < 0 && +Math.abs(v).toFixed(digits) !== 0 ? "(" + fixedText(v, digits) + ")" : fixedText(v, digits));

const shareText = (p) => (p >= 0.9995 ? "100 %" : p < 0.0005 ? "0 %" : p >= 0.1 ? Math.round(p * 100) + " %" : +(p * 100).toPrecision(2) + " %");

/** Words with symbols: strings, and [tag, text, class] for italics, subscripts and colours. */
function formula(...parts) {
  return piece("span", { class: "formula" }, parts.map((part) => (Array.isArray(part) ? piece(part[0], { class: part[2] }, part[1]) : part)));
}

const button = (words, run, attributes = {}) => piece("button", { type: "button", class: "button", onclick: run, ...attributes }, words);

const ICONS = { play: "M6 4v12l10-6z", pause: "M5 4h3.5v12H5zM11.5 4H15v12h-3.5z", back: "M13 4v12L5 10zM3 4h2v12H3z", forth: "M7 4v12l8-6zM15 4h2v12h-2z" };
const iconOf = (name) => svgPiece("svg", { viewBox: "0 0 20 20", "aria-hidden": "true", class: "icon" }, svgPiece("path", { d: ICONS[name] }));

/** A native slider with its name and its value in words. `done` is called when it is let go. */
function slider(name, { min, max, step, value, words, change = null, done = null, title = "", fact = "" }) {
  const output = piece("output", { class: "slider-value", "aria-live": "off" });
  const input = piece("input", {
    type: "range", min, max, step, "aria-label": name, title, "data-slider": fact || name,
    oninput: () => (show(+input.value), change?.(+input.value)), onchange: () => done?.(+input.value),
  });
  const node = piece("label", { class: "slider" }, piece("span", { class: "slider-name" }, name), input, output);

  function show(v) {
    input.value = v;
    input.style.setProperty("--at", ((v - min) / (max - min)) * 100 + "%");
    tellText(output, words(+input.value));
    input.setAttribute("aria-valuetext", words(+input.value));
  }

  show(value);
  return { node, input, show, get value() { return +input.value; } };
}

/** A whole number that is typed. Out of range, it goes back to what it was and says why. */
function numberField(name, { min, max, value, pick, ...attributes }) {
  let kept = value;
  const input = piece("input", {
    type: "number", min, max, step: 1, value, "aria-label": name, inputmode: "numeric", ...attributes,
    onchange: () => {
      const v = input.value.trim() === "" ? NaN : +input.value;
      if (!(v >= min && v <= max) || v !== Math.round(v)) {
        window.explorer.toast(name + " is a whole number from " + min.toLocaleString("en") + " to " + max.toLocaleString("en") + ".", "note");
        input.value = kept;
        return;
      }
      kept = v;
      pick(v);
    },
    onkeydown: (event) => event.key === "Enter" && input.blur(),
  });
  return { node: piece("label", { class: "named" }, piece("span", {}, name), input), input, show: (v) => (kept = input.value = v) };
}

/** The place where a part says what went wrong, in one sentence, and offers to try again. */
function troublePlace() {
  const words = piece("span");
  const again = button("Try again", () => retry?.(), { "data-do": "again" });
  const node = piece("p", { class: "trouble", role: "alert", hidden: true }, words, again);
  let retry = null;
  return {
    node,
    show(error, run = null) {
      tellText(words, error.message);
      retry = run && (() => ((node.hidden = true), run()));
      again.hidden = !run;
      node.hidden = false;
    },
    clear: () => (node.hidden = true),
  };
}
