// The loss in numbers that hold: every sum and product on the screen is one of the rounded numbers beside it.

/** A number of the equation, in its symbol's colour. */
const inEquation = (text, name = "") => piece("span", { class: "eq " + name }, text);

/** The symmetric loss, and what it would be by chance. */
function lossEquation(node, told, scale) {
  const [rows, columns] = [digitsOf(told.lossRows, 3), digitsOf(told.lossColumns, 3)];
  node.replaceChildren(
    piece("p", { class: "equation" }, inEquation("L", "of-loss"), " = ½ ( ", inEquation("CE images", "of-image"), " + ", inEquation("CE captions", "of-text"), " )"),
    piece("p", { class: "equation" }, inEquation("L", "of-loss"), " = ½ ( ", inEquation(fixedText(rows, 3), "of-image"), " + ", inEquation(fixedText(columns, 3), "of-text"), " ) = ",
      inEquation(fixedText((rows + columns) / 2, 4), "of-loss strong")),
    piece("p", { class: "equation small" }, "chance: ln " + told.n + " = " + fixedText(told.chance, 3) + " · scale s = " + fixedText(scale, 1) + " · temperature τ = 1/s = " + fixedText(1 / digitsOf(scale, 1), 3)),
  );
}

/** One cell: cosine to logit to both probabilities to gradient; on the diagonal, its row's and its column's share of the loss. */
function cellEquation(node, told, cos, scale, i, j) {
  const [c, s] = [digitsOf(cos[i][j], 3), digitsOf(scale, 1)];
  const [p, q] = [digitsOf(told.rows[i][j], 3), digitsOf(told.columns[i][j], 3)];
  const y = i === j ? 1 : 0;
  const gradient = (p - y) / 2 + (q - y) / 2;
  const verdict = Math.abs(gradient) < 0.00005 ? "no pull" : gradient > 0 ? "pushed apart" : "pulled together";
  const half = (v, name) => ["½(", inEquation(fixedText(v, 3), name), " − " + y + ")"];
  node.replaceChildren(
    piece("p", { class: "equation-head" }, piece("b", {}, "Image " + (i + 1) + " and caption " + (j + 1)), y ? " (a pair, y = 1)" : " (no pair, y = 0)"),
    piece("p", { class: "equation small" }, "logit = s · cos = " + fixedText(s, 1) + " · " + fixedText(c, 3) + " = " + fixedText(s * c, 2)),
    piece("p", { class: "equation small" }, "p→ = ", inEquation(fixedText(p, 3), "of-image"), " among captions, p↓ = ", inEquation(fixedText(q, 3), "of-text"), " among images"),
    piece("p", { class: "equation small" }, "gradient = ", half(p, "of-image"), " + ", half(q, "of-text"), " = ", inEquation(signedText(gradient, 4), "strong"), ": " + verdict),
    ...(y ? [piece("p", { class: "equation small" }, "row " + (i + 1) + ": −ln p→ = ", inEquation(fixedText(told.ceRows[i], 3), "of-image"), ", column " + (j + 1) + ": −ln p↓ = ", inEquation(fixedText(told.ceColumns[j], 3), "of-text"))] : []),
  );
}
