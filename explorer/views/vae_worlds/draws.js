// Dice: the same draws from the prior, painted by every world side by side, with what is near them.

/** makeDraws({fetch(seed) -> {sprite, z}, point(z), again(seed)}) -> {node, set(seed), tell(worlds, near)} */
function makeDraws({ fetch, point, shown }) {
  const table = piece("div", { class: "draws-table", role: "group", "aria-label": "Draws from the prior" });
  const roll = buttonOf({ words: "Roll the dice", title: "Other draws from the prior (R)", press: () => set(seed + 1), "data-do": "roll" });
  const rule = piece("span");
  const node = piece("section", { class: "card draws", "aria-label": "Draws from the prior" },
    piece("header", {}, piece("h3", {}, "Draw from the prior"),
      piece("p", { class: "muted" }, "The same eight points z ~ N(0, I) in every world, with the distance to the nearest code. A dashed frame: a hole, where the decoder never learnt what to paint. ", rule)),
    piece("div", { class: "tools" }, roll), table);
  let seed = 0, found = null;

  const ask = latest(async (wanted) => {
    const answer = await fetch(wanted);
    if (wanted === seed) (found = answer), shown(seed, answer.z);
  });

  function set(next) {
    seed = next % 1_000_000;
    ask(seed);
  }

  function tell(worlds, near) {
    if (!found) return;
    const count = found.z.length, rows = worlds.filter((world) => world.model.stop !== undefined).map((world, w) => ({ world, w }));
    rows.sort((a, b) => a.world.letter.localeCompare(b.world.letter)); // in a quiz the order would tell what the names do not
    tellText(rule, `A hole has no code within ${fixedText(near)} and lies outside every posterior's 3σ.`);
    tellParts(table, rows.map(({ world, w }) => piece("div", { class: "draws-row" },
      piece("b", { class: "draws-name" }, world.head()),
      found.z.map((z, i) => {
        const canvas = piece("canvas", { class: "picture" });
        paintFrame(canvas, found.sprite, w * count + i);
        const [, distance] = world.cloud ? nearestCode(world.cloud, z) : [0, NaN], hole = Boolean(world.cloud && inHole(world.cloud, z, near));
        const where = placeWords(hole, distance, near), bare = Boolean(world.letter); // so would the distances
        return piece("button", { type: "button", class: "draw", "data-hole": String(hole && !bare), "data-distance": bare ? null : distance.toFixed(4), onclick: () => point(z),
          "aria-label": `Draw ${i + 1}` + (bare ? "" : ": " + where), title: `z = ${pointText(z)}` },
          canvas, !bare && piece("span", {}, hole ? "hole " + fixedText(distance) : distance > near ? where : fixedText(distance)));
      }))));
    node.dataset.ready = "true";
    node.dataset.seed = seed;
  }

  return { node, set, tell, roll: () => set(seed + 1), get z() { return found?.z ?? []; }, get seed() { return seed; } };
}
