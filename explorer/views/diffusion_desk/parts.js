// What the sections are made of: more numbers as text. Knows no desk.

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
