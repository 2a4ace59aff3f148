// A small CLIP from random weights, trained a few steps at a time while one watches the diagonal appear.

const FRESH_SHOWN = 8; // pairs of the held-out matrix that are shown
const FRESH_BATCHES = [4, 8, 16, 32, 64, 128].map((v) => [String(v), String(v)]);
const FRESH_HEATS = [["", "learnt"], ["0.01", "0.01"], ["0.07", "0.07"], ["0.3", "0.3"], ["1", "1"]];
const FRESH_RATES = ["0.0001", "0.0003", "0.001", "0.003", "0.01"].map((v) => [v, v]);

async function makeFresh(section, lab) {
  const link = lab.link("fresh");
  const pickFrom = (choices, value, usual) => (choices.some(([v]) => v === value) ? value : usual);
  const want = {
    batch: pickFrom(FRESH_BATCHES, link.get("batch"), "64"), lr: pickFrom(FRESH_RATES, link.get("lr"), "0.001"), seed: Math.round(link.number("seed", 0, 0, 99_999)),
    heat: pickFrom(FRESH_HEATS, link.get("heat"), ""),
  };
  let run = null; // the newest answer
  let wish = 0; // steps still to do
  let going = false;
  let ticket = 0; // a reset makes older answers void

  const steps = [1, 10, 100].map((n) => button("+" + n + (n === 1 ? " step" : " steps"), () => train(n), { class: "button small", "data-do": "fresh-" + n }));
  const stop = button("Stop", halt, { class: "button small", "data-do": "fresh-stop", disabled: true });
  const reset = button("Reset", () => begin(), { class: "button small", "data-do": "fresh-reset" });
  const batch = choice("Batch", FRESH_BATCHES, want.batch, (v) => (settle({ batch: v }), tellAnew()), { "data-do": "fresh-batch" });
  const anew = piece("span", { class: "reading-line", role: "status", "data-place": "fresh-anew" });
  const rate = choice("Learning rate", FRESH_RATES, want.lr, (v) => settle({ lr: v }), { "data-do": "fresh-lr" });
  const heat = choice("Temperature", FRESH_HEATS, want.heat, (v) => settle({ heat: v }), { "data-do": "fresh-heat" });
  const seed = numberField("Seed", { min: 0, max: 99_999, value: want.seed, pick: (v) => (settle({ seed: v }), begin()) });
  const trouble = troublePlace();
  const see = piece("p", { class: "see", role: "status" }, "Making a network …");
  const board = piece("div", { class: "fresh-board", role: "img" });
  const curve = piece("div", { class: "fresh-curve" });
  const chart = chartIn(curve, { height: 10.5 });
  const recalls = piece("dl", { class: "figures" });
  const batches = piece("div", { class: "batches" });
  section.append(
    piece("h4", {}, "Train a fresh CLIP"),
    piece("p", { class: "todo" }, "Random weights know nothing. Press +10 a few times and watch held-out pairs light up along the diagonal."),
    piece("div", { class: "tools" }, steps, stop, reset),
    piece("div", { class: "tools" }, batch.node, anew, rate.node, heat.node, seed.node),
    trouble.node, see,
    piece("div", { class: "fresh-view" }, board, curve),
    recalls, batches,
  );

  function settle(changes) {
    Object.assign(want, changes);
    link.set({ batch: want.batch === "64" ? null : want.batch, lr: want.lr === "0.001" ? null : want.lr, seed: want.seed || null, heat: want.heat || null });
  }

  const asked = (action, n) => lab.wire.post("fresh", { action, ...(n ? { n } : {}), batch: +want.batch, lr: +want.lr, seed: want.seed, temperature: want.heat ? +want.heat : null });

  /** A curve, its chance and its sentence are of one batch size: another one begins a run of its own. */
  const otherBatch = () => Boolean(run?.step) && run.batch !== +want.batch;

  function tellAnew() {
    anew.hidden = !otherBatch();
    tellText(anew, anew.hidden ? "" : "the next step begins anew");
  }

  async function begin() {
    wish = 0;
    const mine = ++ticket;
    await trying(async () => {
      const told = await asked("start");
      if (mine === ticket) take(told);
    }, begin);
  }

  function halt() {
    wish = 0;
    if (going) lab.wire.post("fresh", { action: "stop" }).catch(() => {});
    face();
  }

  async function train(n) {
    wish += n;
    face();
    if (going) return;
    going = true;
    const mine = ticket;
    await trying(async () => {
      while (wish > 0 && mine === ticket && section.isConnected) {
        if (otherBatch()) {
          const fresh = await asked("start");
          if (mine !== ticket) break;
          take(fresh);
        }
        const told = await asked("step", wish);
        if (mine !== ticket) break;
        if (told.did) wish = Math.max(0, wish - told.did);
        else if (told.running) await new Promise((next) => setTimeout(next, 700)); // the host is busy with others
        else wish = 0;
        take(told);
      }
    }, () => train(0));
    if (mine === ticket) wish = 0;
    going = false;
    face();
    if (wish) train(0); // a reset has asked for more in the meantime
  }

  async function trying(work, again) {
    trouble.clear();
    try {
      await work();
    } catch (error) {
      wish = 0;
      trouble.show(error, again);
    }
  }

  function face() {
    section.dataset.running = String(going && wish > 0);
    stop.disabled = !(going && wish > 0);
  }

  function take(told) {
    run = told;
    const n = Math.min(FRESH_SHOWN, told.cos.length);
    drawBoard(n);
    chart.show({
      series: [{ name: "loss", colour: "sym-loss", points: told.loss.filter(({ loss }) => Number.isFinite(loss)).map(({ step, loss }) => [step, loss]) }],
      x: { label: "step", min: 0, max: Math.max(10, told.step) }, y: { label: "Loss", min: 0 },
      levels: [{ y: told.floor, label: "chance, ln " + told.batch }], words: "Training loss by step",
    });
    const last = told.loss.at(-1)?.loss; // null where it is no number any more
    const { i2t, t2i, of } = told.recall;
    const fact = (name, value, title) => piece("div", {}, piece("dt", { title }, name), piece("dd", {}, value));
    recalls.replaceChildren(
      fact("Step", wholeText(told.step)), fact("Loss", Number.isFinite(last) ? fixedText(last, 3) : "–"),
      fact("image → caption", percentText(i2t), "Recall@1 among " + of + " held-out pairs"), fact("caption → image", percentText(t2i), "Recall@1 among " + of + " held-out pairs"),
      fact("chance", fixedText(told.chance * 100, 1) + " %"), fact("temperature", fixedText(told.temperature, 3)), fact("parameters", wholeText(told.params)),
      fact("pairs/s", told.images_per_s ? wholeText(told.images_per_s) : "–"));
    tellText(see, whatOneSees(n, last));
    Object.assign(section.dataset, { step: told.step, loss: Number.isFinite(last) ? last.toFixed(4) : "", batch: told.batch, ready: "true" });
    tellAnew();
    face();
  }

  function whatOneSees(n, last) {
    const { step, recall, chance, floor, cos, say } = run;
    if (!step) return `Step 0: the weights are random, so all captions look alike; a loss of ln ${run.batch} = ${fixedText(floor, 2)} is pure guessing.`;
    if (!Number.isFinite(last)) return `Step ${wholeText(step)}: ${say || "the loss is no number any more; start anew with a lower learning rate."}`;
    const right = cos.slice(0, n).filter((row, i) => row.slice(0, n).every((v, j) => j === i || v < row[i])).length;
    const better = (recall.i2t + recall.t2i) / 2 / chance;
    return `After ${pluralText(step, "step")} of ${run.batch} pairs the loss is ${fixedText(last, 2)} (chance ${fixedText(floor, 2)}); ${right} of ${n} pictures here find their caption, and recall on ${recall.of} held-out pairs is ${fixedText(better, 1)} times chance.${say ? " " + say : ""}`;
  }

  function drawBoard(n) {
    const all = run.cos.slice(0, n).flatMap((row) => row.slice(0, n)).filter(Number.isFinite);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    board.style.setProperty("--n", n);
    board.setAttribute("aria-label", `Cosines of ${n} held-out pairs at step ${run.step}, from ${fixedText(low, 2)} to ${fixedText(high, 2)}`);
    if (board.childElementCount !== n * (n + 1)) {
      board.replaceChildren(...Array.from({ length: n }, () => [pictureOf(lab.wire, null, "", 64), ...Array.from({ length: n }, () => piece("span", { class: "mini" }))]).flat());
    }
    const nodes = [...board.children];
    run.faces.slice(0, n).forEach((face, i) => {
      nodes[i * (n + 1)].swap({ face }, "");
      for (let j = 0; j < n; j++) {
        const node = nodes[i * (n + 1) + 1 + j];
        node.style.setProperty("--t", ((run.cos[i][j] - low) / (high - low || 1)) * 100 + "%");
        node.toggleAttribute("data-pair", i === j);
        node.title = `face ${face} and “${run.captions[j]}”: ${fixedText(run.cos[i][j], 3)}`;
      }
    });
  }

  makeBatches(batches, lab, { idle: () => halt() });
  await trying(async () => {
    const told = await lab.wire.post("fresh", { action: "state" });
    if (told.step === null || told.step === undefined) return begin();
    Object.assign(want, { batch: String(told.batch), seed: told.seed ?? want.seed });
    batch.select.value = want.batch;
    seed.show(want.seed);
    take(told);
  }, begin);
}
