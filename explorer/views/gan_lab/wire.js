// Talks to the lab's routes: requests, the endless stream of frames, and the bytes of a frame. Knows no page.

const WIRE_SCALARS = [
  "step", "d_updates", "g_updates", "d_loss", "g_loss", "real_acc", "fake_acc", "d_norm", "g_norm", "penalty", "kl", "js", "sw",
  "modes_covered", "modes_total", "high_quality", "metrics_step", "rounds_per_second", "arrow_scale", "ideal_arrow_scale",
  "heat_lo", "heat_hi", "arrow_length",
]; // as they stand in a frame; NaN is "not known"

function wireTo(prefix) {
  const url = (name, pairs) => window.explorer.route(prefix + "/" + name, pairs);
  const ask = (name, pairs, init) => window.explorer.ask(url(name, pairs), init);
  const json = async (name, pairs, init) => (await ask(name, pairs, init)).json();
  const post = (name, body) => window.explorer.post(url(name), body);
  const messages = async (name, pairs) => readMessages(new Uint8Array(await (await ask(name, pairs)).arrayBuffer()));

  return { ask, json, post, messages };
}

/**
 * The endless stream, opened again by itself after a failure: at once, then after longer and longer waits.
 * on.message(message), on.up() after each begin, on.down(error) after each end that was not ours.
 */
function streamOf(wire, on) {
  let abort = null;
  let wanted = false;
  let tries = 0;
  let timer = 0;

  async function run() {
    const mine = (abort = new AbortController());
    try {
      const reply = await wire.ask("stream", {}, { signal: mine.signal });
      on.up();
      const reader = reply.body.getReader();
      const take = messageSplitter((bytes) => on.message(readMessage(bytes)));
      for (;;) {
        const { done, value } = await reader.read();
        if (mine.signal.aborted) return;
        if (done) throw Object.assign(new Error("The connection to the server ended."), { offline: true });
        tries = 0;
        take(value);
      }
    } catch (error) {
      mine.abort();
      if (mine !== abort || !wanted) return;
      on.down(error);
      timer = setTimeout(run, Math.min(8000, 250 * 2 ** tries++));
    }
  }

  function open() {
    if (wanted) return;
    wanted = true;
    tries = 0;
    run();
  }

  function close() {
    wanted = false;
    clearTimeout(timer);
    const old = abort;
    abort = null;
    old?.abort();
  }

  return { open, close, again: () => (close(), open()), get wanted() { return wanted; } };
}

/** Takes pieces of a stream as they come; hands out each message's bytes (without its length) when it is complete. */
function messageSplitter(deliver) {
  let kept = new Uint8Array(0);
  return (piece) => {
    if (kept.length) {
      const both = new Uint8Array(kept.length + piece.length);
      both.set(kept);
      both.set(piece, kept.length);
      piece = both;
    }
    let at = 0;
    while (piece.length - at >= 4) {
      const size = new DataView(piece.buffer, piece.byteOffset + at, 4).getUint32(0, true);
      if (piece.length - at - 4 < size) break;
      deliver(piece.subarray(at + 4, at + 4 + size));
      at += 4 + size;
    }
    kept = piece.slice(at);
  };
}

/** The messages of a whole answer (a frame, a film), in order. */
function readMessages(bytes) {
  const out = [];
  messageSplitter((one) => out.push(readMessage(one)))(bytes);
  return out;
}

/** {json (null where nothing was told), fps, frames: [Frame]} */
function readMessage(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint32(0, true);
  const json = size ? JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size))) : null;
  let at = 4 + size;
  const lanes = view.getUint8(at);
  const fps = view.getUint8(at + 1);
  at += 4;
  const frames = [];
  for (let i = 0; i < lanes; i++) {
    const length = view.getUint32(at, true);
    frames.push(readFrame(bytes.slice(at + 4, at + 4 + length).buffer));
    at += 4 + length;
  }
  return { json, fps, frames };
}

/**
 * One lane at one moment. Points and arrows are interleaved x, y in the plot's units, [-1, 1]:
 *   lane, ideal, ema, diverged (flags), n, m, grid, cx, cy, the scalars above by name,
 *   fakes (2n), arrows (2n), fake_logits (n), real_logits (m), heat Uint8 (grid², row 0 at the bottom, D = heat_lo + v/255
 *   (heat_hi - heat_lo)), manifold (2 (cx+1)(cy+1)), ideal_heat Uint8 (grid²) or null, ideal_arrows (2n) or null.
 */
function readFrame(buffer) {
  const view = new DataView(buffer);
  const flags = view.getUint8(1);
  const frame = {
    lane: view.getUint8(0), ideal: Boolean(flags & 1), ema: Boolean(flags & 2), diverged: Boolean(flags & 4),
    n: view.getUint16(2, true), m: view.getUint16(4, true), grid: view.getUint16(6, true),
    cx: view.getUint16(8, true), cy: view.getUint16(10, true),
  };
  WIRE_SCALARS.forEach((name, i) => (frame[name] = view.getFloat32(12 + 4 * i, true)));
  let at = 12 + 4 * 24;
  const scaled = (read, count, factor, shift = 0) => {
    const out = new Float32Array(count);
    for (let i = 0; i < count; i++, at += 2) out[i] = read.call(view, at, true) * factor + shift;
    return out;
  };
  const bytes = (count) => ((at += count), new Uint8Array(buffer.slice(at - count, at)));
  const points = (count) => scaled(view.getUint16, 2 * count, 4 / 65535, -2);
  const arrows = (scale) => scaled(view.getInt16, 2 * frame.n, scale / 32767);

  frame.fakes = points(frame.n);
  frame.arrows = arrows(frame.arrow_scale);
  frame.fake_logits = scaled(view.getInt16, frame.n, 1 / 256);
  frame.real_logits = scaled(view.getInt16, frame.m, 1 / 256);
  frame.heat = bytes(frame.grid ** 2);
  frame.manifold = points((frame.cx + 1) * (frame.cy + 1));
  frame.ideal_heat = frame.ideal ? bytes(frame.grid ** 2) : null;
  frame.ideal_arrows = frame.ideal ? arrows(frame.ideal_arrow_scale) : null;
  return frame;
}

const bytesFrom64 = (text) => Uint8Array.from(atob(text || ""), (c) => c.charCodeAt(0));

/** A scene as it comes, with typed arrays: reals (2 x 450), noise (n x noise_dim), grid_noise ((cx+1)(cy+1) x noise_dim). */
function readScene(told) {
  const coded = new Uint16Array(bytesFrom64(told.reals).buffer);
  const noise = new Float32Array(bytesFrom64(told.noise).buffer);
  return {
    ...told, noise, grid_noise: new Float32Array(bytesFrom64(told.grid_noise).buffer),
    reals: Float32Array.from(coded, (v) => (v / 65535) * 4 - 2),
  };
}
