// Be the noise predictor: the noise that was added, the noise that the network sees, and how far apart they are.

function makePredictor(lab, cells, start) {
  const maps = {
    eps: heatMap("The true noise", ["True noise ", ["i", "ε"]].map(asNode), cells),
    untold: heatMap("The predicted noise without caption", ["Predicted ", ["i", "ε̂"], ", no caption"].map(asNode), cells),
    told: heatMap("The predicted noise with caption", ["Predicted ", ["i", "ε̂"], ", caption read"].map(asNode), cells),
    difference: heatMap("The difference", "Difference", cells),
  };
  const shots = {
    untold: pictureBox("The picture as the network estimates it, without caption", "x̂₀ at once, no caption"),
    told: pictureBox("The picture as the network estimates it, with caption", "x̂₀ at once, caption read"),
  };
  const loss = piece("p", { class: "reading", "data-fact": "loss" });
  const cell = piece("p", { class: "reading" });
  const estimate = piece("p", { class: "reading" });
  const mapped = piece("p", { class: "aside", "data-fact": "mapped" });
  const chart = chartPlace({ height: 12 });
  const node = piece("div", { class: "grid" }, mapped,
    piece("div", { class: "shots" }, maps.eps.node, maps.untold.node, maps.told.node, maps.difference.node, shots.untold.node, shots.told.node),
    loss, cell, estimate, chart.node,
    piece("p", { class: "aside" }, formula("Little noise is hard to tell from the picture's own detail, so the loss is largest at small ", ["i", "t"], ". Much noise is easy to name, since nearly all of ", ["i", "x"], ["sub", "t"], " is noise; there it is the little that is missed that decides the picture.")));

  function asNode(part) {
    return Array.isArray(part) ? piece(...[part[0], {}, part[1]]) : part;
  }

  const mean = (a, b) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length;

  /** `now`: {t, i, a (of the picture), own (of the network), asked, eps, x, guesses: [Float32Array of all frames], missing: what is said without, caption, dots}. */
  function show(now) {
    const rows = now.guesses?.map((all) => all.subarray(256 * now.i, 256 * (now.i + 1)));
    const told = rows?.[1] ?? null;
    maps.eps.draw(now.eps);
    maps.told.node.hidden = shots.told.node.hidden = !now.caption;
    node.dataset.state = rows ? "ready" : "busy";
    if (!rows) return waitIn([maps.untold, maps.told, maps.difference, shots.untold, shots.told], now.missing);
    const best = told ?? rows[0];
    maps.untold.draw(rows[0]);
    if (told) maps.told.draw(told);
    maps.difference.draw(best.map((v, k) => v - now.eps[k]), 0);
    drawFrame(shots.untold.canvas, now.estimates, now.i);
    if (told) drawFrame(shots.told.canvas, now.estimates, now.i + start.frames.length);

    const [without, withIt] = [mean(rows[0], now.eps), told ? mean(told, now.eps) : NaN];
    loss.replaceChildren(formula(["b", "Loss"], " = mean (", ["i", "ε̂", "c-xhat"], " − ", ["i", "ε", "c-eps"], ")² over 256 numbers = ",
      ["b", fixedText(without, 4)], " without the caption", ...(told ? [", ", ["b", fixedText(withIt, 4)], " with it"] : []), "."));
    loss.dataset.value = without.toFixed(6);
    const k = cells.at;
    cell.replaceChildren(formula("At " + cellName(k) + ": ", ["i", "ε", "c-eps"], " = " + fixedText(now.eps[k], 3) + ", ", ["i", "ε̂", "c-xhat"],
      " = " + fixedText(best[k], 3) + ", difference " + fixedText(best[k] - now.eps[k], 3) + "."));
    const x0 = (now.x[k] - Math.sqrt(1 - now.own) * best[k]) / Math.sqrt(now.own);
    estimate.replaceChildren(formula("One-shot estimate there: ", ["i", "x̂"], ["sub", "0"], " = (", ["i", "x"], ["sub", "t"], " − √(1−ᾱ) ", ["i", "ε̂"], ") / √ᾱ = (" +
      fixedText(now.x[k], 3) + " − " + fixedText(Math.sqrt(1 - now.own), 3) + " · " + factorText(best[k]) + ") / " + fixedText(Math.sqrt(now.own), 3) + " = ", ["b", fixedText(x0, 3)],
      "; the true value is " + fixedText(now.x0[k], 3) + "."));

    const curve = (all, name, colour, dash) => ({ name, colour, dash, points: start.frames.map((t, i) => [t, mean(all.subarray(256 * i, 256 * (i + 1)), now.eps)]) });
    const zero = mean(now.eps, new Float32Array(256));
    const series = [{ name: "always guessing 0: mean ε² = " + fixedText(zero, 2), colour: "muted", dash: "2 3", level: true, points: [[0, zero], [999, zero]] }, curve(now.guesses[0], "no caption", "sym-eps", "5 4")];
    if (now.guesses[1]) series.push(curve(now.guesses[1], "caption read", "sym-xhat", ""));
    if (now.dots.length) series.push({ name: "training examples drawn", colour: "sym-loss", dots: true, points: now.dots });
    chart.show({ series, x: { label: "time step t", min: 0, max: 999 }, y: { label: "Loss for this picture and this noise, logarithmic", log: true, min: 1e-4, max: 10 }, at: now.t,
      words: "The loss of the network over time for this picture" });
  }

  /** Says why another t is asked of the network. */
  function tellMapping(name, now) {
    const first = start.schedules.find((one) => one.name === start.own).abar[0];
    mapped.hidden = name === start.own;
    const taken = " it is asked with its t = " + fixedText(now.asked, 0) + " and takes ᾱ to be " + figureText(now.own) + ".";
    tellText(mapped,
      now.a < start.last * 0.9999 ? "The network was trained on scaled linear, where the noisiest step has ᾱ = " + figureText(start.last) + ". Here ᾱ = " + figureText(now.a) + ", more noise than it ever saw, so" + taken
      : now.a > first ? "The network was trained on scaled linear, where the cleanest step has ᾱ = " + figureText(first) + ". Here ᾱ = " + figureText(now.a) + ", less noise than it ever saw, so" + taken
      : "The network was trained on scaled linear. There the same noise, ᾱ = " + figureText(now.a) + ", is at t = " + fixedText(now.asked, 1) +
        ", so that is the t it is asked with. With t = " + now.t + " it would expect another amount of noise.");
  }

  return { node, show, tellMapping };
}
