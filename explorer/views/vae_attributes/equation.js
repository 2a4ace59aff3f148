// Arithmetic with pictures: terms with signs and weights, their sum decoded, which picture is nearest, and whether the attributes add up.

const NEAR = 1.5; // times the usual distance of neighbours, up to which a picture counts as the same

function makeEquation(part, desk) {
  const noun = nounOf(part.model), name = `Arithmetic with ${noun}s`;
  const bar = piece("div", { class: "equation", role: "group", "aria-label": "Equation" });
  const table = piece("table", { class: "numbers sums" });
  const verdict = piece("p", { class: "verdict", "aria-live": "polite" });
  const editButton = buttonOf({ words: "The edited picture", title: "The picture with the edits of the stack", press: () => take("edit") });
  const chooser = makeChooser(part, { label: `A ${noun} for the equation`, pick: (name) => take(name), extra: [editButton] });
  const place = piece("div", { class: "own-body", hidden: true }, chooser.node);
  const add = buttonOf({ words: "+ Term", title: "One more " + noun, press: () => (terms.push({ picture: "gallery:0", weight: 1 }), open(terms.length - 1), ask()), "data-do": "term" });
  const usual = buttonOf({ words: "The first example", title: "The equation that this page began with", press: () => set(desk.known.equation) });
  const node = piece("section", { class: "card", "aria-label": name },
    piece("h3", {}, name), piece("p", { class: "aside muted" }, `${noun === "face" ? "King − man + woman: codes" : "Codes"} are added and subtracted, the sum is decoded. Press a ${noun} to put another one there.`),
    bar, piece("div", { class: "tools" }, add, usual), place, verdict, piece("div", { class: "scroll" }, table));
  let terms = [], chosen = -1, loaded = "", shots = [], last = null;
  const result = piece("canvas", { class: "picture", role: "img", "aria-label": "The sum" }), near = piece("canvas", { class: "picture", role: "img", "aria-label": "The nearest held-out picture" });
  const nearWords = piece("figcaption");

  function open(index) {
    chosen = chosen === index ? -1 : index;
    place.hidden = chosen < 0;
    if (!place.hidden && loaded !== part.model.name + part.model.version) {
      loaded = part.model.name + part.model.version;
      chooser.load(desk.known.pool).catch((error) => ((loaded = ""), window.explorer.toast(error.message)));
    }
    for (const [i, one] of shots.entries()) one.button.setAttribute("aria-expanded", String(i === chosen));
  }

  function take(name) {
    if (!terms[chosen]) return;
    terms[chosen].picture = name;
    ask();
  }

  const apartText = (distance) => fixedText(distance, distance < 1 ? 2 : 1);
  const letter = (i) => String.fromCharCode(65 + i);

  function draw() {
    shots = terms.map((term, i) => {
      const canvas = piece("canvas", { class: "picture" });
      const button = piece("button", { type: "button", class: "face-button", title: `Put another ${noun} here`, "aria-expanded": "false", "aria-label": `${noun[0].toUpperCase() + noun.slice(1)} ${letter(i)}: put another one here`, "data-term": i, onclick: () => open(i) }, canvas);
      const sign = piece("button", { type: "button", class: "button icon sign", title: "Plus or minus", "aria-label": `Sign of ${letter(i)}`, onclick: () => ((term.weight = -term.weight), ask()) }, term.weight < 0 ? "−" : "+");
      const weight = piece("input", { type: "number", min: 0, max: 3, step: 0.1, value: amountText(Math.abs(term.weight)), "aria-label": `Weight of ${letter(i)}`,
        onchange: () => ((term.weight = (term.weight < 0 ? -1 : 1) * Math.min(3, Math.max(0, +weight.value || 0))), ask()) });
      const away = terms.length > 1 && buttonOf({ words: "×", title: `Take ${letter(i)} out`, name: "icon", press: () => (terms.splice(i, 1), (chosen = -1), (place.hidden = true), ask()) });
      return { canvas, button, node: piece("figure", { class: "term" }, piece("div", { class: "term-head" }, sign, weight, away), button, piece("figcaption", {}, letter(i))) };
    });
    bar.replaceChildren(...shots.map((one) => one.node), piece("span", { class: "equals", "aria-hidden": "true" }, "="),
      piece("figure", { class: "term sum" }, piece("div", { class: "term-head" }, piece("b", {}, "the sum")), result, piece("figcaption", {}, formula())),
      piece("figure", { class: "term near" }, piece("div", { class: "term-head" }, piece("span", { class: "muted" }, "nearest held-out")), near, nearWords));
    if (chosen >= 0 && shots[chosen]) shots[chosen].button.setAttribute("aria-expanded", "true");
    add.disabled = terms.length >= desk.known.terms;
  }

  const formula = () => terms.map(({ weight }, i) => `${weight < 0 ? "− " : i ? "+ " : ""}${Math.abs(weight) === 1 ? "" : amountText(Math.abs(weight)) + " "}${letter(i)}`).join(" ");

  const solve = latest(async () => {
    const wanted = termsText(terms);
    try {
      const found = await part.wire.post("attributes/equation", { model: part.query().model, terms, picture: part.picture, stack: editsText(desk.edits) });
      if (wanted !== termsText(terms)) return;
      last = { terms: wanted, ...found };
      const pictures = picturesFrom(found.pictures, found.size);
      shots.forEach((one, i) => paintImage(one.canvas, pictures[i]));
      paintImage(result, pictures.at(-2));
      paintImage(near, pictures.at(-1));
      told(found);
      node.dataset.terms = wanted;
      node.dataset.right = found.right;
    } catch (error) {
      tellText(verdict, error.message);
      node.dataset.terms = "";
    }
  });

  function told({ read, wanted, right, open: left, nearest, weights }) {
    const decided = Object.keys(wanted).length - left;
    tellText(nearWords, `${apartText(nearest.distance)} away`);
    const parts = [];
    if (read[0].length) parts.push(decided ? `${right} of ${countText(decided, "attribute")} that the equation decides come out as they should${left ? `; ${left} are left open by it` : ""}.` : "The equation leaves every attribute open.");
    const there = nearest.same === nearest.of && nearest.distance <= NEAR * nearest.usual; // labels alone may agree far from every picture
    if (nearest.of > 1) parts.push(`The nearest of all other held-out pictures is ${apartText(nearest.distance)} away, where neighbours are usually ${apartText(nearest.usual)} apart, and agrees in ${nearest.same} of ${nearest.of}: ${there ? "such a picture was in the data." : "the sum is not just a picture that was there."}`);
    else parts.push(`The nearest picture is ${apartText(nearest.distance)} away, where neighbours are usually ${apartText(nearest.usual)} apart.`);
    if (Math.abs(weights - 1) > 1e-6) parts.push(`The weights add up to ${fixedText(weights, 2)}, not 1: the sum also moves towards or away from the mean of all codes.`);
    tellText(verdict, parts.join(" "));
    table.hidden = !read[0].length;
    if (!read[0].length) return;
    const sum = read.at(-2), other = read.at(-1);
    table.replaceChildren(
      piece("thead", {}, piece("tr", {}, piece("th", { scope: "col" }, "reads"), terms.map((_, i) => piece("th", { scope: "col" }, letter(i))), ["should be", "the sum", "nearest"].map((name) => piece("th", { scope: "col" }, name)))),
      piece("tbody", {}, sum.map(({ factor, value }, k) => {
        const should = wanted[factor], good = should === null ? "" : should === value ? "yes" : "no";
        return piece("tr", {}, piece("th", { scope: "row" }, factor), terms.map((_, i) => piece("td", {}, read[i][k].value)), piece("td", { class: "muted" }, should ?? "open"),
          piece("td", { class: "sum-" + good }, (good === "yes" ? "✓ " : good === "no" ? "✗ " : "") + value), piece("td", { class: other[k].value === value ? "" : "muted" }, other[k].value));
      })));
  }

  function ask() {
    part.set({ eq: termsText(terms) === termsText(desk.known.equation) || terms.some((one) => one.picture.startsWith("upload:")) ? null : termsText(terms) });
    draw();
    if (last?.terms) repaint();
    solve(1);
  }

  /** What is known already stays while the new sum is computed. */
  function repaint() {
    const pictures = picturesFrom(last.pictures, last.size), names = last.terms.split(",").map((one) => one.split("*")[0]);
    shots.forEach((one, i) => { const at = names.indexOf(terms[i].picture); if (at >= 0) paintImage(one.canvas, pictures[at]); });
  }

  function set(given) {
    terms = given.map((one) => ({ ...one }));
    chosen = -1;
    place.hidden = true;
    ask();
  }

  return { node, set, again: () => terms.some((one) => one.picture === "edit") && solve(1), forget: () => ((last = null), (loaded = "")), get last() { return last; }, get terms() { return terms; }, result };
}
