// A latent as it is: its channels as heat maps in one square, blue below zero, orange above. Drawn from the numbers.

const MOSAIC_GAP = 1; // cells of the finest grid between two channels

/** A canvas for latents of the shape [c, h, w]: `.paint(values, scale)`, scale being the number at full colour. */
function mosaicOf(label, name = "") {
  const node = piece("canvas", { class: "mosaic " + name, role: label ? "img" : null, "aria-label": label || null });
  let last = null;
  node.paint = (values, shape, scale) => {
    last = [values, shape, scale];
    const [channels, height, width] = shape;
    const columns = Math.ceil(Math.sqrt(channels));
    const rows = Math.ceil(channels / columns);
    const [wide, high] = [columns * width + (columns - 1) * MOSAIC_GAP, rows * height + (rows - 1) * MOSAIC_GAP];
    if (node.width !== wide || node.height !== high) Object.assign(node, { width: wide, height: high });
    const context = node.getContext("2d");
    const image = context.createImageData(wide, high);
    const [low, zero, top] = heatColours(node);
    for (let c = 0; c < channels; c++) {
      const [left, above] = [(c % columns) * (width + MOSAIC_GAP), Math.floor(c / columns) * (height + MOSAIC_GAP)];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const value = values[(c * height + y) * width + x] / scale;
          const share = Math.min(1, Math.abs(value));
          const end = value < 0 ? low : top;
          const at = 4 * ((above + y) * wide + left + x);
          for (let k = 0; k < 3; k++) image.data[at + k] = zero[k] + (end[k] - zero[k]) * share;
          image.data[at + 3] = 255;
        }
      }
    }
    context.putImageData(image, 0, 0);
  };
  /** The same of channels that the server has painted. */
  node.tile = (bitmaps) => {
    last = null;
    const columns = Math.ceil(Math.sqrt(bitmaps.length));
    const side = bitmaps[0].width + 1;
    Object.assign(node, { width: columns * side - 1, height: Math.ceil(bitmaps.length / columns) * side - 1 });
    const context = node.getContext("2d");
    bitmaps.forEach((bitmap, c) => context.drawImage(bitmap, (c % columns) * side, Math.floor(c / columns) * side));
  };
  window.addEventListener("explorer:theme", () => last && node.isConnected && node.paint(...last));
  return node;
}

let heatKept = ["", null];

/** The colours of −scale, 0 and +scale in this mode, as [r, g, b]. */
function heatColours(node) {
  const names = ["--sym-x", "--panel", "--sym-mu"].map((name) => toneOf(node, name));
  if (heatKept[0] !== names.join()) heatKept = [names.join(), names.map(rgbOf)];
  return heatKept[1];
}

const rgbOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** The number that ninety-nine of a hundred values stay below in size. */
function scaleOf(arrays) {
  const every = Math.max(1, Math.round((arrays.length * arrays[0].length) / 20_000)); // enough to know it by
  const sizes = arrays.flatMap((values) => Array.from(values.filter((_, i) => i % every === 0), Math.abs)).sort((a, b) => a - b);
  return sizes[Math.floor(0.99 * (sizes.length - 1))] || 1;
}

const normOf = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** The colours of a mosaic with their numbers: `.tell(scale)`; `painted` where the server chose the colours. */
function heatBarOf() {
  const [low, high] = [piece("span"), piece("span")];
  const node = piece("div", { class: "heat-bar", hidden: true }, low, piece("i"), high);
  node.tell = (scale, painted = false) => {
    node.hidden = !scale;
    if (!scale) return;
    node.dataset.painted = painted;
    tellText(low, "−" + numberText(scale, 2));
    tellText(high, "+" + numberText(scale, 2));
  };
  return node;
}
