// An image is worth N tokens: its patches, their positions, what the class token looks at, and what is lost without order.

const TOKENS_WAIT = 450; // ms without a key before a text is scored

async function makeTokens(section, lab) {
  const link = lab.link("tokens");
  const state = {
    ref: linkedRef(), text: link.get("text") ?? "", gap: link.number("gap", 0.12, 0, 0.6),
    shuffle: Math.round(link.number("shuffle", -1, 0, 99_999)), zero: link.get("zero") === "1",
    layer: null, head: null, place: null,
  };
  if (state.shuffle < 0) state.shuffle = null;
  let told = null;
  let maps = null;
  let positions = null;
  let picture = null;
  let own = ""; // the face's own caption, which goes when the face goes

  const trouble = troublePlace();
  const see = piece("p", { class: "see", role: "status" }, "Asking the model …");
  const text = piece("input", { type: "text", maxlength: 300, "aria-label": "Text to score", "data-do": "tokens-text", oninput: () => ((state.text = text.value), typed()), onkeydown: (event) => event.key === "Enter" && typed.flush() });
  const typed = soonOnce(() => (link.set({ text: state.text.trim() === own ? null : state.text.trim() || null }), ask()), TOKENS_WAIT);
  const face = piece("button", { type: "button", class: "button", "data-do": "tokens-face", onclick: () => lab.pick("Another picture", 40, (chosen) => use(chosen)) }, "Another picture");
  const gap = slider("Gap between patches", { min: 0, max: 0.6, step: 0.02, value: state.gap, fact: "gap", words: (v) => Math.round(v * 100) + " %", change: (v) => ((state.gap = v), link.set({ gap: v }), drawPatches()) });
  const shuffle = button("Shuffle patches", () => set({ shuffle: state.shuffle === null ? 0 : null }), { "aria-pressed": "false", "data-do": "shuffle" });
  const again = button("Another order", () => set({ shuffle: (state.shuffle ?? 0) + 1 }), { "data-do": "reshuffle" });
  const zero = button("Zero positions", () => set({ zero: !state.zero }), { "aria-pressed": "false", "data-do": "zero" });

  const patches = piece("canvas", {
    class: "patches", tabindex: 0, role: "img", "aria-label": "The picture in patches; arrow keys walk through them", "data-place": "patches",
    onpointermove: (event) => point(patchAt(event)), onpointerdown: (event) => point(patchAt(event)), onkeydown: walk,
  });
  const reading = piece("p", { class: "reading-line" });
  const positionMap = piece("canvas", { class: "map large", role: "img" });
  const positionFrames = ["own", "best"].map((name) => piece("span", { class: "position-frame of-" + name, "aria-hidden": "true" }));
  const positionEnds = [0, 1].map(() => piece("span"));
  const positionWords = piece("p", { class: "reading-line" });
  const heads = piece("div", { class: "heads", role: "radiogroup", "aria-label": "Layer and head" });
  const attentionWords = piece("p", { class: "reading-line" });
  const scores = piece("div", { class: "bars", "data-place": "scores" });
  const setWords = piece("p", { class: "reading-line" });
  const body = piece("div", { class: "tokens" },
    piece("div", { class: "card" },
      piece("h4", {}, "Patches"), piece("p", { class: "todo" }, "The picture is cut up, and each patch becomes one token. Point at a patch."),
      patches, gap.node, reading),
    piece("div", { class: "card" },
      piece("h4", {}, "What the class token looks at"), piece("p", { class: "todo" }, "Press a layer and a head: the picture at the left keeps the patches that it looks at."),
      heads, attentionWords),
    piece("div", { class: "card" },
      piece("h4", {}, "Positions"), piece("p", { class: "todo" }, "A token knows its place only by a learnt vector. How alike are those of the chosen patch and of all others?"),
      piece("div", { class: "position-map" }, positionMap, positionFrames),
      piece("p", { class: "legend" }, positionEnds[0], piece("span", { class: "ramp of-positions", "aria-hidden": "true" }), positionEnds[1], piece("span", {}, "cosine; the framed cell is the most alike")), positionWords),
    piece("div", { class: "card" },
      piece("h4", {}, "Without order"), piece("p", { class: "todo" }, "The same patches in another order, or without positions. What is left of the score?"),
      piece("div", { class: "tools" }, shuffle, again, zero), scores, setWords));
  section.append(
    lab.head("An image is worth N tokens", "Pull the picture apart, see where the tower looks, then scramble it and watch the score of your text."),
    piece("div", { class: "tools" }, face, piece("label", { class: "field wide" }, piece("span", { class: "field-name" }, "Text"), text)),
    trouble.node, see, body);
  new ResizeObserver(() => drawPatches()).observe(patches);
  window.addEventListener("explorer:theme", () => body.isConnected && told?.has !== false && draw());

  function linkedRef() {
    const item = link.number("item", null, 0, Number.MAX_SAFE_INTEGER);
    return item === null ? link.face() : { item, collection: link.get("of") ?? "faces" };
  }

  function set(changes) {
    Object.assign(state, changes);
    link.set({ shuffle: state.shuffle, zero: state.zero ? 1 : null });
    ask();
  }

  async function use({ ref, text: words }) {
    if (ref) state.ref = ref;
    state.text = words ?? "";
    link.set({ face: ref?.face ?? null, item: ref?.item ?? null, of: ref?.collection ?? null, text: words || null });
    if (!words) await caption();
    text.value = state.text;
    await ask();
  }

  /** What the link names; without a face, the first that has a caption at hand. */
  async function begin() {
    if (!state.ref) {
      const { pairs: [first] } = await lab.wire.get("pairs", { n: 2, seed: 0, detail: 0.5, twins: 0 });
      state.ref = { face: first.face };
      own = first.caption;
      state.text ||= own;
    }
    if (!state.text) await caption();
  }

  /** A face's own caption, for a text to begin with. */
  async function caption() {
    own = "";
    if ("face" in state.ref) own = (await lab.wire.post("probe", { model: lab.model.name, kind: "prompts", ref: state.ref, n: 8 }).catch(() => ({}))).text ?? "";
    state.text ||= own || "a face";
  }

  let asked = 0;
  async function ask() {
    const mine = ++asked;
    trouble.clear();
    if (!state.text.trim()) {
      tellText(see, ""); // no sentence and no bar of another text stays beside the trouble
      tellText(setWords, "");
      scores.replaceChildren();
      lab.facts({ state: "ready" }); // an answer on its way is of an older text
      return trouble.show(new Error("Type a text to score, such as “a face with a red shirt”."));
    }
    lab.facts({ state: "busy" });
    try {
      const answer = await lab.wire.post("tokens", { model: lab.model.name, ref: state.ref, text: state.text.trim(), shuffle: state.shuffle, zero_positions: state.zero });
      if (mine !== asked) return;
      told = answer;
      if (told.has !== false) {
        maps = told.cls ? attentionMaps(told) : null;
        positions = bytesFrom64(told.positions);
        picture = await loadedPicture(pngAddress(told.picture));
      }
      if (mine !== asked) return;
      draw();
    } catch (error) {
      if (mine === asked) trouble.show(error, ask);
    }
    if (mine === asked) {
      lab.facts({ state: "ready" });
      section.dataset.answers = +(section.dataset.answers ?? 0) + 1;
    }
  }

  // ---- Drawing --------------------------------------------------------------------------------------------------------------

  function draw() {
    body.hidden = told.has === false;
    if (told.has === false) return tellText(see, (told.note || "This tower has no patches to show.") + ` The text scores ${fixedText(told.score_plain, 3)}.`);
    state.place ??= Math.floor(told.side / 2) * told.side + Math.floor(told.side / 2);
    shuffle.setAttribute("aria-pressed", String(state.shuffle !== null));
    zero.setAttribute("aria-pressed", String(state.zero));
    again.disabled = state.shuffle === null;
    drawPatches();
    drawHeads();
    drawScores();
    drawPlace();
    tellText(see, whatOneSees());
    Object.assign(section.dataset, { side: told.side, score: told.score, plain: told.score_plain, shuffle: String(state.shuffle ?? ""), zero: String(state.zero) });
  }

  function whatOneSees() {
    const { side, patch, size, score, score_plain: plain } = told;
    const begin = `${size} × ${size} pixels become ${side} × ${side} = ${side * side} tokens of ${patch} × ${patch} pixels.`;
    const done = [state.shuffle !== null && "shuffling the patches", state.zero && "zeroing the positions"].filter(Boolean).join(" and ");
    if (!done) return `${begin} In its true order the picture scores ${fixedText(plain, 3)} for this text.`;
    const change = score - plain;
    const { of, mean, sd } = told.orders;
    const orders = state.shuffle === null || state.zero ? "" : `; over ${of} orders it is ${fixedText(mean, 3)} ± ${fixedText(sd, 3)}`; // one alone may be lucky
    return `${begin} By ${done} the score ${Math.abs(change) < 0.0005 ? "stays at" : change < 0 ? "falls from" : "rises from"} ${fixedText(plain, 3)}${Math.abs(change) < 0.0005 ? "" : " to " + fixedText(score, 3)}${orders}.${told.note ? " " + told.note : ""}`;
  }

  function geometry(size) {
    const { side } = told;
    const cell = size / (side + (side - 1) * state.gap);
    return { cell, step: cell * (1 + state.gap) };
  }

  function drawPatches() {
    if (!told || !picture) return;
    const fresh = freshCanvas(patches);
    if (!fresh) return;
    const { context, width } = fresh;
    const ink = inkOf(lab.root);
    const { side, patch } = told;
    const { cell, step } = geometry(width);
    const light = maps ? stretched(maps.at(state.layer, state.head)) : null;
    const choosing = state.layer !== null && light;
    context.imageSmoothingEnabled = false;
    for (let i = 0; i < side * side; i++) {
      const [row, column] = [Math.floor(i / side), i % side];
      const [x, y] = [column * step, row * step];
      context.drawImage(picture, column * patch, row * patch, patch, patch, x, y, cell, cell);
      if (choosing) {
        context.globalAlpha = 0.85 * (1 - light[i] ** 0.7);
        context.fillStyle = ink("sunk");
        context.fillRect(x - 0.5, y - 0.5, cell + 1, cell + 1); // to the last part of a pixel
        context.globalAlpha = 1;
      }
      if (i === state.place) {
        context.strokeStyle = ink("panel");
        context.lineWidth = 5;
        context.strokeRect(x + 1, y + 1, cell - 2, cell - 2);
        context.strokeStyle = ink("focus");
        context.lineWidth = 3;
        context.strokeRect(x + 1, y + 1, cell - 2, cell - 2);
      }
    }
  }

  function drawHeads() {
    heads.hidden = !maps;
    if (!maps) return tellText(attentionWords, "This tower does not show its attention.");
    const ink = inkOf(lab.root);
    const { layers, heads: count, side } = told;
    heads.style.setProperty("--heads", count + 1);
    if (heads.dataset.shape !== layers + "x" + count) {
      heads.dataset.shape = layers + "x" + count;
      const name = (layer, head) => `layer ${layer + 1}, ${head === null ? "mean of all heads" : "head " + (head + 1)}`;
      heads.replaceChildren(
        piece("span", {}), ...Array.from({ length: count }, (_, h) => piece("span", { class: "head-name" }, "head " + (h + 1))), piece("span", { class: "head-name" }, "mean"),
        ...Array.from({ length: layers }, (_, l) => [
          piece("span", { class: "layer-name" }, "layer " + (l + 1)),
          ...[...Array(count).keys(), null].map((h) => piece("button", {
            type: "button", class: "map-button", role: "radio", "data-layer": l, "data-head": h ?? "mean", title: name(l, h), "aria-label": name(l, h),
            onclick: () => choose(l, h),
          }, piece("canvas", { class: "map" }))),
        ]).flat());
    }
    for (const node of heads.querySelectorAll(".map-button")) {
      const [layer, head] = [+node.dataset.layer, node.dataset.head === "mean" ? null : +node.dataset.head];
      paintMap(node.firstChild, stretched(maps.at(layer, head)), side, ink, "sym-x");
      const on = layer === state.layer && head === state.head;
      node.setAttribute("aria-checked", String(on));
    }
    tellAttention();
  }

  /** The same once more goes back to the whole picture. */
  function choose(layer, head) {
    const same = layer === state.layer && head === state.head;
    Object.assign(state, same ? { layer: null, head: null } : { layer, head });
    section.dataset.map = same ? "" : layer + "," + (head ?? "mean");
    drawHeads();
    drawPatches();
    drawPlace();
  }

  function tellAttention() {
    const { layer, head } = state;
    if (layer === null) return tellText(attentionWords, "Nothing is chosen; each small map is brightened to its own largest weight.");
    const weights = maps.at(layer, head);
    const best = weights.indexOf(Math.max(...weights));
    const self = head === null ? told.cls_self[layer].reduce((a, b) => a + b, 0) / told.heads : told.cls_self[layer][head];
    tellText(attentionWords, `Layer ${layer + 1}, ${head === null ? "mean of its heads" : "head " + (head + 1)}: most weight, ${fixedText(weights[best], 3)}, on ${whereOf(best)} (equal shares would be ${fixedText(told.chance, 3)}); ${fixedText(self, 3)} stays with the class token itself.`);
  }

  const whereOf = (i) => `row ${Math.floor(i / told.side) + 1}, column ${(i % told.side) + 1}`;

  function drawPlace() {
    const { side, patch, patches_norm: norms, order } = told;
    const i = state.place;
    const row = Array.from(positions.subarray(i * side * side, (i + 1) * side * side), (v) => v / 127.5 - 1);
    const others = row.filter((_, k) => k !== i);
    const [low, high] = [Math.min(...others), Math.max(...others)];
    paintMap(positionMap, row.map((v, k) => (k === i ? 0 : (v - low) / (high - low || 1))), side, inkOf(lab.root), "sym-sigma");
    const frame = (node, k) => node.setAttribute("style", `--side: ${side}; --row: ${Math.floor(k / side)}; --column: ${k % side}`);
    frame(positionFrames[0], i);
    frame(positionFrames[1], row.findIndex((v, k) => k !== i && v === high));
    [low, high].forEach((v, end) => tellText(positionEnds[end], fixedText(v, 2)));
    positionMap.setAttribute("aria-label", "Cosines of position vectors with that of " + whereOf(i));
    const best = row.findIndex((v, k) => k !== i && v === high);
    tellText(positionWords, `The position of ${whereOf(i)} is most like that of ${whereOf(best)} (cosine ${fixedText(high, 2)}) and least like one with ${fixedText(low, 2)}.`);
    const weight = maps ? `; the class token gives it ${fixedText(maps.at(state.layer, state.head)[i], 3)} ${state.layer === null ? "on average over all layers and heads" : "in the chosen map"}` : "";
    tellText(reading, `Patch at ${whereOf(i)}: ${patch} × ${patch} × 3 = ${patch * patch * 3} numbers become a token of length ${fixedText(norms[i], 2)}${weight}.${order[i] !== i ? " It came from " + whereOf(order[i]) + "." : ""}`);
    section.dataset.place = i;
  }

  function drawScores() {
    const names = { plain: "as it is", shuffled: "patches shuffled", zeroed: "positions zeroed", both: "both" };
    const now = state.shuffle !== null ? (state.zero ? "both" : "shuffled") : state.zero ? "zeroed" : "plain";
    const { mean, sd, low, high, of } = told.orders;
    barsIn(scores, told.words.map(({ name, score, rank }) => (name === "shuffled"
      ? { name: names[name], value: mean, spread: [mean - sd, mean + sd], mark: score, words: `${fixedText(mean, 3)} ± ${fixedText(sd, 3)}`, now: name === now }
      : { name: names[name] ?? name, value: score, words: `${fixedText(score, 3)}, rank ${rank} of ${told.of}`, now: name === now })), "sym-x");
    const one = told.words.find(({ name }) => name === "shuffled");
    const orders = `Shuffled: mean and spread over ${of} orders, which score ${fixedText(low, 3)} to ${fixedText(high, 3)}. The mark is ${state.shuffle === null ? "the order that Shuffle shows" : "the order shown"}: ${fixedText(one.score, 3)}, rank ${one.rank} of ${told.of}.`;
    const score = Object.fromEntries(told.words.map((one) => [one.name, one.score]));
    const same = Math.abs(score.zeroed - score.both) < 0.0005;
    tellText(setWords, orders + (same ? " Without positions the two orders score the same: to a transformer, tokens are a set, and only the position vectors make a picture of them." : ""));
  }

  // ---- Pointing ---------------------------------------------------------------------------------------------------------------

  function patchAt(event) {
    const box = patches.getBoundingClientRect();
    const { step } = geometry(box.width);
    const [column, row] = [event.clientX - box.left, event.clientY - box.top].map((v) => within(Math.floor(v / step), 0, told.side - 1));
    return row * told.side + column;
  }

  function point(place) {
    if (!told || place === state.place) return;
    state.place = place;
    drawPatches();
    drawPlace();
  }

  function walk(event) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!step || !told) return;
    event.preventDefault();
    const { side } = told;
    point(within(Math.floor(state.place / side) + step[0], 0, side - 1) * side + within((state.place % side) + step[1], 0, side - 1));
  }

  await begin();
  text.value = state.text;
  await ask();
  return { use };
}

/** Horizontal bars from zero, negative ones to the left: [{name, value, words, now, target, spread: [from, to], mark}]. */
function barsIn(holder, rows, hue) {
  const all = rows.flatMap(({ value, spread = [], mark = value }) => [value, mark, ...spread]);
  const low = Math.min(0, ...all);
  const high = Math.max(0.0001, ...all);
  const place = (v) => ((v - low) / (high - low)) * 100;
  holder.style.setProperty("--hue", "var(--" + hue + ")");
  holder.replaceChildren(...rows.map(({ name, value, words, now, target, spread, mark }) => {
    const [from, to] = [place(Math.min(0, value)), place(Math.max(0, value))];
    return piece("div", { class: "bar", "data-now": now ? "true" : null, "data-target": target ? "true" : null },
      piece("span", { class: "bar-name" }, name),
      piece("span", { class: "bar-track" }, piece("span", { class: "bar-fill", style: `left: ${from}%; width: ${Math.max(0.4, to - from)}%` }),
        spread && piece("span", { class: "bar-spread", style: `left: ${place(spread[0])}%; width: ${place(spread[1]) - place(spread[0])}%` }),
        mark !== undefined && piece("span", { class: "bar-mark", style: `left: ${place(mark)}%` })),
      piece("span", { class: "bar-words" }, words));
  }));
}
