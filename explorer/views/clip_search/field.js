// The field for words, the examples below it, and the ways to ask with a picture.

function makeField(place, desk) {
  const input = piece("input", {
    type: "search",
    class: "field-words",
    "aria-label": "Describe what you look for",
    autocomplete: "off",
    spellcheck: "false",
    enterkeyhint: "search",
    placeholder: "Describe a picture, or write: red hair + sunglasses - beard",
    maxlength: 400,
    oninput: typed,
    onkeydown: keyed,
  });
  const back = buttonOf({ icon: "back", title: "The query before (Ctrl+Z)", press: desk.back, "data-do": "back" });
  const forward = buttonOf({
    icon: "forward",
    title: "The query after (Ctrl+Shift+Z)",
    press: desk.forward,
    "data-do": "forward",
  });
  const chips = piece("div", { class: "examples" });
  place.append(
    piece(
      "form",
      { class: "field", role: "search", onsubmit: (event) => (event.preventDefault(), commit()) },
      piece(
        "div",
        { class: "field-box" },
        iconOf("search"),
        input,
        buttonOf({
          icon: "close",
          title: "Empty the field",
          name: "bare field-clear",
          press: () => (desk.go({ text: "", weight: 1 }), input.focus()),
        }),
      ),
      piece(
        "div",
        { class: "field-pictures", role: "group", "aria-label": "Search by a picture" },
        piece("span", { class: "field-or" }, "or by a picture"),
        ...[
          ["upload", "Upload", "A file; pasting or dropping one works as well"],
          ["camera", "Webcam", "A shot of the webcam"],
          ["draw", "Draw", "Draw what you look for"],
        ].map(([name, words, title]) =>
          buttonOf({
            icon: name,
            words,
            title,
            press: () => desk.tray.toggle(name, "only"),
            "data-tray": name,
            "aria-expanded": "false",
          }),
        ),
      ),
      piece(
        "div",
        { class: "field-history", role: "group", "aria-label": "Queries before" },
        back,
        forward,
        buttonOf({ icon: "reset", title: "Begin anew", press: desk.reset, "data-do": "reset" }),
      ),
    ),
    chips,
  );

  function typed() {
    desk.go({ text: input.value, ...(desk.query.text.trim() ? {} : { weight: 1 }) }, "typing");
  }

  /** What is written with signs becomes an equation once one is done with it. */
  function commit() {
    const parts = splitSigns(input.value);
    if (parts.length > 1 || (parts.length && parts[0][0] === "-")) {
      const [first, ...rest] = parts;
      const more = rest.map(([sign, text]) => ({ kind: "text", text, weight: sign === "-" ? -1 : 1 }));
      desk.go({ text: first[1], terms: [...desk.query.terms, ...more] });
    } else if (input.value !== desk.query.text || desk.root.dataset.state !== "idle") desk.go({ text: input.value });
  }

  function keyed(event) {
    if (event.key === "ArrowDown" && desk.hits.length) {
      event.preventDefault();
      desk.results.focusTile(0);
    }
    if (event.key === "Escape" && input.value) {
      event.preventDefault();
      desk.go({ text: "" });
    }
  }

  function showExamples() {
    chips.replaceChildren(
      piece("span", { class: "examples-name" }, "Try"),
      ...desk.start.examples.map((text) =>
        piece("button", { type: "button", class: "chip", "data-example": text, onclick: () => example(text) }, text),
      ),
    );
    markExample();
  }

  function example(text) {
    const [first, ...rest] = splitSigns(text);
    desk.only({
      text: first[1],
      terms: rest.map(([sign, words]) => ({ kind: "text", text: words, weight: sign === "-" ? -1 : 1 })),
    });
  }

  function markExample() {
    const asked = queryWords(desk.query).replace("−", "-");
    for (const chip of chips.querySelectorAll(".chip")) chip.classList.toggle("on", chip.dataset.example === asked);
  }

  desk.on("start", showExamples);
  desk.on("query", () => {
    if (input.value !== desk.query.text) input.value = desk.query.text;
    back.disabled = !desk.past;
    forward.disabled = !desk.future;
    markExample();
  });
  back.disabled = forward.disabled = true;
  desk.field = { focus: () => (input.focus(), input.select()) };
}
