// Drawing that the plot and the overview share: colours, D's heat map, points, arrows, G's manifold. Knows no page.

// Where D says "fake", where it cannot tell, where it says "real". Both ends stay apart for every kind of colour blindness
// (a test computes it), and dots in the palette's colours of real and fake stand out from all three.
const FIELD_SCALE = {
  light: ["#f1aab0", "#f8f6f1", "#8fbfee"],
  dark: ["#8a3350", "#1b1e24", "#1c4a7c"],
};
const FIELD_CONTRAST = 0.6; // below 1, so that a D that hardly knows can still be read; the legend has the same colours
const FIELD_LAYERS = { heat: true, ideal: false, reals: true, manifold: false, arrows: true, fakes: true, modes: true };
const CRITICS = new Set(["wgan", "wgan_gp", "hinge"]); // their D speaks in values, not in probabilities

const fieldStill = matchMedia("(prefers-reduced-motion: reduce)");

/** Which layers are on. One set for the whole lab, so that the plot and the overview always agree. */
function layersOf(lab) {
  if (lab.layers) return lab.layers;
  const on = { ...FIELD_LAYERS };
  const heard = [];
  let asked = -Infinity;
  const tell = (name) => {
    for (const listener of heard) listener(name);
  };
  return (lab.layers = {
    on,
    /** What the server says of the optimal D, unless it has just been asked for something else. */
    agree(ideal) {
      if (on.ideal === ideal || performance.now() - asked < 1500) return;
      on.ideal = ideal;
      tell("ideal");
    },
    heard: (listener) => heard.push(listener),
    set(name, value = !on[name]) {
      if (on[name] === value) return;
      on[name] = value;
      if (name === "ideal") {
        asked = performance.now();
        lab.do("look", { ideal: value });
      }
      tell(name);
    },
  });
}

// ---- Colours ---------------------------------------------------------------------------------------------------------------

const fieldRgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** The colours of the mode that the page is in, read once; `table` has the heat map's 256 steps as pixels. */
function fieldInk(root) {
  const style = getComputedStyle(root);
  const read = (name) => style.getPropertyValue("--" + name).trim();
  const names = ["paper", "panel", "sunk", "ink", "muted", "line", "accent", "focus", "warn", "error", "good"];
  const ink = Object.fromEntries(names.map((name) => [name, read(name)]));
  Object.assign(ink, {
    strong: read("line-strong"), real: read("sym-real"), fake: read("sym-fake"), z: read("sym-z"), loss: read("sym-loss"),
  });
  ink.dark = Boolean(root.closest(".dark"));
  const [low, middle, high] = FIELD_SCALE[ink.dark ? "dark" : "light"].map(fieldRgb);
  ink.table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const t = i / 127.5 - 1;
    const [r, g, b] = middle.map((c, k) => Math.round(c + Math.abs(t) ** FIELD_CONTRAST * ((t < 0 ? low : high)[k] - c)));
    ink.table[i] = (255 << 24) | (b << 16) | (g << 8) | r; // little endian, as every browser's machine
  }
  const stop = (i) => "#" + [0, 8, 16].map((bits) => ((ink.table[i] >> bits) & 255).toString(16).padStart(2, "0")).join("");
  ink.scale = `linear-gradient(to right, ${Array.from({ length: 18 }, (_, i) => stop(15 * i)).join(", ")})`;
  ink.pull = ink.dark ? "#f3c969" : "#7a4b00"; // gradients: neither real nor fake
  return ink;
}

// ---- D's judgement -----------------------------------------------------------------------------------------------------------

const fieldMean = (values) => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
};

/** What a logit is called on the page: a probability, or the logit itself where D's output is trained as a plain number. */
const judged = (loss, logit) => (CRITICS.has(loss) || loss === "least_squares" ? logit : 1 / (1 + Math.exp(-logit)));

/** {low, middle, high}: the values at the ends of the colours, and D's value where it cannot tell. */
function judgement(frame, loss) {
  if (!CRITICS.has(loss)) return FIELD_EVEN;
  const middle = loss === "hinge" ? 0 : (fieldMean(frame.real_logits) + fieldMean(frame.fake_logits)) / 2;
  return { low: Math.min(frame.heat_lo, middle - 1e-6), middle, high: Math.max(frame.heat_hi, middle + 1e-6) };
}
const FIELD_EVEN = { low: 0, middle: 0.5, high: 1 };

/** A loss on the points that are shown, from D's logits of them. */
function shownLoss(frame, { loss, smoothing }, who) {
  const softplus = (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
  const mean = (values, f) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += f(values[i]);
    return sum / values.length;
  };
  const real = (f) => mean(frame.real_logits, f), fake = (f) => mean(frame.fake_logits, f);
  if (who === "d") {
    if (loss === "least_squares") return 0.5 * real((v) => (v - 1) ** 2) + 0.5 * fake((v) => v * v);
    if (loss === "wgan" || loss === "wgan_gp") return fake((v) => v) - real((v) => v);
    if (loss === "hinge") return real((v) => Math.max(0, 1 - v)) + fake((v) => Math.max(0, 1 + v));
    return real((v) => softplus(-v) + smoothing * v) + fake(softplus);
  }
  if (loss === "least_squares") return 0.5 * fake((v) => (v - 1) ** 2);
  if (loss === "minimax") return -fake(softplus);
  if (loss === "non_saturating") return fake((v) => softplus(-v));
  return -fake((v) => v);
}

/** The shares of the shown real points and fakes that D judges rightly. */
function shownRight(frame, loss) {
  const middle = loss === "least_squares" ? 0.5 : loss.startsWith("wgan") ? judgement(frame, loss).middle : 0;
  const share = (values, right) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += right(values[i]);
    return sum / values.length;
  };
  return { real: share(frame.real_logits, (v) => v > middle), fake: share(frame.fake_logits, (v) => v <= middle) };
}

/** A heat map as a small picture, a pixel a cell, to be drawn large and smooth. */
function makeHeat() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const lookup = new Uint32Array(256);
  let image = null;
  let pixels = null;

  /** `bytes` run from `low` to `high`, row by row from the bottom. */
  function paint(bytes, grid, low, high, scale, table) {
    if (!image || image.width !== grid) {
      canvas.width = canvas.height = grid;
      image = context.createImageData(grid, grid);
      pixels = new Uint32Array(image.data.buffer);
    }
    for (let i = 0; i < 256; i++) {
      const above = low + (i / 255) * (high - low) - scale.middle;
      const t = above / (above < 0 ? scale.middle - scale.low : scale.high - scale.middle);
      lookup[i] = table[Math.max(0, Math.min(255, Math.round((t + 1) * 127.5)))];
    }
    for (let row = 0; row < grid; row++) {
      const from = (grid - 1 - row) * grid;
      for (let column = 0; column < grid; column++) pixels[row * grid + column] = lookup[Math.max(0, Math.min(255, bytes[from + column] | 0))];
    }
    context.putImageData(image, 0, 0);
  }
  return { canvas, paint };
}

/** D at a point of the plot, between the heat map's cells; NaN outside. */
function heatAt(bytes, grid, low, high, x, y) {
  if (Math.abs(x) > 1 || Math.abs(y) > 1) return NaN;
  const inside = (v) => Math.max(0, Math.min(grid - 1.001, ((v + 1) / 2) * grid - 0.5));
  const u = inside(x), v = inside(y);
  const i = u | 0, j = v | 0;
  const at = (k, l) => bytes[l * grid + k];
  const below = at(i, j) + (u - i) * (at(i + 1, j) - at(i, j));
  const above = at(i, j + 1) + (u - i) * (at(i + 1, j + 1) - at(i, j + 1));
  return low + ((below + (v - j) * (above - below)) / 255) * (high - low);
}

/** Every cell averaged with its neighbours, in memory that the next call uses again. */
function smoothed(cells, grid) {
  const count = cells.length;
  const rows = smoothed.rows?.length === count ? smoothed.rows : (smoothed.rows = new Float32Array(count));
  const out = smoothed.out?.length === count ? smoothed.out : (smoothed.out = new Float32Array(count));
  for (let k = 0; k < count; k++) {
    const column = k % grid;
    rows[k] = (cells[column ? k - 1 : k] + 2 * cells[k] + cells[column < grid - 1 ? k + 1 : k]) / 4;
  }
  for (let k = 0; k < count; k++) {
    out[k] = (rows[k >= grid ? k - grid : k] + 2 * rows[k] + rows[k < count - grid ? k + grid : k]) / 4;
  }
  return out;
}

/** Adds to the path the line on which D passes `level`. Marching squares over the cells' centres, smoothed: they are bytes. */
function traceLevel(context, cells, grid, level, view) {
  const bytes = smoothed(cells, grid);
  const step = 2 / grid;
  const cross = (a, b) => (level - a) / (b - a);
  for (let j = 0; j < grid - 1; j++) {
    const y = -1 + (j + 0.5) * step;
    for (let i = 0; i < grid - 1; i++) {
      const k = j * grid + i;
      const a = bytes[k], b = bytes[k + 1], c = bytes[k + grid + 1], d = bytes[k + grid];
      const kind = (a > level) | ((b > level) << 1) | ((c > level) << 2) | ((d > level) << 3);
      if (kind === 0 || kind === 15) continue;
      const x = -1 + (i + 0.5) * step;
      let pen = false; // down after an odd number of sides
      const side = (u, v) => {
        const px = view.x + u * view.unit, py = view.y - v * view.unit;
        if (pen) context.lineTo(px, py);
        else context.moveTo(px, py);
        pen = !pen;
      };
      if (a > level !== b > level) side(x + step * cross(a, b), y);
      if (b > level !== c > level) side(x + step, y + step * cross(b, c));
      if (c > level !== d > level) side(x + step * cross(d, c), y + step);
      if (d > level !== a > level) side(x, y + step * cross(a, d));
    }
  }
}

// ---- Points. A view {x, y, unit} says where the plot's origin is on the canvas, and how many pixels one unit has. --------------
// Shapes are filled one by one: one path of hundreds of shapes costs a software renderer many times as much.

/** Round dots in the context's fill. */
function drawDots(context, points, view, radius) {
  for (let i = 0; i < points.length; i += 2) {
    context.beginPath();
    context.arc(view.x + points[i] * view.unit, view.y - points[i + 1] * view.unit, radius, 0, 2 * Math.PI);
    context.fill();
  }
}

function fillDiamond(context, x, y, radius) {
  context.beginPath();
  context.moveTo(x, y - radius);
  context.lineTo(x + radius, y);
  context.lineTo(x, y + radius);
  context.lineTo(x - radius, y);
  context.fill();
}

/**
 * Diamonds in the context's fill; with an `edge` (in units) only those within it, or with `beyond` those outside, set on the
 * edge. Returns how many.
 */
function drawDiamonds(context, points, view, radius, edge = Infinity, beyond = false) {
  let drawn = 0;
  for (let i = 0; i < points.length; i += 2) {
    let u = points[i], v = points[i + 1];
    const outside = u > edge || u < -edge || v > edge || v < -edge;
    if (outside !== beyond) continue;
    if (outside) {
      u = Math.max(-edge, Math.min(edge, u));
      v = Math.max(-edge, Math.min(edge, v));
    }
    fillDiamond(context, view.x + u * view.unit, view.y - v * view.unit, radius);
    drawn++;
  }
  return drawn;
}

// ---- Arrows ------------------------------------------------------------------------------------------------------------------

const ARROW_FACTORS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const ARROW_LONG = 0.28; // of the plot's units: what most arrows stay below
const ARROW_CUT = 0.5; // and none exceeds

/** How long a gradient of 1 is drawn, in units of the plot. Never above 1: a gradient that vanishes shall look so. */
function arrowFactor(arrows, before = 0) {
  const lengths = arrowFactor.room?.length === arrows.length / 2 ? arrowFactor.room : (arrowFactor.room = new Float32Array(arrows.length / 2));
  for (let i = 0; i < lengths.length; i++) lengths[i] = Math.hypot(arrows[2 * i], arrows[2 * i + 1]) || 0;
  lengths.sort();
  const long = lengths[Math.floor(0.9 * (lengths.length - 1))] || 0;
  // A factor stays while it does: one that follows every frame would hide how gradients grow and shrink.
  if (before && long * before < ARROW_LONG * 1.25 && (before === 1 || long * before > ARROW_LONG * 0.2)) return before;
  let factor = ARROW_FACTORS[0];
  for (const next of ARROW_FACTORS) if (long * next <= ARROW_LONG) factor = next;
  return factor;
}

/** Arrows: filled ones in the context's fill, or open ones (a dashed line and a hook) in its stroke. */
function drawArrows(context, points, arrows, view, factor, { width, head, open = false }) {
  const cut = ARROW_CUT * view.unit, half = width / 2;
  if (open) context.lineWidth = width;
  for (let i = 0; i < points.length; i += 2) {
    let dx = arrows[i] * factor * view.unit, dy = -arrows[i + 1] * factor * view.unit;
    const raw = Math.hypot(dx, dy);
    if (!(raw > 0.75)) continue; // shorter than a pixel
    const length = Math.min(raw, cut);
    dx /= raw;
    dy /= raw;
    const x = view.x + points[i] * view.unit, y = view.y - points[i + 1] * view.unit;
    const tipX = x + dx * length, tipY = y + dy * length;
    const size = Math.min(head, length * 0.6), wide = Math.max(half, size * 0.42);
    const backX = tipX - dx * size, backY = tipY - dy * size;
    context.beginPath();
    if (open) {
      context.moveTo(x, y);
      context.lineTo(tipX, tipY);
      context.setLineDash(ARROW_DASH);
      context.stroke();
      context.setLineDash(ARROW_WHOLE);
      context.beginPath();
      context.moveTo(backX - dy * wide * 1.3, backY + dx * wide * 1.3);
      context.lineTo(tipX, tipY);
      context.lineTo(backX + dy * wide * 1.3, backY - dx * wide * 1.3);
      context.stroke();
    } else {
      context.moveTo(x - dy * half, y + dx * half);
      context.lineTo(backX - dy * half, backY + dx * half);
      context.lineTo(backX - dy * wide, backY + dx * wide);
      context.lineTo(tipX, tipY);
      context.lineTo(backX + dy * wide, backY - dx * wide);
      context.lineTo(backX + dy * half, backY - dx * half);
      context.lineTo(x + dy * half, y - dx * half);
      context.fill();
    }
  }
}
const ARROW_DASH = [3.5, 2.5], ARROW_WHOLE = [];

// ---- G's manifold: the grid of noise after it went through G -----------------------------------------------------------------

/** How much of the noise lies in each cell of the grid: sums to 1. */
function noiseMass(gridNoise, cx, cy, gaussian) {
  const mass = new Float32Array(cx * cy);
  const across = cx + 1;
  let total = 0;
  for (let j = 0; j < cy; j++) {
    for (let i = 0; i < cx; i++) {
      const a = 2 * (j * across + i), b = a + 2 * (across + 1);
      const width = gridNoise[b] - gridNoise[a], height = gridNoise[b + 1] - gridNoise[a + 1];
      const u = (gridNoise[a] + gridNoise[b]) / 2, v = (gridNoise[a + 1] + gridNoise[b + 1]) / 2;
      total += mass[j * cx + i] = Math.abs(width * height) * (gaussian ? Math.exp(-(u * u + v * v) / 2) : 1);
    }
  }
  for (let k = 0; k < mass.length; k++) mass[k] /= total;
  return mass;
}

/** Cells as opaque as G is dense there: its mass over the cell's area. A line, for 1-D noise, is drawn as a line. */
function drawManifold(context, points, cx, cy, mass, view, colour, line) {
  const X = (k) => view.x + points[2 * k] * view.unit, Y = (k) => view.y - points[2 * k + 1] * view.unit;
  const whole = context.globalAlpha, across = cx + 1;
  context.strokeStyle = context.fillStyle = colour;
  context.lineJoin = "round";
  const thread = (first, step, count) => {
    context.beginPath();
    for (let i = 0, k = first; i < count; i++, k += step) context.lineTo(X(k), Y(k));
    context.stroke();
  };
  if (!cy) {
    context.lineWidth = 2.5 * line;
    context.globalAlpha = 0.75 * whole;
    thread(0, 1, across);
    context.globalAlpha = whole;
    drawDots(context, points, view, 2 * line);
    return;
  }
  for (let j = 0; j < cy; j++) {
    for (let i = 0; i < cx; i++) {
      const k = j * across + i;
      // Relative to a generator that fills the plot evenly, on a scale of square roots.
      const dense = Math.sqrt((mass[j * cx + i] * 4) / Math.max(Math.abs(quadArea(points, k, across)), 1e-5)) / 5;
      context.globalAlpha = (0.07 + 0.6 * Math.min(1, dense) ** 1.5) * whole;
      context.beginPath();
      context.moveTo(X(k), Y(k));
      context.lineTo(X(k + 1), Y(k + 1));
      context.lineTo(X(k + across + 1), Y(k + across + 1));
      context.lineTo(X(k + across), Y(k + across));
      context.fill();
    }
  }
  context.globalAlpha = 0.5 * whole;
  context.lineWidth = 0.75 * line;
  for (let j = 0; j <= cy; j += 2) thread(j * across, 1, across);
  for (let i = 0; i <= cx; i += 2) thread(i, across, cy + 1);
  context.globalAlpha = whole;
}

/** The signed area of the grid's cell whose first corner is point k. */
function quadArea(points, k, across) {
  const a = 2 * k, b = a + 2, c = 2 * (k + across + 1), d = c - 2;
  return 0.5 * ((points[c] - points[a]) * (points[d + 1] - points[b + 1]) - (points[d] - points[b]) * (points[c + 1] - points[a + 1]));
}

// ---- Text and canvases ---------------------------------------------------------------------------------------------------------

/** A number for reading: so many digits that count, a true minus sign, a dash where there is none. */
function fieldText(v, digits = 3) {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  const size = Math.abs(v);
  if (size !== 0 && (size < 0.001 || size >= 1e5)) return v.toExponential(1).replaceAll("-", "−").replace("e+", "e");
  const places = size ? Math.max(0, digits - 1 - Math.floor(Math.log10(size))) : digits - 1;
  return (v < 0 ? "−" : "") + size.toFixed(places);
}

/** Fits a canvas to its box on this screen. Returns {width, height, ratio} in CSS pixels, and whether that has changed. */
function fitCanvas(canvas, width, height) {
  const ratio = Math.min(3, devicePixelRatio || 1);
  const w = Math.round(width * ratio), h = Math.round(height * ratio);
  const changed = canvas.width !== w || canvas.height !== h;
  if (changed) Object.assign(canvas, { width: w, height: h });
  return { width, height, ratio, changed };
}
