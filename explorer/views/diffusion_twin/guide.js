// Two lessons on guidance: what it costs, and why it is Bayes' rule.

function makeGuidance(place, twin) {
  return makePanel(place, twin, {
    name: "guidance", title: "What guidance gives and takes",
    lead: "The same noise is run with twelve guidance scales. More guidance makes the class surer, shrinks the spread, and pushes points beyond the data.",
    build(body) {
      const holders = [piece("div"), piece("div"), piece("div")];
      body.append(piece("div", { class: "trio" }, holders.map((one) => piece("div", { class: "card" }, one))), piece("p", { class: "reading-line" }, "Dashed: the class's own data. The dotted line is the w of the slider."));
      const charts = holders.map((one) => chartIn(one, { height: 11 }));
      return ({ rows, truth, n, about }) => {
        const of = (name) => rows.filter((row) => row[name] !== null).map((row) => [row.w, row[name]]);
        const show = (chart, series, label, level, y = {}) => chart.show({
          series: series.map(([name, words, colour, dash]) => ({ name: words, colour, dash, points: of(name), dots: true })),
          x: { label: "guidance scale w", min: 0, max: 20 }, y: { label, ...y }, levels: level === null ? [] : [{ y: level, label: "true: " + fixedText(level, 3) }], at: twin.settings.w,
        });
        show(charts[0], [["right", "right class", "sym-z"], ["near", "near the data", "sym-xhat", "4 3"]], "share of samples", null, { min: 0, max: 1 });
        show(charts[1], [["spread", "", "sym-sigma"]], "spread " + about + ", per axis", truth.spread, { min: 0 });
        show(charts[2], [["radius", "", "sym-mu"]], "mean distance from the middle", truth.radius);
        const at = (w) => rows.find((row) => row.w === w);
        const [none, one, much] = [at(0), at(1), at(8)];
        return `With ${wholeText(n)} samples: w = 0 finds the class in ${percentText(none.right)}, w = 1 in ${percentText(one.right)}, w = 8 in ${percentText(much.right)}; the spread goes from ${fixedText(one.spread, 3)} (w = 1; the data have ${fixedText(truth.spread, 3)}) to ${much.spread === null ? "none" : fixedText(much.spread, 3)} (w = 8), the distance from ${fixedText(one.radius, 2)} to ${fixedText(much.radius, 2)}.`;
      };
    },
    ready: () => (twin.settings.y === null ? "Choose a class first: without one there is nothing to guide to." : null),
  });
}

function makeBayes(place, twin) {
  const reach = 3;
  let at = { x: [0.5, 0.5], t: 500 };
  const panel = makePanel(place, twin, {
    name: "bayes", route: "bayes", title: "Classifier guidance is classifier-free guidance",
    lead: "Bayes' rule says ∇log p(x|y) = ∇log p(x) + ∇log p(y|x). Left: the score of the class's own mixture. Right: the score of all data, plus the gradient of a perfect classifier, by automatic differentiation. Neither is made from the other.",
    ask: () => ({ x: at.x, t: at.t }),
    build(body) {
      const sliders = [
        slider("x₁", { min: -reach, max: reach, step: 0.1, value: at.x[0], words: (v) => fixedText(v, 1), change: (v) => move({ x: [v, at.x[1]] }), fact: "bayes-x1" }),
        slider("x₂", { min: -reach, max: reach, step: 0.1, value: at.x[1], words: (v) => fixedText(v, 1), change: (v) => move({ x: [at.x[0], v] }), fact: "bayes-x2" }),
        slider("t", { min: 1, max: 999, step: 1, value: at.t, words: wholeText, change: (v) => move({ t: v }), fact: "bayes-t" }),
      ];
      const sum = piece("div", { class: "card" }), guided = piece("div", { class: "card" }), all = piece("div", { class: "card" });
      body.append(piece("div", { class: "tools wide" }, sliders.map((one) => one.node)), piece("div", { class: "duo" }, sum, guided), all);
      const soon = soonOnce(() => panel.show(), 120);
      const move = (changes) => {
        at = { ...at, ...changes };
        soon();
      };
      const tone = (name, words) => piece("b", { style: `color: var(${HUES[name]})` }, words);
      const raised = (v) => String(v).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
      const tiny = (v) => (v === 0 ? "0" : v.toExponential(0).replace(/e[+]?(.*)/, (_, power) => " · 10" + raised(power)));
      return (told) => {
        const name = twin.className(twin.settings.y);
        sum.replaceChildren(piece("h4", {}, `At x = ${vecText(told.x, 1)}, t = ${told.t}`),
          tableOf([["", "value"], [tone("free", "∇log p(x)"), vecText(told.free, 6)], [`∇log p(${name} | x), p = ${fixedText(told.share, 3)}`, vecText(told.slope, 6)],
            ["their sum", vecText(told.free.map((v, i) => v + told.slope[i]), 6)], [tone("told", `∇log p(x | ${name})`), vecText(told.given, 6)]], "Bayes' identity"),
          piece("p", { class: "quiet", "data-worst": told.worst }, `They differ by ${tiny(told.worst)}.`));
        guided.replaceChildren(piece("h4", {}, `The guided noise, scale ${told.w}`),
          tableOf([["", "ε̂"], ["classifier: ε̂ − w √(1−ᾱ) ∇log p(y|x)", vecText(told.classifier, 6)], ["classifier-free: ε̂ + w (ε̂ of y − ε̂)", vecText(told.free_guidance, 6)]], "Two guidances"),
          piece("p", { class: "quiet" }, `Two whole films of ${twin.settings.steps} steps from the same noise end ${tiny(told.films)} apart.`));
        const worst = Math.max(...told.rows.map((row) => row.worst));
        all.replaceChildren(piece("h4", {}, `${wholeText(told.points)} places on a grid`),
          tableOf([["t", ...told.rows.map((row) => String(row.t))], ["largest score", ...told.rows.map((row) => fixedText(row.largest, 2))], ["largest difference", ...told.rows.map((row) => tiny(row.worst))]], "Differences over a grid"));
        return `The identity holds to ${tiny(worst)} at ${wholeText(told.points * told.rows.length)} places: in the exact model the two guidances are one. A trained classifier and a trained network only come near it.`;
      };
    },
    ready: () => (twin.settings.y === null ? "Choose a class first: without one there is nothing to guide to." : null),
  });
  return panel;
}
