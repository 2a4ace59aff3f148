// Arithmetic of the desk: text of numbers, seeded noise, errors between pictures, codes in a link. Knows no page.

const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
const rounded = (v, digits) => Math.round(v * 10 ** digits) / 10 ** digits;

/** A number for reading: a true minus sign, and never "−0.00". */
function text(v, digits = 2) {
  const size = Math.abs(v).toFixed(digits);
  return (v < 0 && +size !== 0 ? "−" : "") + size;
}

/** z, mu, sigma, eps of one dimension, rounded so that z = mu + sigma * eps holds for the digits that are shown. */
function equation(z, mu, sigma) {
  const shown = { z: rounded(z, 2), mu: rounded(mu, 2), sigma: Math.max(0.001, rounded(sigma, 3)) };
  return { ...shown, eps: rounded((shown.z - shown.mu) / shown.sigma, 2) };
}

/** KL(N(mu, sigma^2) || N(0, 1)) in nats. */
const divergence = (mu, sigma) => (mu * mu + sigma * sigma - 1) / 2 - Math.log(sigma);

/** n draws of N(0, 1) that are the same for the same seed in every browser. */
function normals(seed, n) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** Mean squared error of two pictures with channels in 0..1, and the same in decibels. Alpha is left out. */
function difference(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 4) {
    for (let c = i; c < i + 3; c++) sum += (a[c] - b[c]) ** 2;
  }
  const mse = sum / ((a.length / 4) * 3) / 255 ** 2;
  return { mse, psnr: -10 * Math.log10(Math.max(mse, 1e-10)) };
}

/** A code as text for a link, to a thousandth: 128 characters for 48 numbers. */
function pack(z) {
  const bytes = new Uint8Array(Int16Array.from(z, (v) => Math.round(clamp(v, -32.7, 32.7) * 1000)).buffer);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The code of such a text, or null if it is not one of `dims` numbers. */
function unpack(packed, dims) {
  try {
    const raw = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
    if (raw.length !== 2 * dims) return null;
    return Array.from(new Int16Array(Uint8Array.from(raw, (c) => c.charCodeAt(0)).buffer), (v) => v / 1000);
  } catch {
    return null;
  }
}
