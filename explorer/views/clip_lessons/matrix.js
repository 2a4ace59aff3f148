// The contrastive matrix: its pairs, what one does to them, and what follows from their cosines at once.

const MATRIX_SIZES = [4, 8, 12, 16];
const MATRIX_DETAILS = [["0.2", "a little"], ["0.5", "half"], ["1", "everything"]]; // how much captions tell
const MATRIX_TYPING = 350; // ms without a key before a caption's cosines are asked for
const MATRIX_VIEWS = [
  ["cos", "Cosines", GRID_VIEWS.cos.about], ["rows", "Softmax →", GRID_VIEWS.rows.about],
  ["columns", "Softmax ↓", GRID_VIEWS.columns.about], ["gradient", "Gradient", GRID_VIEWS.gradient.about],
];

async function makeMatrix(section, lab) {
  const link = lab.link("matrix");
  const own = lab.model.scale;
  const scaleOf = (v) => within(v, 1, 100);
  const state = {
    n: MATRIX_SIZES.includes(+link.get("n")) ? +link.get("n") : 8, seed: Math.round(link.number("seed", 0, 0, 99_999)),
    detail: MATRIX_DETAILS.some(([v]) => v === link.get("detail")) ? link.get("detail") : "0.5", twins: link.get("twins") === "1",
    view: Object.hasOwn(GRID_VIEWS, link.get("view") ?? "") ? link.get("view") : "cos", scale: link.number("scale", scaleOf(own), 1, 100),
    pairs: [], cos: [], selected: new Set(), past: [], future: [],
  };
  const known = new Map(); // cosine by picture and caption
  const key = ({ ref }, { caption }) => refKey(ref) + "\n" + caption.trim();
  let told = null;
  let news = "";
  let failed = new Set();
  let cell = null;

  // ---- What stands where -------------------------------------------------------------------------------------------------

  const sizes = segments("Pairs", MATRIX_SIZES.map((n) => [n, String(n)]), state.n, (n) => load({ n }));
  const detail = choice("telling", MATRIX_DETAILS, state.detail, (v) => load({ detail: v }));
  const kind = choice("drawn", [["0", "at random"], ["1", "colour twins"]], state.twins ? "1" : "0", (v) => load({ twins: v === "1" }));
  const seed = numberField("Seed", { min: 0, max: 99_999, value: state.seed, "data-do": "matrix-seed", pick: (v) => load({ seed: v }) });
  const acts = {
    swap: button("Swap captions", () => swap(), { "data-do": "swap", class: "button small" }),
    duplicate: button("Duplicate a pair", duplicate, { "data-do": "duplicate", class: "button small" }),
    twin: button("Add a hard negative", addTwin, { "data-do": "twin", class: "button small", title: "Two faces whose captions differ only in whose colour is whose" }),
    replace: button("Replace image", () => replaceImage(chosen()[0]), { "data-do": "replace", class: "button small" }),
    undo: button(iconOf("undo"), () => travel(state.past, state.future), { "data-do": "undo", class: "button small icon", "aria-label": "Undo", title: "Undo (Ctrl+Z)" }),
    redo: button(iconOf("redo"), () => travel(state.future, state.past), { "data-do": "redo", class: "button small icon", "aria-label": "Redo", title: "Redo (Ctrl+Shift+Z)" }),
    reset: button("Reset", () => load({}), { "data-do": "reset", class: "button small" }),
  };
  for (const [name, node] of Object.entries(acts)) node.disabled = name !== "reset"; // there is nothing yet to act on
  const views = segments("Shown", MATRIX_VIEWS, state.view, (view) => ((state.view = view), link.set({ view: view === "cos" ? null : view }), draw()));
  const scale = slider("Logit scale s", {
    min: 0, max: 1000, step: 5, value: toTrack(state.scale), mark: toTrack(scaleOf(own)), fact: "scale", words: () => state.scale.toFixed(1),
    describe: "s = 1 / temperature; the mark is what this model has learnt: " + own.toFixed(1),
    change: (v) => ((state.scale = fromTrack(v)), scale.tell(), link.set({ scale: state.scale.toFixed(1) }), draw()),
  });
  const ownScale = button("Learnt: " + own.toFixed(1), () => {
    state.scale = scaleOf(own);
    scale.show(toTrack(state.scale));
    link.set({ scale: null });
    draw();
  }, { class: "button small", "data-do": "own-scale", title: "The scale that this model has learnt" });

  const board = piece("div", { class: "matrix-board" });
  const trouble = troublePlace();
  const legend = piece("p", { class: "legend" });
  const see = piece("p", { class: "see", role: "status" }, "Asking the model …");
  const sums = piece("div", { class: "card sums", "data-place": "loss" });
  const reading = piece("div", { class: "card reading", "data-place": "cell", "aria-live": "off" });
  const side = piece("div", { class: "matrix-side" }, sums, reading, piece("section", { class: "card fresh", "data-place": "fresh" }));
  section.append(
    lab.head("Contrastive matrix", "Every picture meets every caption. Swap captions, copy a pair, move the temperature, and watch what the loss does to each cell."),
    piece("div", { class: "matrix" },
      piece("div", { class: "matrix-main" },
        piece("div", { class: "tools" }, piece("div", { class: "field" }, piece("span", { class: "field-name" }, "Pairs"), sizes.node), kind.node, detail.node, seed.node),
        piece("div", { class: "tools" }, acts.swap, acts.duplicate, acts.twin, acts.replace, piece("span", { class: "tray" }, acts.undo, acts.redo, acts.reset)),
        piece("div", { class: "tools looking" }, views.node, scale.node, ownScale),
        trouble.node, see, board, legend,
        piece("div", { class: "tools" },
          button("Save CSV", () => told && handOverTable(matrixTable({ ...state, told }), "contrastive-matrix.csv"), { class: "button small", "data-do": "csv" }),
          button("Save PNG", async () => told && handOver(await matrixPicture(lab, { ...state, told }), "contrastive-matrix.png"), { class: "button small", "data-do": "png" }))),
      side),
  );
  const list = makePairs(board, {
    select(i) {
      if (!state.selected.delete(i)) state.selected.add(i);
      while (state.selected.size > 2) state.selected.delete(state.selected.values().next().value);
      draw();
    },
    swap: (i, j) => swap([i, j]),
    type(i, text) {
      if (typing !== i) remember();
      typing = i;
      state.pairs[i] = { ...state.pairs[i], caption: text, word: "edited" };
      soon();
    },
    typed: () => (soon.flush(), (typing = null)),
  });
  const grid = makeGrid(board, lab, { hover: (i, j) => ((cell = i === null ? cell : [i, j]), drawCell()), choose: (i) => replaceImage(i) });
  let typing = null;
  const soon = soonOnce(() => changed(typing === null ? "" : `Caption ${typing + 1} is new.`), MATRIX_TYPING);

  // On the document: a button that has just been disabled has lost the focus.
  document.addEventListener("keydown", (event) => {
    if (!board.isConnected || !board.offsetParent || !(event.target === document.body || section.contains(event.target))) return;
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.matches("input, textarea")) return;
    event.preventDefault();
    (event.shiftKey ? acts.redo : acts.undo).click();
  });

  function fromTrack(v) { return +(100 ** (v / 1000)).toFixed(1); }
  function toTrack(v) { return (1000 * Math.log(v)) / Math.log(100); }

  // ---- Deeds ---------------------------------------------------------------------------------------------------------------

  /** The pairs that a button is about: those selected, and where that is too few, the first ones. */
  function chosen(count = 1) {
    const some = [...state.selected].sort((a, b) => a - b);
    for (let i = 0; some.length < count; i++) {
      const next = ((some[0] ?? 0) + i) % state.pairs.length;
      if (!some.includes(next)) some.push(next);
    }
    return some.slice(0, count);
  }

  function remember() {
    state.past.push(state.pairs.slice());
    state.past.splice(0, state.past.length - 100);
    state.future = [];
  }

  function travel(from, to) {
    if (!from.length) return;
    typing = null;
    to.push(state.pairs.slice());
    state.pairs = from.pop();
    state.selected.clear();
    changed("");
  }

  function swap([i, j] = chosen(2)) {
    remember();
    const pairs = state.pairs.slice();
    const [a, b] = [pairs[i], pairs[j]];
    pairs[i] = { ...a, caption: b.caption, word: "swapped" };
    pairs[j] = { ...b, caption: a.caption, word: "swapped" };
    state.pairs = pairs;
    changed(`Captions ${i + 1} and ${j + 1} changed places: their pictures are now told to match the wrong words.`);
  }

  function duplicate() {
    const [i] = chosen();
    const j = chosen(2).find((k) => k !== i);
    remember();
    state.pairs = state.pairs.with(j, { ...state.pairs[i], word: "copy of " + (i + 1) });
    changed("");
  }

  async function addTwin() {
    const [i, j] = chosen(2);
    await trying(async () => {
      const { pairs } = await lab.wire.get("pairs", { n: 2, twins: 1, detail: state.detail, seed: state.past.length + 100 + state.seed });
      remember();
      const next = state.pairs.slice();
      [i, j].forEach((place, k) => (next[place] = { ...pairOf(pairs[k]), word: "twin" }));
      state.pairs = next;
      await changed(`Pairs ${i + 1} and ${j + 1} are twins now: the same words, but hair and shirt have swapped colours.`);
    }, addTwin);
  }

  function replaceImage(i) {
    lab.pick("Another picture for row " + (i + 1), 100 + 20 * i + state.past.length, ({ ref }) => {
      remember();
      state.pairs = state.pairs.with(i, { ...state.pairs[i], ref, name: nameOf(ref), word: "other image" });
      changed(`Image ${i + 1} is another one; its caption has stayed.`);
    });
  }

  const nameOf = (ref) => ("face" in ref ? "face " + ref.face : "item" in ref ? "item " + ref.item : "your picture");
  const pairOf = ({ face, caption }) => ({ ref: { face }, caption, name: "face " + face, word: "" });

  /** Pairs as the server draws them. */
  async function load(changes, keep = true) {
    const wanted = { n: state.n, seed: state.seed, detail: state.detail, twins: state.twins, ...changes };
    await trying(async () => {
      const { pairs, say } = await lab.wire.get("pairs", { n: wanted.n, seed: wanted.seed, detail: wanted.detail, twins: wanted.twins ? 1 : 0 });
      if (keep && state.pairs.length) remember();
      typing = told = null;
      Object.assign(state, wanted);
      state.selected.clear();
      state.pairs = pairs.map(pairOf);
      link.set({ n: state.n === 8 ? null : state.n, seed: state.seed || null, detail: state.detail === "0.5" ? null : state.detail, twins: state.twins ? 1 : null });
      await changed(say ?? "");
    }, () => load(changes, keep));
    sizes.show(state.n);
    seed.show(state.seed);
    detail.select.value = state.detail;
    kind.select.value = state.twins ? "1" : "0";
  }

  async function trying(work, again) {
    trouble.clear();
    try {
      return await work();
    } catch (error) {
      trouble.show(error, again);
    }
  }

  // ---- Cosines: only those that are not known yet are asked for -----------------------------------------------------------

  let asked = 0;
  async function changed(sentence) {
    news = sentence;
    const before = told?.loss;
    const { pairs } = state;
    failed = new Set(pairs.flatMap(({ caption }, i) => (caption.trim() ? [] : [i])));
    const missing = (i, j) => !failed.has(j) && !known.has(key(pairs[i], pairs[j]));
    const places = pairs.map((_, i) => i);
    const newColumns = places.filter((j) => places.some((i) => missing(i, j)));
    const mine = ++asked;
    const wanted = newColumns.length ? { rows: places.filter((i) => newColumns.some((j) => missing(i, j))), columns: newColumns } : null;
    fill();
    writePairs();
    if (failed.size) trouble.show(new Error(`Caption ${[...failed][0] + 1} is empty; type what its picture shows.`));
    else trouble.clear();
    if (!wanted) return settle(before);
    lab.facts({ state: "busy" });
    section.dataset.cells = wanted.rows.length * wanted.columns.length;
    try {
      const { cos } = await lab.wire.post("matrix", { model: lab.model.name, images: wanted.rows.map((i) => pairs[i].ref), captions: wanted.columns.map((j) => pairs[j].caption.trim()) });
      wanted.rows.forEach((i, r) => wanted.columns.forEach((j, c) => known.set(key(pairs[i], pairs[j]), cos[r][c])));
      if (mine !== asked) return;
      fill();
      settle(before);
    } catch (error) {
      if (mine !== asked) return;
      wanted.columns.length === 1 && failed.add(wanted.columns[0]);
      trouble.show(error, () => changed(sentence));
      settle(before);
    }
  }

  let stale = new Set();
  function fill() {
    stale = new Set();
    const old = state.cos;
    state.cos = state.pairs.map((row, i) => state.pairs.map((column, j) => {
      const value = known.get(key(row, column));
      if (value === undefined) stale.add(i + "," + j);
      return value ?? old[i]?.[j] ?? 0;
    }));
    draw();
  }

  function settle(before) {
    section.dataset.changes = +(section.dataset.changes ?? 0) + 1;
    lab.facts({ state: "ready" });
    draw(before);
  }

  /** What was edited stands in the link; pairs that a seed draws need not. */
  function writePairs() {
    const plain = state.pairs.every(({ word, ref }) => !word && "face" in ref);
    const packed = JSON.stringify(state.pairs.map(({ ref, caption }) => [ref.face ?? -1, caption]));
    link.set({ pairs: plain || packed.length > 3000 || state.pairs.some(({ ref }) => !("face" in ref)) ? null : packed });
  }

  function linkedPairs() {
    try {
      const pairs = JSON.parse(link.get("pairs"));
      const fine = Array.isArray(pairs) && MATRIX_SIZES.includes(pairs.length) && pairs.every(([face, caption]) => Number.isInteger(face) && face >= 0 && face < 1e6 && typeof caption === "string");
      return fine ? pairs.map(([face, caption]) => ({ ...pairOf({ face, caption: caption.slice(0, 300) }), word: "edited" })) : null;
    } catch {
      return null;
    }
  }

  // ---- Drawing ---------------------------------------------------------------------------------------------------------------

  function draw(before = null) {
    if (!state.pairs.length) return;
    told = contrast(state.cos, state.scale);
    const { pairs, view, selected } = state;
    const range = grid.show({ ...state, told, stale });
    list.show({ pairs, selected, failed });
    board.style.setProperty("--n", state.n);
    board.dataset.n = pairs.length;
    lossEquation(sums, told, state.scale);
    drawCell();
    drawLegend(range);
    const [i, j] = chosen(2);
    tellText(acts.swap, `Swap captions ${i + 1}, ${j + 1}`);
    tellText(acts.duplicate, `Copy pair ${chosen()[0] + 1} over ${chosen(2).find((k) => k !== chosen()[0]) + 1}`);
    tellText(acts.twin, `Hard negative in ${i + 1}, ${j + 1}`);
    tellText(acts.replace, `Replace image ${chosen()[0] + 1}`);
    for (const name of ["swap", "duplicate", "twin", "replace"]) acts[name].disabled = false;
    acts.undo.disabled = !state.past.length;
    acts.redo.disabled = !state.future.length;
    tellText(see, whatOneSees(before));
    section.dataset.loss = told.loss.toFixed(6);
    section.dataset.n = pairs.length;
    section.dataset.view = view;
    section.dataset.scale = state.scale;
    section.dataset.stale = stale.size;
  }

  function drawCell() {
    if (!told) return;
    const [i, j] = cell && cell[0] < state.pairs.length && cell[1] < state.pairs.length ? cell : [0, 0];
    cellEquation(reading, told, state.cos, state.scale, i, j);
    section.dataset.shown = i + "," + j;
  }

  function drawLegend([low, high]) {
    const { about } = GRID_VIEWS[state.view];
    const ends = { cos: [fixedText(low, 2), fixedText(high, 2)], rows: ["0", "1"], columns: ["0", "1"], gradient: ["− together", "+ apart"] }[state.view];
    legend.dataset.view = state.view;
    legend.replaceChildren(piece("span", { class: "ramp-end" }, ends[0]), piece("span", { class: "ramp", "aria-hidden": "true" }), piece("span", { class: "ramp-end" }, ends[1]),
      piece("span", { class: "legend-words" }, about + " Framed cells are the pairs."));
  }

  function whatOneSees(before) {
    if (stale.size) return "Asking the model for " + pluralText(stale.size, "cosine") + " …";
    const { found, loss, chance, n, gradient } = told;
    const parts = news ? [news] : [];
    const twins = twinsOf(state.pairs)[0];
    if (twins) {
      const [a, b] = twins;
      const floor = (twins.length * Math.log(twins.length)) / n;
      parts.push(`Captions ${a + 1} and ${b + 1} say the same, so cell (${a + 1}, ${b + 1}) is a false negative with gradient ${signedText(gradient[a][b], 2)}; while two pairs are equal, the loss cannot fall below ${twins.length}/${n} · ln ${twins.length} = ${fixedText(floor, 3)}.`);
    }
    if (before !== null && before !== undefined && Math.abs(before - loss) > 0.0005) parts.push(`The loss went from ${fixedText(before, 3)} to ${fixedText(loss, 3)}.`);
    parts.push(found.images === n && found.captions === n
      ? `All ${n} images find their caption first, and all captions their image; the loss is ${smallPercent(loss / chance)} of chance.`
      : `${found.images} of ${n} images find their caption first, ${found.captions} of ${n} captions their image; the loss is ${smallPercent(loss / chance)} of chance.`);
    return parts.join(" ");
  }

  window.addEventListener("explorer:theme", () => board.isConnected && draw());
  section.contrast = () => ({ ...state, told }); // for tests and for whoever extends this
  const linked = linkedPairs();
  if (linked) {
    Object.assign(state, { pairs: linked, n: linked.length });
    sizes.show(state.n);
    await changed("");
  } else {
    await load({}, false);
  }
  lab.later(() => makeFresh(side.querySelector(".fresh"), lab));
  return { use: ({ ref }) => ref && state.pairs.length && (remember(), (state.pairs = state.pairs.with(0, { ...state.pairs[0], ref, name: nameOf(ref), word: "other image" })), changed("Image 1 is the one you sent here.")) };
}
