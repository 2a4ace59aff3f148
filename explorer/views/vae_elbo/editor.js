// One dimension of q under a finger: its Gaussian over the prior's, two sliders, and what draws from it look like.

function makeEditor(lab) {
  const { part } = lab;
  const title = piece("h4", {});
  const live = piece("p", { class: "verdict formula", "data-fact": "kl-live" });
  const strip = [-2, -1, 0, 1, 2].map((step) => {
    const canvas = piece("canvas", { class: "picture", width: 64, height: 64 });
    return { step, canvas, node: piece("figure", { class: "shot" }, canvas, piece("figcaption", {}, step === 0 ? "μ" : `μ ${step < 0 ? "−" : "+"} ${Math.abs(step) === 1 ? "" : Math.abs(step)}σ`)) };
  });
  let dragging = false;
  const move = (changes) => (lab.edit(changes, !dragging), (dragging = true));
  const done = () => (dragging = false);
  const gauss = gaussPlace({ moved: move, done, limits: { sigma: [1e-3, 20], far: 12 } });
  const mu = sliderOf({ label: "Middle mu of q", min: -4, max: 4, step: 0.01, value: 0, input: (v) => move({ mu: v }), onchange: done, "data-slide": "mu" });
  const sigma = sliderOf({ label: "Width sigma of q, logarithmic", min: -3, max: 1.3, step: 0.01, value: 0, input: (v) => move({ sigma: 10 ** v }), onchange: done, "data-slide": "sigma" });
  const told = { mu: piece("output", { class: "c-mu" }), sigma: piece("output", { class: "c-sigma" }) };
  const undo = buttonOf({ words: "Undo", title: "Take the last change back (U)", press: () => lab.undo(), "data-do": "undo" });
  const reset = buttonOf({ words: "The encoder’s q", title: "Take all changes back (R)", press: () => lab.reset(), "data-do": "reset" });
  const node = piece("section", { class: "card" },
    piece("div", { class: "tools" }, title, undo, reset),
    piece("div", { class: "editor" },
      piece("div", { class: "editor-board" }, gauss.node, bellKeys(true),
        piece("label", { class: "named wide c-mu" }, piece("i", {}, "μ"), mu, told.mu),
        piece("label", { class: "named wide c-sigma" }, piece("i", {}, "σ"), sigma, told.sigma)),
      piece("div", { class: "editor-side" }, live, piece("div", { class: "shots five" }, strip.map((one) => one.node)),
        piece("p", { class: "aside" }, "What draws one and two σ away decode to, the other numbers at their μ. A wide q pays less KL and is punished by pictures that are not this one."))));

  function paint() {
    const { dim, q, own } = lab, [low, high] = lab.range;
    const far = part.model.far;
    tellText(title, `Move ${lab.named(dim)}`);
    gauss.show({ range: [low, high], q: { mu: q.mu[dim], sigma: q.sigma[dim] }, ghost: { mu: own.mu[dim], sigma: own.sigma[dim] },
      words: `q of dimension ${dim}: mu ${q.mu[dim].toFixed(2)}, sigma ${q.sigma[dim].toFixed(3)}, over the prior` });
    Object.assign(mu, { min: Math.max(-far, low), max: Math.min(far, high) });
    mu.value = q.mu[dim];
    mu.style.setProperty("--at", ((q.mu[dim] - mu.min) / (mu.max - mu.min)) * 100 + "%");
    sigma.value = Math.log10(q.sigma[dim]);
    sigma.style.setProperty("--at", ((Math.log10(q.sigma[dim]) + 3) / 4.3) * 100 + "%");
    tellText(told.mu, evenText(q.mu[dim], 3));
    tellText(told.sigma, fixedText(q.sigma[dim], 3));
    // Of the numbers as they are shown, so that the equation holds for whoever computes it again.
    const m = +q.mu[dim].toFixed(4), s = +q.sigma[dim].toPrecision(4);
    const now = klOf(m, s), before = own.kl[dim];
    tellText(live, `KL of ${lab.named(dim)}: ½ (${m < 0 ? `(${minusText(String(m))})` : m}² + ${s}² − 1) − ln ${s} = ${fixedText(now, 3)} nats`
      + (Math.abs(now - before) > 5e-4 ? `, the encoder’s ${fixedText(before, 3)}` : ""));
    live.dataset.kl = now.toFixed(4);
    undo.disabled = reset.disabled = !lab.edited;
    if (lab.film?.dim === dim) for (const { step, canvas } of strip) lab.film.paint(canvas, q.mu[dim] + step * q.sigma[dim]);
  }

  return { node, told: (what) => what !== "bill" && what !== "unit" && paint() };
}
