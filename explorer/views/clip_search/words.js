// Which word carries the score: a bar per word, as long as what the score loses without it.

function wordBars() {
  const node = piece("ol", { class: "word-bars", "aria-label": "What the score loses without each word" });
  return {
    node,
    show(words) {
      const most = Math.max(0.02, ...words.map((one) => Math.abs(one.drop)));
      node.hidden = !words.length;
      node.replaceChildren(
        ...words.map(({ word, drop, score_without: without }) =>
          piece(
            "li",
            {
              class: "word-bar",
              "data-sign": drop < 0 ? "-" : "+",
              title: "Without “" + word + "” the score is " + fixedText(without, 3),
              style: "--part:" + (Math.abs(drop) / most) * 100 + "%",
            },
            piece("span", { class: "word-name" }, word),
            piece("span", { class: "word-line", "aria-hidden": "true" }),
            piece("span", { class: "word-drop" }, (drop > 0 ? "+" : "") + fixedText(drop, 3)),
          ),
        ),
      );
    },
  };
}
