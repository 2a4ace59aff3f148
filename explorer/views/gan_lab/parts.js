// What the lab's smaller parts are made of: drawings, numbers as text, canvases. Knows no lab.

/** A drawing of ours. `markup` is written in this repository, never by a visitor. */
function drawing(markup, box = "0 0 20 20", name = "") {
  const holder = document.createElement("template");
  holder.innerHTML = '<svg viewBox="' + box + '" aria-hidden="true" class="' + name + '">' + markup + "</svg>";
  return holder.content.firstChild;
}

const wholeNumbers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const roundsText = (step) => wholeNumbers.format(step);
const pluralText = (count, word) => roundsText(count) + " " + word + (count === 1 ? "" : "s");

/** A number in at most about six characters: 0.693, 12.4, 1,204, 3.1e-5. */
function numberText(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const minus = (text) => text.replace("-", "−");
  if (size !== 0 && size < 10 ** -digits) return minus(value.toExponential(1));
  if (size >= 100000) return minus(value.toExponential(1).replace("e+", "e"));
  if (size >= 1000) return minus(wholeNumbers.format(value));
  return minus(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : Math.min(digits, size >= 1 ? 2 : 3)));
}

const percentText = (share) => (Number.isFinite(share) ? Math.round(share * 100) + " %" : "–");

// The sizes of canvases as they are told: asking for one in every frame would force a layout each time.
const canvasSizes = new WeakMap();
const canvasWatch = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) canvasSizes.set(target,
    { width: contentRect.width, height: contentRect.height });
});

/** A canvas as wide and high as it is shown, in the pixels of the screen; drawing is in CSS pixels. Null while it is hidden. */
function freshCanvas(canvas) {
  if (!canvasSizes.has(canvas)) {
    canvasSizes.set(canvas, { width: canvas.clientWidth, height: canvas.clientHeight });
    canvasWatch.observe(canvas);
  }
  const { width, height } = canvasSizes.get(canvas);
  if (!width || !height) return null;
  const ratio = Math.min(3, devicePixelRatio || 1);
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** The size in CSS pixels of what is `rem` high: the page's root grows with the screen, and so does text on a canvas. */
let rootSize = 0;
window.addEventListener("resize", () => (rootSize = 0));
function inPixels(rem) {
  rootSize ||= parseFloat(getComputedStyle(document.documentElement).fontSize);
  return rem * rootSize;
}

/**
 * Calls `draw` soon, at most `perSecond` times, and only while the section is on the screen; what was asked for out of sight
 * is drawn when it comes into sight.
 */
function drawnWhenSeen(section, draw, perSecond = 5) {
  let [seen, wanted, timer, last] = [false, true, 0, 0];
  const go = () => {
    timer = 0;
    if (!wanted || !seen || !section.isConnected) return;
    wanted = false;
    last = performance.now();
    draw();
  };
  const ask = (now = false) => {
    wanted = true;
    if (!seen) return;
    if (now) return clearTimeout(timer), (timer = 0), go();
    if (!timer) timer = setTimeout(() => requestAnimationFrame(go), Math.max(0, 1000 / perSecond - (performance.now() - last)));
  };
  new IntersectionObserver((entries) => {
    seen = entries.at(-1).isIntersecting;
    if (seen) ask();
  }).observe(section);
  new ResizeObserver(() => ask()).observe(section);
  return ask;
}

/** The letters of lanes, and what tells them apart besides: dashes on lines. */
const LANE_LETTERS = "ABCD";
const LANE_DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];
const LANE_COLOURS = ["ink", "sym-sigma", "sym-mu", "sym-prior"];
const letterOf = (lane) => LANE_LETTERS[lane] ?? String(lane + 1);

/** What differs from the defaults, or from another lane, in the words of the menu: ["Learning rate of G 0.3", ...]. */
function settingWords(menu, changes) {
  const ofWhom = { g: " of G", d: " of D", data: "", loss: "" };
  return Object.entries(changes).flatMap(([name, value]) => {
    const field = menu.fields.find((each) => each.name === name);
    if (!field) return [];
    if (field.kind === "points") return value ? ["own points"] : [];
    return [field.label + ofWhom[field.group] + ": " + settingValue(field, value)];
  });
}

function settingValue(field, value) {
  if (field.choices) return field.choices[value] ?? String(value);
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "number" ? numberText(value, 6).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "") : String(value);
}
