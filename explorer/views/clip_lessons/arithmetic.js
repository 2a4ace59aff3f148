// Arithmetic: a face plus a word minus a word, four ways of adding, and what each of them finds.

async function makeArithmetic(section, lab) {
  const link = lab.link("sum");
  const state = { ref: link.face(), plus: link.get("plus") ?? "blue hair", minus: link.get("minus") ?? "red hair", weight: link.number("weight", 1, 0, 4) };
  const field = (name, words) => {
    const input = piece("input", { type: "text", maxlength: 100, value: state[name], "aria-label": words, "data-do": "sum-" + name, oninput: () => ((state[name] = input.value), typed()), onkeydown: (event) => event.key === "Enter" && typed.flush() });
    return input;
  };
  const typed = soonOnce(() => (link.set({ plus: state.plus, minus: state.minus, weight: state.weight === 1 ? null : state.weight }), probe.ask()), 500);
  const face = facePicker(lab, "Another picture to begin with", 120, (ref) => ((state.ref = ref), link.set({ face: ref.face ?? null }), probe.ask()));
  const weight = slider("Weight of the words", { min: 0, max: 4, step: 0.1, value: state.weight, fact: "weight", words: (v) => v.toFixed(1), change: (v) => ((state.weight = v), typed()) });
  const sum = piece("div", { class: "sum-bar", role: "group", "aria-label": "The sum" },
    face.node, piece("span", { class: "sign" }, "+"), field("plus", "Words to add"), piece("span", { class: "sign" }, "−"), field("minus", "Words to take away"));
  const terms = piece("div", { class: "terms" });
  const variants = piece("div", { class: "variants", "data-place": "variants" });
  const measured = piece("section", { class: "card", hidden: true });
  const holder = piece("div");
  const chart = chartIn(holder, { height: 11 });
  const probe = probeOf(section, lab, "arithmetic", () => ({ ...(state.ref && { ref: state.ref }), plus: state.plus.trim(), minus: state.minus.trim(), weight: state.weight }), draw);
  let told = null;
  section.append(
    piece("p", { class: "todo" }, "Add and take away words; the rows show the nearest faces when the three vectors are added in four ways. A tick marks a face that has what you asked for."),
    piece("div", { class: "tools" }, sum, weight.node), probe.trouble, probe.see, variants, terms, measured,
    piece("div", { class: "tools" }, button("Save CSV", () => told && handOverTable([["way", "rank", "face", "score", "right", "kept", "others"], ...told.variants.flatMap((way) => way.hits.map((hit, i) => [way.name, i + 1, hit.face, hit.score, hit.right, hit.kept, hit.others]))], "arithmetic.csv"), { class: "button small", "data-do": "sum-csv" })));

  function draw(answer) {
    told = answer;
    if (told.face !== null) face.show(state.ref ?? { face: told.face });
    variants.replaceChildren(...told.variants.map((way) => piece("section", { class: "variant", "data-variant": way.name, "data-success": way.success ?? "" },
      piece("div", { class: "variant-head" }, piece("h4", {}, way.title), piece("code", {}, way.formula), shares(way, told.terms),
        piece("p", { class: "reading-line" }, way.success === null ? "" : `${percentText(way.success)} have it` + (way.kept === null ? "." : `; of the rest, ${percentText(way.kept)} is kept.`))),
      piece("div", { class: "hits" }, ...way.hits.map((hit) => sumHit(lab, hit))))));
    terms.replaceChildren(...told.terms.map((term) => piece("div", { class: "term", "data-kind": term.kind },
      piece("p", {}, piece("b", {}, term.sign.replace("-", "−") + " " + term.label), ` has length ${fixedText(term.length, 2)} before it is scaled; on its own it finds:`),
      piece("div", { class: "hits small" }, ...term.neighbours.map((hit) => sumHit(lab, hit))))));
    drawMeasured(told.measured, Object.fromEntries(told.variants.map((way) => [way.name, way.title])));
    section.dataset.variants = told.variants.length;
  }

  function drawMeasured(told, titles) {
    measured.hidden = !told;
    if (!told) return;
    const line = (name, key, colour, dash) => ({ name, colour, dash, points: told.sweep.filter((one) => one[key.split(".")[0]]).map((one) => [one.weight, one[key.split(".")[0]][key.split(".")[1]]]) });
    measured.replaceChildren(
      piece("h4", {}, `The same for ${told.of} faces`),
      piece("p", { class: "todo" }, "One face proves little. How often is the nearest face right, and how much of the old face does it keep?"),
      piece("div", { class: "two" },
        piece("div", { class: "scroll" }, piece("table", {}, piece("thead", {}, piece("tr", {}, ["way", "right", "kept", "both"].map((name) => piece("th", {}, name)))),
          piece("tbody", {}, told.rows.map((row) => piece("tr", {}, piece("th", { scope: "row" }, titles[row.name] ?? row.name), piece("td", {}, percentText(row.success)), piece("td", {}, percentText(row.kept)), piece("td", {}, percentText(row.both))))))),
        holder));
    chart.show({
      series: [line("right, unit", "unit.success", "sym-mu", ""), line("kept, unit", "unit.kept", "sym-mu", "3 3"), line("right, centred", "centred.success", "sym-z", ""), line("kept, centred", "centred.kept", "sym-z", "3 3")],
      x: { label: "weight of the words" }, y: { label: "Share", min: 0, max: 1 }, at: state.weight, words: "Share of right and kept by weight",
    });
  }

  await probe.ask();
}

/** How much of the sum each term is, as one divided bar; a share may be below zero, where a term works against the sum. */
function shares({ share }, terms) {
  if (!share?.length) return null;
  const parts = share.map((v, i) => [v, terms[i]]).filter(([v]) => Math.abs(v) > 0.0005);
  const words = parts.map(([v, term]) => `${term.sign.replace("-", "−")} ${term.label}: ${percentText(v)}`).join(", ");
  return piece("p", { class: "shares", role: "img", "aria-label": "Share in the sum: " + words, title: "Share in the sum: " + words },
    parts.map(([v, term]) => piece("span", { "data-kind": term.kind, "data-sign": term.sign, style: "flex-grow: " + Math.max(0.02, Math.abs(v)) }, Math.abs(v) > 0.12 ? percentText(v) : "")));
}

function sumHit(lab, { face, score, attributes, right, kept, others }) {
  const about = Object.entries(attributes ?? {}).map(([factor, value]) => factor + ": " + value).join(", ");
  return piece("figure", { class: "hit", title: about, "data-right": right === null || right === undefined ? null : String(right) },
    pictureOf(lab.wire, { face }, `Face ${face}: ${about}`, 64),
    piece("figcaption", {}, piece("span", {}, (right === true ? "✓ " : right === false ? "✗ " : "") + fixedText(score, 2)), kept === null || kept === undefined ? null : piece("span", { class: "kept", title: "Other attributes kept" }, kept + "/" + others)));
}
