// A way drawn over a board: recorded, thinned, packed into a link, and walked at constant speed.

const DRIVE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DRIVE_LEVELS = 64 ** 2 - 1, DRIVE_POINTS = 64;

/** [[x, y]] in [0, 1] -> four letters a point. */
const packDrive = (points) => points.map((point) => point.map((v) => {
  const level = Math.round(Math.min(1, Math.max(0, v)) * DRIVE_LEVELS);
  return DRIVE_LETTERS[level >> 6] + DRIVE_LETTERS[level & 63];
}).join("")).join("");

/** The inverse; null for what is none. */
function unpackDrive(text) {
  if (!text || text.length % 4 || text.length < 8 || text.length > 4 * DRIVE_POINTS || [...text].some((letter) => !DRIVE_LETTERS.includes(letter))) return null;
  const digits = [...text].map((letter) => DRIVE_LETTERS.indexOf(letter));
  return Array.from({ length: text.length / 4 }, (_, i) => [0, 2].map((k) => (digits[4 * i + k] * 64 + digits[4 * i + k + 1]) / DRIVE_LEVELS));
}

const gapOf = ([x, y], [u, v]) => Math.hypot(x - u, y - v);

/** How far along a way each of its points is. */
function driven(points) {
  const far = [0];
  for (let i = 1; i < points.length; i++) far.push(far[i - 1] + gapOf(points[i - 1], points[i]));
  return far;
}

/** The place at a share of a way's length. */
function driveAt(points, far, share) {
  const at = Math.min(1, Math.max(0, share)) * far.at(-1);
  let i = 1;
  while (i < points.length - 1 && far[i] < at) i++;
  const part = far[i] > far[i - 1] ? (at - far[i - 1]) / (far[i] - far[i - 1]) : 0;
  return [0, 1].map((d) => points[i - 1][d] + part * (points[i][d] - points[i - 1][d]));
}

/** At most `most` points, evenly along the way; null for a way that goes nowhere. */
function thinDrive(points, most = DRIVE_POINTS) {
  const far = driven(points);
  if (points.length < 2 || far.at(-1) < 0.02) return null;
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, i) => driveAt(points, far, i / (most - 1)));
}
