// Drawing own points: single ones, strokes and sprays, in one of four classes; undo and clear. Knows no request.

const BRUSH_APART = 0.09; // units between the points of a stroke
const SPRAY_POINTS = 4;
const SPRAY_WIDTH = 0.16;
const CLASS_KEYS = ["dot", "diamond", "square", "triangle"];

/** The bar of the brush, and what pointers do while it is on. `twin` has settings.points, change(), limits. */
function makeBrush(twin, moved) {
  const most = twin.start.limits.points, reach = twin.start.reach;
  let [cls, spray, on, last, stroke] = [0, false, false, null, null];
  let at = [0, 0]; // the cross that keys move
  const past = [];

  const switchOn = button("Draw points", () => turn(!on), { "data-do": "draw", "aria-pressed": "false" });
  const tips = segments("Brush", [["line", "Line"], ["spray", "Spray"]], "line", (v) => (spray = v === "spray"));
  const classes = segments("Class of new points", twin.start.classes.map((name, i) =>
    [String(i), piece("span", { class: "brush-class", style: `--hue: var(--${["sym-x", "sym-mu", "sym-z", "sym-sigma"][i]})` }, glyph(i), name)]), "0", (v) => (cls = +v));
  const undo = button("Undo", back, { "data-do": "undo" });
  const clear = button("Clear", () => keep([]), { "data-do": "clear" });
  const count = piece("span", { class: "quiet", "aria-live": "polite" });
  const more = piece("div", { class: "tools" }, tips.node, classes.node, undo, clear);
  const node = piece("div", { class: "brush" }, piece("div", { class: "tools" }, switchOn, count), more);

  function glyph(i) {
    const shape = svgPiece("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" });
    shape.append(i === 3 ? svgPiece("path", { d: "M6 1.5 11 10H1z" }) : i === 2 ? svgPiece("rect", { x: 2, y: 2, width: 8, height: 8 })
      : i === 1 ? svgPiece("path", { d: "M6 0.5 11.5 6 6 11.5 0.5 6z" }) : svgPiece("circle", { cx: 6, cy: 6, r: 4.5 }));
    return shape;
  }

  function turn(wanted) {
    on = wanted;
    if (on && twin.settings.data !== "own") twin.change({ data: "own" });
    show();
    moved();
  }

  function show() {
    const points = twin.settings.points;
    switchOn.setAttribute("aria-pressed", String(on));
    tellText(switchOn, on ? "Stop drawing" : "Draw points");
    more.hidden = !on;
    undo.disabled = !past.length;
    clear.disabled = !points.length;
    const told = on ? ". Press and drag on the plot; with keys: arrows move the cross, Enter sets a point." : "";
    tellText(count, twin.settings.data === "own" || on ? `${wholeText(points.length)} of ${wholeText(most)} points${told}` : "Or draw data of your own.");
  }

  function keep(points) {
    past.push(twin.settings.points);
    past.splice(0, past.length - 60);
    twin.change({ data: "own", points });
    show();
  }

  function back() {
    if (past.length) twin.change({ data: "own", points: past.pop() });
    show();
  }

  const random = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

  function add(x, y) {
    const one = (u, v) => [onGrid(u, reach), onGrid(v, reach), cls];
    const fresh = spray ? Array.from({ length: SPRAY_POINTS }, () => one(x + SPRAY_WIDTH * random(), y + SPRAY_WIDTH * random())) : [one(x, y)];
    const room = most - twin.settings.points.length - stroke.length;
    if (room <= 0) {
      window.explorer.toast(`A drawing has at most ${wholeText(most)} points.`, "note");
      return end();
    }
    stroke.push(...fresh.slice(0, room));
  }

  function pointer(kind, x, y, event) {
    if (kind === "pointerdown" && event.button === 0) {
      event.preventDefault();
      event.target.setPointerCapture?.(event.pointerId);
      stroke = [];
      last = [x, y];
      add(x, y);
      moved();
    } else if (kind === "pointermove" && stroke && Math.hypot(x - last[0], y - last[1]) >= BRUSH_APART) {
      last = [x, y];
      add(x, y);
      moved();
    } else if (kind === "pointerup" || kind === "pointercancel") end();
  }

  function end() {
    const done = stroke;
    stroke = null;
    if (done?.length) keep([...twin.settings.points, ...done]);
  }

  /** true where the key was the brush's. */
  function key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (way) at = at.map((v, i) => within(v + 0.1 * way[i], -reach, reach));
    else if (event.key === "Enter" || event.key === " ") {
      stroke = [];
      add(...at);
      end();
    } else return false;
    event.preventDefault();
    moved();
    return true;
  }

  show();
  return {
    node, show, pointer, key, turn,
    get on() { return on; },
    get cursor() { return on ? at : null; },
    get drawn() { return stroke ? [...twin.settings.points, ...stroke] : twin.settings.points; },
  };
}
