// The lectures' picture of the vanishing gradient: what G is paid for a judgement of D, and how steep that is, with this run's
// fakes on the curve. Values and slopes are the closed forms that the engines train with (losses.py).

const softplusOf = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoidOf = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** G's loss at D's output l (a logit, or a critic's value), and its slope with respect to l. */
const GENERATOR_LOSSES = {
  non_saturating: { title: "non-saturating", formula: "−log D", value: (l) => softplusOf(-l), slope: (l) => -sigmoidOf(-l) },
  minimax: { title: "minimax", formula: "log(1 − D)", value: (l) => -softplusOf(l), slope: (l) => -sigmoidOf(l) },
  least_squares: { title: "least squares", formula: "½(D − 1)²", value: (l) => (l - 1) ** 2 / 2, slope: (l) => l - 1 },
  wgan: { title: "WGAN", formula: "−D", value: (l) => -l, slope: () => -1 },
  wgan_gp: { title: "WGAN-GP", formula: "−D", value: (l) => -l, slope: () => -1 },
  hinge: { title: "hinge", formula: "−D", value: (l) => -l, slope: () => -1 },
};
const VANISH_LOG = ["non_saturating", "minimax"];

function makeVanish(section, lab) {
  const log = piece("input", { type: "checkbox" });
  const [lossCanvas, slopeCanvas] = ["G’s loss", "Slope of G’s loss"].map((name) =>
    piece("canvas", { class: "vanish-canvas", role: "img", "aria-label": name }));
  const [lossTitle, slopeTitle, key] = [piece("b"), piece("b"), piece("div", { class: "vanish-key" })];
  const reading = piece("p", { class: "vanish-reading" });
  const meaning = piece("p", { class: "vanish-meaning" });
  const logLabel = piece("label", { class: "vanish-log" }, log, "log scale, for small D");
  section.append(
    piece("header", { class: "part-head" }, piece("h3", {}, "Why gradients vanish"), logLabel), key,
    piece("div", { class: "vanish-charts" },
      piece("figure", {}, piece("figcaption", {}, lossTitle), lossCanvas),
      piece("figure", {}, piece("figcaption", {}, slopeTitle), slopeCanvas)),
    reading, meaning);

  const draw = drawnWhenSeen(section, render, 8);

  function render() {
    const frame = lab.frame();
    const settings = lab.lane()?.settings;
    if (!frame || !settings) return;
    const inD = VANISH_LOG.includes(settings.loss); // the x axis is D in (0, 1), else D's bare output
    const logits = frame.fake_logits;
    logLabel.hidden = !inD;
    const logarithmic = inD && log.checked;

    const axis = axisOf(logits, inD, logarithmic);
    const shown = [settings.loss, ...VANISH_LOG.filter((name) => name !== settings.loss)];
    const chosen = GENERATOR_LOSSES[settings.loss];
    const lines = shown.map((name, i) => ({ ...GENERATOR_LOSSES[name], name, chosen: !i }));

    const where = inD ? "D(G(z))" : settings.loss === "least_squares" ? "D’s output for a fake" : "critic’s value of a fake";
    tellText(lossTitle, "G’s loss");
    tellText(slopeTitle, "Its slope at D’s " + (inD ? "logit" : "output"));
    drawOne(lossCanvas, { axis, lines, logits, where, of: (line, l) => line.value(l), range: lossRange(lines, axis),
      logY: false });
    drawOne(slopeCanvas, { axis, lines, logits, where, of: (line, l) => Math.abs(line.slope(l)), range: logarithmic
      ? [axis.low / 2, 2] : slopeRange(chosen, axis), logY: logarithmic });
    legend(lines, inD);

    const mean = (of) => logits.reduce((sum, l) => sum + of(l), 0) / logits.length;
    const slopes = Object.fromEntries(lines.map((line) => [line.name, mean((l) => Math.abs(line.slope(l)))]));
    const meanD = mean((l) => (inD ? sigmoidOf(l) : l));
    const others = lines.slice(1).map((line) => numberText(slopes[line.name]) + " with " + line.title).join(", ");
    reading.replaceChildren(
      "Mean slope of these " + logits.length + " fakes: ", piece("b", {}, numberText(slopes[settings.loss])), " with " +
        chosen.title,
      piece("span", { class: "vanish-other" }, inD ? "; it would be " + others + "." : "; at these values it would be " +
        others + "."));
    tellText(meaning, verdictOf(settings.loss, meanD, slopes));
    Object.assign(section.dataset, {
      loss: settings.loss, fakes: logits.length, meanD: meanD.toPrecision(4), slope: slopes[settings.loss].toPrecision(4),
      nonSaturating: slopes.non_saturating.toPrecision(4), minimax: slopes.minimax.toPrecision(4), log: logarithmic,
    });
  }

  function verdictOf(loss, meanD, slopes) {
    if (loss === "minimax" && meanD < 0.1) {
      return "D is sure that these are fakes, and there log(1 − D) is flat: hardly anything tells G where to go. −log D is " +
        "steep at the same place.";
    }
    if (loss === "minimax") return "D still doubts, so log(1 − D) is steep enough. If D wins and the dots move left, the " +
      "slope goes to 0.";
    if (loss === "non_saturating" && meanD < 0.1) {
      return "D is sure that these are fakes, yet −log D is steep: the slope stays near 1 where log(1 − D) would be flat.";
    }
    if (loss === "non_saturating")
      return "The better a fake, the smaller its slope: −log D spends its force on the bad ones. With log(1 − D) it is the " +
        "other way round.";
    if (loss === "least_squares") return "The slope grows with the distance to 1, so bad fakes are pulled hard and even fakes " +
      "beyond 1 are pulled back.";
    return "A critic is not squashed: the slope is 1 for every fake, however bad. What can vanish is only the critic’s own " +
      "gradient.";
  }

  /** Where the x axis goes, and from a place to the logit there. */
  function axisOf(logits, inD, logarithmic) {
    if (inD && logarithmic) {
      const least = Math.min(...logits.map((l) => sigmoidOf(l)), 0.1);
      const low = 10 ** Math.max(-12, Math.floor(Math.log10(least)));
      return { low, high: 1, log: true, logit: (x) => Math.log(x / Math.max(1 - x, 1e-9)), place: sigmoidOf };
    }
    if (inD) return { low: 0, high: 1, logit: (x) => Math.log(Math.max(x, 1e-9) / Math.max(1 - x, 1e-9)), place: sigmoidOf };
    const [least, most] = [Math.min(...logits), Math.max(...logits)];
    const room = Math.max(0.5, 0.15 * (most - least));
    return { low: Math.min(-1, least - room), high: Math.max(2, most + room), logit: (x) => x, place: (l) => l };
  }

  function lossRange(lines, axis) {
    if (axis.log) return [Math.min(-3, Math.log(axis.low) * 0.25), -Math.log(axis.low) * 1.05];
    if (axis.high === 1 && axis.low === 0) return [-4, 4];
    const ends = [axis.low, axis.high].map((x) => lines[0].value(x));
    return [Math.min(-1, ...ends), Math.max(1, ...ends)];
  }

  function slopeRange(chosen, axis) {
    return [0, Math.max(1.15, 1.1 * Math.abs(chosen.slope(axis.low)), 1.1 * Math.abs(chosen.slope(axis.high)))];
  }

  /** Where D is a bare value, the log losses are those of its sigmoid. */
  function legend(lines, inD) {
    const text = lines.map((line) => line.name).join() + lab.colour("sym-fake");
    if (key.dataset.shape === text) return;
    key.dataset.shape = text;
    key.replaceChildren(
      ...lines.map((line) => piece("span", { class: "curve-entry" },
        drawing('<path d="M0 4h22" stroke="' + colourOf(line) + '" stroke-width="' + (line.chosen ? 2.5 : 1.5) + '"' +
          dashOf(line, true) + "/>", "0 0 22 8", "curve-sample"),
        piece("span", {}, (line.chosen ? "this run: " : "") + line.title + " ",
          piece("i", {}, inD || line.chosen ? line.formula : line.formula.replace("D", "σ(D)"))))),
      piece("span", { class: "curve-entry" },
        drawing('<path d="m6 0 4 4-4 4-4-4z" fill="' + lab.colour("sym-fake") + '"/>', "0 0 12 8", "curve-sample short"),
          piece("span", {}, "this run’s fakes")));
  }

  const colourOf = (line) => lab.colour(line.chosen ? "ink" : line.name === "minimax" ? "sym-loss" : "sym-z");
  const VANISH_DASHES = { minimax: [6, 3], non_saturating: [2, 3] };
  const dashesOf = (line) => (line.chosen ? [] : VANISH_DASHES[line.name]);
  const dashOf = (line) => (line.chosen ? "" : ' stroke-dasharray="' + dashesOf(line).join(" ") + '"');

  function drawOne(canvas, { axis, lines, logits, where, of, range, logY }) {
    const fresh = freshCanvas(canvas);
    if (!fresh) return;
    const { context, width, height } = fresh;
    const size = inPixels(0.6875);
    context.font = size + "px system-ui, sans-serif";
    const box = { left: size * (logY ? 3.4 : 2.6), right: width - size * 0.8, top: size * 0.6, bottom: height - size * 2.9 };
    const scaleX = axis.log ? Math.log10 : (x) => x;
    const [x0, x1] = [scaleX(axis.low), scaleX(axis.high)];
    const toX = (x) => box.left + ((scaleX(Math.max(x, axis.log ? axis.low
      : -Infinity)) - x0) / (x1 - x0)) * (box.right - box.left);
    const scaleY = logY ? (v) => Math.log10(Math.max(v, 1e-30)) : (v) => v;
    const [y0, y1] = range.map(scaleY);
    const toY = (v) => box.bottom - ((scaleY(v) - y0) / (y1 - y0)) * (box.bottom - box.top);
    const inside = (y) => Math.min(box.bottom + 2, Math.max(box.top - 2, y));

    context.strokeStyle = lab.colour("line");
    context.fillStyle = lab.colour("muted");
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const tick of logY ? powerTicks(range[0], range[1], 4) : niceTicks(range[0], range[1], 4)) {
      const at = Math.round(toY(tick)) + 0.5;
      context.beginPath();
      context.moveTo(box.left, at);
      context.lineTo(box.right, at);
      context.stroke();
      context.fillText(tickText(tick, logY), box.left - size * 0.4, at);
    }
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    const ticks = axis.log ? powerTicks(axis.low, axis.high, 4) : niceTicks(axis.low, axis.high, 4);
    for (const tick of ticks) context.fillText(tickText(tick, Boolean(axis.log)), Math.min(width - size, toX(tick)),
      box.bottom + size * 1.35);
    context.fillText(where, (box.left + box.right) / 2, height - size * 0.3);
    context.strokeStyle = lab.colour("line-strong");
    context.beginPath();
    context.moveTo(box.left, Math.round(box.bottom) + 0.5);
    context.lineTo(box.right, Math.round(box.bottom) + 0.5);
    context.stroke();

    context.save();
    context.beginPath();
    context.rect(box.left, box.top - 1, box.right - box.left + 1, box.bottom - box.top + 2);
    context.clip();
    for (const line of [...lines].reverse()) {
      context.strokeStyle = colourOf(line);
      context.lineWidth = line.chosen ? 2.25 : 1.5;
      context.setLineDash(dashesOf(line));
      context.beginPath();
      for (let px = 0; px <= box.right - box.left; px += 1.5) {
        const place = x0 + (px / (box.right - box.left)) * (x1 - x0);
        const x = axis.log ? 10 ** place : place;
        context.lineTo(box.left + px, inside(toY(of(line, axis.logit(x)))));
      }
      context.stroke();
    }
    context.restore();
    context.setLineDash([]);

    // The fakes, as the small diamonds that they are everywhere; beyond the frame they stand at its edge.
    context.fillStyle = lab.colour("sym-fake");
    context.globalAlpha = 0.55;
    for (const l of logits) {
      const [x, y] = [toX(axis.place(l)), inside(toY(of(lines[0], l)))];
      context.beginPath();
      context.moveTo(x, y - 3.5);
      context.lineTo(x + 3.5, y);
      context.lineTo(x, y + 3.5);
      context.lineTo(x - 3.5, y);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  log.addEventListener("change", () => draw(true));
  for (const name of ["frame", "desk", "select", "theme", "layout"]) lab.on(name, () => draw());
  return { losses: GENERATOR_LOSSES };
}
