// One curve over the dial: MIG and FactorVAE at every angle, with the ELBO's flat line for comparison.

/** seek(share of the way, 0 to 1) when it is pressed. draw({lines: [{name, values, colour, dashed}], at, from, to, unit}). */
function makeChart({ seek, rested }) {
  const canvas = piece("canvas", { class: "dial-chart", role: "img", "aria-label": "The scores at every turn of the dial",
    onpointerdown: (event) => (canvas.setPointerCapture(event.pointerId), (held = true), press(event)),
    onpointermove: (event) => held && press(event), onpointerup: drop, onpointercancel: drop });
  const context = canvas.getContext("2d");
  let shown = null, held = false, wide = 0, high = 0, ratio = 1, waiting = 0, left = 0, right = 0;
  new ResizeObserver(fit).observe(canvas);
  new MutationObserver(ask).observe(document.body, { attributeFilter: ["class"] });

  function fit() {
    if (!canvas.clientWidth) return;
    [wide, high, ratio] = [canvas.clientWidth, canvas.clientHeight, Math.min(2, window.devicePixelRatio || 1)];
    canvas.width = Math.round(wide * ratio);
    canvas.height = Math.round(high * ratio);
    ask();
  }

  function ask() {
    waiting ||= requestAnimationFrame(() => ((waiting = 0), shown && wide && paint()));
  }

  function press(event) {
    const box = canvas.getBoundingClientRect();
    seek(Math.min(1, Math.max(0, (event.clientX - box.left - left) / (right - left))));
  }

  function drop() {
    if (held) rested();
    held = false;
  }

  function paint() {
    const style = getComputedStyle(canvas), colour = (name) => style.getPropertyValue("--" + name).trim();
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    [left, right] = [2 * rem, wide - 0.6 * rem];
    const [top, bottom] = [0.5 * rem, high - 1.9 * rem];
    const x = (share) => left + share * (right - left), y = (value) => bottom - value * (bottom - top);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, wide, high);
    context.font = `${0.75 * rem}px system-ui, sans-serif`;
    context.fillStyle = colour("muted");
    context.strokeStyle = colour("line");
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of [0, 0.5, 1]) {
      path([[left, y(value)], [right, y(value)]]);
      context.fillText(String(value), left - 0.35 * rem, y(value));
    }
    context.textBaseline = "top";
    shown.ticks.forEach(([share, words], i) => {
      context.textAlign = i === 0 ? "left" : i === shown.ticks.length - 1 ? "right" : "center";
      context.fillText(words, x(share), bottom + 0.35 * rem);
    });
    for (const { values, colour: name, dashed } of shown.lines) {
      context.strokeStyle = colour(name);
      context.lineWidth = 2.25;
      context.setLineDash(dashed ? [7, 5] : []);
      path(values.map((value, i) => [x(i / (values.length - 1)), y(Math.min(1, value))]).filter(([, at]) => Number.isFinite(at)));
      context.setLineDash([]);
    }
    context.strokeStyle = colour("ink");
    context.lineWidth = 1.5;
    path([[x(shown.at), top], [x(shown.at), bottom]]);
    canvas.dataset.points = shown.lines[0]?.values.length ?? 0;
  }

  function path(points) {
    context.beginPath();
    points.forEach(([px, py], i) => (i ? context.lineTo(px, py) : context.moveTo(px, py)));
    context.stroke();
  }

  return { node: canvas, draw: (next) => ((shown = next), ask()) };
}
