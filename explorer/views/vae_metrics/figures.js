// Scores of codes, on this page: mutual information, MIG and the FactorVAE score, as explorer/tabs/vae/metric_scores.py has them.
// Columns are Float32Arrays, one for each number of the code; factors are Uint8Arrays. Knows no page.

/** Which of `bins` equal parts between the least and the largest each value lies in, into `out`. */
function binColumn(column, n, bins, out) {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < n; i++) {
    const x = column[i];
    if (x < low) low = x;
    if (x > high) high = x;
  }
  const scale = high > low ? bins / (high - low) : 0;
  for (let i = 0; i < n; i++) {
    const bin = Math.floor((column[i] - low) * scale);
    out[i] = bin < bins ? bin : bins - 1;
  }
}

const plogp = (count, n) => (count ? (count / n) * Math.log(count / n) : 0);

/** Mutual information in nats of binned values and a factor of `values` values. */
function informationOf(binned, factor, n, bins, values) {
  const joint = new Int32Array(bins * values), row = new Int32Array(bins), column = new Int32Array(values);
  for (let i = 0; i < n; i++) {
    joint[binned[i] * values + factor[i]]++;
    row[binned[i]]++;
    column[factor[i]]++;
  }
  let sum = 0;
  for (const count of joint) sum += plogp(count, n);
  for (const count of row) sum -= plogp(count, n);
  for (const count of column) sum -= plogp(count, n);
  return Math.max(0, sum);
}

function entropyOf(factor, n) {
  const counts = new Int32Array(256);
  for (let i = 0; i < n; i++) counts[factor[i]]++;
  return counts.reduce((sum, count) => sum - plogp(count, n), 0);
}

/** Mean over factors of the gap between the two most knowing rows of a table (rows of nats), in parts of the entropies. */
function migOf(table, entropies) {
  const gaps = [];
  entropies.forEach((h, k) => {
    if (!(h > 0)) return;
    const column = table.map((row) => row[k]).sort((a, b) => b - a);
    gaps.push((column[0] - (column[1] ?? 0)) / h);
  });
  return gaps.length ? gaps.reduce((a, b) => a + b, 0) / gaps.length : NaN;
}

/** The same numbers for the same seed. */
function seeded(seed) {
  let state = (seed >>> 0) + 0x6d2b79f5;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The votes of the FactorVAE score: which codes each looks at. They stay while a code is turned, so the score does not flicker. */
function drawVotes(v, n, size, train, test) {
  const random = seeded(5), below = (count) => Math.floor(random() * count);
  const groups = v.map((factor) => {
    const found = [];
    for (let i = 0; i < n; i++) (found[factor[i]] ??= []).push(i);
    return found;
  });
  const held = new Uint8Array(train + test), rows = new Uint16Array((train + test) * size);
  for (let vote = 0; vote < train + test; vote++) {
    const k = (held[vote] = below(v.length)), same = groups[k][v[k][below(n)]];
    for (let i = 0; i < size; i++) rows[vote * size + i] = same[below(same.length)];
  }
  return { held, rows, size, train, test };
}

/** Variance of a column, of all of it and in every vote. */
function stillness(column, n, votes) {
  let sum = 0, squares = 0;
  for (let i = 0; i < n; i++) sum += column[i];
  const mean = sum / n;
  for (let i = 0; i < n; i++) squares += (column[i] - mean) ** 2;
  const all = squares / (n - 1), { rows, size, held } = votes, each = new Float64Array(held.length);
  for (let vote = 0; vote < held.length; vote++) {
    let s = 0, q = 0;
    for (let i = vote * size; i < (vote + 1) * size; i++) {
      const x = column[rows[i]] - mean;
      s += x;
      q += x * x;
    }
    each[vote] = (q - (s * s) / size) / (size - 1) / (all || 1);
  }
  return { spread: Math.sqrt(all), each };
}

/** {score, active} from the `stillness` of every column. */
function voteScore(still, votes, factors, prune) {
  const active = still.map((one, d) => (one.spread >= prune ? d : -1)).filter((d) => d >= 0);
  if (!active.length) return { score: 0, active: 0 };
  const counts = active.map(() => new Int32Array(factors));
  let right = 0, speaks = null;
  for (let vote = 0; vote < votes.held.length; vote++) {
    let least = 0;
    for (let a = 1; a < active.length; a++) if (still[active[a]].each[vote] < still[active[least]].each[vote]) least = a;
    if (vote < votes.train) counts[least][votes.held[vote]]++;
    else {
      speaks ??= counts.map((row) => row.indexOf(Math.max(...row)));
      if (speaks[least] === votes.held[vote]) right++;
    }
  }
  return { score: right / votes.test, active: active.length };
}
