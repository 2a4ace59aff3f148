// Two losses over the steps: of training a line, held out a dashed one; other runs thin behind them.

/** Round numbers from `low` to `high`, about three steps apart, each written with the decimals the step needs: [value, text]. Never "-0". */
function curveTicks(low, high) {
  const raw = (high - low) / 3, power = 10 ** Math.floor(Math.log10(raw));
  if (!(raw > 0) || !Number.isFinite(raw)) return [];
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * 0.75), decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), ticks = [];
  for (let i = Math.ceil(low / step - 1e-9) || 0; i * step <= high + step * 1e-9; i++) ticks.push([i * step, decimals ? (i * step).toFixed(decimals) : wholeText(i * step)]);
  return ticks;
}

/** drawCurves(canvas, {name, runs: [{moments, strong}], at}): name is "reconstruction" or "kl". */
function drawCurves(canvas, { name, runs, at }) {
  const width = canvas.clientWidth || 300, height = canvas.clientHeight || 150, ratio = Math.min(2, devicePixelRatio || 1);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d"), css = getComputedStyle(canvas);
  const colour = (key) => css.getPropertyValue(key);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const left = 46, right = 8, top = 8, bottom = 22;
  const held = "held_" + name;
  const last = Math.max(10, ...runs.map(({ moments }) => moments.at(-1)?.step ?? 0));
  // The first moments are those of random weights and would press all that follows into a line.
  const shown = runs.flatMap(({ moments }) => moments.filter(({ step }) => step > last * 0.02).flatMap(({ losses }) => [losses[name], losses[held]])).filter((v) => v !== null && Number.isFinite(v));
  const high = Math.max(name === "kl" ? 0.5 : 1, ...shown) * 1.04, low = name === "kl" ? 0 : Math.min(high, ...shown) * 0.96;
  const x = (step) => left + (step / last) * (width - left - right);
  const y = (value) => top + (1 - (Math.min(value, high) - low) / (high - low || 1)) * (height - top - bottom);

  context.font = "11px system-ui, sans-serif";
  context.fillStyle = colour("--muted");
  context.strokeStyle = colour("--line");
  context.textBaseline = "middle";
  for (const [value, text] of curveTicks(low, high)) {
    context.beginPath();
    context.moveTo(left, y(value));
    context.lineTo(width - right, y(value));
    context.stroke();
    context.textAlign = "right";
    context.fillText(text, left - 5, y(value));
  }
  context.textAlign = "left";
  context.fillText("0", left, height - 8);
  context.textAlign = "right";
  context.fillText(wholeText(last) + " steps", width - right, height - 8);

  for (const { moments, strong } of [...runs].sort((a, b) => a.strong - b.strong)) {
    for (const [key, dash] of [[name, []], [held, [5, 4]]]) {
      context.strokeStyle = strong ? colour(name === "kl" ? "--sym-prior" : "--sym-xhat") : colour("--muted");
      context.globalAlpha = strong ? 1 : 0.45;
      context.lineWidth = strong ? 2 : 1.25;
      context.setLineDash(dash);
      context.beginPath();
      let begun = false;
      for (const { step, losses } of moments) {
        if (losses[key] === null) continue;
        begun ? context.lineTo(x(step), y(losses[key])) : context.moveTo(x(step), y(losses[key]));
        begun = true;
      }
      context.stroke();
    }
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
  if (at !== null) {
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x(at), top);
    context.lineTo(x(at), height - bottom);
    context.stroke();
  }
}
