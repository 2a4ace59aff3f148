// Three guidances side by side: the same noise, the same wish, the same steps.

async function makeGuidances(place, lab) {
  const start = await lab.wire.get("guidances/start");
  const link = lab.link("tg");
  const linked = wishFrom(link.get("wish"), start.factors);
  const scale = start.limits.scale[1];
  const now = {
    seed: Math.round(link.number("seed", 1, 0, 2 ** 31 - 1)), steps: Math.round(link.number("steps", 25, 5, start.limits.steps[1])),
    s: link.number("s", 5, 0, scale), w: link.number("w", 4, 0, scale), told: link.get("told") === "labels" ? "labels" : "text", i: null, done: null,
  };
  let newest = 0;
  let live = null; // {made, total} of a run on its way
  let leave = null; // an AbortController of the question that is out
  let back = null; // while the part is not shown: {there, come}, a promise of its return and what keeps it

  const cells = heatCells(27, () => draw());
  const wish = wishChooser(start.factors, Object.keys(linked).length ? linked : WISHES[0], () => run());
  const knobs = {
    classifier: slider("s", { min: 0, max: scale, step: 0.5, value: now.s, words: (v) => fixedText(v, 1), change: (v) => preview("classifier", v), done: (v) => ((now.s = v), run()), fact: "s", title: "Scale of classifier guidance" }),
    free: slider("w", { min: 0, max: scale, step: 0.5, value: now.w, words: (v) => fixedText(v, 1), change: (v) => preview("free", v), done: (v) => ((now.w = v), run()), fact: "w", title: "Scale of classifier-free guidance" }),
  };
  const told = segments("Told by", [["text", "text", "The wish in words, through the text encoder"], ["labels", "labels", "The same labels as explicit conditioning: at w = 1 both are one and the same"]], now.told, (one) => ((now.told = one), run()));
  const ways = {
    labels: makeWay("labels", cells), classifier: makeWay("classifier", cells, { knob: knobs.classifier.node }),
    free: makeWay("free", cells, { knob: piece("div", { class: "tools" }, knobs.free.node, piece("span", { class: "named" }, "told by", told.node)) }),
  };
  const film = transport("Step", { count: now.steps, at: now.steps - 1, words: (i) => "step " + (live ? live.made : i + 1) + " of " + (live?.total ?? now.done?.steps.length ?? now.steps), turn: (i) => (live ? progress() : ((now.i = i), draw())), fact: "step", pace: 140 });
  const trio = trioOf();
  const seed = numberField("Seed", { min: 0, max: 2 ** 31 - 1, value: now.seed, pick: (v) => ((now.seed = v), run()), "data-field": "seed" });
  const steps = numberField("Steps", { min: 5, max: start.limits.steps[1], value: now.steps, pick: (v) => ((now.steps = v), run()) });
  const state = piece("p", { class: "state", role: "status" });
  const bar = piece("progress", { max: 1, value: 0, hidden: true, "aria-label": "Steps done" });
  const trouble = troublePlace();
  const level = piece("p", { class: "reading" });
  const chart = chartPlace({ height: 12, pick: (i) => (film.pause(), film.go(Math.round(i) - 1)) });
  const agree = piece("p", { class: "reading", "data-fact": "agree" });
  const skill = piece("p", { class: "aside" });
  tellSkill();

  place.append(
    piece("header", { class: "part-head" }, piece("h3", {}, "Three guidances, one wish"),
      piece("p", {}, "All three start from the same noise and take the same DDIM steps. They differ only in how the predicted noise hears of the wish.")),
    piece("div", { class: "card" }, wish.node,
      piece("div", { class: "tools" }, seed.node, button("Another seed", again, { "data-do": "again", class: "button strong" }), steps.node, bar, state), trouble.node),
    piece("div", { class: "card lead sticky" }, film.node, level, trio.node),
    piece("div", { class: "ways" }, ways.labels.node, ways.classifier.node, ways.free.node),
    piece("div", { class: "card" }, piece("h4", {}, "How certain the classifier is on the way"), chart.node, agree, skill,
      piece("p", { class: "aside" }, "By Bayes, ∇ log p(x | y) − ∇ log p(x) = ∇ log p(y | x): the difference that classifier-free guidance takes is the gradient that classifier guidance follows, if both networks are exact. There s = 1 and w = 1 are the same run. The classifier reads one attribute at a time; those of a wish are treated as independent given xₜ, so p(y | xₜ) is their product. That is exact for one attribute only. ",
        button("See it in the exact 2-D model", () => lab.part("twin"), { class: "button small", "data-do": "twin" })),
      piece("div", { class: "tools" }, button("This step as PNG", moment, { "data-do": "png" }),
        ...Object.entries(WAYS).map(([name, { title }]) => button(title + " as GIF", () => save(name), { "data-do": "gif-" + name })))));

  function tellSkill() {
    const known = start.classifier.accuracy;
    if (!known) return;
    tellText(skill, "The classifier has " + start.classifier.parameters.toLocaleString("en") + " parameters. On unseen faces it reads an attribute rightly in " +
      Object.entries(known).map(([t, one]) => Math.round(one.mean * 100) + " % at t = " + t).join(", ") + ". It learned on noisy latents, since it is asked about noisy latents.");
  }

  // ---- A run ----

  const settings = () => ({ wish: wish.wish, seed: now.seed, steps: now.steps, s: now.s, w: now.w, told: now.told });

  function again() {
    now.seed = Math.floor(Math.random() * 10_000);
    seed.show(now.seed);
    return run();
  }

  async function run() {
    const ticket = ++newest;
    const asked = settings();
    film.pause();
    trouble.clear();
    link.set({ wish: wishText(asked.wish), seed: asked.seed, steps: asked.steps === 25 ? null : asked.steps, s: asked.s, w: asked.w, told: asked.told === "text" ? null : asked.told });
    place.dataset.run = "busy";
    live = { made: 0, total: asked.steps };
    progress();
    bar.hidden = false;
    tellText(state, "Waiting for a turn …");
    for (const one of [trio, ...Object.values(ways)]) one.wait(WAITS);
    try {
      const begun = await lab.wire.post("guidances/run", asked);
      const all = [];
      for (let news = null; news?.state !== "done"; ) {
        news = await hear(begun.run, all.length);
        if (ticket !== newest || !place.isConnected) return;
        if (!news) continue;
        all.push(...news.steps);
        live = { made: all.length, total: begun.total };
        progress();
        tellText(state, news.waiting ? "Waiting for a turn …" : "Step " + all.length + " of " + begun.total + ", three ways");
        if (news.state === "error") throw new Error(news.error);
        if (news.state === "stopped") throw new Error("This comparison was stopped.");
        if (news.state === "done") Object.assign(begun, news, { steps: all });
        else if (news.pause) await new Promise((resolve) => setTimeout(resolve, news.pause));
      }
      const strip = async (method, view) => (await back?.there, lab.wire.sprite("guidances/strip", { run: begun.run, method, view }));
      tellText(state, "Decoding the pictures …");
      await back?.there;
      const numbers = await lab.wire.floats("guidances/numbers", { run: begun.run });
      const films = {};
      for (const name of Object.keys(ways)) {
        films[name] = { x0: await strip(name, "x0"), x: await strip(name, "x"), push: name === "labels" ? null : await strip(name, "push") };
        if (ticket !== newest) return;
      }
      live = null;
      now.done = { ...begun, asked, numbers, films };
      film.length(all.length);
      now.i = within(now.i ?? all.length - 1, 0, all.length - 1);
      film.show(now.i);
      draw();
      tellText(state, "Done in " + fixedText(begun.seconds, 1) + " s.");
      place.dataset.run = "done";
      place.dataset.seed = asked.seed;
    } catch (error) {
      await back?.there;
      if (ticket !== newest || !place.isConnected) return;
      live = null;
      place.dataset.run = "failed";
      tellText(state, "");
      trouble.show(error, run);
      for (const one of [trio, ...Object.values(ways)]) one.wait(now.done ? null : "not here");
      const count = now.done?.steps.length ?? now.steps;
      film.length(count);
      film.show(within(now.i ?? count - 1, 0, count - 1));
      draw();
    } finally {
      if (ticket === newest) bar.hidden = true;
    }
  }

  /** The slider stands at the newest step while there is more to come. */
  function progress() {
    bar.value = live.made / live.total;
    film.length(live.total);
    film.show(Math.max(0, live.made - 1));
  }

  /** What is new of a run; null where the part was left meanwhile. Nothing is asked while it is away. */
  async function hear(run, after) {
    await back?.there;
    leave = new AbortController();
    const { signal } = leave;
    try {
      return await lab.wire.get("guidances/news", { run, after }, { signal });
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }

  function away() {
    film.pause();
    if (!back) {
      back = {};
      back.there = new Promise((resolve) => (back.come = resolve));
    }
    leave?.abort();
  }

  function here() {
    back?.come();
    back = null;
    draw();
  }

  /** While a scale is dragged: this step's picture with it, one request at a time, the newest last. */
  const waiting = {};
  async function preview(method, value) {
    if (!now.done) return;
    const busy = method in waiting;
    waiting[method] = value;
    if (busy) return;
    for (let last = null; last !== waiting[method]; ) {
      last = waiting[method];
      const film = await lab.wire.sprite("guidances/recombined", { run: now.done.run, method, step: now.i, scale: last }).catch(() => null);
      if (film && place.dataset.run !== "busy") ways[method].preview(film, last);
    }
    delete waiting[method];
  }

  // ---- What is drawn ----

  function draw() {
    if (!now.done || live) return;
    const { steps, asked, numbers, films, verdict } = now.done;
    const step = steps[now.i];
    const from = now.i * 7 * 256;
    const rows = Array.from({ length: 7 }, (_, k) => numbers.values.subarray(from + 256 * k, from + 256 * (k + 1)));
    const words = Object.entries(asked.wish).map(([factor, value]) => wish.words(factor, value));
    Object.entries(ways).forEach(([name, way], k) => {
      const total = (what) => steps.reduce((sum, one) => sum + one.branches[name][what], 0);
      way.show({ i: now.i, t: step.t, abar: step.abar, s: asked.s, w: asked.w, rows, films: films[name], p: step.branches[name].p, asked: words, judged: verdict[k], calls: total("calls"), seconds: total("seconds"), total: steps.length });
    });
    trio.show(films, now.i);
    level.replaceChildren(formula(["i", "t"], " = " + step.t + ", ᾱ = ", ["b", figureText(step.abar)], ", √(1−ᾱ) = " + fixedText(Math.sqrt(1 - step.abar), 3)));
    const joint = (name) => steps.map((one, i) => [i + 1, one.branches[name].p.reduce((product, p) => product * p, 1)]);
    chart.show({
      series: Object.entries(WAYS).map(([name, { title, colour }], k) => ({ name: title, colour, dash: ["", "6 3", "2 3"][k], points: joint(name) })),
      x: { label: "step", min: 1, max: steps.length }, y: { label: "p(y | xₜ): the product over the wish's attributes", min: 0, max: 1 }, at: now.i + 1, words: "The classifier's certainty over the steps, for three ways of guidance",
    });
    agree.replaceChildren(formula("Cosine between the classifier's push and ", ["i", "ε"], "(", ["i", "x"], ["sub", "t"], ", ", ["i", "y"], ") − ", ["i", "ε"], "(", ["i", "x"], ["sub", "t"], ") at this step, at the same ", ["i", "x"], ["sub", "t"], ": ",
      ["b", fixedText(step.agree, 2)], ...(words.length === 1 ? [". In the exact model it is 1."]
        : [". In the exact model it is 1 for one attribute; the " + words.length + " of this wish are treated as independent given ", ["i", "x"], ["sub", "t"], ", so there too it may be less."])));
    lab.facts({ step: now.i });
  }

  async function moment() {
    if (!now.done) return;
    handOver(await boardOf(Object.entries(ways).map(([name, way]) => [way.film, WAYS[name].title])), "three-guidances-step-" + (now.i + 1) + ".png");
  }

  const save = (method) => now.done && lab.wire.file("guidances/strip", { run: now.done.run, method, view: "x0", format: "gif", fps: 8 }).catch((error) => window.explorer.toast(error.message));

  run();
  return {
    show: here, rest: away,
    keys: { Space: film.toggle, ArrowLeft: () => film.go(film.at - 1), ArrowRight: () => film.go(film.at + 1), Home: () => film.go(0), End: () => film.go(Infinity), r: again },
  };
}
