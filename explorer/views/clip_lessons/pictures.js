// Pictures of a reference: an <img> that says when it is missing, and one to draw on a canvas. Knows no lesson.

/** A picture of the reference, as a face of 64 pixels is best enlarged. `swap(ref)` shows another. */
function pictureOf(wire, ref, alt, size = 128) {
  const node = piece("img", { class: "picture", alt, draggable: "false", decoding: "async" });
  node.swap = (next, words = node.alt) => {
    const address = wire.image(next, size);
    node.alt = words;
    if (node.getAttribute("src") === address) return;
    node.removeAttribute("data-missing");
    node.src = address;
  };
  node.addEventListener("error", () => (node.dataset.missing = "true"));
  if (ref) node.swap(ref);
  return node;
}

/** The picture, loaded, or null where it cannot be had: a missing picture spoils no export. */
function loadedPicture(address) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = address;
  });
}

/** A PNG that came as base64, as an address. */
const pngAddress = (text) => "data:image/png;base64," + text;

/** The colours of the mode that the page is in. */
function inkOf(node) {
  const style = getComputedStyle(node);
  return (name) => style.getPropertyValue("--" + name).trim();
}

const hexChannels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** A colour between two palette colours, t in 0..1. */
function mixedColour(from, to, t) {
  const [a, b] = [hexChannels(from), hexChannels(to)];
  return "rgb(" + a.map((v, k) => Math.round(v + (b[k] - v) * t)).join(" ") + ")";
}

/** A canvas as wide and high as it is shown, in the pixels of the screen; drawing is in CSS pixels. Null while it is hidden. */
function freshCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return null;
  const ratio = Math.min(3, devicePixelRatio || 1);
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}
