// Directions that mean something, their strength, what else they move, and arithmetic with faces.

makePart(element, props, { name: "attributes", prefix: "a", models: true, build: buildPart });

async function buildPart(place, part) {
  place.append(piece("p", { class: "aside" }, "Attributes."));
  return {};
}
