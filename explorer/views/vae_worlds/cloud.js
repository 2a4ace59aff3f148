// The codes of many pictures as coloured points, and what can be said of where they are. Knows no page.

// Ten colours that differ for the colour-blind too and read on white and on black; world_film.py has the same ones.
const CLOUD_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#a89200", "#7a4fbf", "#8c8c8c", "#7b4a2b"];
const colourOf = (value) => CLOUD_COLOURS[value % CLOUD_COLOURS.length];

/** What the route `codes` sends: {count, mu, sigma (2 each per picture), labels: per factor its values}. */
function cloudOf({ values, shape: [count, width] }) {
  const mu = new Float32Array(2 * count), sigma = new Float32Array(2 * count);
  const labels = Array.from({ length: width - 4 }, () => new Uint8Array(count));
  for (let i = 0; i < count; i++) {
    const row = i * width;
    mu[2 * i] = values[row], mu[2 * i + 1] = values[row + 1];
    sigma[2 * i] = values[row + 2], sigma[2 * i + 1] = values[row + 3];
    labels.forEach((column, f) => (column[i] = values[row + 4 + f]));
  }
  const sorted = [0, 1].map((d) => Float32Array.from({ length: count }, (_, i) => mu[2 * i + d]).sort());
  return { count, mu, sigma, labels, sorted };
}

/** The points by colour, so that a colour is set once. `mu` may be on its way from one cloud to another. */
function paintCloud(context, plane, mu, values, size = 3) {
  const groups = new Map();
  for (let i = 0; 2 * i < mu.length; i++) {
    const colour = values ? colourOf(values[i]) : CLOUD_COLOURS[0];
    if (!groups.has(colour)) groups.set(colour, []);
    groups.get(colour).push(i);
  }
  context.save();
  context.beginPath();
  context.rect(plane.left, plane.top, plane.side, plane.side);
  context.clip();
  context.globalAlpha = 0.85;
  for (const [colour, members] of groups) {
    context.fillStyle = colour;
    for (const i of members) context.fillRect(plane.x(mu[2 * i]) - size / 2, plane.y(mu[2 * i + 1]) - size / 2, size, size);
  }
  context.restore();
}

/** The name of each value at the middle of its points: colours alone say nothing to some. Only where clouds lie apart. */
function paintNames(context, plane, cloud, values, names, inks) {
  const middles = names.map((_, value) => {
    const mine = [];
    for (let i = 0; i < cloud.count; i++) if (values[i] === value) mine.push(i);
    const middle = (d) => mine.map((i) => cloud.mu[2 * i + d]).sort((a, b) => a - b)[mine.length >> 1];
    return mine.length ? [plane.x(middle(0)), plane.y(middle(1))] : null;
  });
  const there = middles.filter(Boolean);
  const spread = Math.max(...[0, 1].map((d) => Math.max(...there.map((m) => m[d])) - Math.min(...there.map((m) => m[d]))));
  if (spread < 60) return;
  context.font = "700 14px system-ui, sans-serif";
  context.textAlign = "center", context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = inks.panel;
  context.fillStyle = inks.ink;
  middles.forEach((middle, value) => {
    if (!middle) return;
    context.strokeText(names[value], ...middle);
    context.fillText(names[value], ...middle);
  });
}

/** The nearest code: [its number, its distance in z]. */
function nearestCode(cloud, [x, y]) {
  let best = Infinity, at = -1;
  for (let i = 0; i < cloud.count; i++) {
    const dx = cloud.mu[2 * i] - x, dy = cloud.mu[2 * i + 1] - y, d = dx * dx + dy * dy;
    if (d < best) (best = d), (at = i);
  }
  return [at, Math.sqrt(best)];
}

/** Which share of a cloud lies below a coordinate, per axis; and the coordinates of such shares in another cloud. */
function sharesOf(cloud, z) {
  return z.map((v, d) => {
    const all = cloud.sorted[d];
    let low = 0, high = all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (all[middle] < v) low = middle + 1;
      else high = middle;
    }
    if (low === 0 || low === all.length) return low / all.length;
    const before = all[low - 1], after = all[low];
    return (low - 0.5 + (after > before ? (v - before) / (after - before) - 0.5 : 0)) / all.length;
  });
}

function atShares(cloud, shares) {
  return shares.map((share, d) => {
    const all = cloud.sorted[d], at = Math.min(all.length - 1, Math.max(0, share * all.length));
    const i = Math.min(all.length - 2, Math.floor(at));
    return all[i] + (at - i) * (all[i + 1] - all[i]);
  });
}
