// Four faces at the corners, all between them decoded once, a puck that mixes them under the finger, and ways drawn over it.

const BOARD_LETTERS = "ABCD";
const BOARD_ROUND = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]; // what is saved while no path is drawn

function cornerBoard(lab) {
  const { part, book } = lab;
  let names = [], faces = [], sprite = null, place = [0.5, 0.5], way = null, side = 11, keep = false, ticket = 0, drawing = null, playing = 0, stale = true, asked = 0;

  const slots = faceSlots(lab, { letters: BOARD_LETTERS, locks: true, change: (i, name) => choose(names.map((old, k) => (k === i ? name : old))),
    extra: [buttonOf({ words: "Shuffle", title: "New random faces at all corners that are not locked (R)", press: shuffle, "data-do": "shuffle" })] });

  const canvas = piece("canvas", { class: "board-cells" });
  const route = svgPiece("polyline", { class: "board-way" });
  const puck = svgPiece("circle", { r: 0.028, class: "board-puck" });
  const over = svgPiece("svg", { viewBox: "0 0 1 1", class: "board-over", "aria-hidden": "true" }, route, puck);
  const letters = [...BOARD_LETTERS].map((letter, i) => piece("span", { class: "board-letter", "data-at": i, "aria-hidden": "true" }, letter));
  const field = piece("div", { class: "board-field", tabindex: 0, role: "application", "aria-roledescription": "board", "aria-label": "Board between four faces: drag, or use the arrow keys",
    onpointerdown: grab, onpointermove: drag, onpointerup: release, onpointercancel: release, onkeydown: nudge }, canvas, over, letters);
  const face = piece("canvas", { class: "picture board-face", role: "img", "aria-label": "The face at the puck" });
  const exactness = piece("p", { class: "muted", role: "status" });
  const shares = [...BOARD_LETTERS].map((letter) => {
    const number = piece("b", {}), bar = piece("i", {});
    return { number, bar, node: piece("div", { class: "share" }, piece("span", {}, letter), piece("span", { class: "way-track" }, bar), number) };
  });
  const sums = piece("p", { class: "formula board-sum" });
  const keeping = switchOf("Keep the length", "Stretch the mixed code to the mix of the four lengths", (on) => ((keep = on), part.set({ keep: on ? 1 : null }), load()));
  const fine = segmented("Cells along an edge", [[11, "11 × 11"], [17, "17 × 17"]], (value) => ((side = value), part.set({ side: value === 11 ? null : value }), load()));

  const record = buttonOf({ words: "Draw a path", title: "Then draw on the board with the finger or the mouse", press: () => arm(field.dataset.arm !== "true"), "data-do": "record" });
  const play = buttonOf({ words: "Play", title: "Walk the drawn path (space)", press: toggle, "data-do": "play" });
  const round = segmented("At the end of the path", [["pingpong", "There and back"], ["loop", "Again"]], (value) => part.set({ turn: value === "loop" ? "loop" : null }));
  const speed = sliderOf({ label: "Seconds for the path", min: 1, max: 12, step: 0.5, value: 4, input: () => tellText(pace, paceWords()) });
  const pace = piece("span", { class: "muted" });
  const paceWords = () => fixedText(+speed.value, 1) + " s";
  const files = piece("div", { class: "tools files" });

  const node = piece("div", { class: "tool", "data-tool": "corners" },
    piece("section", { class: "card board-card" },
      piece("div", { class: "board-left" }, field, piece("div", { class: "tools" }, record, play, round, piece("label", { class: "named pace" }, "One way takes", speed, pace))),
      piece("div", { class: "board-right" }, face, exactness, piece("div", { class: "shares" }, shares.map(({ node }) => node)), sums, piece("div", { class: "tools" }, keeping, fine),
        piece("p", { class: "aside" }, "The middle of four codes that have nothing to do with each other is about half as long as they are, and nearer to the average face. “Keep the length” stretches it back to the mix of the four lengths."))),
    slots.node, files);

  // ---- The puck --------------------------------------------------------------------------------------------------------------------

  const weights = ([x, y]) => [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];

  /** The code at a place, as `path_lines.blend` makes it. */
  function codeAt(at) {
    const w = weights(at), z = new Float32Array(part.model.dims);
    faces.forEach((one, k) => one.z.forEach((v, d) => (z[d] += w[k] * v)));
    const length = Math.hypot(...z), wanted = w.reduce((sum, v, k) => sum + v * Math.hypot(...faces[k].z), 0);
    const scale = keep && length > 1e-6 ? wanted / length : 1;
    return { z: z.map((v) => v * scale), length: length * scale, plain: length, wanted };
  }

  function move(at, exact = false) {
    place = at.map((v) => Math.min(1, Math.max(0, v)));
    if (!asked) asked = requestAnimationFrame(paint);
    part.facts({ exact: "false" });
    if (exact) settle([...place]);
  }

  /** The four cells around the puck, one over the other, each as opaque as makes their mix. */
  function paint() {
    asked = 0;
    if (!sprite || !faces.length) return;
    const [x, y] = place.map((v) => v * (side - 1)), x0 = Math.min(side - 2, Math.floor(x)), y0 = Math.min(side - 2, Math.floor(y));
    const w = weights([x - x0, y - y0]), size = sprite.width;
    if (face.width !== size) Object.assign(face, { width: size, height: size });
    const context = face.getContext("2d");
    let sum = 0;
    [[0, 0], [1, 0], [0, 1], [1, 1]].forEach(([dx, dy], k) => {
      sum += w[k];
      if (w[k] < 1e-4) return;
      const cell = (y0 + dy) * side + x0 + dx;
      context.globalAlpha = w[k] / sum;
      context.drawImage(sprite.sheet, (cell % sprite.columns) * size, Math.floor(cell / sprite.columns) * size, size, size, 0, 0, size, size);
    });
    context.globalAlpha = 1;
    puck.setAttribute("cx", place[0]);
    puck.setAttribute("cy", place[1]);
    const all = weights(place), { length, wanted, plain } = codeAt(place);
    shares.forEach(({ number, bar }, k) => (tellText(number, fixedText(all[k])), (bar.style.width = 100 * all[k] + "%")));
    tellText(sums, keep ? `|z| = ${fixedText(length)}: stretched from ${fixedText(plain)} to the mix of the four lengths` : `|z| = ${fixedText(length)}; the mix of the four lengths is ${fixedText(wanted)}`);
    field.setAttribute("aria-valuetext", all.map((v, k) => BOARD_LETTERS[k] + " " + fixedText(v)).join(", "));
    tellText(exactness, "Mixed from the four nearest cells while it moves");
    part.facts({ x: place[0].toFixed(4), y: place[1].toFixed(4), moves: String(+(part.root.dataset.moves ?? 0) + 1) });
  }

  const settle = latest(async (at) => {
    const scratch = piece("canvas");
    await book.paint(scratch, codeAt(at).z);
    if (at.join() !== place.join() || playing) return;
    if (asked) (cancelAnimationFrame(asked), paint());
    face.getContext("2d").drawImage(scratch, 0, 0);
    tellText(exactness, "Decoded exactly here");
    part.facts({ exact: "true" });
    part.set({ x: place[0].toFixed(3), y: place[1].toFixed(3) });
  });

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };

  function grab(event) {
    rest();
    field.setPointerCapture(event.pointerId);
    if (field.dataset.arm === "true") drawing = [];
    drag(event);
  }

  function drag(event) {
    if (!field.hasPointerCapture(event.pointerId)) return;
    move(at(event));
    if (!drawing) return;
    if (!drawing.length || gapOf(drawing.at(-1), place) > 0.004) drawing.push(place);
    showWay(drawing);
  }

  function release(event) {
    if (event.type === "pointerup") move(at(event), true);
    else settle([...place]);
    if (!drawing) return;
    const drawn = thinDrive(drawing);
    drawing = null;
    arm(false);
    if (!drawn) return (showWay(way), window.explorer.toast("Draw a longer path: hold and move over the board.", "note"));
    way = unpackDrive(packDrive(drawn));
    part.set({ way: packDrive(way) });
    showWay(way);
    play.disabled = false;
    toggle();
  }

  function nudge(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    rest();
    move(place.map((v, d) => v + step[d] * (event.shiftKey ? 0.1 : 0.02)), true);
  }

  function arm(on) {
    field.dataset.arm = String(on);
    record.setAttribute("aria-pressed", String(on));
    record.classList.toggle("strong", on);
    tellText(record.querySelector("span"), on ? "Draw now …" : way ? "Draw another" : "Draw a path");
  }

  const showWay = (points) => route.setAttribute("points", (points ?? []).map(([x, y]) => x.toFixed(4) + "," + y.toFixed(4)).join(" "));

  function toggle() {
    if (playing) return (rest(), settle([...place]));
    if (!way) return;
    const far = driven(way);
    let before = null, share = 0;
    const turn = (now) => {
      share += (now - (before ?? now)) / 1000 / +speed.value;
      before = now;
      const lap = round.value() === "loop" ? share % 1 : 1 - Math.abs(1 - (share % 2));
      move(driveAt(way, far, lap));
      playing = requestAnimationFrame(turn);
    };
    playing = requestAnimationFrame(turn);
    tellText(play.querySelector("span"), "Pause");
    part.facts({ playing: "true" });
  }

  function rest() {
    cancelAnimationFrame(playing);
    playing = 0;
    tellText(play.querySelector("span"), "Play");
    part.facts({ playing: "false" });
  }
  round.value = () => round.querySelector("[aria-checked=true]")?.dataset.value;

  // ---- Corners ---------------------------------------------------------------------------------------------------------------------

  async function choose(next) {
    names = next;
    part.set({ c: names.join("|") });
    await load();
  }

  function shuffle() {
    return choose(names.map((name, i) => (slots.locked(i) ? name : randomFace())));
  }
  const boardQuery = () => part.query({ corners: names.join("|"), side, keep: keep ? 1 : 0, v: part.model.version });

  async function load() {
    const mine = ++ticket;
    part.facts({ board: "busy", exact: "false" });
    try {
      const [met, made] = await Promise.all([book.meet(names), part.wire.sprite("paths/board", boardQuery())]);
      if (mine !== ticket) return;
      faces = met;
      sprite = made;
      slots.show(faces);
      const size = sprite.width;
      Object.assign(canvas, { width: side * size, height: side * size });
      const context = canvas.getContext("2d");
      for (let i = 0; i < side * side; i++)
        context.drawImage(sprite.sheet, (i % sprite.columns) * size, Math.floor(i / sprite.columns) * size, size, size, (i % side) * size, Math.floor(i / side) * size, size, size);
      stale = false;
      part.facts({ board: "ready", cells: String(side * side) });
      move(place, true);
    } catch (error) {
      if (mine !== ticket) return;
      if (error.status === 400 && names.join() !== lab.usual(4).join()) return (window.explorer.toast(error.message), choose(lab.usual(4)));
      part.trouble(error, load);
    }
  }

  function offer() {
    const save = (name, query) => part.wire.file(name, query).catch((error) => window.explorer.toast(error.message));
    const drive = (format) => {
      const frames = Math.round(Math.min(96, Math.max(16, 12 * +speed.value)));
      save("paths/drive", { ...boardQuery(), side: null, way: packDrive(way ?? BOARD_ROUND), frames, fps: Math.round(Math.min(50, Math.max(2, frames / +speed.value))), format, pingpong: !way || round.value() === "loop" ? 0 : 1 });
    };
    const kinds = { gif: "GIF of the path", mp4: "MP4 of the path", strip: "Strip of the path" };
    files.replaceChildren(piece("span", { class: "muted" }, "Save"), buttonOf({ words: "Board", title: "All cells as one PNG", press: () => save("paths/board", { ...boardQuery(), format: "strip" }) }),
      ...lab.facts.exports.map((format) => buttonOf({ words: kinds[format], title: "The drawn path, decoded exactly; while there is none, A – B – D – C – A", press: () => drive(format) })),
      lab.python("board", () => ({ corners: names.join("|"), side, keep: keep ? 1 : 0, x: place[0].toFixed(4), y: place[1].toFixed(4), way: way ? packDrive(way) : null })), lab.link());
  }

  return {
    node,
    async begin() {
      rest();
      sprite = null;
      const linked = (part.get("c") ?? "").split("|");
      names = linked.length === 4 ? linked : lab.usual(4);
      place = [part.number("x", 0.5, 0, 1), part.number("y", 0.5, 0, 1)];
      way = unpackDrive(part.get("way"));
      side = part.get("side") === "17" ? 17 : 11;
      keep = part.get("keep") === "1";
      keeping.set(keep);
      fine.set(side);
      round.set(part.get("turn") === "loop" ? "loop" : "pingpong");
      play.disabled = !way;
      tellText(pace, paceWords());
      arm(false);
      showWay(way);
      offer();
      await slots.load();
      await load();
    },
    show: () => stale && load(),
    rest() { rest(); arm(false); },
    picture: (picture) => choose(names.map((name, i) => (i === slots.chosen ? picture : name))),
    take: (i, name) => choose(names.map((old, k) => (k === i ? name : old))),
    keys: { Space: toggle, r: shuffle },
  };
}
