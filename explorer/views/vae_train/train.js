// A small VAE that is trained on the page: its film of maps, reconstructions and losses.

makePart(element, props, { name: "train", prefix: "t", models: false, build: buildPart });

async function buildPart(place, part) {
  place.append(piece("p", { class: "aside" }, "Train it here."));
  return {};
}
