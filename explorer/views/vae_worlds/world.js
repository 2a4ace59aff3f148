// One world as a card: its name and aim, its map, the picture under the pointer, the chosen picture painted again, its figures.

const AIMS = {
  "0": ["Reconstruction only", "Only the picture counts: β = 0, a plain autoencoder that adds noise it can shrink to nothing."],
  kl: ["KL only", "Only the prior counts: every picture gets the same code distribution, so the code says nothing."],
};
const aimOf = (model) => {
  const stop = model.stop ?? "";
  if (AIMS[stop]) return AIMS[stop];
  if (model.own) return [model.title, "Trained on this page."];
  return [stop === "1" ? "Both: a VAE" : `β = ${stop}`, `Picture and prior both count: reconstruction + ${stop === "1" ? "" : stop + " × "}KL.`];
};

function makeWorld(model, hooks) {
  const [title, aim] = aimOf(model);
  const map = makeMap({ label: `Latent map, ${title}: arrows move the pointer, Enter chooses the nearest picture`, ...hooks });
  const head = piece("h4", {}, title), aimNode = piece("p", { class: "muted world-aim" }, aim);
  const picture = piece("canvas", { class: "picture world-picture", width: model.size, height: model.size, role: "img", "aria-label": "The decoder's picture at the pointer" });
  const again = piece("canvas", { class: "picture world-again", width: model.size, height: model.size, role: "img", "aria-label": "The chosen picture, painted again" });
  const zText = piece("span", { class: "c-z" }), farText = piece("span"), howText = piece("span", { class: "muted" }); // written at every frame
  const where = piece("figcaption", {}, zText, piece("br"), farText, piece("br"), howText), told = piece("figcaption"), figures = piece("p", { class: "world-figures" });
  const node = piece("section", { class: "card world", "data-model": model.name, "aria-label": title },
    piece("header", {}, head, aimNode),
    piece("div", { class: "world-body" }, map.node,
      piece("div", { class: "world-pictures" },
        piece("figure", { class: "shot" }, picture, where),
        piece("figure", { class: "shot" }, again, told))),
    figures);

  const world = {
    node, model, map, picture, again, title, cloud: null, shares: null, z: [0, 0], picked: null, letter: "",
    head: () => head.textContent,
    hide(letter) {
      world.letter = letter;
      node.setAttribute("aria-label", letter ? "World " + letter : title);
      tellText(head, letter ? "World " + letter : title);
      tellText(aimNode, letter ? "Which aim was it trained for?" : aim);
      for (const answer of [figures, told, where]) answer.hidden = Boolean(letter);
      map.set({ bare: Boolean(letter) });
      map.paint();
    },
    /** What the picture under the pointer is: how it was made, where, how far from the nearest code. */
    tell(how, near) {
      picture.dataset.how = how;
      if (!world.cloud) return;
      const [, distance] = nearestCode(world.cloud, world.z);
      const hole = inHole(world.cloud, world.z, near);
      picture.dataset.hole = hole;
      const made = { exact: "decoded here", blend: "preview", nearest: "preview: the nearest decoded", edge: "beyond the board: decoded when it rests" }[how] ?? "";
      tellText(zText, `z = ${pointText(world.z)}`);
      tellText(farText, placeWords(hole, distance, near));
      farText.className = hole ? "deep" : "";
      tellText(howText, made);
    },
    /** The chosen picture's posterior here. */
    tellPicked(psnr) {
      const code = world.picked;
      if (!code) return tellText(told, "");
      const kl = [0, 1].reduce((sum, d) => sum + 0.5 * (code.mu[d] ** 2 + code.sigma[d] ** 2 - 2 * Math.log(code.sigma[d]) - 1), 0);
      tellParts(told, [piece("span", { class: "c-mu" }, `μ = ${pointText(code.mu)}`), piece("br"),
        piece("span", { class: "c-sigma" }, `σ = (${smallText(code.sigma[0])}, ${smallText(code.sigma[1])})`), piece("br"),
        `KL ${fixedText(Math.max(0, kl), 1)} nats` + (psnr === undefined ? "" : `, ${fixedText(psnr, 1)} dB`)]);
    },
    tellFigures() {
      const { card } = model, { holes, out } = world.shares ?? {};
      const percent = (v) => (v > 0 && v < 0.005 ? "< 1 %" : Math.round(100 * v) + " %");
      tellParts(figures, [
        "Codes spread ", piece("b", { class: "c-mu" }, smallText(card.spread)), " (prior: 1), each ", piece("b", { class: "c-sigma" }, smallText(card.sigma)), " wide; ",
        piece("b", {}, fixedText(card.rate, 1)), " nats a picture. ",
        ...(world.shares ? [piece("b", {}, percent(out)), " of the codes lie beyond the prior's 3σ; ", piece("b", {}, percent(holes)), " of its draws fall into holes."] : []),
      ]);
      if (world.shares) Object.assign(node.dataset, { holes: holes.toFixed(4), out: out.toFixed(4) });
    },
  };
  return world;
}

/** Where a point is: in a hole, by a code, or far from all means and yet within a posterior. */
const placeWords = (hole, distance, near) => (!hole && distance > near ? "inside a posterior" : (hole ? "in a hole, " : "") + fixedText(distance) + " from a code");

/** (0.60, −1.20); a zero has no sign. */
const pointText = (z) => "(" + Array.from(z, (v) => fixedText(Math.round(v * 100) / 100 + 0)).join(", ") + ")";

/** Two digits that matter: 0.002, 0.064, 3.4. */
const smallText = (v) => (v >= 0.95 ? fixedText(v, 1) : v >= 0.0995 ? fixedText(v, 2) : v === 0 ? "0" : fixedText(v, 3));

/** Several parts as a node's only content. */
function tellParts(node, parts) {
  node.replaceChildren(...parts.filter((part) => part !== null));
}
