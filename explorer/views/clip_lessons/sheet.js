// The matrix as files: a table of numbers, and a picture with the faces and captions that belong to it.

function matrixTable({ pairs, cos, told, scale }) {
  const head = ["image", ...pairs.map((pair) => pair.caption), "CE of the row"];
  const block = (name, values, ends, last) => [
    [name, ...head.slice(1)],
    ...values.map((row, i) => [pairs[i].name, ...row.map((v) => v.toFixed(6)), ends ? ends[i].toFixed(6) : ""]),
    ...(last ? [["CE of the column", ...last.map((v) => v.toFixed(6)), ""]] : []),
    [],
  ];
  return [
    ...block("cosine", cos), ...block("p(caption | image)", told.rows, told.ceRows), ...block("p(image | caption)", told.columns, null, told.ceColumns),
    ...block("N dL/dlogit", told.gradient), ["scale", scale.toFixed(4)], ["loss", told.loss.toFixed(6)],
  ];
}

/** Draws what is on the screen, larger. */
async function matrixPicture(lab, { pairs, cos, told, scale, view }) {
  const n = pairs.length;
  const ink = inkOf(lab.root);
  const [cell, left, top, gap, foot] = [Math.max(64, Math.floor(960 / n)), 160, 170, 2, 90];
  const size = Math.min(cell - 8, 96);
  const width = left + n * cell + 24;
  const canvas = piece("canvas", { width, height: top + n * cell + foot });
  const context = canvas.getContext("2d");
  const all = cos.flat();
  const range = [Math.min(...all), Math.max(...all)];
  const { colour, name } = GRID_VIEWS[view];
  context.fillStyle = ink("paper");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = "middle";
  const pictures = await Promise.all(pairs.map(({ ref }) => loadedPicture(lab.wire.image(ref, 128))));
  pairs.forEach(({ caption }, i) => {
    context.fillStyle = ink("sym-x");
    context.font = "600 18px system-ui, sans-serif";
    context.fillText("I" + (i + 1), 12, top + (i + 0.5) * cell);
    if (pictures[i]) context.drawImage(pictures[i], left - size - 10, top + (i + 0.5) * cell - size / 2, size, size);
    context.save();
    context.translate(left + (i + 0.5) * cell, top - 10);
    context.fillStyle = ink("sym-mu");
    context.textAlign = "center";
    context.fillText("T" + (i + 1), 0, -wrapText(context, caption, 0, -6, cell - 10, ink("ink")) - 14);
    context.restore();
  });
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const { value, t, sign } = gridCell(view, told, cos, range, i, j);
      const hue = colour ? ink(colour) : ink(sign === "apart" ? "error" : "good");
      context.fillStyle = mixedColour(ink("panel"), hue, within(t, 0, 1));
      context.fillRect(left + j * cell + gap / 2, top + i * cell + gap / 2, cell - gap, cell - gap);
      if (i === j) {
        context.strokeStyle = ink("ink");
        context.lineWidth = 3;
        context.strokeRect(left + j * cell + 2.5, top + i * cell + 2.5, cell - 5, cell - 5);
      }
      context.fillStyle = t > gridDeep(lab.root) ? ink("panel") : ink("ink");
      context.font = Math.round(cell / 4) + "px system-ui, sans-serif";
      context.textAlign = "center";
      context.fillText(gridWords(view, value, false), left + (j + 0.5) * cell, top + (i + 0.5) * cell);
    }
  }
  context.textAlign = "left";
  context.fillStyle = ink("ink");
  context.font = "600 22px system-ui, sans-serif";
  context.fillText(name + ", scale " + fixedText(scale, 1) + ", loss " + fixedText(told.loss, 3) + " (chance " + fixedText(told.chance, 3) + ")", 16, canvas.height - foot / 2);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** A text in lines of 12 px that end above `bottom`; returns how high it is. */
function wrapText(context, text, x, bottom, width, colour) {
  context.save();
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour;
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = (lines.at(-1) + " " + word).trim();
    if (context.measureText(longer).width > width && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  const kept = lines.length > 8 ? [...lines.slice(0, 7), lines[7] + " …"] : lines;
  kept.forEach((line, i) => context.fillText(line, x, bottom - (kept.length - 1 - i) * 14));
  context.restore();
  return kept.length * 14;
}
