// Paths between codes, a board of four corners, and the sampling lab.

makePart(element, props, { name: "paths", prefix: "p", models: true, build: buildPart });

async function buildPart(place, part) {
  place.append(piece("p", { class: "aside" }, "Paths and sampling."));
  return {};
}
