// Fetches codes and factors: those of a model as they are encoded for everybody, or those of a toy. Knows no page.

const CODES_POLL = 700; // ms between two looks while pictures are being encoded

function takeRows(values, [rows, width], D, into, from) {
  for (let i = 0; i < rows; i++) {
    for (let d = 0; d < D; d++) into.z[d][from + i] = values[i * width + d];
    for (let k = 0; k < into.v.length; k++) into.v[k][from + i] = values[i * width + D + k];
  }
}

const emptyCodes = (total, D, factors) => ({
  n: 0, total, z: Array.from({ length: D }, () => new Float32Array(total)),
  v: Object.keys(factors).map(() => new Uint8Array(total)), values: Object.values(factors).map((names) => names.length), factors,
});

/** The golden table's codes of that name. */
async function toyCodes(part, start, toy) {
  const { values, shape } = await part.wire.floats("metrics/toy", { toy });
  const K = Object.keys(start.toy_factors).length, codes = emptyCodes(shape[0], shape[1] - K, start.toy_factors);
  takeRows(values, shape, shape[1] - K, codes, 0);
  return { ...codes, n: shape[0] };
}

/** All codes of the part's model, told as they come: told(codes) after every thousand or two. `signal` ends it. */
async function modelCodes(part, start, told, signal) {
  const codes = emptyCodes(start.total, part.model.dims, start.factors);
  let { done } = start;
  while (!signal.aborted) {
    while (codes.n < done && !signal.aborted) {
      const count = Math.min(2000, done - codes.n), query = part.query({ from: codes.n, count, v: part.model.version });
      const { values, shape } = await part.wire.floats("metrics/codes", query, { signal });
      takeRows(values, shape, part.model.dims, codes, codes.n);
      codes.n += shape[0];
      told(codes);
    }
    if (codes.n >= codes.total) return codes;
    await new Promise((go) => setTimeout(go, CODES_POLL));
    if (signal.aborted) return codes;
    const state = await part.wire.get("metrics/state", part.query(), { signal });
    if (state.error) throw new Error(state.error);
    done = state.done;
  }
  return codes;
}

/** One raw picture of a route onto a canvas. */
async function paintRaw(part, canvas, name, query, init) {
  const reply = await window.explorer.ask(part.wire.url(name, query), init);
  const [, high, wide] = reply.headers.get("x-shape").split(",").map(Number), rgb = new Uint8Array(await reply.arrayBuffer());
  const image = new ImageData(wide, high);
  for (let i = 0; i < wide * high; i++) image.data.set([rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2], 255], 4 * i);
  Object.assign(canvas, { width: wide, height: high });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
