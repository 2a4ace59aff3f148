// A picture with what the model looked at laid over it: as heat, or as light on what counts.

const HEAT_GAMMA = 0.6; // maps are peaked: without it their slopes cannot be seen
const HEAT_STOPS = [
  [255, 214, 60],
  [255, 122, 0],
  [214, 20, 60],
]; // weak, middling, strong

function heatOf() {
  const image = piece("img", { class: "heat-picture", alt: "" });
  const canvas = piece("canvas", { class: "heat-map", "aria-hidden": "true" });
  const node = piece("div", { class: "heat" }, image, canvas);
  let [map, side, look, sees] = [null, 0, "light", "middle"];

  /** The map covers what the model saw: the middle square of a picture, all of it squashed, or a square padded around it. */
  function place() {
    const { naturalWidth: w, naturalHeight: h } = image;
    if (!w) return;
    const square = sees === "padded" ? Math.max(w, h) : Math.min(w, h);
    const [wide, high] = sees === "all" ? [w, h] : [square, square];
    node.style.aspectRatio = w + " / " + h;
    Object.assign(canvas.style, {
      left: ((w - wide) / 2 / w) * 100 + "%",
      top: ((h - high) / 2 / h) * 100 + "%",
      width: (wide / w) * 100 + "%",
      height: (high / h) * 100 + "%",
    });
    node.dataset.cut = String(wide < w || high < h);
  }
  image.addEventListener("load", place);

  function draw() {
    canvas.hidden = !map;
    if (!map) return;
    const small = Object.assign(document.createElement("canvas"), { width: side, height: side });
    const pixels = new ImageData(side, side);
    map.forEach((value, i) => {
      const v = Math.max(0, Math.min(1, value)) ** HEAT_GAMMA;
      const at = v * (HEAT_STOPS.length - 1);
      const [a, b, t] = [HEAT_STOPS[Math.floor(at)], HEAT_STOPS[Math.ceil(at)], at % 1];
      const colour = look === "heat" ? a.map((c, k) => c + (b[k] - c) * t) : [12, 14, 18];
      pixels.data.set([...colour, 255 * (look === "heat" ? Math.min(1, v * 1.15) * 0.92 : (1 - v) * 0.94)], 4 * i);
    });
    small.getContext("2d").putImageData(pixels, 0, 0);
    Object.assign(canvas, { width: 320, height: 320 });
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, 320, 320);
  }

  return {
    node,
    picture(src, alt) {
      if (image.getAttribute("src") !== src) image.src = src;
      image.alt = alt;
    },
    show(values, n, what = "middle") {
      [map, side, sees] = [values, n, what];
      place();
      draw();
    },
    look(name) {
      look = name;
      draw();
    },
    get cut() {
      return node.dataset.cut === "true";
    },
    opacity: (value) => (canvas.style.opacity = value),
  };
}
