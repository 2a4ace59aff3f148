// The three-world map and the dial of beta: latent maps side by side, one pointer that decodes in all of them.

makePart(element, props, { name: "worlds", prefix: "w", models: false, build: buildPart });

async function buildPart(place, part) {
  place.append(piece("p", { class: "aside" }, "Three worlds."));
  return {};
}
