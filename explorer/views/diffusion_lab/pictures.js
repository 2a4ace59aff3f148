// Pictures on canvases: frames of a sprite, and tensors of pixels. Knows no part.

function pictureBox(name, caption, attributes = {}) {
  const canvas = piece("canvas", { class: "picture", width: 64, height: 64, role: "img", "aria-label": name });
  const words = piece("figcaption", {}, ...[caption].flat());
  const node = piece("figure", { class: "shot", "data-wait": WAITS, ...attributes }, canvas, words);
  return { node, canvas, words };
}

/** A box whose picture is still to come says so, over what it last showed; with null it is there. */
const WAITS = "computing …";
function waitIn(boxes, words = WAITS) {
  for (const { node } of boxes) {
    if (words === null) delete node.dataset.wait;
    else node.dataset.wait = words;
  }
}
const isDrawn = (canvas) => delete canvas.closest("[data-wait]")?.dataset.wait;

/** Frame i of a sprite, as it is; the canvas takes its size. */
function drawFrame(canvas, film, i) {
  if (!film) return;
  const { sheet, width, height, columns, count } = film;
  if (canvas.width !== width) Object.assign(canvas, { width, height });
  const at = within(i, 0, count - 1);
  canvas.getContext("2d").drawImage(sheet, (at % columns) * width, Math.floor(at / columns) * height, width, height, 0, 0, width, height);
  canvas.dataset.frame = at;
  isDrawn(canvas);
}

/** (3, side, side) numbers around zero, where −1 is black and 1 full, onto a canvas. */
function drawTensor(canvas, values, side) {
  if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
  const image = new ImageData(side, side);
  const all = side * side;
  for (let p = 0; p < all; p++) {
    for (let c = 0; c < 3; c++) image.data[4 * p + c] = Math.round((within(values[c * all + p], -1, 1) + 1) * 127.5);
    image.data[4 * p + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  isDrawn(canvas);
}

/** Several canvases side by side with words below, as one PNG. */
function boardOf(parts, side = 256) {
  const gap = 16;
  const styles = getComputedStyle(document.body);
  const board = new OffscreenCanvas(parts.length * (side + gap) + gap, side + 2 * gap + 28);
  const brush = board.getContext("2d");
  brush.fillStyle = styles.getPropertyValue("--panel") || "#fff";
  brush.fillRect(0, 0, board.width, board.height);
  brush.fillStyle = styles.getPropertyValue("--ink") || "#000";
  brush.font = "600 15px system-ui, sans-serif";
  brush.textAlign = "center";
  parts.forEach(([canvas, words], i) => {
    const left = gap + i * (side + gap);
    brush.imageSmoothingEnabled = canvas.width >= 64;
    brush.imageSmoothingQuality = "high";
    brush.drawImage(canvas, left, gap, side, side);
    brush.fillText(words, left + side / 2, side + gap + 24, side);
  });
  return board.convertToBlob({ type: "image/png" });
}
