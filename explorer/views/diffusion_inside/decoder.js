// The decoder: from the latent of this step to pixels, stage by stage.

function makeDecoder(place, inside) {
  const asking = remembered((run, step) => inside.wire.json("decoder", { run, step }));
  const lead = piece("p", { class: "lead" });
  const chain = piece("ol", { class: "stages" });
  const trouble = piece("div");
  place.replaceChildren(
    headOf("The decoder", "The UNet never sees a pixel. This network makes pixels of a latent, each stage larger than the one before."), trouble, lead, chain);

  let [asked, waiting] = [0, 0];
  async function run() {
    const mine = ++asked;
    const { id, step } = inside;
    try {
      const told = await asking(id + "/" + step, id, step);
      const [picture] = await framesOf(told.picture);
      if (mine !== asked) return;
      trouble.replaceChildren();
      tellText(lead, `x̂₀ of step ${step + 1} has ${wholeText(told.numbers[0])} numbers, the picture ${wholeText(told.numbers[1])}: ${fixedText(told.numbers[1] / told.numbers[0], 0)} times as many. The decoder has ${manyText(told.parameters)} parameters. Its last numbers go from ${fixedText(told.range[0], 2)} to ${fixedText(told.range[1], 2)}; −1 is black, 1 is full colour.`);
      chain.replaceChildren(...told.nodes.map(stageOf), piece("li", { class: "stage" }, bitmapCanvas(picture, "The decoded picture"), piece("span", {}, "clipped to 0 … 255"), piece("small", {}, "pixels")));
      paintAll(chain);
      Object.assign(place.dataset, { ready: "true", step });
    } catch (error) {
      if (mine === asked) trouble.replaceChildren(troubleOf(error, run));
    }
  }

  function stageOf(node) {
    const some = node.shape[0] <= 4 ? node.shape[0] : 4;
    return piece("li", { class: "stage" },
      node.shape[0] > 4 && mapCanvas(node, 0, "Mean over the channels of " + node.title),
      piece("div", { class: "quad" }, Array.from({ length: some }, (_, k) => mapCanvas(node, k + 1, `Channel ${node.channels[k] + 1} of ${node.title}`))),
      piece("span", {}, node.title), piece("small", {}, `${shapeText(node.shape)}, r.m.s. ${fixedText(node.rms, 2)}`));
  }

  const later = () => (clearTimeout(waiting), (waiting = setTimeout(run, 90)));
  return { run, step: later };
}
