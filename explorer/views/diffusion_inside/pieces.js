// What the rooms are made of: switches, sliders, numbers as text. Knows no room.

const button = (words, run, attributes = {}) => piece("button", { type: "button", class: "button", onclick: run, ...attributes }, words);

/** A switch with words: change(on). */
function switchOf(words, on, change, title = null) {
  const box = piece("input", { type: "checkbox", role: "switch", onchange: () => change(box.checked) });
  box.checked = on;
  return piece("label", { class: "switch", title }, box, piece("span", {}, words));
}

/** A slider; input(value) while it moves, done(value) when it is let go. */
function sliderOf({ label, min, max, step = 1, value, input = null, done = null, ...more }) {
  const fill = () => node.style.setProperty("--at", (max > min ? (+node.value - min) / (max - min) : 0) * 100 + "%");
  const node = piece("input", {
    type: "range", min, max, step, "aria-label": label, ...more,
    oninput: () => (fill(), input?.(+node.value)), onchange: () => done?.(+node.value), onkeydown: (event) => event.stopPropagation(),
  });
  node.show = (next, top = max) => {
    max = top;
    node.max = top;
    if (+node.value !== next) node.value = next;
    fill();
  };
  node.show(value);
  return node;
}

const within = (v, low, high) => Math.min(high, Math.max(low, v));
const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const wholeText = (v) => grouped.format(v);
const countText = (count, word) => wholeText(count) + " " + word + (count === 1 ? "" : "s");
const minusText = (text) => text.replace("-", "−");
const fixedText = (v, digits = 2) => (Number.isFinite(v) ? minusText(+v.toFixed(digits) === 0 ? (0).toFixed(digits) : v.toFixed(digits)) : "–");
const percentText = (share, digits = 0) => (Number.isFinite(share) ? (share > 0 && share < 0.5 * 10 ** -digits / 100 ? "< " + 10 ** -digits : fixedText(share * 100, digits)) + " %" : "–");
/** 859.5 M, 12.3 k. */
const manyText = (v) => (v >= 1e9 ? fixedText(v / 1e6, 1).replace(/\B(?=(\d{3})+\.)/, ",") + "\u00a0M" : v >= 1e6 ? fixedText(v / 1e6, v >= 1e8 ? 1 : 2) + "\u00a0M" : v >= 1e4 ? fixedText(v / 1e3, 0) + "\u00a0k" : wholeText(v));
const shapeText = (shape) => shape.map(wholeText).join(" × ");

/** The place where a room says what went wrong, in one sentence, and offers to try again. */
function troubleOf(error, again) {
  return piece("p", { class: "trouble", role: "alert" }, piece("span", {}, error.message), again && button("Try again", again, { class: "button small", "data-do": "again" }));
}

/** A heading with a line that says what there is to see. */
const headOf = (title, line) => piece("header", { class: "head" }, piece("h3", {}, title), piece("p", {}, line));
