// Which word carries the score: a bar per word, as long as what the score loses without it.

function wordBars() {
  const node = piece("ol", { class: "word-bars", "aria-label": "What the score loses without each word" });
  return {
    node,
    show(words) {
      // From a common zero: what the score gains without a word grows to the left, what it loses to the right.
      const [low, high] = [Math.min(...words.map((one) => one.drop), 0), Math.max(...words.map((one) => one.drop), 0)];
      const at = (drop) => (100 * (drop - low)) / Math.max(0.02, high - low);
      node.hidden = !words.length;
      node.replaceChildren(
        ...words.map(({ word, drop, score_without: without }) =>
          piece(
            "li",
            {
              class: "word-bar",
              "data-sign": drop < 0 ? "-" : "+",
              title: "Without “" + word + "” the score is " + fixedText(without, 3),
            },
            piece("span", { class: "word-name" }, word),
            piece(
              "span",
              { class: "word-line", "aria-hidden": "true" },
              piece("i", { style: "left:" + at(Math.min(drop, 0)) + "%;right:" + (100 - at(Math.max(drop, 0))) + "%" }),
            ),
            piece("span", { class: "word-drop" }, (drop > 0 ? "+" : "") + fixedText(drop, 3)),
          ),
        ),
      );
    },
  };
}
