// What the lessons are made of: numbers as text, sliders, fields, tables for the visitor. Knows no lesson.

const within = (v, low, high) => Math.min(high, Math.max(low, v));
const digitsOf = (v, digits) => Math.round(v * 10 ** digits) / 10 ** digits;
const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const wholeText = (v) => grouped.format(v);
const pluralText = (count, word) => wholeText(count) + " " + word + (count === 1 ? "" : "s");

/** A number with so many decimals, a true minus sign, and never "−0.00". */
function fixedText(v, digits = 2) {
  if (!Number.isFinite(v)) return v > 0 ? "∞" : v < 0 ? "−∞" : "–";
  const size = Math.abs(v).toFixed(digits);
  return (v < 0 && +size !== 0 ? "−" : "") + size;
}

/** The same without the zero before the point, for narrow cells: ".23", "−.04". */
const shortText = (v, digits = 2) => fixedText(v, digits).replace("0.", ".");

/** A number that is signed even where it is positive. */
const signedText = (v, digits = 2) => (v > 0 && +v.toFixed(digits) !== 0 ? "+" : "") + fixedText(v, digits);

const percentText = (share) => (Number.isFinite(share) ? fixedText(share * 100, 0) + " %" : "–");

const smallPercent = (share) => (share < 0.005 ? "less than 1 %" : percentText(share));

/** Rows of cells as a CSV file. A text that a spreadsheet would take for a formula is kept a text. */
function handOverTable(rows, name) {
  const cell = (v) => {
    const text = typeof v === "string" && /^[=+@-]/.test(v) && Number.isNaN(+v) ? "'" + v : String(v ?? "");
    return /[",\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  handOver(new Blob([rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n"], { type: "text/csv" }), name);
}

const button = (words, run, attributes = {}) => piece("button", { type: "button", class: "button", onclick: run, ...attributes }, words);

const ICONS = { undo: "M7 4 3 8l4 4M3 8h8.5a4.5 4.5 0 0 1 0 9H8", redo: "m13 4 4 4-4 4M17 8H8.5a4.5 4.5 0 0 0 0 9H12" };
const iconOf = (name) => svgPiece("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, svgPiece("path", { d: ICONS[name] }));

/** A native slider with its name and its value in words. `mark` is a value that is worth finding again. */
function slider(name, { min, max, step, value, words, change, done = null, mark = null, describe = "", fact = "" }) {
  const output = piece("output", { class: "slider-value", "aria-live": "off" });
  const input = piece("input", {
    type: "range", min, max, step, "aria-label": name, title: describe, "data-slider": fact || name, oninput: () => (show(+input.value), change(+input.value)),
    onchange: () => done?.(+input.value),
  });
  const track = piece("span", { class: "slider-track" }, input);
  if (mark !== null) track.append(piece("span", { class: "slider-mark", style: "--at:" + (mark - min) / (max - min), "aria-hidden": "true" }));
  const node = piece("label", { class: "slider" }, piece("span", { class: "slider-name" }, name), track, output);

  function tell() {
    tellText(output, words(+input.value));
    input.setAttribute("aria-valuetext", words(+input.value));
  }

  function show(v) {
    input.value = v;
    input.style.setProperty("--at", ((v - min) / (max - min)) * 100 + "%");
    tell();
  }

  show(value);
  return { node, input, show, tell, get value() { return +input.value; } };
}

/** A select with its name. choices: [[value, words]]. */
function choice(name, choices, value, pick, attributes = {}) {
  const select = piece("select", { "aria-label": name, onchange: () => pick(select.value), ...attributes },
    choices.map(([one, words]) => piece("option", { value: one }, words)));
  select.value = String(value);
  return { node: piece("label", { class: "field" }, piece("span", { class: "field-name" }, name), select), select };
}

/** A number that is typed. Out of range, it goes back to what it was and says why. */
function numberField(name, { min, max, step = 1, value, pick, ...attributes }) {
  let kept = value;
  const input = piece("input", {
    type: "number", min, max, step, value, "aria-label": name, inputmode: "decimal", ...attributes,
    onchange: () => {
      const v = input.value.trim() === "" ? NaN : +input.value;
      if (!(v >= min && v <= max) || (step === 1 && v !== Math.round(v))) {
        window.explorer.toast(name + " is a " + (step === 1 ? "whole " : "") + "number from " + wholeOrPlain(min) + " to " + wholeOrPlain(max) + ".", "note");
        input.value = kept;
        return;
      }
      kept = v;
      pick(v);
    },
    onkeydown: (event) => event.key === "Enter" && input.blur(),
  });
  return { node: piece("label", { class: "field" }, piece("span", { class: "field-name" }, name), input), input, show: (v) => (kept = input.value = v) };
}
const wholeOrPlain = (v) => (Number.isInteger(v) ? wholeText(v) : String(v));

/** The place where a lesson says what went wrong, in one sentence, and offers to try again. */
function troublePlace() {
  const words = piece("span");
  const again = button("Try again", () => retry?.(), { class: "button small", "data-do": "again" });
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

/** Calls `run` soon, once, with the newest arguments; `flush` does now what waits, if anything does. */
function soonOnce(run, wait) {
  let timer = 0;
  let waiting = null;
  const ask = (...args) => {
    clearTimeout(timer);
    waiting = args;
    timer = setTimeout(ask.flush, wait);
  };
  ask.flush = () => {
    clearTimeout(timer);
    const args = waiting;
    waiting = null;
    if (args) run(...args);
  };
  return ask;
}

/** Numbers that are the same for the same seed in every browser, in [0, 1). */
function diceOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const bytesFrom64 = (text) => Uint8Array.from(atob(text || ""), (c) => c.charCodeAt(0));
