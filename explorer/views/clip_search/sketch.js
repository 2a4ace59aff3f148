// A small canvas to draw on with mouse, pen or finger. Each stroke that ends is told; strokes can be taken back.

const SKETCH_SIDE = 256;
const SKETCH_COLOURS = [
  ["#1d191c", "black"],
  ["#4a2a1a", "brown"],
  ["#d02818", "red"],
  ["#e8c15a", "blonde"],
  ["#f2619b", "pink"],
  ["#2f6fdb", "blue"],
  ["#2f9e4f", "green"],
  ["#f4c91f", "yellow"],
  ["#edb98a", "skin"],
  ["#845744", "dark skin"],
  ["#8fd0ff", "sky"],
  ["#fafafa", "white"],
];

function sketchOf(changed) {
  const canvas = piece("canvas", {
    class: "sketch",
    width: SKETCH_SIDE,
    height: SKETCH_SIDE,
    "aria-label": "Drawing",
    role: "img",
  });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let [colour, width, drawing, last, before] = [SKETCH_COLOURS[2][0], 22, false, null, []];

  const pens = piece(
    "div",
    { class: "pens", role: "radiogroup", "aria-label": "Colour" },
    SKETCH_COLOURS.map(([value, name]) =>
      piece("button", {
        type: "button",
        class: "pen",
        role: "radio",
        title: name,
        "aria-label": name,
        style: "--pen:" + value,
        onclick: () => pick(value),
        "data-pen": value,
      }),
    ),
  );
  const widths = segmented(
    "Pen",
    [
      ["8", "fine"],
      ["22", "broad"],
      ["56", "brush"],
    ],
    (value) => (width = +value),
  );
  widths.set("22");
  const undo = buttonOf({
    icon: "back",
    title: "Take the last stroke back",
    name: "small",
    press: () => {
      if (!before.length) return;
      context.putImageData(before.pop(), 0, 0);
      told();
    },
  });
  const empty = buttonOf({ icon: "reset", words: "Empty", name: "small", press: () => clear() });

  function pick(value) {
    colour = value;
    for (const pen of pens.children) pen.setAttribute("aria-checked", pen.dataset.pen === value);
  }

  function keep() {
    before.push(context.getImageData(0, 0, SKETCH_SIDE, SKETCH_SIDE));
    before.splice(0, before.length - 20);
    undo.disabled = false;
  }

  function told() {
    undo.disabled = !before.length;
    changed();
  }

  function clear() {
    keep();
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SKETCH_SIDE, SKETCH_SIDE); // nothing to search by, so nothing is told
  }

  function at(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SKETCH_SIDE, ((event.clientY - box.top) / box.height) * SKETCH_SIDE];
  }

  function stroke(event) {
    if (!drawing) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) {
      const [x, y] = at(one);
      context.strokeStyle = colour;
      Object.assign(context, { lineWidth: width, lineCap: "round", lineJoin: "round" });
      context.beginPath();
      context.moveTo(...(last ?? [x, y]));
      context.lineTo(x, y + 0.01);
      context.stroke();
      last = [x, y];
    }
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    keep();
    [drawing, last] = [true, null];
    stroke(event);
  });
  canvas.addEventListener("pointermove", stroke);
  for (const name of ["pointerup", "pointercancel"])
    canvas.addEventListener(name, () => {
      if (!drawing) return;
      drawing = false;
      told();
    });

  context.fillStyle = "#fff";
  context.fillRect(0, 0, SKETCH_SIDE, SKETCH_SIDE);
  undo.disabled = true;
  pick(colour);

  /** Begins with a picture instead of white. */
  function over(image) {
    keep();
    context.imageSmoothingEnabled = true;
    context.drawImage(image, 0, 0, SKETCH_SIDE, SKETCH_SIDE);
    told();
  }

  return {
    node: canvas,
    tools: [pens, piece("div", { class: "pen-tools" }, widths, undo, empty)],
    over,
    clear,
    shot: () => shotOf(canvas),
  };
}
