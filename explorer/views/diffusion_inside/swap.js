// Swap a word and see: the same noise with another word, freely or with the first picture's attention (Prompt-to-Prompt).

function makeSwap(place, inside) {
  const state = { run: null, told: null, word: null, done: null, hold: 0, selves: true, shot: 0, where: "now" };
  const words = makeWords("Word to swap", (i) => pick(i));
  const options = piece("div", { class: "options" });
  const other = piece("input", { type: "text", "aria-label": "Another word in its place", placeholder: "another word", maxlength: 60, autocomplete: "off" });
  const form = piece("form", { class: "ask", onsubmit: (event) => (event.preventDefault(), swap(other.value)) }, other, button("Swap", null, { type: "submit", class: "button strong", "data-do": "swap" }));
  const holdWords = piece("output", { class: "step-words" });
  const hold = sliderOf({ label: "Share of the steps that keep the first picture's attention", min: 0, max: 1, step: 0.1, value: 0, input: (v) => ((state.hold = v), tellHold()), done: () => state.done && swap(state.done.other) });
  const selves = switchOf("the picture's attention to itself too, in the first half of them", true, (on) => ((state.selves = on), state.done && state.hold > 0 && swap(state.done.other)));
  const trouble = piece("div");
  const instead = piece("h4", {}, "2. What stands there instead");
  const out = piece("div", { class: "swap-out" });

  place.replaceChildren(
    headOf("Swap a word and see", "The same noise, the same seed, one word another. What changes, and where?"),
    piece("div", { class: "swapping" }, piece("div", { class: "card" }, piece("h4", {}, "1. The word"), words.node, instead, options, form,
      piece("h4", {}, "3. How free the new run is"), piece("div", { class: "hold" }, piece("span", {}, "Keep the first picture's attention for"), hold, holdWords), selves,
      piece("p", { class: "note" }, "At 0 the new run is free. Above, its first steps attend where the first run did, so the face stays and only what the word says changes (Prompt-to-Prompt, Hertz et al. 2022).")),
      piece("div", {}, trouble, out)));
  tellHold();

  function tellHold() {
    tellText(holdWords, state.hold === 0 ? "no step" : percentText(state.hold) + " of the steps");
    hold.setAttribute("aria-valuetext", holdWords.textContent);
  }

  async function run() {
    if (state.run === inside.id) return step();
    const { id } = inside;
    trouble.replaceChildren();
    try {
      const told = await inside.told();
      if (id !== inside.id) return;
      Object.assign(state, { run: id, told, done: null });
      if (told.mode !== "text") throw new Error("A word can be swapped in a run that was told by text.");
      const colour = told.words.findIndex((word) => word.swap?.factor === "hair colour"); // the easiest to see
      const swaps = colour >= 0 ? colour : told.words.findIndex((word) => word.swap);
      words.draw(told.words, null);
      pick(swaps >= 0 ? swaps : told.words.findIndex((word) => word.spoken), false);
      out.replaceChildren();
      place.dataset.ready = "true";
      if (swaps >= 0) await swap(told.words[swaps].swap.options[0]);
    } catch (error) {
      if (id !== inside.id) return;
      state.run = null;
      trouble.replaceChildren(troubleOf(error, run));
    }
  }

  function pick(i) {
    state.word = i;
    words.show(i);
    const swapped = state.told.words[i]?.swap;
    options.replaceChildren(...(swapped ? swapped.options.map((text) => button(text, () => swap(text), { class: "chip", "data-option": text })) : [piece("p", { class: "note" }, "This word names no attribute of the corpus; type what you like.")]));
    tellText(instead, "2. What stands there instead" + (swapped ? ` (${swapped.factor})` : ""));
  }

  let asked = 0;
  async function swap(text) {
    const mine = ++asked;
    trouble.replaceChildren();
    place.dataset.state = "busy";
    for (const chip of options.querySelectorAll("[data-option]")) chip.setAttribute("aria-pressed", String(chip.dataset.option === text));
    try {
      const told = await inside.wire.post("swap", { run: state.run, word: state.word, other: text, hold: state.hold, selves: state.selves });
      if (mine !== asked) return;
      const [pictures, films, maps] = await Promise.all([framesOf(told.pictures), told.films ? framesOf(told.films) : null, inside.maps("mean")]);
      if (mine !== asked) return;
      state.done = { ...told, other: text, pictures, films, first_maps: maps, new_maps: { shape: told.shape, values: bytesOf(told.maps) } };
      build();
    } catch (error) {
      if (mine === asked) trouble.replaceChildren(troubleOf(error, () => swap(text)));
    } finally {
      if (mine === asked) place.dataset.state = "idle";
    }
  }

  function build() {
    const { done } = state;
    const shots = ["before", "after"].map((name) => piece("canvas", { class: "shot", width: 256, height: 256, role: "img", "data-shot": name }));
    const maps = ["before", "after"].map((name) => piece("canvas", { class: "map large-map", role: "img", "data-map": name }));
    const change = piece("canvas", { class: "shot", width: 256, height: 256, role: "img", "data-shot": "change" });
    const numbers = piece("p", { class: "note" });
    const cell = (title, ...nodes) => piece("figure", {}, piece("figcaption", {}, title), ...nodes);
    const where = segments("Which pictures", [["now", "x̂₀ of this step"], ["end", "results"]], state.where, (v) => ((state.where = v), step()));
    out.replaceChildren(piece("div", { class: "card" },
      piece("div", { class: "tools" }, where.node, button("Use this prompt", () => inside.use(done.prompt), { class: "button small", "data-do": "use" })),
      piece("p", { class: "prompt-line" }, "“" + done.prompt + "”"),
      piece("div", { class: "triple" },
        cell(`with “${state.told.words[done.word].text}”`, shots[0]), cell(`with “${done.other}”`, shots[1]), cell("difference, |a − b|", change),
        cell(`where “${state.told.words[done.word].text}” counts`, maps[0]), cell(`where “${done.after[done.word]}” counts`, maps[1])),
      numbers));
    Object.assign(state, { shots, maps, change, numbers });
    maps.forEach((canvas) => (canvas.paint = step));
    paintAll(out);
    step();
    Object.assign(place.dataset, { other: done.other, held: done.held, prompt: done.prompt });
  }

  function step() {
    const { done, shots } = state;
    if (!done || !shots) return;
    const n = within(inside.step - done.first, 0, done.steps - 1);
    const end = state.where === "end" || !done.films;
    const pair = end ? done.pictures : [done.films[n], done.films[done.steps + n]];
    pair.forEach((frame, k) => drawSmooth(shots[k], frame));
    const mean = drawDifference(state.change, pair);
    [[done.first_maps, n + done.first], [done.new_maps, n]].forEach(([maps, at], k) => {
      const [, many, height, width] = maps.shape;
      const from = (at * many + done.word) * height * width;
      const values = Float32Array.from(maps.values.subarray(from, from + height * width), (v) => v / 255);
      const top = Math.max(...values) || 1;
      paintShare(state.maps[k], values.map((v) => v / top), height, width, ...shareColours(place));
      state.maps[k].setAttribute("aria-label", `Map of the word, most ${percentText(top)}`);
    });
    const held = done.held ? `The first ${countText(done.held, "step")} kept the first picture's attention. ` : "No attention was kept. ";
    tellText(state.numbers, `${held}${end ? "The results" : `The estimates at step ${n + 1}`} differ by ${fixedText(mean, 1)} of 255 per number on average. Maps are means over layers at step ${n + 1}.`);
    place.dataset.mean = mean.toFixed(2);
  }

  return { run, step };
}

function drawSmooth(canvas, frame) {
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(frame, 0, 0, canvas.width, canvas.height);
}

/** |a − b| of two bitmaps of one size onto a canvas; returns the mean over pixels and colours. */
function drawDifference(canvas, [a, b]) {
  const read = (frame) => {
    const small = (drawDifference.canvas ??= document.createElement("canvas"));
    Object.assign(small, { width: frame.width, height: frame.height });
    const context = small.getContext("2d", { willReadFrequently: true });
    context.drawImage(frame, 0, 0);
    return context.getImageData(0, 0, frame.width, frame.height);
  };
  const [one, other] = [read(a), read(b)];
  let sum = 0;
  for (let i = 0; i < one.data.length; i++) {
    if (i % 4 === 3) continue;
    one.data[i] = Math.abs(one.data[i] - other.data[i]);
    sum += one.data[i];
  }
  Object.assign(canvas, { width: a.width, height: a.height });
  canvas.getContext("2d").putImageData(one, 0, 0);
  return sum / ((one.data.length / 4) * 3);
}
