// All of q at once: it climbs the ELBO of this one picture, and what it gains is what the encoder missed.

function makeSettle(lab) {
  let shown = null, mine = "";
  const plot = plotPlace({ height: 12 });
  const words = piece("p", { class: "verdict", "aria-live": "polite" });
  const job = makeJob(lab, { node: () => node, path: "elbo/settle", unit: "step", news(told) {
    shown = told;
    paint();
    if (told.state !== "done") return;
    mine = "taking";
    lab.take(told);
    mine = "taken";
  } });
  const start = buttonOf({ words: "Fit q to this picture alone", title: "80 steps of Adam on all mu and sigma; the decoder stays", press: begin, "data-do": "settle" });
  const node = piece("div", { class: "settle", "data-run": "none" }, piece("div", { class: "tools" }, start, job.bar), words, plot.node);

  function begin() {
    shown = null;
    mine = "";
    tellText(words, "Climbing …");
    job.begin(lab.body({ seed: lab.seed }));
  }

  function paint() {
    const steps = shown.elbo;
    if (steps.length < 2) return;
    plot.show({ series: [{ name: "ELBO, of a few draws each", colour: "ink", points: steps.map((v, i) => [i + 1, v]) }], marks: [{ y: lab.own.elbo, colour: "sym-mu" }],
      x: { label: "step" }, y: { label: "nats; the line is the encoder’s" }, words: "The ELBO while q is fitted to this picture" });
  }

  function told(what) {
    if (what === "picture") job.halt();
    if (mine !== "taking" && (what === "picture" || what === "q")) {
      mine = "";
      shown = null;
      plot.clear();
      if (node.dataset.run !== "running") (tellText(words, ""), (node.dataset.run = "none"));
    }
    if (mine && what === "bill" && lab.edited && lab.yours && !lab.late) {
      const gap = lab.yours.elbo - lab.own.elbo, error = errorOf(lab.yours.squared.map((v, i) => v - lab.own.squared[i]));
      node.dataset.gap = gap.toFixed(3);
      tellText(words, `Fitted to this picture alone, q is ${fixedText(Math.abs(gap), 2)} ± ${fixedText(error, 2)} nats ${gap >= 0 ? "better" : "worse"} than the encoder’s: about ${gap >= 0 ? "the amortisation gap" : "no gap that so few steps could close"}. It is your q above now.`);
    }
  }

  return { node, told, rest: () => job.halt() };
}
