// What the sections are made of: more numbers as text, boxes, files for the visitor. Knows no desk.

/** A number in about four characters that still tells it: 0.0047, 0.93, 12.4, 961. */
function numberText(value, digits = 3) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1000) return minusText(wholeText(value));
  if (size !== 0 && size < 1e-3) return minusText(value.toExponential(1));
  const decimals = Math.max(0, Math.min(digits + 1, digits - Math.floor(Math.log10(size || 1)) - 1));
  return minusText(value.toFixed(decimals));
}
/** A setting as one would type it: 4, 7.5, 0.25. */
const settingText = (value) => (Number.isFinite(value) ? minusText(String(Number(value.toFixed(3)))) : "–");
const secondsText = (seconds) => (seconds < 90 ? seconds.toFixed(seconds < 10 ? 1 : 0) + " s" : Math.round(seconds / 60) + " min");

/** Hands a file to the visitor. */
function handOver(blob, name) {
  const link = piece("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A <details> that lies over the page: it closes when one clicks elsewhere or presses Escape. */
function floating(details) {
  document.addEventListener("pointerdown", (event) => details.contains(event.target) || (details.open = false));
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    details.open = false;
    details.firstElementChild.focus();
  });
  return details;
}

/** The first picture among what was dropped or pasted, or null. */
function pictureIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
}
