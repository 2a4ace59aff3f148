// What a batch is worth: the same network on equally many pairs, 4, 16 or 64 at a time.

const BATCH_LINES = [["sym-eps", "2 3"], ["sym-mu", "7 3"], ["sym-x", ""]];

function makeBatches(section, lab, { idle }) {
  let going = false;
  const start = button("Compare batch sizes", run, { class: "button small", "data-do": "batches" });
  const stop = button("Stop", halt, { class: "button small", "data-do": "batches-stop", hidden: true });
  const bar = piece("progress", { max: 1, value: 0, hidden: true, "aria-label": "Progress" });
  const see = piece("p", { class: "see", role: "status" }, "More captions in a batch are more wrong answers to choose from: train the same network with 4, 16 and 64 pairs a step.");
  const trouble = troublePlace();
  const holder = piece("div", { hidden: true });
  const chart = chartIn(holder, { height: 10.5 });
  section.append(piece("div", { class: "tools" }, start, stop, bar), trouble.node, see, holder);

  function halt() {
    going = false;
    lab.wire.post("batches", { action: "stop" }).catch(() => {});
    face();
  }

  function face() {
    start.disabled = going;
    stop.hidden = bar.hidden = !going;
    section.dataset.running = String(going);
  }

  async function run() {
    idle();
    going = true;
    face();
    trouble.clear();
    try {
      let told = await lab.wire.post("batches", { action: "start", seed: 0 });
      show(told);
      while (going && !told.done && section.isConnected) {
        told = await lab.wire.post("batches", { action: "step", seed: 0 });
        show(told);
        if (told.say) await new Promise((next) => setTimeout(next, 700)); // the host is busy with others
      }
    } catch (error) {
      trouble.show(error, run);
    }
    going = false;
    face();
  }

  function show({ runs, pairs, done, progress, chance, say }) {
    holder.hidden = false;
    bar.value = progress ?? 0;
    chart.show({
      series: runs.map(({ batch, seen, recall }, i) => ({ name: "batch " + batch, colour: BATCH_LINES[i % 3][0], dash: BATCH_LINES[i % 3][1], points: seen.map((n, k) => [n, recall[k]]) })),
      x: { label: "pairs seen", min: 0, max: pairs }, y: { label: "Recall@1", min: 0 }, levels: [{ y: chance, label: "chance" }], legend: true,
      words: "Recall by pairs seen, for each batch size",
    });
    const ends = runs.filter(({ recall }) => recall.length).map(({ batch, recall }) => `batch ${batch}: ${percentText(recall.at(-1))}`);
    tellText(see, ends.length ? `After as many pairs as shown: ${ends.join(", ")}.${say ? " " + say : ""}` : say || "The first network is learning …");
    section.dataset.runs = runs.length;
    section.dataset.done = String(done);
  }
}
