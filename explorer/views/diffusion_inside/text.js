// The text encoder: the matrix that the UNet reads, with its real numbers, and how alike its tokens are.

function makeText(place, inside) {
  const state = { run: null, told: null, values: null, padding: false };
  const reading = piece("p", { class: "reading", "aria-live": "polite" });
  const angle = piece("p", { class: "reading", "aria-live": "polite" });
  const states = makeMatrix("Tokens by width: what the text encoder puts out", (text) => tellText(reading, text));
  const cosines = makeMatrix("Cosine of every two tokens", (text) => tellText(angle, text));
  const facts = piece("p", { class: "lead" });
  const same = piece("p", { class: "same" });
  const trouble = piece("div");
  const pieces = piece("ol", { class: "pieces" });
  const strange = piece("div");
  const other = piece("input", { type: "text", "aria-label": "Another prompt", placeholder: "another prompt", maxlength: 2000, autocomplete: "off" });
  const form = piece("form", { class: "ask", onsubmit: (event) => (event.preventDefault(), compare(other.value.trim())) }, other, button("Compare", null, { type: "submit", "data-do": "compare" }));
  const compared = piece("div");

  place.replaceChildren(
    headOf("From words to a matrix", "All that the UNet ever learns of a prompt is this matrix: a row for each place, a column for each number."), facts, same, trouble,
    piece("div", { class: "card" }, piece("h4", {}, "The tokenizer: pieces and their numbers"), pieces, strange,
      piece("p", { class: "note" }, "Byte pairs (Sennrich et al. 2016): a word of the captions is one piece, any other falls into smaller ones, down to letters or the bytes of a letter.")),
    piece("div", { class: "pair" },
      piece("div", { class: "card" }, piece("h4", {}, "Tokens × width"), states.node, piece("p", { class: "ramp-line" }, piece("span", { class: "ramp" })), reading,
        switchOf("padding too", false, (on) => ((state.padding = on), draw()), "Short prompts are filled up with end tokens; the UNet reads these as well")),
      piece("div", { class: "card" }, piece("h4", {}, "Cosine between tokens"), cosines.node, angle,
        piece("p", { class: "note" }, "Orange: they point the same way. Blue: opposite ways. The same word at two places is not the same vector: it has seen other words before it."))),
    piece("div", { class: "card" }, piece("h4", {}, "Another prompt beside it"), form,
      piece("p", { class: "note" }, "The encoder is causal: a token sees only what stands before it. So all rows before the first other word are exactly the same."), compared));

  async function run() {
    if (state.run === inside.id) return;
    const { id } = inside;
    trouble.replaceChildren();
    try {
      const [told, read] = await Promise.all([inside.wire.json("text", { run: id }), inside.wire.json("tokens", { model: inside.model || null, prompt: (inside.settings.prompt ?? "").slice(0, 2000) })]);
      if (id !== inside.id) return;
      drawPieces(read);
      Object.assign(state, { run: id, told, values: floatsOf(told.states) });
      tell();
      draw();
      compared.replaceChildren();
      place.dataset.ready = "true";
    } catch (error) {
      if (id === inside.id) trouble.replaceChildren(troubleOf(error, run));
    }
  }

  function tell() {
    const { told } = state;
    const read = told.tokens.filter(({ kind }) => kind === "word").length;
    tellText(facts, `“${told.prompt}” is ${countText(read, "piece")}; with start, end and padding ${told.tokens.length} rows of ${told.width} numbers. ${countText(told.layers, "layer")}, ${countText(told.heads, "head")}, a vocabulary of ${wholeText(told.vocabulary)} pieces, ${told.parameters.map(manyText).join(" + ")} parameters.`);
    same.hidden = told.same === null;
    if (told.same !== null) tellText(same, told.same < 5e-3 ? "This is the very text tower of the CLIP tab: " + (told.same === 0 ? "every weight is the same." : `no weight differs by more than ${told.same.toExponential(0)}, which is rounding.`) : `The weights differ from those of the CLIP tab's text tower by up to ${fixedText(told.same, 3)}.`);
    place.dataset.same = String(told.same);
  }

  function drawPieces(read) {
    const items = read.words.flatMap((word) => word.pieces.map((text, k) =>
      piece("li", { "data-known": String(word.known), "data-read": String(word.tokens[k] <= read.room), class: k ? "joined" : null, title: word.pieces.length > 1 ? `a piece of “${word.text}”` : null }, piece("b", {}, text), piece("small", {}, String(word.ids[k])))));
    pieces.replaceChildren(...items);
    const prompt = inside.settings.prompt ?? "";
    const unknown = read.words.filter((word, i) => !word.known && read.words.findIndex((other) => other.text === word.text) === i);
    strange.replaceChildren(...[
      read.cut > 0 && piece("p", { class: "lead" }, `${countText(read.cut, "token")} of ${wholeText(read.count)} do not fit: the encoder reads ${read.room}.`),
      ...unknown.map((word) => piece("p", { class: "strange" }, `“${word.text}” is in no caption this model has read. `, word.near.length > 0 && "Near it: ",
        word.near.map((near) => button(near, () => inside.use(prompt.slice(0, word.span[0]) + near + prompt.slice(word.span[1])), { class: "chip", "aria-label": `Run with ${near} instead of ${word.text}` })))),
    ].filter(Boolean));
    place.dataset.pieces = items.length;
  }

  /** The rows that are shown: words and their neighbours, or all. */
  const rowsOf = (told) => told.tokens.map((token, i) => i).filter((i) => state.padding || told.tokens[i].kind !== "padding");

  function draw() {
    const { told, values } = state;
    const rows = rowsOf(told);
    const { width } = told;
    const picked = new Float32Array(rows.length * width);
    rows.forEach((row, i) => picked.set(values.subarray(row * width, (row + 1) * width), i * width));
    const names = rows.map((i) => nameOf(told.tokens[i], i));
    const sizes = Float32Array.from(picked, Math.abs).sort();
    const scale = sizes[Math.floor(sizes.length * 0.99)] || 1;
    states.draw({ rows: rows.length, columns: width, values: picked, scale, names, say: (r, c) => `${names[r]}, number ${c + 1}: ${fixedText(picked[r * width + c], 4)}` });
    place.querySelector(".ramp").dataset.ends = `−${fixedText(scale, 2)} … ${fixedText(scale, 2)}`;
    const angles = cosinesOf(picked, rows.length, width);
    cosines.draw({ rows: rows.length, columns: rows.length, values: angles, scale: 1, names, say: (r, c) => `${names[r]} and ${names[c]}: cosine ${fixedText(angles[r * rows.length + c], 3)}` });
    const norms = rows.map((_, i) => Math.hypot(...picked.subarray(i * width, (i + 1) * width)));
    tellText(reading, `Full colour: ${fixedText(scale, 2)}. Rows are ${fixedText(Math.min(...norms), 1)} to ${fixedText(Math.max(...norms), 1)} long. Point at a number to read it.`);
    tellText(angle, "Point at a cell to read it.");
    place.dataset.rows = rows.length;
  }

  const nameOf = (token, i) => (token.kind === "word" ? token.text : token.kind === "padding" ? "pad " + i : token.kind);

  async function compare(text) {
    if (!text) return compared.replaceChildren(piece("p", { class: "note" }, "Write another prompt first."));
    try {
      const told = await inside.wire.json("text", { run: state.run, other: text });
      const [a, b] = [floatsOf(told.states), floatsOf(told.other.states)];
      const { width } = told;
      const last = Math.max(...[told, told.other].map((one) => one.tokens.findLastIndex(({ kind }) => kind !== "padding")));
      const rows = Array.from({ length: last + 1 }, (_, i) => {
        const [one, two] = [a, b].map((all) => all.subarray(i * width, (i + 1) * width));
        let [dot, x, y, most] = [0, 0, 0, 0];
        for (let k = 0; k < width; k++) (dot += one[k] * two[k]), (x += one[k] ** 2), (y += two[k] ** 2), (most = Math.max(most, Math.abs(one[k] - two[k])));
        return { names: [told, told.other].map((t) => nameOf(t.tokens[i], i)), cosine: dot / Math.sqrt(x * y), most };
      });
      const equal = rows.findIndex(({ most }) => most > 1e-5);
      compared.replaceChildren(
        piece("p", { class: "lead", "data-equal": equal }, equal < 0 ? "Both prompts give the same matrix." : `The first ${countText(equal, "row")} ${equal === 1 ? "is" : "are"} the same; from row ${equal + 1} on they differ.`),
        piece("div", { class: "scroll" }, piece("table", { class: "plain" }, piece("thead", {}, piece("tr", {}, ["row", "here", "there", "cosine", "largest difference"].map((t) => piece("th", { scope: "col" }, t)))),
          piece("tbody", {}, rows.map(({ names, cosine, most }, i) => piece("tr", {}, [i + 1, ...names, fixedText(cosine, 3), most < 1e-5 ? "0" : fixedText(most, 3)].map((t) => piece("td", {}, String(t)))))))));
    } catch (error) {
      compared.replaceChildren(troubleOf(error, () => compare(text)));
    }
  }

  repaints.add(() => place.isConnected && [states, cosines].forEach(({ canvas }) => canvas.paint?.()));
  return { run, step: () => {} };
}

function cosinesOf(values, rows, width) {
  const out = new Float32Array(rows * rows);
  const lengths = Array.from({ length: rows }, (_, i) => Math.hypot(...values.subarray(i * width, (i + 1) * width)) || 1);
  for (let i = 0; i < rows; i++) {
    for (let j = i; j < rows; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += values[i * width + k] * values[j * width + k];
      out[i * rows + j] = out[j * rows + i] = sum / (lengths[i] * lengths[j]);
    }
  }
  return out;
}
