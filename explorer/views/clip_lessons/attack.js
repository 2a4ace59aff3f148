// Typographic attack (Goh et al. 2021, section "Typographic attacks"): a word on a note, and whether the model believes it.

async function makeAttack(section, lab) {
  const link = lab.link("word");
  const state = {
    ref: link.face(), word: link.get("word") ?? "sunglasses", size: link.number("size", 0.2, 0.05, 0.5), x: link.number("x", 0.5, 0, 1),
    y: link.number("y", 0.85, 0, 1), plate: link.get("plate") !== "0", colour: "#ffffff", labels: link.get("labels") ?? "",
  };
  const later = soonOnce(() => (remember(), probe.ask()), 350);
  const word = piece("input", { type: "text", maxlength: 24, value: state.word, "aria-label": "Word to write", "data-do": "word", oninput: () => ((state.word = word.value.trim()), later()), onkeydown: (event) => event.key === "Enter" && later.flush() });
  const labels = piece("input", { type: "text", maxlength: 400, value: state.labels, placeholder: "no glasses, round glasses, sunglasses", "aria-label": "Labels, separated by commas", "data-do": "labels", oninput: () => ((state.labels = labels.value), later()), onkeydown: (event) => event.key === "Enter" && later.flush() });
  const size = slider("Size", { min: 0.05, max: 0.5, step: 0.01, value: state.size, fact: "word-size", words: (v) => Math.round(v * 100) + " %", change: (v) => ((state.size = v), later()) });
  const colour = piece("input", { type: "color", value: state.colour, "aria-label": "Colour of the word", onchange: () => ((state.colour = colour.value), later()) });
  const plate = button("Plate", () => ((state.plate = !state.plate), plate.setAttribute("aria-pressed", String(state.plate)), later()), { "aria-pressed": String(state.plate), "data-do": "plate", title: "A plate behind the word, dark or light, whichever is easier to read on" });
  const face = facePicker(lab, "Another picture", 160, (ref) => ((state.ref = ref), probe.ask(), remember()));
  const picture = piece("img", { class: "picture stage", alt: "The face with the word", draggable: "false" });
  const stage = piece("div", {
    class: "attack-stage", tabindex: 0, role: "application", "aria-label": "Place of the word: drag, or use the arrow keys", "data-place": "stage",
    onpointerdown: drag, onkeydown: nudge,
  }, picture, piece("span", { class: "cross", "aria-hidden": "true" }));
  const bars = piece("div", { class: "pairs-of-bars", "data-place": "labels" });
  const rates = piece("p", { class: "reading-line" });
  const probe = probeOf(section, lab, "typographic", () => ({
    ...(state.ref && { ref: state.ref }), word: state.word, size: state.size, x: state.x, y: state.y, plate: state.plate, colour: state.colour,
    ...(state.labels.trim() && { labels: state.labels.split(",").map((one) => one.trim()).filter(Boolean) }),
  }), draw);
  section.append(
    piece("p", { class: "todo" }, "Write a word on the face and drag it about. A model that has read the web believes what is written; does this one? The grey bars are the control: the same letters in disorder."),
    piece("div", { class: "tools" }, face.node, piece("label", { class: "field" }, piece("span", { class: "field-name" }, "Word"), word), size.node, plate, piece("label", { class: "field" }, piece("span", { class: "field-name" }, "Ink"), colour),
      piece("label", { class: "field wide" }, piece("span", { class: "field-name" }, "Labels"), labels)),
    probe.trouble, probe.see,
    piece("div", { class: "attack" }, stage, piece("div", { class: "card" }, bars, rates)));

  function remember() {
    link.set({
      word: state.word === "sunglasses" ? null : state.word, size: state.size === 0.2 ? null : state.size, x: state.x === 0.5 ? null : state.x.toFixed(2),
      y: state.y === 0.85 ? null : state.y.toFixed(2), plate: state.plate ? null : 0, labels: state.labels.trim() || null, face: state.ref?.face ?? null,
    });
  }

  function place(x, y) {
    Object.assign(state, { x: digitsOf(within(x, 0, 1), 3), y: digitsOf(within(y, 0, 1), 3) });
    cross();
    later();
  }
  const cross = () => (stage.style.setProperty("--x", state.x * 100 + "%"), stage.style.setProperty("--y", state.y * 100 + "%"));

  function drag(event) {
    if (event.button) return;
    event.preventDefault();
    stage.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    const move = ({ clientX, clientY }) => {
      const box = stage.getBoundingClientRect();
      place((clientX - box.left) / box.width, (clientY - box.top) / box.height);
    };
    move(event);
    stage.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, () => stage.removeEventListener("pointermove", move), { once: true });
  }

  function nudge(event) {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    place(state.x + step[0] * 0.04, state.y + step[1] * 0.04);
  }

  function draw(told) {
    if (state.ref) face.show(state.ref);
    face.node.querySelector("img").src = pngAddress(told.clean);
    picture.src = pngAddress(told.picture);
    bars.replaceChildren(
      piece("div", { class: "bar-key" }, piece("span", { class: "of-before" }, "before"), piece("span", { class: "of-after" }, "with the word"), piece("span", { class: "of-blank" }, "control")),
      ...told.labels.map(({ label, before, after, blank, target }) => piece("div", { class: "triple", "data-target": target ? "true" : null },
        piece("span", { class: "triple-name" }, label + (target ? " (the word)" : "")),
        ...[["before", before], ["after", after], ["blank", blank]].map(([name, value]) =>
          piece("span", { class: "triple-line of-" + name }, piece("span", { class: "triple-fill", style: "width: " + (value * 100).toFixed(1) + "%" }), piece("span", { class: "triple-words" }, percentText(value)))))));
    const { of, changed, fooled } = told.rates;
    tellText(rates, `On ${of} faces: the top label changes for ${percentText(changed.word)} with the word and for ${percentText(changed.blank)} with the control; it becomes the written one for ${percentText(fooled.word)} and ${percentText(fooled.blank)}. The picture’s vector keeps a cosine of ${fixedText(told.moved.word, 3)} to the clean one (control ${fixedText(told.moved.blank, 3)}).`);
    section.dataset.labels = told.labels.length;
    section.dataset.word = told.word;
    section.dataset.reads = String(told.reads);
  }

  cross();
  await probe.ask();
}
