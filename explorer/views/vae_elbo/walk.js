// A slice through the ELBO: one number of q walks, all else stays, and the encoder's choice is compared with the best one.

function makeWalk(lab) {
  const { part } = lab;
  let which = part.get("walk") === "mu" ? "mu" : "sigma", shown = null, walking = 0;
  const pick = segmented("Walk", [["sigma", "σ", "The width"], ["mu", "μ", "The middle"]], (value) => {
    which = value;
    part.set({ walk: value === "sigma" ? null : value });
    if (shown) walk();
  });
  pick.set(which);
  const start = buttonOf({ words: "Walk it", title: "Asks the decoder for some 500 pictures along the way", press: walk, name: "strong", "data-do": "walk" });
  const plot = plotPlace({ height: 15 });
  const words = piece("p", { class: "verdict", "aria-live": "polite" });
  const settler = makeSettle(lab);
  const node = piece("section", { class: "card", "data-walk": "none" }, piece("h4", {}, "Is the encoder’s choice the best one?"),
    piece("div", { class: "tools" }, piece("span", { class: "named" }, "walk", pick), start),
    piece("p", { class: "aside" }, "The encoder answers for every picture with one network, so for this one it may miss the best q: the amortisation gap. Here one number moves, with the same noise at every step."), plot.node, words, settler.node);

  async function walk() {
    const stamp = ++walking, dim = lab.dim;
    node.dataset.walk = "busy";
    tellText(words, "Decoding some 540 pictures along the way …");
    start.disabled = true;
    try {
      const found = await part.wire.post("elbo/walk", lab.body({ dim, which, samples: 16, seed: lab.seed }));
      if (stamp !== walking) return;
      shown = { ...found, dim, which };
      paint();
      node.dataset.walk = "done";
    } catch (error) {
      if (stamp === walking) (node.dataset.walk = "none"), tellText(words, ""), window.explorer.toast(error.message);
    } finally {
      if (stamp === walking) start.disabled = false;
    }
  }

  function paint() {
    const { values, elbo, kl, error, here, best, dim, which } = shown;
    const own = elbo[here], gap = elbo[best] - own, start = values[here];
    const rest = kl[here];
    const letter = which === "mu" ? "μ" : "σ", name = lab.edited ? "your" : "the encoder’s";
    plot.show({
      series: [
        { name: "ELBO", colour: "ink", points: values.map((v, i) => [v, elbo[i] - own, error[i]]) },
        { name: "reconstruction alone", colour: "sym-xhat", dash: "6 4", thin: true, points: values.map((v, i) => [v, elbo[i] + kl[i] - own - rest]) },
        { name: "−KL alone", colour: "sym-prior", dash: "2 4", thin: true, points: values.map((v, i) => [v, rest - kl[i]]) },
      ],
      marks: [{ x: start, words: name + " " + letter, colour: "sym-mu" }, { x: values[best], words: "best here", colour: "good", row: 1 }, { y: 0, colour: "line-strong" }],
      x: { label: `${letter} of ${lab.named(dim)}${which === "sigma" ? ", logarithmic" : ""}`, log: which === "sigma" },
      y: { label: `change in nats from ${name} q`, min: Math.max(Math.min(...elbo.map((v) => v - own)), -60) - 1, max: Math.max(2, gap) + Math.min(12, Math.max(2, rest - Math.min(...kl))) },
      words: `The ELBO along ${letter}: best at ${values[best].toFixed(3)}, ${gap.toFixed(2)} nats above`,
    });
    node.dataset.gap = gap.toFixed(4);
    tellText(words, best === here ? `${name[0].toUpperCase() + name.slice(1)} ${letter} = ${shortText(start)} is the best of ${values.length} values.`
      : `Best of ${values.length} values: ${letter} = ${shortText(values[best])}, ${fixedText(gap, 2)} ± ${fixedText(error[best], 2)} nats above ${name} ${shortText(start)}`
        + (gap < 2 * error[best] ? ": no more than chance could make." : lab.beta !== 1 && lab.beta !== 0 && !lab.edited ? `. This encoder was trained with β = ${lab.beta}, so it aims elsewhere.` : lab.beta === 0 && !lab.edited ? ". With β = 0 nobody asked this encoder to keep its KL low." : "."));
  }

  function told(what) {
    settler.told(what);
    if (what === "dim" || what === "picture" || what === "q") {
      walking++;
      start.disabled = false;
      shown = null;
      node.dataset.walk = "none";
      plot.clear();
      tellText(words, "");
    }
  }

  return { node, told, rest: settler.rest };
}
