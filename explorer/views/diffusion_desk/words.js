// The model's vocabulary as chips: a factor, then its values. A chip puts its phrase into the prompt, or takes it out.

function makeWords(place, desk) {
  let factor = "";
  const factors = piece("select", {
    class: "factor",
    "aria-label": "Words about",
    onchange: () => ((factor = factors.value), show()),
  });
  const chips = piece("div", { class: "chips", role: "group", "aria-label": "Words the model knows" });
  place.append(factors, chips);

  function press(value) {
    const { mode, labels, prompt } = desk.settings;
    if (mode === "labels") {
      const { [factor]: was, ...rest } = labels ?? {};
      desk.change({ labels: was === value ? rest : { ...rest, [factor]: value } });
    } else desk.change({ mode: "text", prompt: promptWith(prompt, factor, value, desk.start.words[factor]) });
    desk.run();
  }

  function show() {
    const words = desk.start.words ?? {};
    place.hidden = !Object.keys(words).length;
    if (place.hidden) return;
    chips.replaceChildren(
      ...words[factor].map((value) =>
        piece("button", { type: "button", class: "chip", "data-value": value, onclick: () => press(value) }, swatchOf(factor, value), value),
      ),
    );
    mark();
  }

  function mark() {
    for (const chip of chips.children) {
      const { mode, labels, prompt } = desk.settings;
      const { value } = chip.dataset;
      chip.setAttribute("aria-pressed", mode === "labels" ? labels?.[factor] === value : mode === "text" && placeOf(prompt, saidOf(factor, value)) >= 0);
    }
  }

  desk.on("start", () => {
    const names = Object.keys(desk.start.words ?? {});
    if (!names.includes(factor)) factor = names.includes("hair colour") ? "hair colour" : (names[0] ?? "");
    factors.replaceChildren(...names.map((name) => piece("option", { value: name }, name)));
    factors.value = factor;
    show();
  });
  desk.on("settings", mark);
}

const CHIP_COLOURS = {
  "hair colour": { black: "#1d191c", brown: "#4a2a1a", red: "#d02818", blonde: "#e8c15a", silver: "#c9c9d2", pink: "#f2619b", blue: "#2f6fdb" },
  skin: { pale: "#ffdbb4", light: "#edb98a", tan: "#d08b5b", brown: "#ae5d29", dark: "#845744" },
  shirt: { red: "#e23b3b", blue: "#2757c4", green: "#2f9e4f", yellow: "#f4c91f", white: "#fafafa", black: "#22262b" },
  background: { blue: "#8fd0ff", green: "#a5e3b4", yellow: "#ffe98a", pink: "#ffc2d1", purple: "#c6b3f5", grey: "#8d95a1", white: "#f3f1ec" },
};

/** The colour that a word means, where it means one. */
function swatchOf(factor, value) {
  const colour = CHIP_COLOURS[factor]?.[value];
  return colour && piece("span", { class: "swatch", style: "background: " + colour, "aria-hidden": "true" });
}
