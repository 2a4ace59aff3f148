// Labels with their probabilities: softmax of scale times cosine, computed here so that the temperature can be moved by hand.

/** exp(scale cos_i) / sum_j exp(scale cos_j) */
function softmaxOf(cosines, scale) {
  const top = Math.max(...cosines);
  const parts = cosines.map((cos) => Math.exp(scale * (cos - top)));
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / sum);
}

function labelBars() {
  const list = piece("ol", { class: "label-bars", "aria-label": "Labels by probability" });
  const equation = piece("p", { class: "softmax" });
  const scaleText = piece("output", {});
  const scale = sliderOf({
    label: "Scale of the cosines",
    min: 0,
    max: 2,
    step: 0.01,
    value: 1,
    input: (value) => ((s = 10 ** (1.5 * value)), draw()),
  });
  const asTrained = buttonOf({ words: "As trained", name: "small ghost", press: () => (trained(), draw()) });
  const prompts = piece("details", { class: "per-template", hidden: true }, piece("summary", {}, "What each prompt says alone"));
  const node = piece(
    "div",
    { class: "label-result" },
    list,
    piece(
      "div",
      { class: "softmax-box" },
      equation,
      piece("label", { class: "scale-row" }, piece("span", {}, "scale s"), scale, scaleText, asTrained),
    ),
    prompts,
  );
  let [told, s] = [null, 1];

  // The slider runs from 1 to 1,000 by powers of ten.
  const at = (value) => Math.log10(Math.max(1, value)) / 1.5;
  const trained = () => scale.set(at((s = told.scale)));

  function rowsOf() {
    const rows = told.labels.map(({ label, cos }) => ({ label, cos }));
    return told.none ? [...rows, { label: "none of these", cos: told.none.cos, none: true }] : rows;
  }

  function draw() {
    if (!told) return;
    const rows = rowsOf();
    softmaxOf(
      rows.map((row) => row.cos),
      s,
    ).forEach((p, i) => (rows[i].p = p));
    rows.sort((a, b) => b.p - a.p);
    list.replaceChildren(
      ...rows.map((row, i) =>
        piece(
          "li",
          { class: "label-bar" + (i ? "" : " first"), "data-none": Boolean(row.none), style: "--part:" + row.p * 100 + "%" },
          piece("span", { class: "label-name", title: row.label }, row.label),
          piece("span", { class: "label-line", "aria-hidden": "true" }),
          piece("b", {}, shareText(row.p, row.p < 0.1 ? 1 : 0)),
          piece("span", { class: "label-cos", title: "Cosine between picture and label" }, fixedText(row.cos, 3)),
        ),
      ),
    );
    tellText(scaleText, s.toFixed(1));
    const [first] = rows;
    const sum = rows.reduce((total, row) => total + Math.exp(s * (row.cos - first.cos)), 0);
    equation.replaceChildren(
      piece("span", {}, "p = softmax(s · cos)."),
      " First: p = 1 / Σ e",
      piece("sup", {}, "s (cos", piece("sub", {}, "j"), " − cos", piece("sub", {}, "1"), ")"),
      " = 1 / ",
      sumText(sum),
      " = ",
      piece("b", {}, shareText(first.p, 1)),
      piece(
        "span",
        { class: "muted" },
        s > told.scale * 1.5
          ? " Larger than trained: small differences decide."
          : s < told.scale / 1.5
            ? " Smaller than trained: all labels come near each other."
            : "",
      ),
    );
    node.dataset.first = first.label;
  }

  return {
    node,
    show(answer, templates) {
      const fresh = told?.scale !== answer.scale;
      told = answer;
      if (fresh) trained();
      draw();
      prompts.hidden = (answer.per_template?.[0]?.length ?? 0) < 2;
      prompts.lastChild.tagName === "TABLE" && prompts.lastChild.remove();
      if (!prompts.hidden) prompts.append(perTemplate(answer, templates));
    },
    empty: () => ((told = null), list.replaceChildren(), equation.replaceChildren()),
  };
}

/** A sum with as many digits as it takes for 1 / sum to be the share that is printed. */
function sumText(sum) {
  for (let digits = 2; digits < 7; digits++)
    if (shareText(1 / +sum.toFixed(digits), 1) === shareText(1 / sum, 1)) return sum.toFixed(digits);
  return sum.toFixed(7);
}

/** Cosines by prompt and label (they come by label, then prompt); the best label of each prompt is bold. */
function perTemplate(answer, templates) {
  const labels = answer.labels.map((one) => one.label);
  const rows = templates.map((text, j) => [text, labels.map((label, i) => answer.per_template[i][j])]);
  return piece(
    "table",
    {},
    piece(
      "thead",
      {},
      piece(
        "tr",
        {},
        piece("th", { scope: "col" }, "Prompt"),
        labels.map((label) => piece("th", { scope: "col" }, label)),
      ),
    ),
    piece(
      "tbody",
      {},
      rows.map(([text, row]) =>
        piece(
          "tr",
          {},
          piece("th", { scope: "row" }, text === "{}" ? "the label alone" : text.replace("{}", "…")),
          row.map((cos) => piece("td", { class: cos === Math.max(...row) ? "best" : "" }, fixedText(cos, 3))),
        ),
      ),
    ),
  );
}
