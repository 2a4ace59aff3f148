// The mixture in the browser: density, responsibilities, score and Tweedie's estimate at any point and any noise. The same
// formulas as explorer/tabs/diffusion/twin_mixture.py, so that scrubbing and pointing need no request. Knows no page.

/** law: {weights, means, variances, label} as the server sends it. */
function mixOf(law) {
  const count = law.weights.length;
  const pick = (rows, axis) => Float64Array.from(rows, (row) => row[axis]);
  const [mx, my] = [pick(law.means, 0), pick(law.means, 1)];
  const [sx, sy] = [pick(law.variances, 0), pick(law.variances, 1)];
  const logw = Float64Array.from(law.weights, Math.log);
  const label = law.label;
  const cache = { a: null };

  /** √ᾱ μ, v and the constant of each part at ᾱ = a; kept until another a is asked for. */
  function noisy(a) {
    if (cache.a === a) return cache;
    const root = Math.sqrt(a);
    Object.assign(cache, {
      a, root,
      px: mx.map((m) => root * m), py: my.map((m) => root * m),
      vx: sx.map((v) => a * v + 1 - a), vy: sy.map((v) => a * v + 1 - a),
    });
    cache.ix = cache.vx.map((v) => 1 / v);
    cache.iy = cache.vy.map((v) => 1 / v);
    cache.log = logw.map((w, k) => w - Math.log(2 * Math.PI) - 0.5 * Math.log(cache.vx[k] * cache.vy[k]));
    return cache;
  }

  const logs = new Float64Array(count);

  /** {r (K,), logp, score, x0, eps} at one point; `y` a class or null. One call's r is overwritten by the next. */
  function look(x, y, a, cls = null) {
    const at = noisy(a);
    let top = -Infinity;
    for (let k = 0; k < count; k++) {
      if (cls !== null && label[k] !== cls) {
        logs[k] = -Infinity;
        continue;
      }
      const dx = x - at.px[k], dy = y - at.py[k];
      logs[k] = at.log[k] - 0.5 * (dx * dx * at.ix[k] + dy * dy * at.iy[k]);
      if (logs[k] > top) top = logs[k];
    }
    let total = 0, share = 0, gx = 0, gy = 0, hx = 0, hy = 0;
    for (let k = 0; k < count; k++) {
      if (cls === null || label[k] === cls) share += law.weights[k];
      const r = logs[k] === -Infinity ? 0 : Math.exp(logs[k] - top);
      logs[k] = r;
      total += r;
      gx += r * (at.px[k] - x) * at.ix[k];
      gy += r * (at.py[k] - y) * at.iy[k];
      hx += r * (mx[k] * (1 - a) + at.root * sx[k] * x) * at.ix[k];
      hy += r * (my[k] * (1 - a) + at.root * sy[k] * y) * at.iy[k];
    }
    for (let k = 0; k < count; k++) logs[k] /= total;
    const score = [gx / total, gy / total], noise = Math.sqrt(1 - a);
    return {
      r: logs, score, x0: [hx / total, hy / total], eps: [-noise * score[0], -noise * score[1]],
      logp: top + Math.log(total) - Math.log(share),
    };
  }

  /** The density on a grid of n × n cells over ±reach, row by row from the bottom: products of bells, so it is quick. */
  function density(a, n, reach, cls = null) {
    const at = noisy(a);
    const cells = new Float32Array(n * n), row = new Float64Array(n);
    let share = 0;
    for (let k = 0; k < count; k++) if (cls === null || label[k] === cls) share += law.weights[k];
    const place = (i) => -reach + ((i + 0.5) * 2 * reach) / n;
    for (let k = 0; k < count; k++) {
      if (cls !== null && label[k] !== cls) continue;
      const [wx, wy] = [Math.sqrt(at.vx[k]), Math.sqrt(at.vy[k])];
      const cell = (2 * reach) / n;
      const bell = (v, middle, width) => { // a bell that is narrower than a cell keeps its mass
        const wide = Math.max(width, cell * 0.6), d = (v - middle) / wide;
        return d * d > 60 ? 0 : Math.exp(-0.5 * d * d) / (Math.sqrt(2 * Math.PI) * wide);
      };
      for (let i = 0; i < n; i++) row[i] = bell(place(i), at.px[k], wx);
      for (let j = 0; j < n; j++) {
        const high = (bell(place(j), at.py[k], wy) * law.weights[k]) / share;
        if (high < 1e-9) continue;
        for (let i = 0; i < n; i++) cells[j * n + i] += high * row[i];
      }
    }
    return cells;
  }

  const guided = (free, told, w) => [free[0] + w * (told[0] - free[0]), free[1] + w * (told[1] - free[1])];

  return { law, count, label, look, density, guided, noisy, has: (cls) => label.includes(cls) };
}
