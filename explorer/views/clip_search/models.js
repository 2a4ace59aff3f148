// The models one can search with: what they cost, how good they are said to be, and why one is not here.

function makeModels(desk) {
  const body = piece("tbody", {});
  const reasons = piece("p", { class: "muted small-text", hidden: true });
  const node = piece(
    "section",
    { class: "card models", "aria-label": "Models" },
    piece("h3", {}, "Models"),
    piece(
      "p",
      { class: "muted" },
      "Every model has vectors of its own, so a collection is indexed once for each model that searches it.",
    ),
    scrolling(
      "model-table",
      piece(
        "table",
        {},
        piece(
          "thead",
          {},
          piece(
            "tr",
            {},
            ["Model", "Size", "One picture", "Published quality", "Languages", ""].map((words) =>
              piece("th", { scope: "col" }, words),
            ),
          ),
        ),
        body,
      ),
    ),
    reasons,
  );

  /** Why some are not here: what is true of several is said once. */
  function showReasons() {
    const said = desk.start.models
      .filter((one) => !one.ready && one.why)
      .map(({ label, why }) => (why.startsWith(label + " is ") ? "Not here: " + why.slice(label.length + 4) : why));
    reasons.hidden = !said.length;
    tellText(reasons, [...new Set(said)].join(" "));
  }

  function show() {
    showReasons();
    body.replaceChildren(
      ...desk.start.models.map((one) => {
        const chosen = one.name === desk.model;
        return piece(
          "tr",
          { "data-model": one.name, class: chosen ? "chosen" : "" },
          piece("th", { scope: "row" }, one.label, one.name !== one.label ? piece("small", {}, one.name) : null),
          piece(
            "td",
            {},
            [
              one.params && (one.params < 10 ? one.params.toFixed(1) : wholeText(one.params)) + " M parameters",
              one.mb && wholeText(one.mb) + " MB",
            ]
              .filter(Boolean)
              .join(", ") || "–",
          ),
          piece("td", {}, one.gflops ? (one.gflops < 1 ? one.gflops.toFixed(2) : one.gflops.toFixed(1)) + " GFLOP" : "–"),
          piece("td", {}, one.quality || "–"),
          piece("td", {}, one.languages || "–"),
          piece(
            "td",
            {},
            chosen
              ? piece("b", { class: "in-use" }, "in use")
              : one.ready
                ? buttonOf({ words: "Use it", name: "small", press: () => desk.choose(one.name) })
                : piece("span", { class: "why-not", title: one.why }, "not here"),
          ),
        );
      }),
    );
  }

  return { node, show };
}
