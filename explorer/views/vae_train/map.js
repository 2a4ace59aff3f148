// The map of held-out codes at one moment: points coloured by label, the prior's rings to scale. Knows no film.

const LABEL_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#a89200", "#7a4fbf", "#8c8c8c", "#7b4a2b"];
const labelColour = (value) => LABEL_COLOURS[value % LABEL_COLOURS.length];

/** "Nice" half width of a map that holds everything up to `reach`: at least the prior's three rings. */
function mapReach(reach) {
  if (reach <= 3.4) return 3.5;
  const power = 10 ** Math.floor(Math.log10(reach));
  return power * [1, 1.5, 2, 3, 4, 5, 7, 10].find((step) => step * power >= reach * 1.03);
}

/** drawMap(canvas, {places, labels, values, reach, axes, glyphs, marked}): a square canvas of its CSS size. */
function drawMap(canvas, { places, labels, values, reach, axes, glyphs = false, marked = -1, small = false }) {
  const side = canvas.clientWidth || 160, ratio = Math.min(2, devicePixelRatio || 1);
  if (canvas.width !== Math.round(side * ratio)) canvas.width = canvas.height = Math.round(side * ratio);
  const context = canvas.getContext("2d"), css = getComputedStyle(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, side, side);
  const middle = side / 2, unit = (side / 2 - (small ? 2 : 18)) / reach;
  const ink = css.getPropertyValue("--ink"), muted = css.getPropertyValue("--muted"), line = css.getPropertyValue("--line-strong"), prior = css.getPropertyValue("--sym-prior");

  context.strokeStyle = line;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, middle); context.lineTo(side, middle); context.moveTo(middle, 0); context.lineTo(middle, side);
  context.stroke();
  context.strokeStyle = prior;
  for (const radius of [1, 2, 3]) {
    context.globalAlpha = 0.9 - radius * 0.2;
    context.beginPath();
    context.arc(middle, middle, radius * unit, 0, 2 * Math.PI);
    context.stroke();
  }
  context.globalAlpha = 1;

  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = "600 " + (small ? 8 : 11) + "px system-ui, sans-serif";
  for (let i = 0; i < places.length / 2; i++) {
    const x = middle + places[2 * i] * unit, y = middle - places[2 * i + 1] * unit;
    const value = labels ? labels[i] : null;
    context.fillStyle = value === null ? ink : labelColour(value);
    if (glyphs && !small && value !== null) context.fillText(values[value], x, y);
    else {
      context.globalAlpha = value === null ? 0.6 : 0.85;
      context.beginPath();
      context.arc(x, y, small ? 1.6 : 3, 0, 2 * Math.PI);
      context.fill();
      context.globalAlpha = 1;
    }
    if (i === marked) {
      context.strokeStyle = ink;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, 9, 0, 2 * Math.PI);
      context.stroke();
    }
  }
  if (small) return;
  context.fillStyle = muted;
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "right";
  context.fillText(axes[0] + " →", side - 4, middle + 10);
  context.textAlign = "left";
  context.fillText("↑ " + axes[1], middle + 5, 8);
  const tick = reach > 6 ? Math.round(reach / 2) : 3;
  context.textAlign = "center";
  for (const v of [-tick, tick]) {
    context.fillText(minusText(String(v)), middle + v * unit, middle + 10);
    context.fillText(minusText(String(v)), middle - 10, middle - v * unit);
  }
}

/** Which point is nearest to a pointer, -1 where none is near. */
function nearestPoint(canvas, event, places, reach) {
  const box = canvas.getBoundingClientRect(), unit = (box.width / 2 - 18) / reach;
  const x = (event.clientX - box.left - box.width / 2) / unit, y = (box.height / 2 - (event.clientY - box.top)) / unit;
  let best = -1, far = (24 / unit) ** 2;
  for (let i = 0; i < places.length / 2; i++) {
    const d = (places[2 * i] - x) ** 2 + (places[2 * i + 1] - y) ** 2;
    if (d < far) (far = d), (best = i);
  }
  return best;
}
