// The row above the results: filters and those that are on, prompt, near-duplicates, least similar, random.

const NEAR_OFF = 1; // the end of the slider at which near-duplicates are left alone

function makeTools(place, desk) {
  const filters = buttonOf({
    icon: "filter",
    words: "Filters",
    press: () => desk.filters.toggle(),
    "data-do": "filters",
    "aria-expanded": "false",
  });
  const on = piece("div", { class: "conditions", role: "list", "aria-label": "Filters that are on" });
  const template = piece("select", {
    "aria-label": "Prompt around the words",
    "data-pick": "template",
    onchange: () => desk.go({ template: template.value || null }),
  });
  const near = sliderOf({
    label: "Group near-duplicates from this cosine on",
    min: 0.8,
    max: NEAR_OFF,
    step: 0.005,
    value: NEAR_OFF,
    input: (value) => desk.go({ duplicates: value >= NEAR_OFF ? null : value }, "near"),
  });
  const nearText = piece("output", {});
  const least = switchOf("Least similar", "Turns the order round: what is farthest from the query comes first", (value) =>
    desk.go({ least: value }),
  );
  place.className = "tools";
  on.hidden = true;
  place.append(
    filters,
    buttonOf({
      icon: "dice",
      words: "Random",
      title: "A random look through the collection (R)",
      press: () => random(),
      "data-do": "random",
    }),
    piece("label", { class: "tool" }, piece("span", {}, "Prompt"), template),
    piece(
      "label",
      { class: "tool tool-near", title: "Results that are nearly the same picture stand behind one of them" },
      piece("span", {}, "Near-duplicates"),
      near,
      nearText,
    ),
    least,
  );
  place.after(on);

  function random() {
    desk.only({ text: "", random: 1 + Math.floor(Math.random() * 9999) });
  }

  function showStart() {
    template.replaceChildren(
      piece("option", { value: "" }, "as written"),
      ...desk.start.templates
        .filter((text) => text !== "{}")
        .map((text) => piece("option", { value: text }, text.replace("{}", "…"))),
      piece("option", { value: ALL_TEMPLATES }, "all of these, averaged"),
    );
    show();
  }

  function show() {
    const { where, duplicates, least: turned } = desk.query;
    template.value = desk.query.template ?? "";
    near.set(duplicates ?? NEAR_OFF);
    tellText(nearText, duplicates === null ? "all shown" : "grouped from " + duplicates.toFixed(3).replace(/0$/, ""));
    least.set(turned);
    on.hidden = !where.length;
    on.replaceChildren(
      ...where.map((one) =>
        piece(
          "span",
          { class: "condition", role: "listitem" },
          piece("span", { title: conditionWords(one) }, conditionWords(one)),
          buttonOf({
            icon: "close",
            title: "Without the filter “" + conditionWords(one) + "”",
            name: "bare small",
            press: () => desk.go({ where: desk.query.where.filter((other) => other !== one) }),
          }),
        ),
      ),
      ...(where.length
        ? [buttonOf({ words: "Clear all", name: "small ghost", press: () => desk.go({ where: [] }), "data-do": "clear-filters" })]
        : []),
    );
    tellText(filters.lastChild, where.length ? "Filters (" + where.length + ")" : "Filters");
  }

  desk.on("start", showStart);
  desk.on("query", show);
  desk.random = random;
}
