// Pixels as numbers in [-1, 1], and what can be painted of them. Knows the route, no view.

/** {x, mean, noise: (3, S, S) each, sigma: (S, S), size}: `z` null is the mean of the encoder's q. */
async function decodedPixels(lab, { z = null, seed = 0 }) {
  const { values, shape } = await lab.part.wire.floats("elbo/pixels", {}, lab.part.wire.posting({ ...lab.part.query(), picture: lab.part.picture, z, seed }));
  const plane = shape[1] * shape[2];
  const cut = (from, count) => values.subarray(from * plane, (from + count) * plane);
  return { size: shape[1], x: cut(0, 3), mean: cut(3, 3), noise: cut(6, 3), sigma: cut(9, 1) };
}

/** rgb(i, j) of pixel i: three numbers 0 to 255. */
function paintWith(canvas, size, colour) {
  if (canvas.width !== size) Object.assign(canvas, { width: size, height: size });
  const context = canvas.getContext("2d"), image = context.createImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    const [r, g, b] = colour(i);
    image.data.set([r, g, b, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

const byteOf = (v) => clampTo(Math.round((v + 1) * 127.5), 0, 255);
const paintPixels = (canvas, planes, size) => paintWith(canvas, size, (i) => [0, 1, 2].map((c) => byteOf(planes[c * size * size + i])));

const luminanceOf = (planes, size) => Float32Array.from({ length: size * size }, (_, i) => 0.299 * planes[i] + 0.587 * planes[size * size + i] + 0.114 * planes[2 * size * size + i]);

/** Signed: blue below zero, white at zero, orange above; -1 to 1. */
function signedColour(v) {
  const t = clampTo(v, -1, 1), strength = Math.abs(t);
  const end = t < 0 ? [15, 96, 155] : [196, 78, 10];
  return end.map((c) => Math.round(250 + (c - 250) * strength));
}

/** 0 to 1: dark to bright, even steps of lightness (a few stops of "magma"). */
const HEAT = [[12, 10, 30], [74, 18, 107], [148, 44, 128], [222, 73, 104], [252, 140, 99], [253, 226, 170]];
function heatColour(v) {
  const at = clampTo(v, 0, 1) * (HEAT.length - 1), i = Math.min(HEAT.length - 2, Math.floor(at));
  return HEAT[i].map((c, j) => Math.round(c + (HEAT[i + 1][j] - c) * (at - i)));
}

/** A legend: a strip of colours with words at its ends. */
function legendOf(colour, low, high, ends) {
  const canvas = piece("canvas", { width: 64, height: 1, class: "legend-strip", "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  for (let i = 0; i < 64; i++) {
    context.fillStyle = `rgb(${colour(low + ((high - low) * i) / 63).join(",")})`;
    context.fillRect(i, 0, 1, 1);
  }
  const words = ends.map((text) => piece("span", {}, text));
  const node = piece("span", { class: "legend" }, words[0], canvas, words.at(-1));
  node.tell = (texts) => (tellText(words[0], texts[0]), tellText(words.at(-1), texts.at(-1)));
  return node;
}
