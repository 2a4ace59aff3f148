// The modality gap (Liang et al. 2022, sections 2 and 4): two clouds, the way between them, and what moving one does to recall.

const GAP_ROWS = [["matching", "matching pairs"], ["other", "other image and text"], ["image_image", "image and image"], ["text_text", "text and text"]];

async function makeGap(section, lab) {
  const link = lab.link("gap");
  let at = link.number("shift", 0, 0, 1.5);
  let told = null;
  let hovered = null;
  const trouble = troublePlace();
  const see = piece("p", { class: "see", role: "status" }, "Measuring both clouds …");
  const canvas = piece("canvas", { class: "scatter", role: "img", tabindex: 0, "data-place": "scatter", onpointermove: point, onpointerleave: () => ((hovered = null), drawScatter()), onkeydown: walk });
  const face = pictureOf(lab.wire, null, "", 128);
  const words = piece("p", {});
  const tip = piece("div", { class: "scatter-tip" }, face, words);
  const shift = slider("Move the texts", { min: 0, max: 1.5, step: 0.1, value: at, fact: "shift", words: (v) => v.toFixed(1) + " of the gap", change: (v) => ((at = v), link.set({ shift: v || null }), draw()) });
  const holder = piece("div");
  const chart = chartIn(holder, { height: 11 });
  const note = piece("p", { class: "reading-line" });
  const histograms = piece("div", { class: "histograms" });
  section.append(
    piece("p", { class: "todo" }, "Images are dots, texts are diamonds, and a line joins each pair. Move the texts along the gap and watch whether the pairs find each other more often."),
    trouble.node, see,
    piece("div", { class: "gap" },
      piece("div", { class: "card" }, canvas, piece("p", { class: "cloud-key" }, piece("span", { class: "of-image" }, "● images"), piece("span", { class: "of-text" }, "◆ texts")), shift.node, tip),
      piece("div", { class: "card" }, piece("h4", {}, "Recall while the texts move"), holder, note, piece("h4", {}, "Why a cosine is high or low only among its own kind"), histograms)),
    piece("div", { class: "tools" }, button("Save CSV", () => told && handOverTable([["kind", "index", "x", "y", "caption", "face"], ...["images", "texts"].flatMap((kind) => told[kind].map(([x, y], i) => [kind, i, x, y, told.captions[i], told.faces[i]]))], "modality-gap.csv"), { class: "button small", "data-do": "gap-csv" })));
  new ResizeObserver(() => told && drawScatter()).observe(canvas);
  window.addEventListener("explorer:theme", () => canvas.isConnected && told && drawScatter());

  const moved = ([x, y]) => [x + at * told.line[0], y + at * told.line[1]];

  function bounds() {
    const all = [...told.images, ...told.texts, ...told.texts.map(([x, y]) => [x + 1.5 * told.line[0], y + 1.5 * told.line[1]])];
    const [xs, ys] = [0, 1].map((k) => all.map((one) => one[k]));
    const middle = [xs, ys].map((v) => (Math.min(...v) + Math.max(...v)) / 2);
    return { middle, wide: (Math.max(...xs) - Math.min(...xs)) * 1.08, high: (Math.max(...ys) - Math.min(...ys)) * 1.08 };
  }

  let place = () => [0, 0];
  function drawScatter() {
    const fresh = freshCanvas(canvas);
    if (!fresh) return;
    const { context, width, height } = fresh;
    const ink = inkOf(lab.root);
    const { middle, wide, high } = bounds();
    const unit = Math.min(width / wide, height / high);
    place = ([x, y]) => [width / 2 + (x - middle[0]) * unit, height / 2 - (y - middle[1]) * unit];
    const images = told.images.map(place);
    const texts = told.texts.map((one) => place(moved(one)));
    context.lineWidth = 1;
    context.strokeStyle = ink("line-strong");
    context.globalAlpha = 0.25;
    context.beginPath();
    images.forEach(([x, y], i) => (context.moveTo(x, y), context.lineTo(...texts[i])));
    context.stroke();
    context.globalAlpha = 0.85;
    const r = Math.max(3, width / 170);
    const diamond = (x, y, s) => (context.beginPath(), context.moveTo(x, y - s), context.lineTo(x + s, y), context.lineTo(x, y + s), context.lineTo(x - s, y), context.closePath());
    context.fillStyle = ink("sym-mu");
    for (const [x, y] of texts) (diamond(x, y, r * 1.25), context.fill());
    context.fillStyle = ink("sym-x");
    for (const [x, y] of images) (context.beginPath(), context.arc(x, y, r, 0, 7), context.fill());
    context.globalAlpha = 1;
    const centre = [place(told.mean.image), place(moved(told.mean.text))];
    context.strokeStyle = ink("ink");
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(...centre[0]);
    context.lineTo(...centre[1]);
    context.stroke();
    if (hovered !== null) {
      context.beginPath();
      context.moveTo(...images[hovered]);
      context.lineTo(...texts[hovered]);
      context.lineWidth = 2.5;
      context.stroke();
      for (const [k, [x, y]] of [images[hovered], texts[hovered]].entries()) {
        k ? diamond(x, y, r * 2) : (context.beginPath(), context.arc(x, y, r * 1.8, 0, 7));
        context.fillStyle = ink(k ? "sym-mu" : "sym-x");
        context.fill();
        context.stroke();
      }
    }
    const i = hovered ?? 0;
    face.swap({ face: told.faces[i] }, "Face " + told.faces[i]);
    tellText(words, (hovered === null ? "For one, pair 1: " : `Pair ${i + 1}: `) + told.captions[i]);
    section.dataset.pair = hovered ?? "";
  }

  function point(event) {
    if (!told) return;
    const box = canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const far = (one) => Math.hypot(one[0] - px, one[1] - py);
    let best = [24, null];
    told.images.forEach((one, i) => {
      const d = Math.min(far(place(one)), far(place(moved(told.texts[i]))));
      if (d < best[0]) best = [d, i];
    });
    if (best[1] === hovered) return;
    hovered = best[1];
    drawScatter();
  }

  function walk(event) {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way || !told) return;
    event.preventDefault();
    hovered = ((hovered ?? -1) + way + told.images.length) % told.images.length;
    drawScatter();
    window.explorer.announce(words.textContent);
  }

  function draw() {
    drawScatter();
    const { shift: curve, n, explained } = told;
    const least = Math.min(...curve.i2t, ...curve.t2i);
    const from = least > 0.6 ? Math.floor(least * 20 - 1) / 20 : 0; // a curve that stays near the top is drawn larger
    const k = curve.at.reduce((best, v, i) => (Math.abs(v - at) < Math.abs(curve.at[best] - at) ? i : best), 0);
    chart.show({
      series: [
        { name: "image → text", colour: "sym-x", points: curve.at.map((v, i) => [v, curve.i2t[i]]), dash: "" },
        { name: "text → image", colour: "sym-mu", points: curve.at.map((v, i) => [v, curve.t2i[i]]), dash: "6 3" },
      ],
      x: { label: "shift, in lengths of the gap", min: 0, max: 1.5 }, y: { label: "Recall@1 of " + n, min: from, max: 1 }, at, levels: from ? [] : [{ y: 1 / n, label: "chance" }],
      words: "Recall at 1 by shift of the texts",
    });
    drawHistograms(curve.cos[k]);
    tellText(note, told.note);
    canvas.setAttribute("aria-label", `${n} images and their ${n} captions in two dimensions, which explain ${percentText(explained[0] + explained[1])} of the spread; the texts are moved by ${at.toFixed(1)} of the gap`);
    const now = (name) => curve[name][k];
    tellText(see, at ? `Texts moved by ${at.toFixed(1)} of the gap: matching pairs have a cosine of ${fixedText(curve.matching[k], 2)}, image → text recall is ${percentText(now("i2t"))} (${percentText(curve.i2t[0])} unmoved), text → image ${percentText(now("t2i"))} (${percentText(curve.t2i[0])}).` : told.say);
    Object.assign(section.dataset, { n, shift: at, gap: told.gap, recall: curve.recall[k] });
  }

  /** Of the texts where they stand now. */
  function drawHistograms(cos) {
    const [low, high] = told.hist_range;
    histograms.replaceChildren(...GAP_ROWS.map(([name, title]) => {
      const { mean, sd, hist } = cos[name];
      const top = Math.max(...hist);
      const bars = svgPiece("svg", { viewBox: `0 0 ${hist.length} 10`, preserveAspectRatio: "none", class: "histogram", "data-kind": name, "aria-hidden": "true" },
        ...hist.map((v, i) => svgPiece("rect", { x: i + 0.05, width: 0.9, y: 10 - (v / top) * 10, height: (v / top) * 10 })),
        svgPiece("line", { x1: ((mean - low) / (high - low)) * hist.length, x2: ((mean - low) / (high - low)) * hist.length, y1: 0, y2: 10 }));
      return piece("div", { class: "histogram-row" }, piece("span", {}, title), bars, piece("span", { class: "histogram-words" }, fixedText(mean, 2) + " ± " + fixedText(sd, 2)));
    }), piece("div", { class: "histogram-row", "aria-hidden": "true" }, piece("span"), piece("span", { class: "histogram-axis" }, piece("span", {}, fixedText(low, 0)), piece("span", {}, "cosine"), piece("span", {}, fixedText(high, 0))), piece("span")));
  }

  async function ask() {
    trouble.clear();
    try {
      told = await lab.wire.get("gap", { model: lab.model.name, collection: "faces", n: 200 });
      draw();
      section.dataset.runs = +(section.dataset.runs ?? 0) + 1;
    } catch (error) {
      tellText(see, "");
      trouble.show(error, ask);
    }
  }

  await ask();
}
