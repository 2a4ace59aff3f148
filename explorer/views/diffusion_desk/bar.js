// The row on top: the parts of the tab, and the model all of them speak of.

const DIFFUSION_PARTS = [
  ["steps", "Steps", "A prompt becomes a picture, step by step"],
  ["inside", "Inside", "Tokens, attention and the network of this step"],
  ["forward", "Forward lab", "How noise is added, and how well it is predicted"],
  ["guidances", "Three guidances", "Explicit, by a classifier, classifier-free"],
  ["twin", "2-D twin", "The same in two dimensions, exactly"],
];

function makeBar(place, desk) {
  const buttons = DIFFUSION_PARTS.map(([name, words, title]) =>
    piece("button", { type: "button", class: "part-button", "data-to": name, title, onclick: () => desk.open(name) }, words),
  );
  const nav = piece("nav", { class: "part-nav", "aria-label": "Parts of this tab" }, buttons);
  const model = piece("select", { "aria-label": "Model", "data-pick": "model", onchange: () => desk.choose(model.value) });
  const picks = piece("label", { class: "bar-picks" }, piece("span", {}, "Model"), model);
  place.className = "bar";
  place.append(nav, picks);

  function showPart() {
    for (const button of buttons) {
      const on = button.dataset.to === desk.part;
      if (on) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
      if (on && nav.scrollWidth > nav.clientWidth) nav.scrollTo({ left: button.offsetLeft - nav.clientWidth / 3 });
    }
  }

  function showModels() {
    const { models } = desk.start;
    picks.hidden = models.length < 2;
    model.replaceChildren(
      ...models.map((one) =>
        piece(
          "option",
          { value: one.name, disabled: one.available === false, title: one.sentence },
          (one.label ?? one.title ?? one.name) + (one.available === false ? " (not here)" : ""),
        ),
      ),
    );
    model.value = desk.model;
  }

  desk.on("part", showPart);
  desk.on("start", showModels);
}
