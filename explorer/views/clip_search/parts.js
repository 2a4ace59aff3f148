// What the sections are made of: more numbers as text, boxes that scroll, canvases as files. Knows no desk.

const shareText = (share, digits = 0) => (Number.isFinite(share) ? (share * 100).toFixed(digits) + " %" : "–");
const msText = (ms) => (ms < 10 ? ms.toFixed(1) + " ms" : ms < 1000 ? Math.round(ms) + " ms" : (ms / 1000).toFixed(1) + " s");
const ticksText = (seconds) =>
  seconds < 90
    ? Math.max(1, Math.round(seconds)) + " s"
    : seconds < 5400
      ? Math.round(seconds / 60) + " min"
      : (seconds / 3600).toFixed(1) + " h";
const bytesText = (bytes) =>
  bytes < 1e6
    ? wholeText(Math.max(1, bytes / 1000)) + " kB"
    : bytes < 1e9
      ? (bytes / 1e6).toFixed(1) + " MB"
      : (bytes / 1e9).toFixed(1) + " GB";
const dayText = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);

/** A box that scrolls sideways, and says so while not all of it is seen. */
function scrolling(name, content = null, more = {}) {
  const box = piece("div", { class: name, ...more }, content);
  const look = () => (box.dataset.wide = String(box.scrollWidth > box.clientWidth + 1));
  new ResizeObserver(look).observe(box);
  new MutationObserver(look).observe(box, { childList: true, subtree: true });
  return box;
}

/** A canvas or a video as a PNG, at most `side` pixels. */
function shotOf(source, side = 512) {
  const [width, height] = [source.videoWidth || source.width, source.videoHeight || source.height];
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = Object.assign(document.createElement("canvas"), {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  });
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
