// One of the three ways as a column: its equation with the numbers of one cell, its film, what pushes it, and the verdict.

const WAYS = {
  labels: { title: "Explicit conditioning", colour: "sym-z", line: "The condition is an input. The network was trained with it; nothing is pushed." },
  classifier: { title: "Classifier guidance", colour: "sym-mu", line: "The network is asked without the condition. A classifier of noisy latents says which way its certainty rises." },
  free: { title: "Classifier-free guidance", colour: "sym-sigma", line: "Two predictions, with and without the condition. Their difference takes the classifier's place." },
};

/** On a phone the three columns stand below each other; this small row keeps them side by side. */
function trioOf() {
  const boxes = Object.entries(WAYS).map(([name, { title, colour }]) => {
    const canvas = piece("canvas", { class: "picture", width: 64, height: 64, role: "img", "aria-label": title, style: "border-top: .1875rem solid var(--" + colour + ")" });
    return { name, canvas, node: piece("div", { class: "shot", "data-wait": WAITS }, canvas) };
  });
  const node = piece("div", { class: "trio" }, boxes.map((box) => box.node));
  return { node, wait: (words) => waitIn(boxes, words), show: (films, i) => boxes.forEach(({ name, canvas }) => drawFrame(canvas, films[name].x0, i)) };
}

function makeWay(name, cells, { knob = null } = {}) {
  const { title, colour, line } = WAYS[name];
  const film = pictureBox(title + ": the picture as estimated at this step", [piece("i", {}, "x̂"), piece("sub", {}, "0"), " at this step"]);
  const noisy = pictureBox(title + ": the noisy latent, decoded", [piece("i", {}, "x"), piece("sub", {}, "t")]);
  const push = name === "labels" ? null : pictureBox(title + ": what the push changes in the picture", [piece("i", {}, "x̂"), piece("sub", {}, "0"), " with minus without the push, amplified"]);
  const map = name === "labels" ? null : heatMap(name === "classifier" ? "The gradient of log p of the wish" : "The difference of the two predictions",
    name === "classifier" ? formula("∇ log ", ["i", "p"], "(", ["i", "y"], " | ", ["i", "x"], ["sub", "t"], ")") : formula(["i", "ε"], "(", ["i", "x"], ["sub", "t"], ", ", ["i", "y"], ") − ", ["i", "ε"], "(", ["i", "x"], ["sub", "t"], ")"), cells);
  const equation = piece("p", { class: "equation" });
  const filled = piece("p", { class: "reading", "data-fact": "equation" });
  const cost = piece("p", { class: "aside", "data-fact": "cost" });
  const verdict = piece("table", { class: "verdict" });
  const node = piece("section", { class: "card way", "data-way": name, style: "--way: var(--" + colour + ")" },
    piece("h4", {}, title), piece("p", { class: "aside" }, line), knob ?? piece("p", { class: "knob-none" }, "No scale: w = 1."), equation,
    piece("div", { class: "shots" }, film.node, noisy.node, map?.node, push?.node), filled, verdict, cost);
  equation.append(formula(...{
    labels: [["i", "ε̂"], " = ", ["i", "ε"], "(", ["i", "x"], ["sub", "t"], ", ", ["i", "y"], ")"],
    classifier: [["i", "ε̂"], " = ", ["i", "ε"], "(", ["i", "x"], ["sub", "t"], ") − ", ["i", "s"], " √(1−ᾱ) ∇ log ", ["i", "p"], "(", ["i", "y"], " | ", ["i", "x"], ["sub", "t"], ")"],
    free: [["i", "ε̂"], " = ", ["i", "ε"], "(", ["i", "x"], ["sub", "t"], ") + ", ["i", "w"], " (", ["i", "ε"], "(", ["i", "x"], ["sub", "t"], ", ", ["i", "y"], ") − ", ["i", "ε"], "(", ["i", "x"], ["sub", "t"], "))"],
  }[name]));

  /** `now`: {i, t, abar, s, w, rows: the seven tensors of this step, films, p: [per attribute], asked: [words], judged, calls, seconds, total}. */
  function show(now) {
    drawFrame(film.canvas, now.films.x0, now.i);
    drawFrame(noisy.canvas, now.films.x, now.i);
    if (push) drawFrame(push.canvas, now.films.push, now.i);
    const k = cells.at;
    const [plain, gradient, guided, without, withIt, mixed, only] = now.rows;
    const root = Math.sqrt(1 - now.abar);
    if (name === "classifier") {
      map.draw(gradient, 0);
      filled.replaceChildren(formula(fixedText(plain[k], 3) + " − " + fixedText(now.s, 1) + " · " + fixedText(root, 3) + " · " + (gradient[k] < 0 ? "(" + figureText(gradient[k]) + ")" : figureText(gradient[k])) + " = ", ["b", fixedText(guided[k], 3)], ["small", " at " + cellName(k)]));
    } else if (name === "free") {
      map.draw(withIt.map((v, c) => v - without[c]), 0);
      filled.replaceChildren(formula(fixedText(without[k], 3) + " + " + fixedText(now.w, 1) + " · (" + fixedText(withIt[k], 3) + " − " + factorText(without[k]) + ") = ", ["b", fixedText(mixed[k], 3)], ["small", " at " + cellName(k)]));
    } else {
      filled.replaceChildren(formula(["i", "ε̂"], " = ", ["b", fixedText(only[k], 3)], ["small", " at " + cellName(k)]));
    }
    verdict.replaceChildren(
      piece("thead", {}, piece("tr", {}, piece("th", { scope: "col" }, "Wish"), piece("th", { scope: "col" }, piece("i", {}, "p"), "(", piece("i", {}, "y"), " | ", piece("i", {}, "x"), piece("sub", {}, "t"), ")"), piece("th", { scope: "col" }, "Judge, at the end"))),
      piece("tbody", {}, now.asked.map((words, a) => {
        const one = now.judged?.[a];
        const right = one && one.seen === one.value;
        return piece("tr", {}, piece("th", { scope: "row" }, words),
          piece("td", {}, piece("span", { class: "gauge", style: "--p:" + now.p[a] }), shareText(now.p[a])),
          piece("td", { class: right ? "right" : "wrong" }, one ? (right ? "✓ " + shareText(one.p) : "✗ sees " + one.seen) : "…"));
      })));
    const right = now.judged?.filter((one) => one.seen === one.value).length;
    node.dataset.right = right ?? "";
    tellText(cost, "Network evaluations (NFE): " + now.calls + (name === "classifier" ? " and " + now.total + " gradients" : "") + ". Time: " + fixedText(now.seconds, 2) + " s for " + now.total + " steps.");
  }

  /** The picture of another scale at this step, from the stored predictions. */
  function preview(sprite, scale) {
    drawFrame(film.canvas, sprite, 0);
    tellText(cost, "At this step with " + (name === "free" ? "w" : "s") + " = " + fixedText(scale, 1) + ", from the stored predictions; let go to run all steps with it.");
  }

  const wait = (words) => waitIn([film, noisy, push, map].filter(Boolean), words);
  return { node, show, wait, preview, film: film.canvas };
}
