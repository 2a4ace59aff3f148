// Draws ImageData onto canvases of any size. Knows no codes.

/** Fills a canvas, smoothly enlarged to the pixels that it really has on the screen. */
function paint(canvas, image) {
  const side = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1));
  const wide = clamp(side, image.width, 1536);
  if (canvas.width !== wide) canvas.width = canvas.height = wide;
  const context = canvas.getContext("2d");
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
