// The four channels of a latent as heat maps: 2 x 2 squares of 8 x 8 cells. Blue is below zero, orange above, as in a legend.

const HEAT_SIDE = 8;
const HEAT_GAP = 1; // cells between two channels
const HEAT_ALL = 2 * HEAT_SIDE + HEAT_GAP;
const HEAT_LOW = [31, 95, 191], HEAT_MID = [244, 242, 237], HEAT_HIGH = [199, 84, 12];

const heatColour = (share) => {
  const [end, by] = share < 0 ? [HEAT_LOW, Math.min(1, -share)] : [HEAT_HIGH, Math.min(1, share)];
  return HEAT_MID.map((v, c) => Math.round(v + (end[c] - v) * by));
};

/** Which number a cell of the drawing is: 0 to 255, or -1 between channels. */
function heatIndex(column, row) {
  const half = HEAT_SIDE + HEAT_GAP;
  const [block, x] = [Math.floor(column / half), column % half];
  const [line, y] = [Math.floor(row / half), row % half];
  if (x >= HEAT_SIDE || y >= HEAT_SIDE || block > 1 || line > 1) return -1;
  return (2 * line + block) * HEAT_SIDE * HEAT_SIDE + y * HEAT_SIDE + x;
}

function heatPlace(index) {
  const channel = Math.floor(index / 64);
  const half = HEAT_SIDE + HEAT_GAP;
  return [(channel % 2) * half + (index % 8), Math.floor(channel / 2) * half + Math.floor((index % 64) / 8)];
}

const cellName = (index) => "channel " + (Math.floor(index / 64) + 1) + ", row " + (Math.floor((index % 64) / 8) + 1) + ", column " + ((index % 8) + 1);

/** A heat map with a name; `cells` (heatCells) is the cell that all maps of a part mark together. */
function heatMap(name, caption, cells, attributes = {}) {
  const canvas = piece("canvas", { class: "heat", width: HEAT_ALL, height: HEAT_ALL });
  const mark = piece("span", { class: "heat-mark", "aria-hidden": "true" });
  const stage = piece("span", {
    class: "heat-stage", tabindex: 0, role: "img", "aria-label": name + ", four channels of 8 by 8 numbers; arrow keys walk through the cells",
    onpointerdown: seek, onpointermove: (event) => event.pointerType === "mouse" && seek(event), onkeydown: walk,
  }, canvas, mark);
  const legend = piece("span", { class: "heat-legend" });
  const node = piece("figure", { class: "shot", "data-wait": WAITS, ...attributes }, stage, piece("figcaption", {}, ...[caption].flat(), " ", legend));
  cells.add(show);

  function seek(event) {
    const box = canvas.getBoundingClientRect();
    const at = heatIndex(...[(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((v) => Math.floor(v * HEAT_ALL)));
    if (at >= 0) cells.pick(at);
  }

  function walk(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -8, ArrowDown: 8 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    cells.pick((cells.at + way + 256) % 256);
  }

  function show(at) {
    const [x, y] = heatPlace(at);
    mark.style.setProperty("--x", x / HEAT_ALL);
    mark.style.setProperty("--y", y / HEAT_ALL);
  }

  /** 256 numbers; `scale` is the number that is full colour, or 0 for the largest here. */
  function draw(values, scale = 3) {
    const full = scale || Math.max(1e-9, ...values.map(Math.abs));
    const image = new ImageData(HEAT_ALL, HEAT_ALL);
    for (let index = 0; index < 256; index++) {
      const [x, y] = heatPlace(index);
      image.data.set([...heatColour(values[index] / full), 255], 4 * (y * HEAT_ALL + x));
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    isDrawn(canvas);
    tellText(legend, "±" + figureText(full));
  }

  show(cells.at);
  return { node, draw, canvas };
}

/** The one cell that all heat maps of a part look at. */
function heatCells(at, tell) {
  const shows = [];
  return {
    get at() { return at; },
    add: (show) => shows.push(show),
    pick(index) {
      if (index === at) return;
      at = index;
      shows.forEach((show) => show(at));
      tell(at);
    },
  };
}
