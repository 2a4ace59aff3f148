// Where no code is: neither within a distance of any, nor inside three sigma of any posterior. Knows no page.

const HOLE_CELLS = 120; // a side of the shaded picture
const HOLE_DRAWS = 2000; // of the prior, for the share that falls into holes

/** Whether z is in a hole: it lies outside every ellipse about a code with the half axes max(near, 3 sigma). */
function inHole(cloud, [x, y], near) {
  for (let i = 0; i < cloud.count; i++) {
    const a = (x - cloud.mu[2 * i]) / Math.max(near, 3 * cloud.sigma[2 * i]);
    if (a > 1 || a < -1) continue;
    const b = (y - cloud.mu[2 * i + 1]) / Math.max(near, 3 * cloud.sigma[2 * i + 1]);
    if (a * a + b * b <= 1) return false;
  }
  return true;
}

/** The holes of the square |z| <= half as a small canvas of one colour, to be drawn large. */
function holePicture(cloud, half, near, colour) {
  const n = HOLE_CELLS, cell = (2 * half) / n, lived = new Uint8Array(n * n);
  const index = (v) => (v + half) / cell - 0.5; // of the cell whose middle is at v
  for (let i = 0; i < cloud.count; i++) {
    const x = cloud.mu[2 * i], y = cloud.mu[2 * i + 1];
    const a = Math.max(near, 3 * cloud.sigma[2 * i]), b = Math.max(near, 3 * cloud.sigma[2 * i + 1]);
    for (let row = Math.max(0, Math.ceil(index(y - b))); row <= Math.min(n - 1, Math.floor(index(y + b))); row++) {
      const v = ((row + 0.5) * cell - half - y) / b, reach = a * Math.sqrt(Math.max(0, 1 - v * v));
      const from = Math.max(0, Math.ceil(index(x - reach))), to = Math.min(n - 1, Math.floor(index(x + reach)));
      if (to >= from) lived.fill(1, row * n + from, row * n + to + 1);
    }
  }
  const canvas = piece("canvas", { width: n, height: n }), context = canvas.getContext("2d");
  context.fillStyle = colour;
  for (let row = 0; row < n; row++) for (let column = 0; column < n; column++) {
    if (!lived[row * n + column] && (row + column) % 3 !== 0) context.fillRect(column, n - 1 - row, 1, 1);
  }
  return canvas;
}

/** The same draws from N(0, I) at every call: two numbers each. */
const priorDraws = (() => {
  let draws = null;
  return () => {
    if (draws) return draws;
    draws = new Float32Array(2 * HOLE_DRAWS);
    let state = 1;
    const uniform = () => { // mulberry32
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    for (let i = 0; i < HOLE_DRAWS; i++) {
      const r = Math.sqrt(-2 * Math.log(1 - uniform())), angle = 2 * Math.PI * uniform();
      draws[2 * i] = r * Math.cos(angle), draws[2 * i + 1] = r * Math.sin(angle);
    }
    return draws;
  };
})();

/** The share of draws from the prior that fall into holes, and the share of codes beyond the prior's 3 sigma. */
function holeShares(cloud, near) {
  const draws = priorDraws();
  let holes = 0, out = 0;
  for (let i = 0; i < HOLE_DRAWS; i++) if (inHole(cloud, [draws[2 * i], draws[2 * i + 1]], near)) holes++;
  for (let i = 0; i < cloud.count; i++) if (Math.hypot(cloud.mu[2 * i], cloud.mu[2 * i + 1]) > 3) out++;
  return { holes: holes / HOLE_DRAWS, out: out / cloud.count };
}
