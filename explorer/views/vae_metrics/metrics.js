// Disentanglement in numbers, the rotation dial, the game of naming a slider, and maps of the codes.

makePart(element, props, { name: "metrics", prefix: "m", models: true, build: buildPart });

async function buildPart(place, part) {
  place.append(piece("p", { class: "aside" }, "Metrics and maps."));
  return {};
}
