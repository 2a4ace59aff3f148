// Films and drawings as bytes: a film from the server, own points into a link and back. Knows no page.

/** A film: {steps, n, t, abar, sigma, law, x(step), x0(step)} from "TWIN", a header's length, the header, float32. */
function filmFrom(buffer) {
  const words = new TextDecoder();
  if (words.decode(new Uint8Array(buffer, 0, 4)) !== "TWIN") throw new Error("The server sent something else than a film; reload the page.");
  const size = new DataView(buffer).getUint32(4, true);
  const head = JSON.parse(words.decode(new Uint8Array(buffer, 8, size)));
  const numbers = new Float32Array(buffer, 8 + size);
  const each = 2 * head.n;
  return {
    ...head,
    x: (step) => numbers.subarray(step * each, (step + 1) * each),
    x0: (step) => numbers.subarray((head.steps + 1 + step) * each, (head.steps + 2 + step) * each),
  };
}

// A point of a drawing in a link: 11 bits across, 11 bits up, 2 bits of class, in three bytes.
const PACK_CELLS = 2047;

const packedValue = (v, reach) => Math.round(((within(v, -reach, reach) + reach) / (2 * reach)) * PACK_CELLS);
const unpackedValue = (v, reach) => digitsOf((v / PACK_CELLS) * 2 * reach - reach, 4);

/** Where a point of a drawing really lies: on the grid that a link can hold, so that a link shows the same. */
const onGrid = (v, reach) => unpackedValue(packedValue(v, reach), reach);

function packPoints(points, reach) {
  const bytes = new Uint8Array(3 * points.length);
  points.forEach(([x, y, cls], i) => {
    const all = (packedValue(x, reach) << 13) | (packedValue(y, reach) << 2) | cls;
    bytes.set([all >> 16, (all >> 8) & 255, all & 255], 3 * i);
  });
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_");
}

function unpackPoints(text, reach, most) {
  try {
    const bytes = bytesFrom64((text ?? "").replaceAll("-", "+").replaceAll("_", "/"));
    const out = [];
    for (let i = 0; i + 2 < bytes.length && out.length < most; i += 3) {
      const all = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
      out.push([unpackedValue(all >> 13, reach), unpackedValue((all >> 2) & PACK_CELLS, reach), all & 3]);
    }
    return out;
  } catch {
    return []; // not from us
  }
}
