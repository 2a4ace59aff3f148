// Two to eight faces mixed by weights that sum to 1: by sliders, or by a point in a polygon with a face at each corner.

const MIX_LETTERS = "ABCDEFGH";

/** Mean-value coordinates of a point in a polygon (Floater 2003): they sum to 1, and rebuild the point. */
function meanValues(corners, [x, y]) {
  const n = corners.length;
  const to = corners.map(([u, v]) => [u - x, v - y]), far = to.map(([u, v]) => Math.hypot(u, v));
  const on = far.findIndex((length) => length < 1e-6);
  if (on >= 0) return corners.map((_, i) => +(i === on));
  if (n === 2) {
    const [[u, v], [p, q]] = corners, along = ((x - u) * (p - u) + (y - v) * (q - v)) / ((p - u) ** 2 + (q - v) ** 2);
    const t = Math.min(1, Math.max(0, along));
    return [1 - t, t];
  }
  const half = to.map(([u, v], i) => { // tan(angle / 2) between this corner and the next
    const [p, q] = to[(i + 1) % n], cross = u * q - v * p, dot = u * p + v * q;
    return Math.abs(cross) < 1e-9 && dot < 0 ? Infinity : cross / (far[i] * far[(i + 1) % n] + dot);
  });
  const edge = half.findIndex((v) => !Number.isFinite(v));
  if (edge >= 0) { // between two corners, only they count
    const next = (edge + 1) % n, whole = far[edge] + far[next];
    return corners.map((_, i) => (i === edge ? far[next] / whole : i === next ? far[edge] / whole : 0));
  }
  const w = half.map((v, i) => (half[(i + n - 1) % n] + v) / far[i]);
  const sum = w.reduce((a, b) => a + b, 0);
  return w.map((v) => Math.max(0, v / sum));
}

function faceMix(lab) {
  const { part, book } = lab;
  let names = [], faces = [], w = [], keep = false, ticket = 0, stale = true, point = null;

  const slots = faceSlots(lab, { letters: MIX_LETTERS, change: (i, name) => choose(names.map((old, k) => (k === i ? name : old)), w),
    extra: [
      buttonOf({ words: "One more", title: "Add a face, eight at most", press: () => names.length < 8 && choose([...names, randomFace()], [...w.map((v) => v * names.length / (names.length + 1)), 1 / (names.length + 1)]), "data-do": "more" }),
      buttonOf({ words: "One fewer", title: "Take the chosen face away, two remain", press: fewer, "data-do": "fewer" }),
      buttonOf({ words: "Shuffle", title: "New random faces (R)", press: () => choose(names.map(() => randomFace()), w), "data-do": "shuffle" }),
    ] });
  const face = piece("canvas", { class: "picture mix-face", role: "img", "aria-label": "The mixed face" });
  const sums = piece("p", { class: "formula" });
  const formula = piece("p", { class: "formula mix-formula" });
  const keeping = switchOf("Keep the length", "Stretch the mixed code to the mix of the lengths", (on) => ((keep = on), part.set({ keep: on ? 1 : null }), mixed()));
  const even = buttonOf({ words: "All alike", title: "The same weight for all", press: () => (point = null, weigh(names.map(() => 1 / names.length))), "data-do": "even" });
  const list = piece("div", { class: "mix-list" });
  const shape = svgPiece("polygon", { class: "mix-shape" }), marks = svgPiece("g", {}), dot = svgPiece("circle", { r: 7, class: "mix-dot" });
  const pad = svgPiece("svg", { viewBox: "-100 -100 200 200", class: "mix-pad", tabindex: 0, role: "application", "aria-label": "Point between the faces: drag, or use the arrow keys",
    onpointerdown: (event) => (pad.setPointerCapture(event.pointerId), pointed(event)),
    onpointermove: (event) => pad.hasPointerCapture(event.pointerId) && pointed(event),
    onkeydown: (event) => {
      const way = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, -5], ArrowDown: [0, 5] }[event.key];
      if (!way) return;
      (event.preventDefault(), event.stopPropagation());
      aim(centre().map((v, d) => v + way[d]));
    } }, shape, marks, dot);
  const files = piece("div", { class: "tools files" });
  const node = piece("div", { class: "tool", "data-tool": "mix" },
    piece("section", { class: "card mix-card" }, piece("div", { class: "mix-pad-place" }, pad, piece("p", { class: "muted" }, "Drag the point: the nearer a face, the more of it. The weights are mean-value coordinates; the sliders can say more than a point can.")),
      list, piece("div", { class: "mix-out" }, face, formula, sums, piece("div", { class: "tools" }, keeping, even))),
    slots.node, files);

  const corners = () => names.map((_, i) => {
    const turn = (names.length === 2 ? Math.PI : -Math.PI / 2) + (2 * Math.PI * i) / names.length;
    return [80 * Math.cos(turn), 80 * Math.sin(turn)];
  });
  const centre = () => point ?? [0, 1].map((d) => corners().reduce((sum, corner, i) => sum + w[i] * corner[d], 0));

  function pointed(event) {
    const box = pad.getBoundingClientRect();
    aim([((event.clientX - box.left) / box.width) * 200 - 100, ((event.clientY - box.top) / box.height) * 200 - 100]);
  }

  /** A point outside of the polygon is drawn back to its edge, towards the middle. */
  function aim(at) {
    const all = corners(), inner = all.length === 2 ? Infinity : 80 * Math.cos(Math.PI / all.length);
    if (all.length === 2) at = [Math.min(80, Math.max(-80, at[0])), 0];
    else { // the edges of a regular polygon are all as far from the middle
      const out = Math.max(...all.map((_, i) => -Math.PI / 2 + (2 * Math.PI * (i + 0.5)) / all.length).map((turn) => at[0] * Math.cos(turn) + at[1] * Math.sin(turn)));
      if (out > inner) at = at.map((v) => (v * inner) / out);
    }
    point = at;
    weigh(meanValues(all, at));
  }

  /** One weight moves, the others keep their proportions, the sum stays 1. */
  function slide(i, value) {
    const rest = w.reduce((sum, v, k) => sum + (k === i ? 0 : v), 0);
    point = null;
    weigh(w.map((v, k) => (k === i ? value : rest > 1e-6 ? (v * (1 - value)) / rest : (1 - value) / (w.length - 1))));
  }

  function weigh(next) {
    w = next;
    const [x, y] = centre();
    dot.setAttribute("cx", x);
    dot.setAttribute("cy", y);
    rows.forEach(({ slider, number }, i) => (slider.set(Math.round(w[i] * 100) / 100), (slider.value = w[i]), slider.fill(), tellText(number, fixedText(w[i], 3))));
    part.set({ w: w.map((v) => v.toFixed(3)).join(",") });
    mixed();
  }

  let rows = [];
  function layout() {
    const all = corners();
    shape.setAttribute("points", all.map(([x, y]) => x.toFixed(1) + "," + y.toFixed(1)).join(" "));
    marks.replaceChildren(...all.map(([x, y], i) => svgPiece("g", { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` }, svgPiece("circle", { r: 11, class: "mix-corner" }), textOf(MIX_LETTERS[i]))));
    rows = names.map((_, i) => {
      const slider = sliderOf({ label: "Weight of " + MIX_LETTERS[i], min: 0, max: 1, step: 0.01, value: w[i], input: (value) => slide(i, value), "data-weight": MIX_LETTERS[i] });
      const number = piece("b", {});
      return { slider, number, node: piece("label", { class: "mix-row" }, piece("span", {}, MIX_LETTERS[i]), slider, number) };
    });
    list.replaceChildren(...rows.map(({ node }) => node));
  }
  const textOf = (letter) => svgPiece("text", { y: 5, "text-anchor": "middle", class: "plane-letter" }, letter);

  function mixed() {
    if (!faces.length || faces.length !== w.length) return;
    const z = new Float32Array(part.model.dims);
    faces.forEach((one, k) => one.z.forEach((v, d) => (z[d] += w[k] * v)));
    const length = Math.hypot(...z), wanted = w.reduce((sum, v, k) => sum + v * Math.hypot(...faces[k].z), 0);
    const scale = keep && length > 1e-6 ? wanted / length : 1;
    tellText(formula, "z = " + w.map((v, i) => `${fixedText(v, 3)} ${MIX_LETTERS[i]}`).join(" + ") + (keep ? `, times ${fixedText(scale, 3)}` : ""));
    tellText(sums, `|z| = ${fixedText(length * scale)}; the mix of the ${names.length} lengths is ${fixedText(wanted)}`);
    part.facts({ mix: "busy", weights: w.map((v) => v.toFixed(4)).join(",") });
    decode(z.map((v) => v * scale));
  }

  const decode = latest(async (z) => {
    await book.paint(face, z);
    part.facts({ mix: "ready" });
  });

  function fewer() {
    if (names.length === 2) return window.explorer.toast("Two faces are the fewest that can be mixed.", "note");
    const gone = slots.chosen, left = w.filter((_, i) => i !== gone), sum = left.reduce((a, b) => a + b, 0);
    choose(names.filter((_, i) => i !== gone), left.map((v) => (sum > 1e-6 ? v / sum : 1 / left.length)));
  }

  async function choose(next, share) {
    const more = next.length !== names.length;
    names = next;
    w = share;
    if (more) point = null;
    part.set({ mix: names.join("|"), w: w.map((v) => v.toFixed(3)).join(",") });
    await load();
  }

  async function load() {
    const mine = ++ticket;
    try {
      const met = await book.meet(names);
      if (mine !== ticket) return;
      faces = met;
      stale = false;
      slots.show(faces);
      layout();
      weigh(w);
    } catch (error) {
      if (mine !== ticket) return;
      if (error.status === 400 && names.join() !== lab.usual(3).join()) return (window.explorer.toast(error.message), choose(lab.usual(3), [1 / 3, 1 / 3, 1 / 3]));
      part.trouble(error, load);
    }
  }

  function offer() {
    files.replaceChildren(piece("span", { class: "muted" }, "Save"), buttonOf({ words: "PNG", title: "The mixed face", press: () => canvasesFile([face], 1, "mix.png", 512) }),
      buttonOf({ words: "CSV", title: "Faces and weights", press: () => handOver(csvText(["face", "what", "weight", "length"], faces.map((one, i) => [MIX_LETTERS[i], one.title, w[i].toFixed(4), one.norm])), "mix.csv") }),
      lab.python("mix", () => ({ faces: names.join("|"), w: w.map((v) => v.toFixed(4)).join(","), keep: keep ? 1 : 0 })), lab.link());
  }

  return {
    node,
    async begin() {
      const linked = (part.get("mix") ?? "").split("|");
      names = part.get("mix") && linked.length >= 2 && linked.length <= 8 ? linked : lab.usual(4);
      const given = (part.get("w") ?? "").split(",").map(Number), sum = given.reduce((a, b) => a + b, 0);
      w = given.length === names.length && given.every((v) => v >= 0) && sum > 0 ? given.map((v) => v / sum) : names.map(() => 1 / names.length);
      keep = part.get("keep") === "1";
      keeping.set(keep);
      point = null;
      offer();
      await slots.load();
      await load();
    },
    show() {
      keep = part.get("keep") === "1"; // the board has the same switch
      keeping.set(keep);
      return stale ? load() : mixed();
    },
    picture: (picture) => choose(names.map((name, i) => (i === slots.chosen ? picture : name)), w),
    take: (i, name) => choose(names.map((old, k) => (k === i ? name : old)), w),
    keys: { r: () => choose(names.map(() => randomFace()), w) },
  };
}
