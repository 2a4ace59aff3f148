// Drawing on a canvas: the colours of the mode, marks of classes, arrows, level lines. Knows no page.

const CLASS_MARKS = ["dot", "diamond", "square", "triangle", "cross"];

/** The colours of the mode that the page is in. */
function inkOf(node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue("--" + name).trim();
  return {
    panel: read("panel"), ink: read("ink"), muted: read("muted"), line: read("line"), strong: read("line-strong"),
    free: read("sym-x"), told: read("sym-mu"), guided: read("ink"), sample: read("sym-xhat"), data: read("sym-eps"),
    trace: read("ink"), sde: read("sym-sigma"), ghost: read("sym-z"),
    classes: ["sym-x", "sym-mu", "sym-z", "sym-sigma"].map(read),
    dark: Boolean(node.closest(".dark")),
  };
}

function markAt(context, kind, x, y, r) {
  context.beginPath();
  if (kind === "diamond") {
    context.moveTo(x, y - r * 1.25);
    context.lineTo(x + r * 1.25, y);
    context.lineTo(x, y + r * 1.25);
    context.lineTo(x - r * 1.25, y);
  } else if (kind === "square") context.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
  else if (kind === "triangle") {
    context.moveTo(x, y - r * 1.2);
    context.lineTo(x + r * 1.15, y + r * 0.85);
    context.lineTo(x - r * 1.15, y + r * 0.85);
  } else if (kind === "cross") {
    context.rect(x - r * 1.2, y - r * 0.4, r * 2.4, r * 0.8);
    context.rect(x - r * 0.4, y - r * 1.2, r * 0.8, r * 2.4);
  } else context.arc(x, y, r, 0, 2 * Math.PI);
  context.fill();
}

/** An arrow in pixels, in the context's fill and stroke. */
function arrowTo(context, x, y, dx, dy, width) {
  const long = Math.hypot(dx, dy);
  if (long < 1.5) return;
  const [ux, uy] = [dx / long, dy / long], head = Math.min(3.2 * width + 2, long * 0.6);
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + dx - ux * head * 0.8, y + dy - uy * head * 0.8);
  context.stroke();
  context.beginPath();
  context.moveTo(x + dx, y + dy);
  context.lineTo(x + dx - ux * head - uy * head * 0.5, y + dy - uy * head + ux * head * 0.5);
  context.lineTo(x + dx - ux * head + uy * head * 0.5, y + dy - uy * head - ux * head * 0.5);
  context.fill();
}

/** The lines on which a grid's cells pass `level`, by marching squares, added to the context's path. place(u, v) -> pixels. */
function levelLine(context, cells, n, level, place) {
  const cross = (a, b) => (level - a) / (b - a);
  for (let j = 0; j < n - 1; j++) {
    for (let i = 0; i < n - 1; i++) {
      const k = j * n + i;
      const [a, b, c, d] = [cells[k], cells[k + 1], cells[k + n + 1], cells[k + n]];
      const kind = (a > level) + (b > level) + (c > level) + (d > level);
      if (kind === 0 || kind === 4) continue;
      let pen = false;
      const side = (u, v) => {
        context[pen ? "lineTo" : "moveTo"](...place(i + 0.5 + u, j + 0.5 + v));
        pen = !pen;
      };
      if (a > level !== b > level) side(cross(a, b), 0);
      if (b > level !== c > level) side(1, cross(b, c));
      if (c > level !== d > level) side(1 - cross(c, d), 1);
      if (d > level !== a > level) side(0, 1 - cross(d, a));
    }
  }
}

const rgbOf = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** A density as a small picture, a pixel a cell, from clear to `colour`, square-root scaled. */
function heatPicture(cells, n, colour, strong = 0.55) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = n;
  const context = canvas.getContext("2d"), image = context.createImageData(n, n), [r, g, b] = rgbOf(colour);
  let most = 0;
  for (const v of cells) if (v > most) most = v;
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      const at = 4 * ((n - 1 - j) * n + i);
      image.data.set([r, g, b, 255 * strong * Math.sqrt(cells[j * n + i] / most)], at);
    }
  }
  context.putImageData(image, 0, 0);
  return { canvas, most };
}
