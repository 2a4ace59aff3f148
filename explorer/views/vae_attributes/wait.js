// Long answers: asked for again until they are done, with a bar, and a way to stop.

/** waitingFor(part): `.node`, `.ask(name, query)` -> the answer, or null where something newer was asked or it was stopped. */
function waitingFor(part, words) {
  const bar = piece("progress", { max: 1, value: 0, "aria-label": words });
  const told = piece("span", { class: "muted" });
  const halt = buttonOf({ words: "Stop", title: "Do not wait for this", press: () => ((turn += 1), (node.hidden = true), part.wire.post("attributes/stop", {}).catch(() => {})) });
  const node = piece("p", { class: "tools waiting", hidden: true }, told, bar, halt);
  let turn = 0;

  async function ask(name, query) {
    const mine = (turn += 1);
    const live = () => mine === turn && document.vae.part === "attributes" && part.root.isConnected;
    try {
      for (;;) {
        const found = await part.wire.get(name, query);
        if (!live()) return null;
        if (found.state === "done") return found.answer ?? found;
        node.hidden = false;
        bar.max = found.total;
        bar.value = found.done;
        tellText(told, `${words}: ${wholeText(found.done)} of ${wholeText(found.total)}`);
        await new Promise((done) => setTimeout(done, 400));
        if (!live()) return null;
      }
    } finally {
      if (mine === turn) node.hidden = true;
    }
  }

  return { node, ask, drop: () => ((turn += 1), (node.hidden = true)) };
}
