// The visitor's labels: one a line, ready-made sets, the prompts around them, and "none of these".

const LABEL_PHRASES = {
  smile: "a smile",
  tongue: "tongue out",
  grimace: "a grimace",
  moustache: "a moustache",
  full: "a beard",
  bun: "hair in a bun",
  bob: "a bob",
  afro: "an afro",
  dreadlocks: "dreadlocks",
  headband: "hair with a headband",
  flowers: "hair with flowers",
  sunglasses: "sunglasses",
};

/** What a value of an attribute is called in a caption: ("hair colour", "red") -> "red hair". */
function labelPhrase(factor, value) {
  if (value === "none") return "no " + factor;
  if (LABEL_PHRASES[value]) return LABEL_PHRASES[value];
  const thing = factor.replace(" colour", "");
  return (thing === "shirt" ? "a " : "") + value + " " + thing;
}

function makeLabels(desk, changed) {
  const text = piece("textarea", {
    class: "label-text",
    rows: 7,
    spellcheck: "false",
    "aria-label": "Labels, one a line",
    maxlength: 4000,
    oninput: () => (mark(), later()),
  });
  const presets = piece("div", { class: "presets" });
  const prompts = piece("div", { class: "prompts" });
  const own = piece("input", {
    type: "text",
    placeholder: "your own, with {} for the label",
    "aria-label": "A prompt of your own",
    maxlength: 120,
    onkeydown: (event) => event.key === "Enter" && (event.preventDefault(), addOwn()),
  });
  const none = switchOf("None of these", "One more choice: a picture that no label fits", () => changed());
  const trouble = piece("p", { class: "trouble", hidden: true });
  const node = piece(
    "div",
    { class: "labels" },
    piece("h4", {}, "Labels, one a line"),
    presets,
    text,
    trouble,
    none,
    piece(
      "details",
      { class: "prompt-box", open: true },
      piece("summary", {}, "Prompts around the labels"),
      piece(
        "p",
        { class: "muted small-text" },
        "With several, the vectors of all prompts are averaged: an ensemble, steadier than any one of them.",
      ),
      prompts,
      piece(
        "div",
        { class: "prompt-own" },
        own,
        buttonOf({ icon: "plus", title: "Add this prompt", name: "small", press: addOwn }),
      ),
    ),
  );
  const later = settled(changed, 450);
  let templates = []; // [text, on]

  const most = () => desk.start.limits?.labels ?? 50;
  const labels = () =>
    [
      ...new Set(
        text.value
          .split("\n")
          .map((line) => line.trim())
          .filter(Boolean),
      ),
    ].slice(0, most());

  function mark() {
    const lines = text.value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    trouble.hidden = lines.length <= most();
    tellText(trouble, "The first " + most() + " labels count.");
    for (const chip of presets.children) chip.classList.toggle("on", chip.dataset.labels === lines.join("\n"));
  }

  function set(list) {
    text.value = list.join("\n");
    mark();
    changed();
  }

  function addOwn() {
    const words = own.value.trim();
    if (!words) return;
    if (!words.includes("{}"))
      return window.explorer.toast("A prompt has {} where the label goes, such as: a face with {}", "note");
    templates.push([words, true]);
    own.value = "";
    drawPrompts();
    changed();
  }

  function drawPrompts() {
    prompts.replaceChildren(
      ...templates.map((one) => {
        const box = piece("input", { type: "checkbox", onchange: () => ((one[1] = box.checked), changed()) });
        box.checked = one[1];
        return piece("label", {}, box, piece("span", {}, one[0] === "{}" ? "the label alone" : one[0].replace("{}", "…")));
      }),
    );
  }

  function show() {
    const factors = Object.entries(desk.start.factors ?? {});
    presets.replaceChildren(
      ...factors.map(([factor, values]) => {
        const list = values.map((value) => labelPhrase(factor, value));
        return piece(
          "button",
          { type: "button", class: "chip", "data-labels": list.join("\n"), onclick: () => set(list) },
          factor,
        );
      }),
    );
    if (!templates.length)
      templates = ["{}", ...desk.start.templates.filter((one) => one !== "{}")].map((one, i) => [one, i === 0]);
    drawPrompts();
    const linked = window.explorer.get("labels");
    if (!text.value)
      text.value = linked
        ? linked.split("|").join("\n")
        : (factors.find(([factor]) => factor === "hair colour") ?? factors[0] ?? ["", ["a photo"]])[1]
            .map((value) => labelPhrase("hair colour", value))
            .join("\n");
    mark();
  }

  return {
    node,
    show,
    set,
    labels,
    templates: () => templates.filter(([, on]) => on).map(([one]) => one),
    none: () => none.firstChild.checked,
  };
}
