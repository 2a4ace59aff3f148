// The prompt, the button that runs it, and under them the words the model knows.

function makePrompt(place, desk) {
  const field = piece("input", {
    type: "text",
    class: "prompt-field",
    "aria-label": "Prompt",
    placeholder: "A face, or nothing at all",
    autocomplete: "off",
    spellcheck: "false",
    enterkeyhint: "go",
    oninput: () => desk.change({ prompt: field.value }, "prompt"),
    onkeydown: (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      desk.run();
    },
  });
  const go = buttonOf({ icon: "play", words: "Run", name: "strong go", press: () => (desk.live() ? desk.stop() : desk.run()), "data-do": "run" });
  const examples = piece(
    "select",
    { class: "examples", "aria-label": "Examples", onchange: () => (take(examples.value), (examples.value = "")) },
    piece("option", { value: "" }, "Examples"),
  );
  const words = piece("div", { class: "words" });
  place.className = "asking";
  place.append(piece("div", { class: "ask-line" }, field, examples, go), words);
  makeWords(words, desk);

  function take(prompt) {
    if (!prompt) return;
    desk.change({ prompt });
    desk.run();
  }

  function showStart() {
    examples.replaceChildren(
      piece("option", { value: "" }, "Examples"),
      ...desk.start.examples.map((text) => piece("option", { value: text }, text)),
    );
    field.maxLength = desk.start.limits.prompt_chars ?? 2000;
  }

  function showSettings() {
    const { mode, prompt } = desk.settings;
    const text = mode === "text" ? prompt : toldOf(desk.settings);
    field.readOnly = mode !== "text";
    if (field.value !== text) field.value = text;
  }

  function showBusy() {
    const live = desk.live();
    go.replaceChildren(iconOf(live ? "stop" : "play"), piece("span", {}, live ? "Stop" : "Run"));
    go.dataset.do = live ? "stop" : "run";
    go.classList.toggle("stopping", live);
  }

  desk.on("start", showStart);
  desk.on("settings", showSettings);
  desk.on("busy", showBusy);
}
