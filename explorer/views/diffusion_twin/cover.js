// Three lessons on what is generated: coverage beside a GAN, memorisation, and the race of step counts.

function makeCoverage(place, twin) {
  return makePanel(place, twin, {
    name: "coverage", title: "Coverage, beside a GAN",
    lead: "A GAN may forget kinds of data and still fool its judge; a diffusion model follows the density, so every mode gets its share. No class is asked for here. The score is exact, where a trained network would add its own errors; the GAN is the one that the GAN tab ships for these data.",
    build(body) {
      const pictures = piece("div", { class: "minis" }), shares = piece("div", { class: "card" }), table = piece("div");
      body.append(pictures, table, shares);
      return (told) => {
        const hue = { truth: "sym-x", diffusion: "sym-xhat", gan: "sym-mu" };
        pictures.replaceChildren(...told.rows.map((row) => scatterFigure({
          title: row.title, points: row.points, hue: hue[row.name], note: `${percentText(row.near)} near the data` + (row.hit ? `, ${row.hit} of ${told.shares.length} modes` : ""),
        })));
        table.replaceChildren(tableOf([["", "near the data", "modes reached", "distance from the data"], ...told.rows.map((row) =>
          [row.title, fixedText(100 * row.near, 1) + " %", row.hit ? `${row.hit} of ${told.shares.length}` : "–", fixedText(row.distance, 3)])], "Coverage"),
        piece("p", { class: "reading-line" }, `${wholeText(told.n)} samples each. Near: within three standard deviations of the data, where 98.9 % of them are. Distance: sliced Wasserstein, in the plot's units; the data drawn again show how much is chance. ${told.why}`));
        shares.hidden = !told.shares;
        if (told.shares) {
          shares.replaceChildren(piece("h4", {}, "Share of each mode"), piece("div", { class: "mode-bars" }, told.shares.map((share, k) =>
            piece("div", { class: "mode" }, piece("span", { class: "bar-words" }, `${k + 1}`), piece("div", { class: "mode-columns" },
              told.rows.map((row) => piece("span", { title: `${row.title}: ${fixedText(100 * row.shares[k], 1)} %`, style: `--hue: var(--${hue[row.name]}); height: ${(100 * row.shares[k]) / Math.max(...told.shares, ...told.rows.flatMap((one) => one.shares))}%` }))),
            piece("span", { class: "bar-words quiet" }, fixedText(100 * share, 0) + " %")))),
          piece("p", { class: "legend" }, told.rows.map((row) => piece("span", { style: `--hue: var(--${hue[row.name]})` }, piece("i", { "aria-hidden": "true" }), row.title)), " Below: the true share of the mode."));
        }
        const [truth, diffusion, gan] = ["truth", "diffusion", "gan"].map((name) => told.rows.find((row) => row.name === name));
        if (!gan) return `Diffusion puts ${percentText(diffusion.near)} near the data.`;
        const off = (row) => row.shares && Math.max(...row.shares.map((v, k) => Math.abs(v - told.shares[k]) / told.shares[k]));
        return `Near the data: ${percentText(diffusion.near)} by diffusion, ${percentText(gan.near)} by the GAN` + (off(gan) ? `; the mode that is furthest from its share is off by ${percentText(off(diffusion))} of it with diffusion, ${percentText(off(gan))} with the GAN, and ${percentText(off(truth))} by chance alone.` : ".");
      };
    },
  });
}

function makeMemory(place, twin) {
  return makePanel(place, twin, {
    name: "memory", title: "Memorisation",
    lead: "The perfect denoiser of a finite training set can only return that set: with s = 0 every sample is a copy. A little width s, as a network's smoothness gives it, lets new points appear; too much loses the data.",
    build(body) {
      const charts = [piece("div"), piece("div")], pictures = piece("div", { class: "minis small" });
      body.append(piece("div", { class: "duo" }, charts.map((one) => piece("div", { class: "card" }, one))), pictures);
      const [near, copies] = charts.map((one) => chartIn(one, { height: 11 }));
      return (told) => {
        const x = { label: "width s", min: 0, max: 0.4 };
        near.show({ series: [
          { name: "to the nearest training point (median)", colour: "sym-xhat", dots: true, points: told.rows.map((row) => [row.s, row.median]) },
          ...(told.fresh ? [{ name: "from the true data (Wasserstein)", colour: "sym-x", dash: "4 3", dots: true, glyph: "square", points: told.rows.map((row) => [row.s, row.distance]) }] : []),
        ], x, y: { label: "distance", min: 0 }, levels: told.fresh ? [{ y: told.fresh.median, label: "fresh data: " + fixedText(told.fresh.median, 3) }] : [], at: told.now });
        copies.show({ series: [{ name: "", colour: "sym-mu", dots: true, points: told.rows.map((row) => [row.s, row.copies]) }], x, y: { label: "share of copies", min: 0, max: 1 },
          levels: told.fresh ? [{ y: told.fresh.copies, label: "fresh data: " + percentText(told.fresh.copies) }] : [], at: told.now });
        pictures.replaceChildren(...[0, 2, 4, 6].map((i) => told.rows[i]).map((row) => scatterFigure({
          title: `s = ${row.s}`, points: row.points, behind: told.train, note: `${percentText(row.copies)} copies; nearest at ${row.median < 0.0005 ? "less than 0.001" : fixedText(row.median, 3)}`,
        })), piece("p", { class: "reading-line" }, `${wholeText(told.n)} samples (dots) and ${wholeText(told.size)} training points (diamonds). A copy lies three times nearer to one training point than to the second nearest. The film is followed ${told.below} steps beneath the schedule's least noise, which is wider than training points lie apart.`));
        const zero = told.rows[0], best = told.fresh && told.rows.reduce((a, b) => (b.distance < a.distance ? b : a));
        return `With s = 0, ${percentText(zero.copies)} of ${wholeText(told.n)} samples are copies (largest distance ${zero.worst < 0.0005 ? "below 0.001" : fixedText(zero.worst, 3)}), of ${wholeText(zero.used)} of the ${wholeText(told.size)} different training points${best ? `; nearest to the true data is s = ${best.s}, with ${percentText(best.copies)} copies, where fresh data have ${percentText(told.fresh.copies)}` : ""}.`;
      };
    },
  });
}

function makeRace(place, twin) {
  return makePanel(place, twin, {
    name: "race", title: "The race of steps",
    lead: "The same noise in 2 to 100 steps, with a perfect score: what is left is the sampler's own error. A network would be called as often.",
    build(body) {
      const charts = [piece("div"), piece("div")], pictures = piece("div", { class: "minis small" });
      body.append(piece("div", { class: "duo" }, charts.map((one) => piece("div", { class: "card" }, one))), pictures);
      const [near, away] = charts.map((one) => chartIn(one, { height: 11 }));
      return (told) => {
        const series = (name) => [["ode", "ODE, eta 0", "sym-xhat", ""], ["sde", "SDE, eta 1", "sym-sigma", "4 3"]].map(([kind, words, colour, dash]) => ({
          name: words, colour, dash, dots: true, glyph: kind === "ode" ? "circle" : "square", points: told.rows.map((row) => [row.steps, row[kind][name]]),
        }));
        const x = { label: "steps (calls of the score)", log: true };
        near.show({ series: series("near"), x, y: { label: "share near the data", min: 0, max: 1 }, levels: [{ y: told.truth.near, label: "true: " + fixedText(100 * told.truth.near, 1) + " %" }] });
        away.show({ series: series("distance"), x, y: { label: "distance from the data", min: 0 }, levels: [{ y: told.truth.distance, label: "chance: " + fixedText(told.truth.distance, 3) }] });
        pictures.replaceChildren(...[1, 2, 3, 4].map((i) => told.rows[i]).map((row) => scatterFigure({ title: `${row.steps} steps`, points: row.ode.points, note: `${fixedText(100 * row.ode.near, 1)} % near (ODE), ${fixedText(100 * row.sde.near, 1)} % (SDE)` })),
          piece("p", { class: "reading-line" }, `${wholeText(told.n)} samples each, the ODE's are drawn. ${twin.settings.y === null ? "No class." : `The class ${twin.className(twin.settings.y)} with w = 1: more guidance has another goal than the data.`} Distance: sliced Wasserstein, in the plot's units.`));
        const at = (steps) => told.rows.find((row) => row.steps === steps);
        return `Near the data by the ODE: ${[5, 10, 25, 50].map((steps) => `${fixedText(100 * at(steps).ode.near, 1)} % in ${steps} steps`).join(", ")}; by the SDE ${fixedText(100 * at(5).sde.near, 1)} % in 5 and ${fixedText(100 * at(50).sde.near, 1)} % in 50. Of the data themselves it is ${fixedText(100 * told.truth.near, 1)} %.`;
      };
    },
    ready: () => null,
  });
}
