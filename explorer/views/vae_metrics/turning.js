// Rotations of a code, as explorer/tabs/vae/metric_rotation.py has them: of one plane, or a part of the way to a random one.
// Matrices are rows of Float64Arrays. Knows no page.

const identity = (D) => Array.from({ length: D }, (_, i) => Float64Array.from({ length: D }, (_, j) => +(i === j)));
const turnText = (turn) => (turn.kind === "all" ? `all:${turn.seed}:${turn.part}` : `plane:${turn.i}:${turn.j}:${turn.degrees}`);
const isStraight = (turn) => !(turn.kind === "all" ? turn.part : turn.degrees % 360);

function planeMatrix(D, i, j, degrees) {
  const R = identity(D), angle = (degrees * Math.PI) / 180;
  R[i][i] = R[j][j] = Math.cos(angle);
  R[i][j] = -Math.sin(angle);
  R[j][i] = Math.sin(angle);
  return R;
}

function times(A, B) {
  const D = A.length;
  return A.map((row) => {
    const out = new Float64Array(D);
    for (let k = 0; k < D; k++) {
      const a = row[k], other = B[k];
      if (a) for (let j = 0; j < D; j++) out[j] += a * other[j];
    }
    return out;
  });
}

/** exp(part A), by a series of a 64th of it and six squarings. */
function exponential(A, part) {
  const D = A.length, small = A.map((row) => row.map((a) => (a * part) / 64));
  let term = identity(D), sum = identity(D);
  for (let order = 1; order <= 10; order++) {
    term = times(term, small).map((row) => row.map((x) => x / order));
    sum = sum.map((row, i) => row.map((x, j) => x + term[i][j]));
  }
  for (let squared = 0; squared < 6; squared++) sum = times(sum, sum);
  return sum;
}

const turnMatrix = (turn, D, A) => (turn.kind === "all" ? exponential(A, turn.part) : D < 2 ? identity(D) : planeMatrix(D, turn.i, turn.j, turn.degrees));

/** KL of N(R mu, R diag(sigma^2) R^T) from N(0, I) in nats, by its closed form for any covariance; what a diagonal one would cost more. */
function turnedBill(mu, sigma, R) {
  const D = mu.length, turned = R.map((row) => row.reduce((sum, r, k) => sum + r * mu[k], 0));
  const covariance = R.map((a) => R.map((b) => a.reduce((sum, r, k) => sum + r * b[k] * sigma[k] * sigma[k], 0)));
  const lower = covariance.map(() => new Float64Array(D)); // Cholesky: the log of the determinant is twice that of its diagonal
  let logDet = 0;
  for (let i = 0; i < D; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = covariance[i][j];
      for (let k = 0; k < j; k++) sum -= lower[i][k] * lower[j][k];
      lower[i][j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / lower[j][j];
    }
    logDet += 2 * Math.log(lower[i][i]);
  }
  const trace = covariance.reduce((sum, row, i) => sum + row[i], 0), norm = turned.reduce((sum, m) => sum + m * m, 0);
  const diagonal = covariance.reduce((sum, row, i) => sum + Math.log(row[i]), 0);
  return { kl: (trace + norm - D - logDet) / 2, gap: (diagonal - logDet) / 2, mu: turned };
}

/** Codes that can be turned: columns, what they know of the factors, and the scores. Only what moves is computed again. */
function makeTurnable(codes, { bins, prune, vote }) {
  const { n, z, v, values } = codes, D = z.length, K = v.length;
  const cells = new Uint8Array(n), entropies = v.map((factor) => entropyOf(factor, n));
  const votes = K > 1 ? drawVotes(v, n, vote, 3000, 1500) : null;
  const know = (column) => {
    binColumn(column, n, bins, cells);
    return v.map((factor, k) => informationOf(cells, factor, n, bins, values[k]));
  };
  const straight = { columns: z.map((column) => column.subarray(0, n)), table: [], still: null };
  straight.table = straight.columns.map(know);
  const still = () => (straight.still ??= votes && straight.columns.map((column) => stillness(column, n, votes)));

  /** The same for another turn: {columns, table, mig, shares}; `factor()` gives the FactorVAE score. */
  function at(turn, A) {
    if (isStraight(turn)) return dress(straight.columns, straight.table, still);
    const R = turnMatrix(turn, D, A), moved = turn.kind === "all" ? z.map((_, d) => d) : [turn.i, turn.j];
    const columns = [...straight.columns], table = [...straight.table];
    for (const d of moved) {
      const out = new Float32Array(n);
      for (const k of moved) {
        const r = R[d][k], from = straight.columns[k];
        for (let i = 0; i < n; i++) out[i] += r * from[i];
      }
      columns[d] = out;
      table[d] = know(out);
    }
    return dress(columns, table, () => {
      const all = turn.kind === "all" ? [] : [...still()];
      for (const d of moved) all[d] = stillness(columns[d], n, votes);
      return all;
    });
  }

  function dress(columns, table, stillOf) {
    return {
      n, columns, table, entropies, mig: K ? migOf(table, entropies) : NaN,
      shares: table.map((row) => row.map((nats, k) => (entropies[k] > 0 ? nats / entropies[k] : 0))),
      factor: () => (votes ? voteScore(stillOf(), votes, K, prune) : { score: NaN, active: 0 }),
    };
  }

  return { at, n, codes, dims: D, factors: K, entropies, votes };
}
