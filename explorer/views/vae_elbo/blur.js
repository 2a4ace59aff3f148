// The blur microscope: how much power of which fineness is left, and a magnifying glass on the same spot of both pictures.

const LENS = 12; // pixels across

function makeBlur(lab) {
  const { part } = lab;
  let found = null, spot = { x: 0.5, y: 0.45 }, spectra = null;
  const [sx, sy] = (part.get("spot") ?? "").split("~").map(Number);
  if (sx >= 0 && sx <= 1 && sy >= 0 && sy <= 1) spot = { x: sx, y: sy };
  const sides = ["x", "mean"].map((name) => {
    const canvas = piece("canvas", { class: "picture lens-picture", width: 64, height: 64, tabindex: 0, role: "application", "aria-label": "Drag the glass, or use the arrow keys", "data-shot": name === "x" ? "x" : "xhat" });
    const glass = piece("canvas", { class: "picture", width: LENS, height: LENS, role: "img", "aria-label": "Magnified" });
    canvas.addEventListener("pointerdown", (event) => (event.preventDefault(), canvas.focus({ preventScroll: true }), canvas.setPointerCapture(event.pointerId), place(canvas, event)));
    canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && place(canvas, event));
    canvas.addEventListener("keydown", walkSpot);
    return { name, canvas, glass, node: piece("div", { class: "side" }, piece("figure", { class: "shot" }, canvas, piece("figcaption", {}, name === "x" ? "the picture" : "its reconstruction")), piece("figure", { class: "shot" }, glass, piece("figcaption", {}, name === "x" ? "its pixels there" : "the same spot"))) };
  });
  const plot = plotPlace({ height: 16 }), ratio = plotPlace({ height: 14 });
  const verdict = piece("p", { class: "verdict", "aria-live": "polite" });
  const maps = ["this picture", "its reconstruction", "all: pictures", "all: reconstructions"].map((words) => shotOf("plane", words));
  const legend = legendOf(heatColour, 0, 1, ["", ""]);
  const node = piece("div", { class: "view blur-view" },
    piece("section", { class: "card" }, piece("h4", {}, "Look closer"), piece("div", { class: "sides" }, sides.map((one) => one.node)),
      piece("p", { class: "aside" }, `Drag on either picture: both glasses show the same ${LENS} × ${LENS} pixels. Edges go soft first, because the mean of all sharp pictures that fit a code is not sharp.`)),
    piece("section", { class: "card" }, piece("h4", {}, "Which detail is lost"), verdict, piece("div", { class: "pair" }, plot.node, ratio.node),
      piece("p", { class: "aside" }, "Power of the luminance at each fineness, averaged over all directions; in the right place is 1 − missing / picture. 1 cycle per picture is one light and one dark half, and the right end is a checkerboard of single pixels. The picture fades towards its borders first (Hann window), or its edges would count as detail.")),
    piece("section", { class: "card" }, piece("h4", {}, "By direction too"), piece("div", { class: "shots four" }, maps.map((shot) => shot.node)), legend,
      piece("p", { class: "aside" }, "Coarse in the middle, fine at the rim; logarithmic, one scale for all four.")));

  function place(canvas, event) {
    const box = canvas.getBoundingClientRect();
    spot = { x: clampTo((event.clientX - box.left) / box.width, 0, 1), y: clampTo((event.clientY - box.top) / box.height, 0, 1) };
    glasses();
    part.set({ spot: spot.x.toFixed(3) + "~" + spot.y.toFixed(3) });
  }

  function walkSpot(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step || !found) return;
    event.preventDefault();
    event.stopPropagation();
    spot = { x: clampTo(spot.x + step[0] / found.size, 0, 1), y: clampTo(spot.y + step[1] / found.size, 0, 1) };
    glasses();
    part.set({ spot: spot.x.toFixed(3) + "~" + spot.y.toFixed(3) });
  }

  let frame = 0;
  const glasses = () => (frame ||= requestAnimationFrame(() => ((frame = 0), paintSides())));

  function paintSides() {
    if (!found) return;
    const { size } = found;
    const left = clampTo(Math.round(spot.x * size - LENS / 2), 0, size - LENS), top = clampTo(Math.round(spot.y * size - LENS / 2), 0, size - LENS);
    for (const { name, canvas, glass } of sides) {
      const small = piece("canvas");
      paintPixels(small, found[name], size);
      const zoom = 6, context = (Object.assign(canvas, { width: size * zoom, height: size * zoom }), canvas.getContext("2d"));
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, 0, size * zoom, size * zoom);
      for (const [colour, width] of [["#fff", 4], ["#1c1e23", 2]]) {
        Object.assign(context, { strokeStyle: colour, lineWidth: width });
        context.strokeRect(left * zoom, top * zoom, LENS * zoom, LENS * zoom);
      }
      glass.getContext("2d").drawImage(small, left, top, LENS, LENS, 0, 0, LENS, LENS);
    }
    node.dataset.spot = left + "," + top;
  }

  const asking = latest(async () => {
    const own = lab.own, query = part.query({ picture: part.picture, v: part.model.version });
    const pixels = await decodedPixels(lab, {});
    if (own !== lab.own) return;
    found = pixels;
    paintSides();
    const [told, planes] = [await part.wire.get("elbo/spectrum", query), await part.wire.floats("elbo/planes", query)];
    if (own !== lab.own) return;
    spectra = told;
    paintSpectra(planes);
    node.dataset.spectra = part.model.name + " " + part.picture;
  });

  function paintSpectra({ values, shape }) {
    const { picture, average, count } = spectra, size = shape[1];
    const at = (rings) => rings.map((v, i) => [i + 1, Math.max(v, 1e-9)]);
    const x = { label: "cycles per picture, logarithmic", log: true, min: 1, max: size / 2, ticks: [1, 2, 4, 8, 16, 32] };
    plot.show({ series: [{ name: "picture", colour: "sym-x", points: at(picture.input) }, { name: "reconstruction", colour: "sym-xhat", points: at(picture.output) }, { name: "what is missing", colour: "muted", dash: "2 4", thin: true, points: at(picture.residual) }],
      x, y: { label: "power, this picture", log: true }, words: "Power spectra of this picture and its reconstruction" });
    const share = (of) => of.output.map((v, i) => [i + 1, v / Math.max(of.input[i], 1e-12)]);
    const marks = [{ y: 0.5, colour: "line-strong" }];
    if (average.half) marks.push({ x: average.half, words: `half lost at ${average.half.toFixed(1)}`, colour: "sym-xhat" });
    ratio.show({ series: [{ name: `${count} held-out pictures`, colour: "sym-xhat", points: share(average) }, { name: "of it in the right place", colour: "sym-z", points: average.input.map((v, i) => [i + 1, Math.max(0, 1 - average.residual[i] / Math.max(v, 1e-12))]) }, { name: "this one", colour: "muted", dash: "6 4", thin: true, points: share(picture) }], marks,
      x, y: { label: "share of the power that is left", min: 0, max: Math.max(1.1, Math.min(1.6, ...[Math.max(...share(average).map(([, v]) => v))])) }, words: "Share of power left by fineness" });
    const last = average.output.at(-1) / average.input.at(-1);
    const finest = last > 1.1 ? "; at the finest it has more power than pictures have: a pattern of the decoder’s own, no detail" : `; at the finest ${Math.round(last * 100)} % is left`;
    const words = (half) => (half === null ? "keeps more than half of its power at every fineness" : `loses half of its power from ${half.toFixed(1)} cycles per picture on (details finer than ${(size / half / 2).toFixed(1)} pixels)`);
    const placed = average.placed === null ? "More than half of it is in the right place at every fineness." : `From ${average.placed.toFixed(1)} cycles on less than half of it is in the right place.`;
    tellText(verdict, `The average of ${count} held-out reconstructions ${words(average.half)}${finest}. ${placed}`);
    node.dataset.half = average.half ?? "";
    const low = -9, top = Math.max(...values);
    maps.forEach((shot, i) => paintWith(shot.canvas, size, (j) => heatColour((values[i * size * size + j] - low) / (top - low))));
    legend.tell(["10⁻⁹", shortText(10 ** top, 1)]);
  }

  const csv = () => ["cycles,input,output,residual,average_input,average_output,average_residual", ...(spectra?.picture.input ?? []).map((_, i) => [i + 1, ...["picture", "average"].flatMap((of) => ["input", "output", "residual"].map((name) => spectra[of][name][i]))].join(","))].join("\n") + "\n";
  return { node, told: (what) => lab.own && ["picture", "shown"].includes(what) && asking({}), table: () => ({ name: "elbo-spectrum", csv: csv(), json: { model: part.model.name, picture: part.picture, ...spectra } }), code: "blur", settings: () => ({}),
    sheet: () => ({ name: "elbo-blur", canvases: [...sides.map((one) => [one.glass, one.name === "x" ? "picture" : "reconstruction"]), ...maps.map((shot) => [shot.canvas, shot.caption.textContent])] }) };
}
