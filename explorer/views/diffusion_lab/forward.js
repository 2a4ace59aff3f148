// The forward lab: a picture, a schedule, a time step; what noise does to it, and what the network says.

async function makeForward(place, lab) {
  const start = await lab.wire.get("forward/start");
  const link = lab.link("fl");
  const { frames, schedules } = start;
  const named = (name) => schedules.find((one) => one.name === name);
  const nearest = (t) => frames.reduce((best, one, i) => (Math.abs(one - t) < Math.abs(frames[best] - t) ? i : best), 0);
  const face = link.number("face", 3, 0, start.faces - 1);
  const now = {
    picture: "face:" + Math.round(face), seed: Math.round(link.number("seed", 0, 0, 999_999_999)), schedule: named(link.get("schedule"))?.name ?? start.own,
    i: nearest(link.number("t", 400, 0, 999)), caption: null, numbers: null, film: null, guesses: null, estimates: null, dots: [], missing: WAITS,
  };
  let asking = null;

  // ---- What is drawn ----

  const cells = heatCells(27, () => draw());
  const heats = {
    x0: heatMap("The latent of the picture", sub("x", "0"), cells),
    eps: heatMap("The noise", [piece("i", {}, "ε")], cells),
    x: heatMap("The noisy latent", sub("x", "t"), cells),
  };
  const shots = {
    x: pictureBox("The noisy latent, decoded", [...sub("x", "t"), " decoded"]), large: pictureBox("The noisy picture, large", [...sub("x", "t"), " itself"]),
    start: pictureBox("The picture", sub("x", "0")), eps: pictureBox("The noise in pixels", [piece("i", {}, "ε")]), pixels: pictureBox("The noisy picture", sub("x", "t")),
  };
  const factors = [[0, 1], [0, 1]].map((pair) => pair.map(() => piece("span", { class: "factor" })));
  const cellLine = piece("p", { class: "reading", "data-fact": "cell" });
  const level = piece("p", { class: "reading", "data-fact": "level" });
  const about = piece("p", { class: "aside" });
  const trouble = troublePlace();
  const film = transport("t", { count: frames.length, at: now.i, words: (i) => "t = " + frames[i], turn: (i) => turn(i), fact: "t" });
  const charts = levelCharts(schedules, (t) => (film.pause(), film.go(nearest(t))));
  const predictor = makePredictor(lab, cells, start);
  const example = makeExample(lab, cells, { question: () => ({ picture: now.picture, schedule: now.schedule, caption: now.caption }), drawn: (t, loss) => (now.dots.push([t, loss]), draw()) });
  const chooser = subjectChooser(lab, start, { picture: now.picture, pick: (name) => ((now.picture = name), (now.caption = null), remember(), load()) });
  const caption = piece("input", { type: "text", maxlength: 400, "aria-label": "Caption that the network reads", placeholder: "No caption: only without", onchange: () => ((now.caption = caption.value.trim()), remember(), ask(), forgetDots()) });
  const seed = numberField("Seed of the noise", { min: 0, max: 999_999_999, value: now.seed, pick: (v) => ((now.seed = v), remember(), load()), "data-field": "seed" });
  const schedule = segments("Schedule", schedules.map((one) => [one.name, one.title, one.about]), now.schedule, (name) => ((now.schedule = name), remember(), swap()));

  function sub(letter, index) {
    return [piece("i", {}, letter), piece("sub", {}, index)];
  }

  const sum = (k, x0, eps, x) => piece("div", { class: "sum" },
    piece("span", { class: "times" }, factors[k][0], piece("small", {}, "√ᾱ ·")), x0, piece("b", { class: "sign" }, "+"),
    piece("span", { class: "times" }, factors[k][1], piece("small", {}, "√(1−ᾱ) ·")), eps, piece("b", { class: "sign" }, "="), x);

  place.append(
    piece("header", { class: "part-head" }, piece("h3", {}, "Forward: a picture drowns in noise"),
      piece("p", {}, "Drag the time step. Every ", piece("i", {}, "x"), piece("sub", {}, "t"), " is one mixture of the picture and the same noise. The network's whole task is to say which noise it was.")),
    chooser.node,
    piece("div", { class: "card lead" },
      piece("div", { class: "tools" }, schedule.node, seed.node), about, film.node, level,
      piece("div", { class: "pair" },
        piece("section", { class: "space" }, piece("h4", {}, "In the latent: 4 × 8 × 8 = 256 numbers"), piece("div", { class: "decoded" }, shots.x.node, piece("p", { class: "aside" }, "The decoder knows latents of faces. From whatever comes in it paints something like one, so noise in the latent looks like smears and wrong colours, not like grain.")),
          sum(0, heats.x0.node, heats.eps.node, heats.x.node), cellLine),
        piece("section", { class: "space" }, piece("h4", {}, "In pixels: 3 × 64 × 64 = 12,288 numbers"), piece("div", { class: "decoded" }, shots.large.node, piece("p", { class: "aside" }, "The same ᾱ applied to the pixels themselves, as DDPM did: grain. Squint or step back: neighbouring pixels are alike, and averaging them takes noise away again. Large pictures need more noise for that reason.")),
          sum(1, shots.start.node, shots.eps.node, shots.pixels.node))),
      piece("div", { class: "tools" },
        button("Film as GIF", () => save("gif"), { "data-do": "gif" }), button("Film as PNG strip", () => save("strip"), { "data-do": "strip" }),
        button("This moment as PNG", moment, { "data-do": "png" })),
      trouble.node),
    piece("div", { class: "card" }, piece("h4", {}, "Four schedules"),
      piece("p", { class: "aside" }, "Click or drag in a chart to move t. The thick line is the schedule above. Where ᾱ does not reach 0, a trace of the picture is left at the last step, and a sampler that starts from pure noise starts from something the network never saw."),
      charts.node),
    piece("div", { class: "card", "data-card": "predictor" }, piece("h4", {}, "Be the noise predictor"),
      piece("label", { class: "named wide" }, piece("span", {}, "Caption"), caption),
      piece("p", { class: "aside" }, start.prediction === "v_prediction"
        ? formula("This network says ", ["i", "v"], " = √ᾱ ", ["i", "ε"], " − √(1−ᾱ) ", ["i", "x"], ["sub", "0"], ". From it ", ["i", "ε̂"], " = √ᾱ ", ["i", "v̂"], " + √(1−ᾱ) ", ["i", "x"], ["sub", "t"], " follows exactly; its loss in ", ["i", "v"], " is the loss below divided by ᾱ.")
        : "This network says the noise itself."),
      predictor.node),
    example.node);

  // ---- Numbers of this moment, all computed here ----

  function draw() {
    if (!now.numbers) return;
    const t = frames[now.i];
    const one = named(now.schedule);
    const a = one.abar[t];
    const [signal, noise] = [Math.sqrt(a), Math.sqrt(1 - a)];
    const { x0, eps, pixels, grain } = now.numbers;
    const x = x0.map((v, k) => signal * v + noise * eps[k]);
    heats.x0.draw(x0);
    heats.eps.draw(eps);
    heats.x.draw(x);
    if (now.film) drawFrame(shots.x.canvas, now.film, now.i);
    else waitIn([shots.x], now.missing);
    drawTensor(shots.start.canvas, pixels, 64);
    drawTensor(shots.eps.canvas, grain.map((v) => v / 3), 64);
    const noisy = pixels.map((v, k) => signal * v + noise * grain[k]);
    for (const shot of [shots.pixels, shots.large]) drawTensor(shot.canvas, noisy, 64);
    for (const [first, second] of factors) {
      tellText(first, fixedText(signal, 3));
      tellText(second, fixedText(noise, 3));
    }
    const snr = a / (1 - a);
    level.replaceChildren(formula("At ", ["i", "t"], " = " + t + ": ᾱ = ", ["b", figureText(a)], ", √ᾱ = " + fixedText(signal, 3) + ", √(1−ᾱ) = " + fixedText(noise, 3) + ", SNR = ",
      ["b", figureText(snr)], a > 0 ? " (" + fixedText(10 * Math.log10(snr), 1) + " dB)" : " (nothing of the picture is left)", "."));
    const k = cells.at;
    cellLine.replaceChildren(formula(cellName(k) + ": ", ["i", "x", "c-x"], ["sub", "t"], " = " + fixedText(signal, 3) + " · " + factorText(x0[k]) + " + " + fixedText(noise, 3) + " · " + factorText(eps[k]) + " = ", ["b", fixedText(x[k], 3)]));
    const own = within(a, start.last, named(start.own).abar[0]); // where the network's own schedule ends, so does what it knows
    const moment = { ...now, t, a, own, asked: one.asked[now.i], eps, x, x0 };
    charts.show(now.schedule, t);
    predictor.tellMapping(now.schedule, moment);
    predictor.show(moment);
    lab.facts({ step: t, t });
    place.dataset.abar = a;
  }

  function turn(i) {
    now.i = i;
    link.set({ t: frames[i] });
    draw();
  }

  function remember() {
    const face = now.picture.startsWith("face:") ? now.picture.slice(5) : null;
    link.set({ face, seed: now.seed || null, schedule: now.schedule === start.own ? null : now.schedule });
  }

  function forgetDots() {
    now.dots = [];
    example.forget();
  }

  // ---- What is fetched ----

  const question = () => ({ picture: now.picture, seed: now.seed, schedule: now.schedule });

  /** Another picture or seed: all is new. */
  async function load() {
    forgetDots();
    asking?.abort();
    const signal = (asking = new AbortController()).signal;
    place.dataset.film = "busy";
    trouble.clear();
    waitIn([...Object.values(shots), ...Object.values(heats)]);
    try {
      const reply = await lab.wire.floats("forward/numbers", { picture: now.picture, seed: now.seed }, { signal });
      const at = [0, 256, 512, 512 + 12288, 512 + 2 * 12288];
      const [x0, eps, pixels, grain] = at.slice(0, 4).map((from, i) => reply.values.subarray(from, at[i + 1]));
      now.numbers = { x0, eps, pixels, grain };
      if (now.caption === null) now.caption = caption.value = reply.header("x-caption");
      await fetchFilm(signal);
    } catch (error) {
      if (!signal.aborted) return fail(error, load);
    }
    return null;
  }

  /** Another schedule: the pixels are computed here, the rest is asked. */
  async function swap() {
    forgetDots();
    asking?.abort();
    const signal = (asking = new AbortController()).signal;
    try {
      await fetchFilm(signal);
    } catch (error) {
      if (!signal.aborted) fail(error, swap);
    }
  }

  async function fetchFilm(signal) {
    place.dataset.film = "busy";
    now.film = now.guesses = now.estimates = null;
    now.missing = WAITS;
    tellText(about, named(now.schedule).about);
    draw();
    now.film = await lab.wire.sprite("forward/film", question(), { signal });
    place.dataset.film = "ready";
    draw();
    guess(signal);
  }

  /** Another caption: only the network is asked again. */
  function ask() {
    asking?.abort();
    guess((asking = new AbortController()).signal);
  }

  async function guess(signal) {
    place.dataset.guess = "busy";
    now.guesses = now.estimates = null;
    now.missing = WAITS;
    draw();
    try {
      const query = { ...question(), caption: now.caption };
      const reply = await lab.wire.floats("forward/guess", query, { signal });
      const size = frames.length * 256;
      const guesses = Array.from({ length: reply.shape[0] }, (_, k) => reply.values.subarray(k * size, (k + 1) * size));
      const estimates = await lab.wire.sprite("forward/estimates", query, { signal });
      Object.assign(now, { guesses, estimates });
      place.dataset.guess = "ready";
      draw();
    } catch (error) {
      if (!signal.aborted) fail(error, ask);
    }
  }

  function fail(error, retry) {
    for (const what of ["film", "guess"]) if (place.dataset[what] === "busy") place.dataset[what] = "failed";
    now.missing = "not here";
    waitIn([...Object.values(shots), ...Object.values(heats)].filter(({ node }) => node.dataset.wait), now.missing);
    draw();
    trouble.show(error, retry);
    trouble.node.scrollIntoView({ block: "nearest" });
  }

  // ---- Files ----

  const save = (format) => lab.wire.file("forward/film", { ...question(), format, fps: 12 }).catch((error) => window.explorer.toast(error.message));

  async function moment() {
    const t = frames[now.i];
    const parts = [[shots.start.canvas, "x0"], [shots.pixels.canvas, "x_t in pixels, t = " + t], [heats.x.canvas, "x_t in the latent"], [shots.x.canvas, "x_t decoded"]];
    handOver(await boardOf(parts), "forward-t" + t + ".png");
  }

  await Promise.all([chooser.fill(), load()]);
  return {
    show: () => (chooser.offer(), draw()),
    rest: () => film.pause(),
    keys: { Space: film.toggle, ArrowLeft: () => film.go(film.at - 1), ArrowRight: () => film.go(film.at + 1), Home: () => film.go(0), End: () => film.go(frames.length - 1), e: example.draw },
  };
}
