// A small line chart on a canvas, and what it keeps of a run. Knows rounds and numbers, not what they mean.

const TRACK_MOST = 1400; // buckets: more than any chart has pixels, at 60 kB

/**
 * One quantity of one run. Neighbouring points share a bucket with their extremes, so that a long run keeps every spike in
 * bounded memory. A value that is not known ends the line: nothing is drawn across.
 */
function makeTrack() {
  let from = [], to = [], low = [], high = [], sum = [], count = [], broken = [];
  let share = 1; // points to a bucket
  let gap = true;

  function push(x, y) {
    if (!Number.isFinite(y)) return void (gap = true);
    const last = from.length - 1;
    if (!gap && last >= 0 && count[last] < share && to[last] <= x) {
      to[last] = x;
      low[last] = Math.min(low[last], y);
      high[last] = Math.max(high[last], y);
      sum[last] += y;
      count[last]++;
      return;
    }
    from.push(x), to.push(x), low.push(y), high.push(y), sum.push(y), count.push(1), broken.push(gap);
    gap = false;
    if (from.length > TRACK_MOST) halve();
  }

  function halve() {
    const old = { from, to, low, high, sum, count, broken };
    [from, to, low, high, sum, count, broken] = [[], [], [], [], [], [], []];
    for (let i = 0; i < old.from.length; i++) {
      const last = from.length - 1;
      if (i % 2 && !old.broken[i]) {
        to[last] = old.to[i];
        low[last] = Math.min(low[last], old.low[i]);
        high[last] = Math.max(high[last], old.high[i]);
        sum[last] += old.sum[i];
        count[last] += old.count[i];
      } else {
        from.push(old.from[i]), to.push(old.to[i]), low.push(old.low[i]), high.push(old.high[i]);
        sum.push(old.sum[i]), count.push(old.count[i]), broken.push(old.broken[i]);
      }
    }
    share *= 2;
  }

  const at = (i) => ({ from: from[i], to: to[i], low: low[i], high: high[i], mean: sum[i] / count[i], broken: broken[i] });

  /** The bucket nearest to a round, if one is near enough; null where nothing is known. */
  function near(x, reach) {
    let [a, b] = [0, from.length - 1];
    if (b < 0) return null;
    while (a < b) {
      const middle = (a + b) >> 1;
      if (to[middle] < x) a = middle + 1;
      else b = middle;
    }
    const distance = (i) => (i < 0 ? Infinity : Math.max(0, from[i] - x, x - to[i]));
    const best = distance(a - 1) < distance(a) ? a - 1 : a;
    return distance(best) <= reach ? at(best) : null;
  }

  return {
    push, at, near,
    get length() { return from.length; },
    get first() { return from[0]; },
    get last() { return to[to.length - 1]; },
    get latest() { return from.length ? at(from.length - 1).mean : NaN; },
  };
}

/** Three to six round numbers from low to high: 1, 2 or 5 times a power of ten apart. */
function niceTicks(low, high, about = 4) {
  const rough = (high - low) / about || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const gap = [1, 2, 5, 10].find((step) => step * power >= rough) * power;
  const ticks = [];
  for (let i = Math.ceil(low / gap - 1e-9); i * gap <= high + gap * 1e-9; i++) ticks.push(Number((i * gap).toPrecision(12)));
  return ticks;
}

/** Every power of ten from low to high, or every second or third where there are many; where there are few, 2 and 5 as well. */
function powerTicks(low, high, most = 5) {
  if (high / low < 40) {
    const all = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const step of [1, 2, 5]) all.push(Number((step * 10 ** power).toPrecision(6)));
    }
    const ticks = all.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
    return ticks.length > 1 ? ticks : niceTicks(low, high, 3).filter((tick) => tick > 0);
  }
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const gap = Math.max(1, Math.ceil((last - first + 1) / most));
  const ticks = [];
  for (let power = first; power <= last; power += gap) ticks.push(10 ** power);
  return ticks;
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
function tickText(value, log) {
  if (log && (value < 0.01 || value >= 10000)) {
    const power = Math.round(Math.log10(value));
    return "10" + (power < 0 ? "⁻" : "") + [...String(Math.abs(power))].map((digit) => SUPERSCRIPTS[digit]).join("");
  }
  if (!log && value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(0).replace("-", "−");
  if (Math.abs(value) >= 10000) return numberText(value / 1000, 3).replace(/\.?0+$/, "") + "k";
  return String(value).replace("-", "−");
}

/** The range of the y axis for these buckets, and the largest value if it lies beyond: one spike shall not flatten all else. */
function rangeOf(buckets, { log, from, to }) {
  if (from !== undefined && to !== undefined) return { low: from, high: to };
  const means = buckets.map((b) => b.mean).filter((v) => !log || v > 0).sort((a, b) => a - b);
  if (!means.length) return { low: from ?? (log ? 0.01 : 0), high: to ?? 1 };
  const ends = { low: Math.min(...buckets.map((b) => b.low)), high: Math.max(...buckets.map((b) => b.high)) };
  if (log) {
    let low = Math.log10(Math.max(1e-12, Math.min(means[0], Math.max(ends.low, means[0] / 10))));
    let high = Math.log10(ends.high);
    const room = Math.max(0.06 * (high - low), (1 - (high - low)) / 2, 0.04);
    return { low: 10 ** (low - room), high: 10 ** (high + room) };
  }
  const [bottom, top] = [means[Math.floor(means.length * 0.02)],
    means[Math.min(means.length - 1, Math.floor(means.length * 0.98))]];
  const usual = Math.max(top - bottom, Math.abs(top) * 0.2, 1e-6);
  let high = Math.min(ends.high, top + 1.5 * usual);
  let low = Math.max(ends.low, bottom - 1.5 * usual);
  const beyond = ends.high > high + 1e-12 ? ends.high : null;
  const room = 0.08 * Math.max(high - low, Math.abs(high) * 0.02, 1e-6);
  low = from ?? (low >= 0 && low - room < 0.6 * high ? 0 : low - room);
  return { low, high: to ?? high + room, beyond };
}

/**
 * Draws one chart.
 *
 * `lines` are {track, colour, dash, width, label}; `x` is {low, high}; `y` is {log, from, to, guide, percent};
 * `cursor` a round or null, `now` the round that is shown elsewhere; `ink` {text, grid, line} are colours.
 */
function drawLines(canvas, { lines, x, y, cursor, now, ink, marks = [] }) {
  const fresh = freshCanvas(canvas);
  if (!fresh) return null;
  const { context, width, height } = fresh;
  const size = inPixels(0.6875);
  context.font = size + "px system-ui, sans-serif";
  context.textBaseline = "middle";

  // What of each line lies inside, one bucket per pixel.
  const reach = { low: x.low, high: Math.max(x.high, x.low + 1) };
  const labelled = lines.some((line) => line.label);
  const box = { left: size * (y.percent ? 3.7 : 2.9), right: width - (labelled ? size * 1.7 : size * 0.6), top: size * 0.75,
    bottom: height - size * 1.7 };
  const toX = (round) => box.left + ((round - reach.low) / (reach.high - reach.low)) * (box.right - box.left);
  const drawnLines = lines.map((line) => ({ ...line, columns: columnsOf(line.track, toX, box) }));
  const range = rangeOf(drawnLines.flatMap((line) => line.columns), y);
  const scale = y.log ? (v) => Math.log10(Math.max(v, 1e-30)) : (v) => v;
  const [bottom, top] = [scale(range.low), scale(range.high)];
  const toY = (v) => {
    const place = box.bottom - ((scale(v) - bottom) / (top - bottom)) * (box.bottom - box.top);
    return Math.min(box.bottom + 1, Math.max(box.top - 1, place));
  };

  // Grid and ticks.
  context.lineWidth = 1;
  context.textAlign = "right";
  const ticks = yTicks(range, y, height);
  for (const tick of ticks) {
    const at = Math.round(toY(tick)) + 0.5;
    context.strokeStyle = ink.grid;
    context.beginPath();
    context.moveTo(box.left, at);
    context.lineTo(box.right, at);
    context.stroke();
    context.fillStyle = ink.text;
    context.fillText(yText(tick, y), box.left - size * 0.4, at);
  }
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  const across = Math.max(2, Math.min(5, Math.floor((box.right - box.left) / (size * 4.5))));
  for (const tick of niceTicks(reach.low, reach.high, across)) {
    if (!Number.isInteger(tick)) continue;
    const text = tickText(tick, false).replace(/^(\d)(\d{3})$/, "$1,$2");
    const half = context.measureText(text).width / 2;
    const at = toX(tick);
    context.strokeStyle = ink.line;
    context.beginPath();
    context.moveTo(Math.round(at) + 0.5, box.bottom);
    context.lineTo(Math.round(at) + 0.5, box.bottom + 3);
    context.stroke();
    context.fillText(text, Math.min(width - half, Math.max(half, at)), height - size * 0.35);
  }
  context.strokeStyle = ink.line;
  context.beginPath();
  context.moveTo(box.left, Math.round(box.bottom) + 0.5);
  context.lineTo(box.right, Math.round(box.bottom) + 0.5);
  context.stroke();
  for (const { round } of marks) {
    if (round < reach.low || round > reach.high) continue;
    context.fillStyle = ink.line;
    context.fillRect(Math.round(toX(round)), box.top, 1, box.bottom - box.top);
  }
  if (y.guide !== undefined && y.guide > range.low && y.guide < range.high) {
    context.save();
    context.setLineDash([1, 3]);
    context.strokeStyle = ink.text;
    context.beginPath();
    context.moveTo(box.left, Math.round(toY(y.guide)) + 0.5);
    context.lineTo(box.right, Math.round(toY(y.guide)) + 0.5);
    context.stroke();
    context.restore();
  }

  // The lines: the mean, and behind it from the least to the most where a pixel holds several rounds.
  context.save();
  context.beginPath();
  context.rect(box.left - 3, 0, box.right - box.left + 3 + size * 0.4, height);
  context.clip();
  context.lineJoin = "round";
  for (const line of drawnLines) {
    context.fillStyle = context.strokeStyle = line.colour;
    context.globalAlpha = 0.22;
    for (const column of line.columns) {
      const [a, b] = [toY(column.high), toY(column.low)];
      if (b - a > 1.5) context.fillRect(column.x - 0.5, a, 1, b - a);
    }
    context.globalAlpha = 1;
  }
  for (const line of drawnLines) {
    context.strokeStyle = context.fillStyle = line.colour;
    context.lineWidth = line.width ?? 1.75;
    context.setLineDash(line.dash ?? []);
    context.beginPath();
    let alone = null;
    const dot = ({ x: at, y: place }) => {
      context.beginPath();
      context.arc(at, place, 3, 0, 7);
      context.fill();
    };
    for (const column of line.columns) {
      const place = toY(column.mean);
      if (column.broken) {
        if (alone) context.fillRect(alone.x - 1.5, alone.y - 1.5, 3, 3);
        context.moveTo(column.x, place);
        alone = { x: column.x, y: place };
      } else {
        context.lineTo(column.x, place);
        alone = null;
      }
    }
    context.stroke();
    if (alone && line.columns.length === 1) dot(alone); // a single point is no line, but it is there
    else if (alone) context.fillRect(alone.x - 1.5, alone.y - 1.5, 3, 3);
  }
  context.restore();
  context.setLineDash([]);

  if (range.beyond) {
    context.fillStyle = ink.text;
    context.textAlign = "right";
    context.fillText("▲ up to " + numberText(range.beyond), box.right, box.top + size * 0.45);
  }

  // Letters at the ends of the lines, moved apart where they would overlap.
  context.textAlign = "left";
  context.textBaseline = "middle";
  const ends = drawnLines.filter((line) => line.label && line.columns.length)
    .map((line) => ({ ...line, x: line.columns.at(-1).x, y: toY(line.columns.at(-1).mean) }))
    .sort((a, b) => a.y - b.y);
  const space = size * 1.05;
  ends.forEach((end, i) => (end.y = Math.max(end.y, i ? ends[i - 1].y + space : box.top)));
  for (let i = ends.length - 1; i >= 0; i--) {
    ends[i].y = Math.min(ends[i].y, i < ends.length - 1 ? ends[i + 1].y - space : box.bottom - size * 0.3);
  }
  context.font = "600 " + size + "px system-ui, sans-serif";
  for (const end of ends) {
    context.fillStyle = end.colour;
    context.fillText(end.label, Math.min(end.x, box.right) + size * 0.35, end.y);
  }

  // Where one points, and which round is shown elsewhere on the page.
  const upright = (round, colour, dash) => {
    context.strokeStyle = colour;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(Math.round(toX(round)) + 0.5, box.top);
    context.lineTo(Math.round(toX(round)) + 0.5, box.bottom);
    context.stroke();
    context.setLineDash([]);
  };
  context.lineWidth = 1;
  if (now !== null && now !== undefined && now >= reach.low && now <= reach.high) upright(now, ink.strong, [3, 3]);
  if (cursor !== null && cursor !== undefined) {
    upright(cursor, ink.strong, []);
    for (const line of drawnLines) {
      const bucket = line.track.near(cursor, (reach.high - reach.low) / 60);
      if (!bucket) continue;
      context.fillStyle = line.colour;
      context.beginPath();
      context.arc(toX(cursor), toY(bucket.mean), 3, 0, 7);
      context.fill();
    }
  }
  return { toRound: (px) => reach.low + ((px - box.left) / (box.right - box.left)) * (reach.high - reach.low), box, reach };
}

function yTicks(range, y, height) {
  if (y.percent) return [0, 0.25, 0.5, 0.75, 1];
  if (y.log) return powerTicks(range.low, range.high);
  const ticks = niceTicks(range.low, range.high, height < 130 ? 3 : 4);
  return ticks.length > 1 ? ticks : niceTicks(range.low, range.high, 8);
}

const yText = (tick, y) => (y.percent ? (Math.round(tick * 4) % 2 ? "" : Math.round(tick * 100) + " %") : tickText(tick, y.log));

/** A track as at most one bucket per pixel: {x, low, high, mean, broken}. */
function columnsOf(track, toX, box) {
  const columns = [];
  let last = null;
  for (let i = 0; i < track.length; i++) {
    const bucket = track.at(i);
    const x = toX((bucket.from + bucket.to) / 2);
    if (x < box.left - 1 || x > box.right + 1) {
      last = null;
      continue;
    }
    const column = Math.round(x);
    if (last && last.column === column && !bucket.broken) {
      last.low = Math.min(last.low, bucket.low);
      last.high = Math.max(last.high, bucket.high);
      last.total += bucket.mean;
      last.mean = last.total / ++last.parts;
    } else {
      last = { column, x, low: bucket.low, high: bucket.high, mean: bucket.mean, total: bucket.mean, parts: 1,
        broken: bucket.broken || !last };
      columns.push(last);
    }
  }
  return columns;
}
