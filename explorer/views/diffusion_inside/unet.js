// The UNet of this step as a map: down on the left, up on the right, skips across, each part with its own activation.

const UNET_KINDS = { convolution: "convolution", resnet: "residual block", attention: "attention to words", down: "halves the size", up: "doubles the size" };

function makeUnet(place, inside) {
  const state = { told: null, node: null, off: null };
  const asking = remembered((run, step) => inside.wire.json("unet", { run, step }));
  const map = piece("div", { class: "unet" });
  const lead = piece("p", { class: "lead" });
  const detail = piece("div", { class: "card detail" });
  const skips = makeSkips((number) => ((state.off = state.off === number ? null : number), tellSkips()));
  const trouble = piece("div");
  place.replaceChildren(
    headOf("The UNet in this step", "One call, from xₜ to the noise in it. Every picture is the activation of that part at this very step: blue below zero, orange above."),
    trouble, lead, map, detail, skips.node);

  let asked = 0;
  async function run() {
    const mine = ++asked;
    const { id, step } = inside;
    place.dataset.state = "busy";
    try {
      const told = await asking(id + "/" + step, id, step);
      if (mine !== asked) return;
      told.frames ??= await framesOf(told.pictures);
      if (mine !== asked) return;
      trouble.replaceChildren();
      state.told = told;
      build();
      Object.assign(place.dataset, { ready: "true", step, state: "idle", error: told.error });
    } catch (error) {
      if (mine !== asked) return;
      place.dataset.state = "idle";
      trouble.replaceChildren(troubleOf(error, run));
    }
  }

  let waiting = 0;
  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(run, 90); // a call of the UNet for each step that the slider rests on, not for each it passes
  }

  function build() {
    const { told } = state;
    const blocks = [...new Set(told.nodes.map(({ block }) => block))];
    const downs = blocks.filter((name) => name.startsWith("down"));
    const ups = blocks.filter((name) => name.startsWith("up"));
    const cards = Object.fromEntries(blocks.map((name) => [name, blockOf(name, told.nodes.filter(({ block }) => block === name))]));
    const rows = downs.map((name, i) => {
      const up = ups[ups.length - 1 - i];
      const target = up ? +up.slice(3) - 1 : -1;
      const wires = told.skips.filter((skip) => skip.target === target).map((skip) => skips.wire(skip, told, state.off));
      const left = i === 0 ? [cards.in, cards[name]] : [cards[name]];
      const right = i === 0 ? [cards.out, cards[up]] : [cards[up]];
      const order = (n) => `--order: ${n}`;
      return [piece("div", { class: "side left", style: order(i) }, left), piece("div", { class: "wires", style: order(200 - 2 * i) }, wires), piece("div", { class: "side right", style: order(201 - 2 * i) }, right)];
    });
    const focused = document.activeElement?.dataset?.part;
    map.replaceChildren(...rows.flat(), cards.mid ? piece("div", { class: "side mid", style: "--order: 100" }, cards.mid) : "");
    tellText(lead, `t = ${fixedText(told.timestep, 0)}. The time step enters every residual block as ${wholeText(told.embedding)} numbers; the words enter in attention only. The call was made again for this map: its noise differs from the recorded one by ${told.error === 0 ? "nothing" : told.error.toExponential(0).replace("-", "−") + " at most"}.`);
    paintAll(map);
    pick(told.nodes.some(({ name }) => name === state.node) ? state.node : told.nodes.find(({ kind }) => kind === "attention")?.name ?? told.nodes[0].name);
    if (focused) map.querySelector(`[data-part="${focused}"]`)?.focus();
    tellSkips();
  }

  function blockOf(name, nodes) {
    return piece("div", { class: "block" }, piece("h5", {}, name), piece("div", { class: "block-parts" }, nodes.map((node) =>
      piece("button", { type: "button", class: "part", "data-part": node.name, "data-kind": node.kind, "aria-pressed": "false", title: UNET_KINDS[node.kind], onclick: () => pick(node.name) },
        mapCanvas(node, 0, `Mean over the channels of ${node.name}`), piece("span", {}, node.kind), piece("small", {}, shapeText(node.shape))))));
  }

  function pick(name) {
    state.node = name;
    for (const part of map.querySelectorAll("[data-part]")) part.setAttribute("aria-pressed", String(part.dataset.part === name));
    const node = state.told.nodes.find((one) => one.name === name);
    detail.replaceChildren(
      piece("h4", {}, `${node.block}: ${UNET_KINDS[node.kind]}`), piece("p", { class: "note" }, `${node.name}: ${shapeText(node.shape)} numbers (channels × height × width), root mean square ${fixedText(node.rms, 2)}. The mean over the channels goes from ${fixedText(node.low[0], 2)} to ${fixedText(node.high[0], 2)}. Beside it the channels that vary most from place to place; each map has its own scale.`),
      piece("div", { class: "channels" }, Array.from({ length: node.low.length }, (_, k) =>
        piece("figure", {}, mapCanvas(node, k, k ? `Channel ${node.channels[k - 1]}` : "Mean over the channels"), piece("figcaption", {}, k ? `channel ${node.channels[k - 1] + 1}` : "mean", piece("br"), piece("small", {}, `±${fixedText(Math.max(Math.abs(node.low[k]), Math.abs(node.high[k])), 2)}`))))));
    paintAll(detail);
    place.dataset.node = name;
  }

  function tellSkips() {
    skips.draw(state.told, state.off);
    place.dataset.off = state.off ?? "";
    for (const wire of map.querySelectorAll("[data-skip]")) wire.setAttribute("aria-pressed", String(+wire.dataset.skip === state.off));
  }

  return { run, step: later };
}
