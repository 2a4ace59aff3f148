// Pictures under a pointer without a request: two boards of decoded pictures per model, blended between their crossings.

/** boards.paint(canvas, model, z) draws a preview and tells how: "blend", "nearest", "edge", or "" while there is no board. */
function boardsOf(wire, near) {
  const kept = new Map(); // "model near" -> {sprite, half} once it is there

  async function load(model, which, half, version) {
    const key = model.name + " " + which + " " + version;
    if (!kept.has(key)) {
      kept.set(key, { half, sprite: null });
      try {
        kept.get(key).sprite = await wire.sprite("worlds/board", { model: model.name, which, v: version });
      } catch (error) {
        kept.delete(key);
        throw error;
      }
    }
  }

  const ready = (model, which) => {
    const found = kept.get(model.name + " " + which + " " + model.version);
    return found?.sprite ? found : null;
  };

  function paint(canvas, model, z) {
    const inside = Math.max(Math.abs(z[0]), Math.abs(z[1])) <= near;
    const board = (inside && ready(model, "near")) || ready(model, "wide") || ready(model, "near");
    if (!board) return "";
    const { sprite, half } = board, side = sprite.columns, step = (2 * half) / (side - 1);
    if (canvas.width !== sprite.width) Object.assign(canvas, { width: sprite.width, height: sprite.height });
    const context = canvas.getContext("2d"), last = side - 1;
    const at = (v) => Math.min(last, Math.max(0, v));
    const u = at((z[0] + half) / step), v = at((half - z[1]) / step);
    const beyond = Math.max(Math.abs(z[0]), Math.abs(z[1])) > half + 1e-6;
    const draw = (column, row, alpha) => {
      if (alpha <= 0) return;
      context.globalAlpha = alpha;
      context.drawImage(sprite.sheet, column * sprite.width, row * sprite.height, sprite.width, sprite.height, 0, 0, sprite.width, sprite.height);
    };
    if (step > 0.4) { // so far apart, a blend would be a ghost of two pictures
      draw(Math.round(u), Math.round(v), 1);
      return beyond ? "edge" : "nearest";
    }
    const i = Math.min(last - 1, Math.floor(u)), j = Math.min(last - 1, Math.floor(v)), a = u - i, b = v - j;
    // Each picture over the one before it, with its weight among those drawn so far: the mean of the four.
    const corners = [[i, j, (1 - a) * (1 - b)], [i + 1, j, a * (1 - b)], [i, j + 1, (1 - a) * b], [i + 1, j + 1, a * b]];
    let sum = 0;
    for (const [column, row, weight] of corners) {
      sum += weight;
      draw(column, row, sum > 0 ? weight / sum : 0);
    }
    context.globalAlpha = 1;
    return beyond ? "edge" : "blend";
  }

  return { load, ready, paint };
}
