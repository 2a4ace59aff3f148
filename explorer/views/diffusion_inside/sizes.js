// This model beside Stable Diffusion 1.5 and SDXL, counted from their configs without a weight.

const SIZE_ROWS = [
  ["UNet, parameters", (c) => manyText(c.parameters.unet)],
  ["Levels: channels at side", (c) => c.levels.map((l) => `${l.channels} at ${l.side}`).join(", ")],
  ["Transformer blocks per attention, by level", (c) => `(${c.levels.map((l) => l.transformers).join(", ")})`],
  ["Cross-attention layers", (c) => wholeText(c.layers)],
  ["Context: tokens × width", (c) => `${c.tokens} × ${wholeText(c.context)}`],
  ["Text encoders, parameters", (c) => c.parameters.text.map(([name, count]) => `${name}: ${manyText(count)}`).join("; ")],
  ["Picture", (c) => shapeText(c.image)],
  ["Latent", (c) => shapeText(c.latent)],
  ["Fewer numbers in the latent", (c) => fixedText(c.ratio, 0) + " times"],
  ["Autoencoder, parameters", (c) => manyText(c.parameters.vae)],
  ["One UNet call, a row", (c) => flopsText(c.flops.unet)],
  ["One guided step (two rows)", (c) => flopsText(2 * c.flops.unet)],
  ["Decoding a picture", (c) => flopsText(c.flops.decode)],
  ["Decoding, in UNet calls", (c) => fixedText(c.flops.decode / c.flops.unet, 1)],
  ["UNet's weights in 16 bits", (c) => bytesText(2 * c.parameters.unet)],
];

const flopsText = (v) => (v >= 1e12 ? fixedText(v / 1e12, 2) + " TFLOP" : fixedText(v / 1e9, 2) + " GFLOP");
const bytesText = (v) => (v >= 1e9 ? fixedText(v / 1e9, 2) + " GB" : fixedText(v / 1e6, 1) + " MB");

function makeSizes(place, inside) {
  const holder = piece("div", { class: "card" });
  const trouble = piece("div");
  place.replaceChildren(
    headOf("The same machine, three sizes", "Counted live from the published configs, on tensors that have a shape and no numbers: no weight is loaded."), trouble, holder);

  async function run() {
    if (place.dataset.ready === "true") return;
    holder.replaceChildren(piece("p", { class: "waiting" }, "Building three models without their weights …"));
    try {
      const { columns } = await inside.wire.json("table", { model: inside.model || null });
      const [own, ...rest] = columns;
      holder.replaceChildren(
        piece("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Sizes of three models" }, piece("table", { class: "plain sizes" },
          piece("thead", {}, piece("tr", {}, piece("th", { scope: "col" }, ""), columns.map((c) => piece("th", { scope: "col" }, c.name)))),
          piece("tbody", {}, SIZE_ROWS.map(([name, tell]) => piece("tr", {}, piece("th", { scope: "row" }, name), columns.map((c) => piece("td", {}, tell(c)))))))),
        piece("p", { class: "note" }, `A call of SDXL costs as much as ${wholeText(rest.at(-1).flops.unet / own.flops.unet)} calls of ${own.name === "This model" ? "this model" : own.name}. A FLOP is one product or one sum of two numbers; only matrix products and convolutions are counted.`));
      place.dataset.ready = "true";
    } catch (error) {
      holder.replaceChildren();
      trouble.replaceChildren(troubleOf(error, () => (trouble.replaceChildren(), run())));
    }
  }

  return { run, step: () => {} };
}
