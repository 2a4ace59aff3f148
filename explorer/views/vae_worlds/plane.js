// A square part of the latent plane on a square of pixels, its axes and the prior's rings. Knows no codes.

const PLANE_MARGIN = { left: 30, bottom: 24, top: 6, right: 6 }; // CSS pixels beside the square, for ticks

/** The square |z| <= half on a canvas of `width` CSS pixels: z to pixels and back. `scale` is pixels per unit of z, on both axes. */
function planeOf(half, width) {
  const side = width - PLANE_MARGIN.left - PLANE_MARGIN.right;
  const scale = side / (2 * half);
  return {
    half, width, side, scale, left: PLANE_MARGIN.left, top: PLANE_MARGIN.top, height: side + PLANE_MARGIN.top + PLANE_MARGIN.bottom,
    x: (z1) => PLANE_MARGIN.left + (z1 + half) * scale,
    y: (z2) => PLANE_MARGIN.top + (half - z2) * scale,
    z: (x, y) => [(x - PLANE_MARGIN.left) / scale - half, half - (y - PLANE_MARGIN.top) / scale],
  };
}

/** A step of 1, 2 or 5 times a power of ten that gives about `count` ticks. */
function tickStep(span, count = 6) {
  const rough = span / count, power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
}

/** The symbol colours and the page's own, as they are in this mode. */
function inksOf(node) {
  const style = getComputedStyle(node), ink = (name) => style.getPropertyValue("--" + name).trim();
  return {
    ink: ink("ink"), muted: ink("muted"), line: ink("line"), strong: ink("line-strong"), panel: ink("panel"), sunk: ink("sunk"),
    mu: ink("sym-mu"), sigma: ink("sym-sigma"), z: ink("sym-z"), prior: ink("sym-prior"), xhat: ink("sym-xhat"), focus: ink("focus"),
  };
}

/** A canvas of CSS size, sharp on this screen, cleared: its context in CSS pixels. */
function freshContext(canvas, width, height) {
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  const w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** The paper, ticks with numbers, and rings at 1, 2 and 3 sigma of N(0, I). `bare`: no numbers, as in the quiz. */
function paintAxes(context, plane, inks, bare = false) {
  const { half, side, left, top } = plane;
  context.fillStyle = inks.sunk;
  context.fillRect(left, top, side, side);
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = inks.muted;
  context.strokeStyle = inks.line;
  context.lineWidth = 1;
  const step = tickStep(2 * half, side > 260 ? 7 : 4), last = Math.floor(half / step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  for (let i = -last; i <= last; i++) {
    const v = i * step, x = plane.x(v), y = plane.y(v), text = minusText(v.toFixed(digits));
    context.beginPath();
    context.moveTo(x, top), context.lineTo(x, top + side);
    context.moveTo(left, y), context.lineTo(left + side, y);
    context.stroke();
    if (bare) continue;
    context.textAlign = "center", context.textBaseline = "top";
    if (x < left + side - 10 || i < last) context.fillText(text, x, top + side + 4);
    context.textAlign = "right", context.textBaseline = "middle";
    context.fillText(text, left - 4, y);
  }
}

function paintRings(context, plane, inks) {
  context.save();
  context.beginPath();
  context.rect(plane.left, plane.top, plane.side, plane.side);
  context.clip();
  context.strokeStyle = inks.prior;
  context.lineWidth = 1.5;
  for (const ring of [1, 2, 3]) {
    context.beginPath();
    context.arc(plane.x(0), plane.y(0), ring * plane.scale, 0, 2 * Math.PI);
    context.stroke();
  }
  const apart = plane.scale > 26;
  context.fillStyle = inks.prior;
  context.font = "600 11px system-ui, sans-serif";
  context.textAlign = "center", context.textBaseline = "bottom";
  for (const ring of apart ? [1, 2, 3] : [3]) context.fillText(ring + "σ", plane.x(0), plane.y(ring) - 1);
  context.restore();
}
