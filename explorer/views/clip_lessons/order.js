// Word order: does the model read a sentence, or a bag of words?

async function makeOrder(section, lab) {
  const link = lab.link("order");
  let own = link.get("text") ?? "";
  const text = piece("input", { type: "text", maxlength: 300, value: own, placeholder: "a face with red hair wearing a blue shirt", "aria-label": "Your own sentence", "data-do": "order-text", oninput: () => typed(), onkeydown: (event) => event.key === "Enter" && typed.flush() });
  const typed = soonOnce(() => ((own = text.value.trim()), link.set({ text: own || null }), probe.ask()), 600);
  const again = button("Other faces", () => (seed++, probe.ask()), { "data-do": "order-again" });
  let seed = 0;
  let face = null;
  const picker = facePicker(lab, "Another picture for your own sentence", 80, (ref) => ((face = ref), probe.ask()));
  const tests = piece("div", { class: "order-tests", "data-place": "order" });
  const mine = piece("div", { class: "card", hidden: true });
  const probe = probeOf(section, lab, "order", () => ({ seed, ...(own && { text: own }), ...(face && { ref: face }) }), draw);
  let told = null;
  section.append(
    piece("p", { class: "todo" }, "Each test pits a true caption against one with the same words in another order. A bag of words would win half of them: the dashed line."),
    piece("div", { class: "tools" }, again, picker.node, piece("label", { class: "field wide" }, piece("span", { class: "field-name" }, "Your own sentence"), text)),
    probe.trouble, probe.see, mine, tests,
    piece("div", { class: "tools" }, button("Save CSV", () => told && handOverTable([["test", "wins", "low", "high", "of"], ...told.tests.map((one) => [one.title, one.wins, one.low, one.high, one.of])], "word-order.csv"), { class: "button small", "data-do": "order-csv" })));
  picker.show({ face: 3 });

  function draw(answer) {
    told = answer;
    const hardest = told.tests.reduce((least, one) => (one.wins < least.wins ? one : least));
    tests.replaceChildren(...told.tests.map((test) => {
      const share = (v) => (v * 100).toFixed(1) + "%";
      return piece("section", { class: "card order-test", "data-test": test.name, "data-wins": test.wins },
        piece("h4", {}, test.title), piece("p", { class: "todo" }, test.what),
        piece("div", { class: "win-row" },
          piece("span", { class: "win-track", role: "img", "aria-label": `The true caption wins ${percentText(test.wins)}, between ${percentText(test.low)} and ${percentText(test.high)}` },
            piece("span", { class: "win-fill", style: "width: " + share(test.wins) }),
            piece("span", { class: "win-range", style: `left: ${share(test.low)}; width: ${share(test.high - test.low)}` }),
            piece("span", { class: "win-chance", style: "left: " + share(told.chance) })),
          piece("b", { class: "win-words" }, percentText(test.wins))),
        piece("p", { class: "reading-line" }, `${Math.round(test.wins * test.of)} of ${test.of} true captions win (95 %: ${percentText(test.low)} to ${percentText(test.high)}); the two texts’ cosine is ${fixedText(test.same, 3)}.`),
        piece("details", { open: test === hardest }, piece("summary", {}, "Examples, worst and best"), piece("div", { class: "duels" }, ...test.examples.map((one) => duel(lab, one)))));
    }));
    mine.hidden = !told.own;
    if (told.own) {
      const bars = piece("div", { class: "bars" });
      barsIn(bars, told.own.rows.map((row) => ({ name: row.name, value: row.score, words: `${fixedText(row.score, 3)} · cosine to yours ${fixedText(row.same, 3)}`, now: row.name === "as typed" })), "sym-mu");
      mine.replaceChildren(piece("h4", {}, "Your sentence"), bars, ...told.own.rows.filter((row) => row.name !== "as typed").map((row) => piece("p", { class: "reading-line" }, row.name + ": " + row.text)));
    }
    section.dataset.tests = told.tests.length;
  }

  await probe.ask();
}

/** One face between its true caption and the false one; the better score is marked in words, not by colour alone. */
function duel(lab, { face, right, wrong }) {
  const won = right.score > wrong.score;
  const line = (kind, { text, score }, best) => piece("p", { "data-best": best ? "true" : null }, piece("b", {}, fixedText(score, 3) + (best ? " wins" : "")), " " + kind + ": " + text);
  return piece("div", { class: "duel", "data-won": String(won) }, pictureOf(lab.wire, { face }, "Face " + face, 64), piece("div", {}, line("true", right, won), line("false", wrong, !won)));
}
