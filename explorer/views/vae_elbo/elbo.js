// The ELBO of one picture as a bill, the reparametrisation board, and the decoder as a distribution.

makePart(element, props, { name: "elbo", prefix: "e", models: true, build: buildPart });

async function buildPart(place, part) {
  place.append(piece("p", { class: "aside" }, "ELBO."));
  return {};
}
