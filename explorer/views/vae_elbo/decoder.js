// The decoder as a distribution: its mean, one sample, what is left over, its sigma, and where the bill comes from.

function makeDecoder(lab) {
  const { part } = lab;
  let seed = part.number("sample", 0, 0, 999999) | 0, found = null, temper = 1;
  const shots = {
    x: shotOf("x", "x, the picture"), mean: shotOf("xhat", "x̂ = decode(μ), the mean"), sample: shotOf("sample", "one sample: x̂ + σ · noise"),
    rest: shotOf("residual", "residual x − x̂, luminance"), cost: shotOf("cost", "where the bill comes from"), sigma: shotOf("sigma", "σ of each pixel"),
  };
  const legends = { rest: legendOf(signedColour, -1, 1, ["−1", "+1"]), cost: legendOf(heatColour, 0, 1, ["0", "1"]), sigma: legendOf(heatColour, 0, 1, ["0", "1"]) };
  for (const [name, legend] of Object.entries(legends)) shots[name].node.append(legend);
  const heat = sliderOf({ label: "Share of sigma in the sample", min: 0, max: 1, step: 0.01, value: 1, input: (v) => ((temper = v), paint()), "data-slide": "share" });
  const heatWords = piece("output", {});
  const words = piece("p", { class: "verdict" });
  const node = piece("section", { class: "card view decoder-view" },
    piece("p", { class: "formula lead" }, "p(", symbol("x", "x"), "|", symbol("z", "z"), ") = N(", symbol("x", "x"), "; ", symbol("xhat", "x̂"), " = decode(", symbol("z", "z"), "), ", symbol("sigma", "σ"), "²), each value by itself"),
    piece("div", { class: "tools" }, buttonOf({ words: "Draw a sample", title: "Other noise", press: () => ((seed += 1), part.set({ sample: seed }), ask()), name: "strong", "data-do": "sample" }),
      piece("label", { class: "named wide grow" }, "noise", heat, heatWords)),
    piece("div", { class: "shots six" }, Object.values(shots).map((shot) => shot.node)), words,
    piece("p", { class: "aside" }, "A decoder that is called deterministic is this one with σ = 0: it paints x̂. Samples are noisier than any picture in the data, because the density treats every value as independent of its neighbours; nothing in it knows that noise is not hair. So wherever this tab shows a picture it shows the mean."));

  const asking = latest(async () => {
    const own = lab.own, wanted = seed;
    const told = await decodedPixels(lab, { z: lab.edited ? lab.q.mu : null, seed });
    if (own !== lab.own || wanted !== seed) return;
    found = told;
    paint();
    node.dataset.seed = seed;
    part.facts({ pictured: part.picture });
  });
  const ask = () => asking({});

  function paint() {
    if (!found) return;
    const { x, mean, noise, sigma, size } = found, plane = size * size;
    paintPixels(shots.x.canvas, x, size);
    paintPixels(shots.mean.canvas, mean, size);
    paintPixels(shots.sample.canvas, mean.map((v, i) => v + temper * sigma[i % plane] * noise[i]), size);
    const left = luminanceOf(x.map((v, i) => v - mean[i]), size), top = Math.max(0.05, ...left.map(Math.abs));
    paintWith(shots.rest.canvas, size, (i) => signedColour(left[i] / top));
    const cost = Float64Array.from({ length: plane }, (_, i) => 0.5 * [0, 1, 2].reduce((sum, c) => sum + ((x[c * plane + i] - mean[c * plane + i]) / sigma[i]) ** 2, 0));
    const dear = Math.max(...cost);
    paintWith(shots.cost.canvas, size, (i) => heatColour(Math.sqrt(cost[i] / (dear || 1))));
    const widest = Math.max(...sigma), narrowest = Math.min(...sigma);
    paintWith(shots.sigma.canvas, size, (i) => heatColour(sigma[i] / widest));
    legends.rest.tell(["−" + top.toFixed(2), "+" + top.toFixed(2)]);
    legends.cost.tell(["0", shortText(dear, 2) + " nats"]);
    legends.sigma.tell(["0", widest.toFixed(2)]);
    tellText(heatWords, temper === 0 ? "σ = 0: the mean" : temper === 1 ? "all of σ" : `${temper.toFixed(2)} σ`);
    const total = sumOf(cost), rms = Math.sqrt(meanOf([...x].map((v, i) => (v - mean[i]) ** 2)));
    const pixels = [...cost].sort((a, b) => b - a);
    let half = 0, sum = 0;
    while (sum < total / 2) sum += pixels[half++];
    tellText(words, `Squared errors at μ: ${fixedText(total, 2)} nats, half of them in ${((half / plane) * 100).toFixed(0)} % of the pixels. The residual is ${rms.toFixed(3)} on average (root mean square; ${(rms * 127.5).toFixed(1)} of 255 grey levels), σ is ${narrowest === widest ? widest.toFixed(2) : narrowest.toFixed(2) + " to " + widest.toFixed(2)}: `
      + (rms < narrowest / 2 ? "the decoder claims more noise than it makes errors, so its samples look far worse than its means." : "about as large as the errors it makes."));
    node.dataset.squared = total.toFixed(3);
  }

  return { node, told: (what) => lab.own && ["picture", "shown"].includes(what) && ask(), code: "decoder", settings: () => ({ seed }), table: () => ({ name: "elbo-decoder", json: { model: part.model.name, picture: part.picture, seed, squared_at_mean: +node.dataset.squared }, csv: "model,picture,seed,squared_error_nats\n" + [part.model.name, part.picture, seed, node.dataset.squared].join(",") + "\n" }),
    sheet: () => ({ name: "elbo-decoder", canvases: [[shots.x.canvas, "x"], [shots.mean.canvas, "mean"], [shots.sample.canvas, "one sample"], [shots.rest.canvas, "residual"], [shots.cost.canvas, "cost"], [shots.sigma.canvas, "sigma"]] }) };
}
