// Attention: where the picture looks when it reads a word, at this step and layer, as a film and as a grid of all words and steps.

const LOOKING_COLUMNS = 12; // steps of the grid, beside the mean
const LOOKING_PIXELS = 384; // of the large picture's canvas

function makeLooking(place, inside) {
  const state = { word: null, layer: "mean", under: "x0", fixed: false, told: null, maps: null, frames: null, final: null, here: null };
  const words = makeWords("Words of the prompt", (i) => choose({ word: i }));
  const canvas = piece("canvas", { class: "large", role: "img", tabindex: 0, onpointermove: point, onpointerdown: point, onpointerleave: () => ((state.here = null), drawReading()), onkeydown: walk });
  const layers = piece("select", { "aria-label": "Layer", onchange: () => choose({ layer: layers.value }) });
  const under = segments("Picture below the map", [["x0", "x̂₀ now", "The picture that this step estimates"], ["final", "result"], ["none", "map alone"]], state.under, (v) => choose({ under: v }));
  const legend = piece("p", { class: "legend" });
  const reading = piece("p", { class: "reading", "aria-live": "polite" });
  const mass = piece("p", { class: "note" });
  const grid = piece("div", { class: "grid-holder" });
  const trouble = piece("div");

  place.replaceChildren(
    headOf("What each word looks at", "In every attention layer each place of the picture asks: which words matter here? Choose a word; bright places are those where it counts most."),
    trouble,
    piece("div", { class: "looking" },
      piece("div", { class: "card stage" }, canvas, legend, piece("div", { class: "tools" }, under.node),
        switchOf("the same light at all steps", false, (on) => choose({ fixed: on }), "Else each step has its own: its brightest place is in full light")),
      piece("div", { class: "card" }, piece("h4", {}, "Words, in the tokenizer's pieces"), words.node,
        piece("label", { class: "field" }, piece("span", {}, "Layer"), layers), reading, mass,
        piece("p", { class: "note" }, "Shares are of what the words get: as in DAAM, start, end and padding are left out, and at every place the words sum to 100 %. The pieces of a word are added up. Maps are means over the heads."))),
    piece("div", { class: "card" }, piece("h4", {}, "All words, all steps"), piece("p", { class: "note" }, "Each row has its own scale, written at its end. Press a cell to go there."), grid));

  async function run() {
    state.maps = null;
    const { id } = inside;
    trouble.replaceChildren();
    try {
      const told = await inside.told();
      const [frames, maps] = await Promise.all([inside.frames(), inside.maps(state.layer)]);
      if (id !== inside.id) return;
      const kept = state.told?.words[state.word]?.text;
      Object.assign(state, { told, frames, maps, final: await inside.final() });
      if (!told.layers.some(({ name }) => name === state.layer)) return (state.layer = "mean"), run();
      const same = told.words.findIndex((word) => word.text === kept && word.spoken);
      state.word = same >= 0 ? same : telling();
      layers.replaceChildren(...told.layers.map(({ name, title, size }) => piece("option", { value: name }, `${title}, ${size[0]} × ${size[1]} places`)));
      layers.value = state.layer;
      words.draw(told.words, state.word);
      buildGrid();
      draw();
    } catch (error) {
      if (id === inside.id) trouble.replaceChildren(troubleOf(error, run));
      console.info(error);
    }
  }

  /** The word that shows most of the matter at first: whose places differ most, on the mean over the steps. */
  function telling() {
    const spread = state.told.words.map((word, i) => {
      const { values } = mapAt(state.maps.shape[0] - 1, i);
      return word.spoken ? Math.max(...values) - Math.min(...values) : -1;
    });
    return spread.indexOf(Math.max(...spread));
  }

  async function choose(changes) {
    const layer = changes.layer !== undefined && changes.layer !== state.layer;
    Object.assign(state, changes);
    if (layer) {
      place.dataset.ready = "false";
      try {
        state.maps = await inside.maps(state.layer);
      } catch (error) {
        trouble.replaceChildren(troubleOf(error, () => choose({ layer: state.layer })));
        return;
      }
      buildGrid();
    }
    draw();
  }

  /** The map of a word at a step (the number of steps is the mean over them), as shares 0..1. */
  function mapAt(step, word) {
    const [, many, height, width] = state.maps.shape;
    const from = (step * many + word) * height * width;
    return { height, width, values: state.maps.values.subarray(from, from + height * width) };
  }

  const topOf = (word) => {
    let top = 0;
    for (let step = 0; step < state.maps.shape[0] - 1; step++) for (const v of mapAt(step, word).values) if (v > top) top = v;
    return top || 1;
  };

  function draw() {
    if (!state.maps) return;
    const { told, word } = state;
    const step = inside.step;
    const { height, width, values } = mapAt(step, word);
    const top = state.fixed ? topOf(word) : Math.max(...values) || 1;
    const frame = state.under === "none" ? null : state.under === "final" ? state.final[0] : state.frames[step];
    paintLit(canvas, frame, Float32Array.from(values, (v) => v / top), height, width, LOOKING_PIXELS);
    canvas.setAttribute("aria-label", `Where “${told.words[word].text}” counts, step ${step + 1} of ${told.steps}. Arrow keys read the places.`);
    tellText(legend, step < told.first ? "This step was made with another prompt." : `Full light: ${percentText(top / 255)} of what the words get${state.fixed ? ", the most of all steps" : ", the most at this step"}`);
    const layer = told.layers.find(({ name }) => name === state.layer);
    const share = told.mass[state.layer]?.[step];
    tellText(mass, Number.isFinite(share) ? `At this step ${percentText(share)} of all attention in ${layer.name === "mean" ? "the " + layer.title : "layer “" + layer.title + "”"} falls on words; the rest goes to start, end and padding.` : "");
    words.show(word);
    drawReading();
    place.dataset.ready = "true";
    Object.assign(place.dataset, { word: told.words[word].text, layer: state.layer, top: (top / 255).toFixed(3), step });
    for (const cell of grid.querySelectorAll("[data-cell]")) {
      const [i, s] = cell.dataset.cell.split(",").map(Number);
      cell.setAttribute("aria-pressed", String(i === word && s === state.columns.reduce((best, c) => (Math.abs(c - step) < Math.abs(best - step) ? c : best), 0)));
    }
  }

  function drawReading() {
    if (!state.maps) return;
    const { told, word } = state;
    const step = inside.step;
    const { height, width, values } = mapAt(step, word);
    if (state.here === null) {
      const best = values.indexOf(Math.max(...values));
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      tellText(reading, `“${told.words[word].text}” gets ${percentText(mean / 255)} on average and ${percentText(values[best] / 255)} in row ${Math.floor(best / width) + 1}, column ${(best % width) + 1} of ${height} × ${width}.`);
      return;
    }
    const at = within(Math.floor(state.here[1] * height), 0, height - 1) * width + within(Math.floor(state.here[0] * width), 0, width - 1);
    const all = told.words.map((one, i) => [one.text, mapAt(step, i).values[at] / 255]).sort((a, b) => b[1] - a[1]).slice(0, 4);
    tellText(reading, `Row ${Math.floor(at / width) + 1}, column ${(at % width) + 1} looks at: ${all.map(([text, share]) => `“${text}” ${percentText(share)}`).join(", ")}.`);
  }

  function point(event) {
    const box = canvas.getBoundingClientRect();
    state.here = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    drawReading();
  }

  function walk(event) {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (event.key === "Escape") state.here = null;
    else if (way && state.maps) {
      event.preventDefault();
      const [, , height, width] = state.maps.shape;
      const [x, y] = state.here ?? [0, 0];
      state.here = [within(Math.floor(x * width) + way[0], 0, width - 1) / width + 1e-6, within(Math.floor(y * height) + way[1], 0, height - 1) / height + 1e-6];
      event.stopPropagation();
    } else return;
    drawReading();
  }

  // ---- The grid ---------------------------------------------------------------------------------------------------------------

  function buildGrid() {
    const { told } = state;
    const count = Math.min(LOOKING_COLUMNS, told.steps);
    state.columns = [...new Set(Array.from({ length: count }, (_, i) => Math.round((i * (told.steps - 1)) / Math.max(1, count - 1))))];
    const head = piece("tr", {}, piece("th", { scope: "col" }, "word"), state.columns.map((s) => piece("th", { scope: "col" }, String(s + 1))), piece("th", { scope: "col" }, "mean"), piece("th", { scope: "col" }, "most"));
    const rows = told.words.flatMap((word, i) => (word.spoken ? [rowOf(word, i)] : []));
    grid.replaceChildren(piece("table", { class: "films" }, piece("thead", {}, head), piece("tbody", {}, rows)));
    paintAll(grid);
  }

  function rowOf(word, i) {
    const top = topOf(i);
    const cell = (step, words) => {
      const small = piece("canvas", { class: "map", "aria-hidden": "true" });
      const { height, width, values } = mapAt(step, i);
      const shares = Float32Array.from(values, (v) => v / top);
      small.paint = () => paintShare(small, shares, height, width, ...shareColours(grid));
      return [small, words];
    };
    const pressed = (step) => () => {
      state.word = i;
      inside.go(step);
      draw();
    };
    return piece("tr", {}, piece("th", { scope: "row" }, word.text),
      state.columns.map((step) => piece("td", {}, piece("button", { type: "button", class: "cell", "data-cell": i + "," + step, "aria-label": `${word.text}, step ${step + 1}`, onclick: pressed(step) }, cell(step)[0]))),
      piece("td", {}, cell(state.maps.shape[0] - 1)[0]), piece("td", { class: "number" }, percentText(top / 255)));
  }

  return { run, step: draw };
}
