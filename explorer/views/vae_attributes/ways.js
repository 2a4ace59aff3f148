// The four ways to find the direction of the edit in hand: how well each tells the values apart, how long a dose is, how they agree.

function makeWays(part, desk) {
  const table = piece("table", { class: "numbers" });
  const angles = piece("table", { class: "numbers angles" });
  const stackAngles = piece("table", { class: "numbers angles" });
  const title = piece("h3", {}, "Four ways to find a direction");
  const like = piece("p", { class: "verdict" });
  const stackPlace = piece("div", { class: "angle-place", hidden: true }, piece("h4", {}, "Angles between the edits in the stack"), stackAngles);
  const node = piece("section", { class: "card ways", "aria-label": "Directions" }, title, like,
    piece("div", { class: "pair" }, piece("div", { class: "scroll" }, table), piece("div", { class: "angle-place" }, angles, stackPlace)),
    piece("p", { class: "aside muted" },
      "All are in one unit, the natural dose: one dose takes a code as far along its direction as the averages of the two groups are apart, so the score of a classifier moves from the one average to the other. ",
      "Told apart: the share of held-out pictures on their own side of the plane, both groups counted alike, so that 50 % is chance. ",
      `The SVM sees only the ${Math.round(100 * desk.known.extreme)} % of either group that lie furthest from the probe's plane. `,
      `A good classifier need not be a good editor: LDA asks which way tells the values apart best, not which way the ${nounOf(part.model)}s differ.`));

  function heat(place, names, rows) {
    place.replaceChildren(
      piece("caption", {}, "cosine: 1 the same direction, 0 at right angles"),
      piece("thead", {}, piece("tr", {}, piece("th"), names.map((name) => piece("th", { scope: "col" }, name)))),
      piece("tbody", {}, rows.map((row, i) => piece("tr", {}, piece("th", { scope: "row" }, names[i]),
        row.map((value) => piece("td", { style: `--share: ${Math.round(100 * Math.abs(value))}%`, class: "heat " + (value < 0 ? "minus" : "plus") }, fixedText(value, 2)))))));
  }

  const ask = latest(async () => {
    const edit = desk.edits[desk.active];
    if (!edit) return (node.hidden = true);
    node.hidden = false;
    const text = editText(bareEdit(edit));
    try {
      const found = await part.wire.post("attributes/directions", { model: part.query().model, edit: text, picture: part.picture });
      if (!desk.edits[desk.active] || text !== editText(bareEdit(desk.edits[desk.active]))) return;
      show(edit, found);
      desk.found = { text, ...found };
      node.dataset.edit = text;
    } catch (error) {
      table.replaceChildren();
      angles.replaceChildren();
      tellText(like, error.message);
    }
  });

  function show(edit, { methods, order, cosines, like: most, held }) {
    tellText(title, isOwn(edit) ? "Your own direction" : "Four ways to find a direction");
    const told = [];
    if (held) told.push(`${editWords(edit)}, fitted on ${wholeText(desk.known.fit)} pictures, tried on ${held[0]} and ${held[1]} held-out ones.`);
    if (most) told.push(`Most like ${most.factor} ${most.value}, cosine ${fixedText(most.cosine, 2)}: its plane tells ${most.value} from the rest in ${percentText(most.accuracy)} of held-out pictures.`);
    tellText(like, told.join(" "));
    table.replaceChildren(
      piece("thead", {}, piece("tr", {}, ["found by", "told apart", "length of a dose", "this picture, in doses from the plane"].map((words) => piece("th", { scope: "col" }, words)))),
      piece("tbody", {}, Object.entries(methods).map(([name, one]) => piece("tr", { "data-method": name, "data-on": name === edit.method },
        piece("th", { scope: "row" }, isOwn(edit) ? "mean difference" : piece("button", { type: "button", class: "link", onclick: () => desk.alter({ method: name }) }, desk.known.methods[name])),
        one.error ? piece("td", { colspan: 3, class: "muted" }, one.error)
          : [piece("td", {}, one.accuracy === null ? "–" : fixedText(100 * one.accuracy, 1) + " %"), piece("td", {}, fixedText(one.dose, 2)), piece("td", { title: "its signed distance from the plane, in doses" }, doseText(one.distance))]))));
    angles.hidden = order.length < 2;
    if (order.length > 1) heat(angles, order.map((name) => ({ mean: "mean", probe: "probe", svm: "SVM", lda: "LDA" })[name]), cosines);
  }

  /** The stack's own angles come with the exact picture. */
  function looked({ cosines }) {
    stackPlace.hidden = cosines.length < 2;
    if (cosines.length > 1) heat(stackAngles, desk.edits.map((edit) => (isOwn(edit) ? "own" : edit.factor)), cosines);
  }

  return { node, show: () => ask(1), looked };
}
