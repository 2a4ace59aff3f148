// The dial of beta: one map, the same pictures and the same draws at every stop, and the point on the rate-distortion curve.

const DIAL_TWEEN = 450, DIAL_PAUSE = 1500; // ms that points glide; ms between the stops of a film

/** makeDial(start, {clouds, half(model), values, tell(stop), pick(i)}) -> {node, set(stop), pictures(sprite), paint(), play, rest} */
function makeDial(start, hooks) {
  const { stops } = start, still = matchMedia("(prefers-reduced-motion: reduce)");
  const words = (stop) => (stop === "kl" ? "KL only (β without end)" : "β = " + stop + (stop === "0" ? " (reconstruction only)" : stop === "1" ? " (a VAE)" : ""));
  let at = 2, sprite = null, frame = 0, timer = 0, shownAt = 2; // shownAt: where the points are, between stops while they glide
  const map = makeMap({ label: "Latent map at this stop of the dial", hover() {}, rest() {}, tap: (z) => hooks.tap(z, stops[at]) });
  const slider = sliderOf({ label: "Beta", min: 0, max: stops.length - 1, step: 1, value: at, input: (i) => (pause(), go(i)), "data-do": "beta", list: null });
  const name = piece("b", { class: "dial-name", "aria-live": "polite" });
  const play = buttonOf({ words: "Play", press: () => (timer ? pause() : film()), "data-do": "play-dial" });
  const marks = piece("div", { class: "dial-marks", "aria-hidden": "true" }, stops.map(({ stop }) => piece("span", {}, stop === "kl" ? "KL" : stop)));
  const strips = ["The pictures, never seen in training", "Painted again from their code", "Drawn from the prior, the same draws at each stop"].map((text, i) => {
    // As high as it will be: nothing moves when the pictures come.
    const canvas = piece("canvas", { class: "strip", role: "img", "aria-label": text, width: start.size * (i < 2 ? start.pictures : start.draws), height: start.size });
    return { canvas, node: piece("figure", { class: "shot" }, canvas, piece("figcaption", {}, text)) };
  });
  const most = Math.max(...stops.flatMap(({ card }) => card.kl));
  const bars = [0, 1].map((d) => {
    const fill = piece("span", { class: "kl-fill" }), number = piece("b");
    return { fill, number, node: piece("div", { class: "kl-bar" }, piece("span", {}, `z${"₀₁"[d]}`), piece("span", { class: "kl-track" }, fill), number) };
  });
  const curve = makeCurve(stops), bill = piece("p"), lesson = piece("p", { class: "aside" });
  const node = piece("section", { class: "card dial", "aria-label": "The dial of beta" },
    piece("header", {}, piece("h3", {}, "The β dial"), piece("p", { class: "muted" }, "One network, trained six times: how much does the KL cost?")),
    piece("div", { class: "dial-bar" }, play, piece("div", { class: "dial-slide" }, slider, marks), name),
    piece("div", { class: "dial-body" },
      piece("div", { class: "dial-map" }, map.node, piece("p", { class: "muted" }, "While points glide they are no model; only the six stops are.")),
      piece("div", { class: "dial-side" }, strips.map((one) => one.node),
        piece("div", { class: "kl-bars" }, piece("p", { class: "muted" }, "KL of each number of the code, in nats"), bars.map((one) => one.node))),
      piece("div", { class: "dial-curve" }, curve.node,
        piece("p", { class: "curve-key muted" }, piece("span", { class: "key held-key" }, "never seen"), stops[0].card.train && piece("span", { class: "key seen-key" }, "trained on"), piece("span", { class: "key equal-key" }, "same D + βR")),
        bill)),
    lesson);

  function paintStrip({ canvas }, from, count) {
    const { width, height, sheet, columns } = sprite;
    if (canvas.width !== width * count) Object.assign(canvas, { width: width * count, height });
    const context = canvas.getContext("2d");
    for (let i = 0; i < count; i++) {
      const index = from + i;
      context.drawImage(sheet, (index % columns) * width, Math.floor(index / columns) * height, width, height, i * width, 0, width, height);
    }
  }

  function paintPictures() {
    if (!sprite) return;
    const { pictures, draws } = start, block = pictures + at * (pictures + draws);
    paintStrip(strips[0], 0, pictures);
    paintStrip(strips[1], block, pictures);
    paintStrip(strips[2], block + pictures, draws);
  }

  function tell() {
    const { stop, beta, card } = stops[at];
    const endless = beta === "kl", total = endless ? null : card.distortion + beta * card.rate;
    tellText(name, words(stop));
    bars.forEach(({ fill, number }, d) => ((fill.style.width = (100 * card.kl[d]) / most + "%"), tellText(number, fixedText(card.kl[d], 1))));
    tellParts(bill, [
      piece("span", { class: "c-prior" }, `Rate R = ${fixedText(card.rate, 1)}`), ", ", piece("span", { class: "c-xhat" }, `distortion D = ${fixedText(card.distortion, 1)}`), " nats. ",
      endless ? "Next to an endless β the picture weighs nothing: R is driven to 0." : piece("span", {}, piece("b", {}, `D + βR = ${fixedText(total, 1)}`), beta === 1 ? ", the negative ELBO, is what is minimised" : ` is what is minimised; the negative ELBO is D + R = ${fixedText(card.distortion + card.rate, 1)}`, `. The dashed line joins all (R, D) with the same D + βR: its slope is −β.`),
      cheaper(card, beta, total),
    ]);
    slider.set(at);
    slider.setAttribute("aria-valuetext", words(stop));
    Object.assign(node.dataset, { stop, sum: endless ? "" : total.toFixed(3) });
  }

  /** Training is not perfect: another stop may do better at this one's price, on pictures that were never seen. */
  function cheaper(card, beta, total) {
    if (total === null) return null;
    const price = (one) => one.card.distortion + beta * one.card.rate;
    const other = stops.reduce((a, b) => (price(b) < price(a) ? b : a));
    return other.card === card || total - price(other) < 0.05 ? null : ` Here the network of ${words(other.stop)} would be the better buy, at ${fixedText(price(other), 1)}: each was trained for minutes, and these pictures are new to it.`;
  }

  const best = (of) => stops.reduce((a, b) => (of(b).distortion < of(a).distortion ? b : a));
  function teach() {
    const [held, seen] = [best(({ card }) => card), best(({ card }) => card.train ?? card)];
    const parts = [`Distortion is the squared error divided by 2σ², with the decoder's σ = ${start.sigma}. Multiply the whole objective by σ²: half the squared error + βσ² KL. So only βσ² matters; a narrower decoder and a smaller β are the same thing. `];
    if (held !== seen) parts.push(`Pictures it was trained on are painted best with ${words(seen.stop)} (${fixedText(seen.card.train.distortion, 1)} nats), pictures it has never seen with ${words(held.stop)} (${fixedText(held.card.distortion, 1)} nats): a code that is free of charge is spent on learning by heart.`);
    tellParts(lesson, parts);
  }

  function paint() {
    const model = stops[at], cloud = hooks.clouds.get(model.name);
    map.set({ cloud: cloud ?? null, mu: null, half: hooks.half(model), ...hooks.look(model) });
    map.paint();
  }

  /** To another stop: everything but the points is there at once; the points glide. */
  function go(i, glide = true) {
    i = Math.min(stops.length - 1, Math.max(0, i));
    const from = shownAt, before = stops[Math.round(from)];
    at = i;
    tell(), paintPictures(), curve.set(at);
    hooks.tell(stops[at]);
    cancelAnimationFrame(frame);
    const a = hooks.clouds.get(before.name), b = hooks.clouds.get(stops[at].name);
    if (!glide || !a || !b || still.matches || from === at) return (shownAt = at), paint();
    const began = performance.now(), mu = new Float32Array(a.mu.length), halves = [hooks.half(before), hooks.half(stops[at])];
    const origin = map.shown.mu?.slice() ?? a.mu;
    const draw = (now) => {
      const t = Math.min(1, (now - began) / DIAL_TWEEN), s = t * t * (3 - 2 * t);
      for (let n = 0; n < mu.length; n++) mu[n] = (1 - s) * origin[n] + s * b.mu[n];
      shownAt = from + s * (at - from);
      curve.between(stops.indexOf(before), at, s);
      if (t === 1) return (shownAt = at), curve.set(at), paint();
      map.set({ cloud: b, mu, half: (1 - s) * halves[0] + s * halves[1], holes: false, names: null, values: hooks.look(stops[at]).values });
      map.paint();
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
  }

  function film() {
    tellText(play.firstChild, "Pause");
    if (at === stops.length - 1) go(0);
    const next = () => {
      if (at === stops.length - 1) return pause();
      go(at + 1);
      timer = setTimeout(next, DIAL_PAUSE);
    };
    timer = setTimeout(next, at === 0 ? DIAL_PAUSE : 200);
  }

  function pause() {
    clearTimeout(timer);
    timer = 0;
    tellText(play.firstChild, "Play");
  }

  teach(), tell(), curve.set(at);
  return {
    node, map, go, paint, toggle: () => (timer ? pause() : film()), rest: pause,
    pictures: (found) => ((sprite = found), paintPictures(), (node.dataset.pictures = "true")),
    get model() { return stops[at]; }, get index() { return at; },
  };
}
