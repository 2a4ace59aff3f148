// A matrix of real numbers as a heat map that is read by pointing, tapping and arrow keys.

/** shown: {rows, columns, values (row-major), scale, names: [of each row], say(row, column) -> text}. */
function makeMatrix(label, read) {
  const canvas = piece("canvas", { class: "matrix", role: "img", tabindex: 0, onpointermove: point, onpointerdown: point, onkeydown: walk });
  const names = piece("div", { class: "row-names", "aria-hidden": "true" });
  const node = piece("div", { class: "matrix-holder" }, names, canvas);
  let [shown, here] = [null, [0, 0]];

  function draw(next) {
    shown = next;
    node.style.setProperty("--rows", shown.rows);
    names.replaceChildren(...shown.names.map((name) => piece("span", { title: name }, name)));
    canvas.setAttribute("aria-label", label + ". Arrow keys read the numbers.");
    canvas.paint = () => paintSigned(canvas, shown.values, shown.rows, shown.columns, shown.scale, signedColours(canvas));
    canvas.paint();
    Object.assign(canvas.dataset, { rows: shown.rows, columns: shown.columns });
  }

  function tell([row, column]) {
    here = [row, column];
    read(shown.say(row, column));
    names.querySelectorAll("span").forEach((one, i) => one.toggleAttribute("data-here", i === row));
  }

  function point(event) {
    if (!shown) return;
    const box = canvas.getBoundingClientRect();
    tell([within(Math.floor(((event.clientY - box.top) / box.height) * shown.rows), 0, shown.rows - 1), within(Math.floor(((event.clientX - box.left) / box.width) * shown.columns), 0, shown.columns - 1)]);
  }

  function walk(event) {
    const way = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!way || !shown) return;
    event.preventDefault();
    event.stopPropagation();
    tell([within(here[0] + way[0], 0, shown.rows - 1), within(here[1] + way[1], 0, shown.columns - 1)]);
  }

  return { node, draw, canvas };
}
