// Arrays to small canvases, in the colours of the mode. Knows no room.

const repaints = new Set(); // of canvases, after the mode has changed
// The mode is a class of the body: the page's button changes it, and so does the system.
let mode = document.body.classList.contains("dark");
new MutationObserver(() => {
  if (mode === document.body.classList.contains("dark")) return;
  mode = !mode;
  repaints.forEach((run) => run());
}).observe(document.body, { attributes: true, attributeFilter: ["class"] });

const hueOf = (node, name) => getComputedStyle(node).getPropertyValue("--" + name).trim();
const channelsOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Paints values (0..1) of height x width, from the panel's colour to `hue`, a pixel each. */
function paintShare(canvas, values, height, width, low, high) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    const t = within(values[i], 0, 1);
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = low[k] + (high[k] - low[k]) * t;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** Paints signed values: blue below zero, the panel's colour at zero, orange above; `scale` is the number at full colour. */
function paintSigned(canvas, values, height, width, scale, colours) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const [low, zero, high] = colours;
  for (let i = 0; i < height * width; i++) {
    const t = within(values[i] / scale, -1, 1);
    const end = t < 0 ? low : high;
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = zero[k] + (end[k] - zero[k]) * Math.abs(t);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** The colours of −scale, 0 and +scale. */
const signedColours = (node) => ["sym-x", "panel", "sym-mu"].map((name) => channelsOf(hueOf(node, name)));
const shareColours = (node) => ["panel", "sym-z"].map((name) => channelsOf(hueOf(node, name)));

/** A picture of `frame` in which places of a small share are dark: values (0..1) of height x width, enlarged smoothly. */
function paintLit(canvas, frame, values, height, width, side) {
  if (canvas.width !== side || canvas.height !== side) Object.assign(canvas, { width: side, height: side });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.imageSmoothingEnabled = true;
  if (frame) context.drawImage(frame, 0, 0, side, side);
  else {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, side, side);
  }
  if (!values) return;
  const veil = (paintLit.veil ??= document.createElement("canvas"));
  Object.assign(veil, { width, height });
  const small = veil.getContext("2d");
  const image = small.createImageData(width, height);
  for (let i = 0; i < height * width; i++) image.data[4 * i + 3] = 225 * (1 - within(values[i], 0, 1));
  small.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(veil, 0, 0, side, side);
}

/** The maps of an activation as it came: at(k) -> Float32Array of size h x w, real numbers again. */
function mapsOf(node) {
  const bytes = bytesOf(node.maps);
  const [height, width] = node.size;
  return {
    height, width, count: node.low.length,
    at(k) {
      const [low, high] = [node.low[k], node.high[k]];
      return Float32Array.from(bytes.subarray(k * height * width, (k + 1) * height * width), (v) => low + (v / 255) * (high - low));
    },
  };
}

/** A canvas with one map of an activation; `.paint()` draws it in the colours of the mode. */
function mapCanvas(node, k, label, name = "") {
  const canvas = piece("canvas", { class: ("map " + name).trim(), role: "img", "aria-label": label });
  const maps = mapsOf(node);
  const values = maps.at(k);
  const scale = Math.max(Math.abs(node.low[k]), Math.abs(node.high[k])) || 1;
  canvas.paint = () => paintSigned(canvas, values, maps.height, maps.width, scale, signedColours(canvas));
  canvas.values = values;
  return canvas;
}

/** Paints all maps below a node; again when the mode changes. */
function paintAll(holder) {
  const run = () => holder.isConnected && holder.querySelectorAll("canvas").forEach((canvas) => canvas.paint?.());
  if (holder.repaint) repaints.delete(holder.repaint);
  repaints.add((holder.repaint = run));
  run();
}

/** A bitmap as a canvas. */
function bitmapCanvas(frame, label, name = "") {
  const canvas = piece("canvas", { class: ("shot " + name).trim(), role: "img", "aria-label": label, width: frame.width, height: frame.height });
  canvas.getContext("2d").drawImage(frame, 0, 0);
  return canvas;
}
