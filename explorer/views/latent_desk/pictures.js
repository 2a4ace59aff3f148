// Draws ImageData onto canvases of any size. Knows no codes.

const ROUND = 0.09; // a corner's radius, of the side

/**
 * Fills a canvas, smoothly enlarged to the pixels that it really has on the screen, its corners round.
 *
 * The corners are left empty here, not clipped by CSS: a page of clipped canvases costs a render pass for each of them
 * in every frame, also in those in which only one has changed.
 */
function paint(canvas, image) {
  const side = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1));
  const wide = clamp(side, image.width, 1536);
  const context = canvas.getContext("2d");
  if (canvas.width !== wide || !canvas.dataset.round) {
    canvas.width = canvas.height = wide; // clears it, and the clip with it
    canvas.dataset.round = "yes";
    context.beginPath();
    context.roundRect(0, 0, wide, wide, wide * Math.min(ROUND, 16 / canvas.clientWidth || ROUND));
    context.clip();
  }
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmapOf(image), 0, 0, wide, wide);
}

// putImageData cannot scale, so pixels pass through one small canvas. One serves all: drawing is synchronous.
const through = new OffscreenCanvas(1, 1);

function bitmapOf(image) {
  if (through.width !== image.width) through.width = image.width;
  if (through.height !== image.height) through.height = image.height;
  through.getContext("2d").putImageData(image, 0, 0);
  return through;
}

/** |a - b|, three times as strong, in the colours in which they differ. */
function differencePicture(a, b) {
  const out = new ImageData(a.width, a.height);
  for (let i = 0; i < a.data.length; i++) {
    out.data[i] = i % 4 === 3 ? 255 : 3 * Math.abs(a.data[i] - b.data[i]);
  }
  return out;
}
