// Bitmaps onto canvases: sharp on every screen, and nothing is drawn that is there already.

const SMOOTH_FROM = 32; // frames this wide are pictures; smaller ones are latents, whose cells are to be seen

/** A canvas that shows one bitmap at a time as large as it stands: `.show(bitmap)`. */
function screenOf(name, label) {
  const node = piece("canvas", { class: "screen " + name, role: label ? "img" : null, "aria-label": label || null, "aria-hidden": label ? null : "true" });
  let [shown, wide] = [null, 0];
  function paint() {
    const width = Math.round(Math.min(1024, Math.max(1, node.clientWidth * devicePixelRatio)));
    if (width !== wide) node.width = node.height = wide = width;
    const context = node.getContext("2d");
    context.clearRect(0, 0, width, width);
    if (!shown) return;
    context.imageSmoothingEnabled = shown.width >= SMOOTH_FROM;
    context.imageSmoothingQuality = "high";
    try {
      context.drawImage(shown, 0, 0, width, width);
    } catch {
      shown = null; // a film that was put away meanwhile
    }
  }
  new ResizeObserver(() => node.clientWidth && paint()).observe(node);
  node.show = (bitmap) => {
    if (bitmap === shown) return;
    shown = bitmap;
    node.dataset.blank = !bitmap;
    paint();
  };
  node.dataset.blank = true;
  return node;
}

/** Which frames of a film of `count` a strip of `room` pixels shows: as many as fit, evenly chosen, the first and the last too. */
function chosenFrames(count, room, cell) {
  const fits = Math.max(2, Math.min(count, Math.floor(room / cell)));
  if (count < 2) return [0];
  return Array.from({ length: fits }, (_, i) => Math.round((i * (count - 1)) / (fits - 1)));
}

/** Frames side by side on one canvas of a row; `frame(i)` gives the bitmap of frame i or null. */
function paintStrip(canvas, room, height, chosen, frame) {
  const scale = devicePixelRatio;
  const [wide, high] = [Math.max(1, Math.round(room * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, wide, high);
  const cell = wide / chosen.length;
  const side = Math.min(cell - 2 * scale, high);
  chosen.forEach((i, place) => {
    const bitmap = frame(i);
    if (!bitmap) return;
    context.imageSmoothingEnabled = bitmap.width >= SMOOTH_FROM;
    context.imageSmoothingQuality = "high";
    const left = Math.round(place * cell + (cell - side) / 2);
    try {
      context.drawImage(bitmap, left, Math.round((high - side) / 2), side, side);
    } catch {
      // closed meanwhile
    }
  });
}
