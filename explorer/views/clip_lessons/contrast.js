// The arithmetic of the contrastive loss (Radford et al. 2021, section 2.3, figure 3), on the page, so that it can follow a
// slider. Knows no page.

/** ln(sum of e^v), without overflow. */
function logSum(values) {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, v) => sum + Math.exp(v - top), 0));
}

/**
 * Everything that follows from N x N cosines (rows images, columns captions, pair i on the diagonal) and a scale:
 *   rows, columns   softmax over captions, and over images: p[i][j]
 *   ceRows[i]       -ln rows[i][i];  ceColumns[j] likewise
 *   lossRows, lossColumns, loss     their means, and half the sum of both
 *   gradient[i][j]  N d loss / d logit = 1/2 (rows - y) + 1/2 (columns - y), y the identity
 *   found           {images, captions}: how many find their partner first
 */
function contrast(cos, scale) {
  const n = cos.length;
  const logits = cos.map((row) => row.map((c) => scale * c));
  const rowSums = logits.map(logSum);
  const columnSums = logits.map((_, j) => logSum(logits.map((row) => row[j])));
  const rows = logits.map((row, i) => row.map((v) => Math.exp(v - rowSums[i])));
  const columns = logits.map((row) => row.map((v, j) => Math.exp(v - columnSums[j])));
  const ceRows = logits.map((row, i) => rowSums[i] - row[i]);
  const ceColumns = logits.map((row, j) => columnSums[j] - row[j]);
  const mean = (values) => values.reduce((sum, v) => sum + v, 0) / n;
  const y = (i, j) => (i === j ? 1 : 0);
  const first = (values, i) => values.every((v, j) => j === i || v < values[i]);
  return {
    n, logits, rows, columns, ceRows, ceColumns,
    lossRows: mean(ceRows), lossColumns: mean(ceColumns), loss: (mean(ceRows) + mean(ceColumns)) / 2, chance: Math.log(n),
    gradient: cos.map((row, i) => row.map((_, j) => (rows[i][j] + columns[i][j]) / 2 - y(i, j))),
    found: {
      images: cos.filter((row, i) => first(row, i)).length,
      captions: cos.filter((_, j) => first(cos.map((row) => row[j]), j)).length,
    },
  };
}

/** Groups of pairs whose captions are equal, or whose pictures are: every one's partner is wrongly a negative of the others. */
function twinsOf(pairs) {
  const groups = new Map();
  pairs.forEach((pair, i) => {
    const key = pair.caption.trim().toLowerCase();
    if (key) groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return [...groups.values()].filter((group) => group.length > 1);
}
