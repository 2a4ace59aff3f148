// What the views of this part share: the picture's bill under the encoder's q, a q that a hand has moved, and one dimension.

const LINKED = 16; // moved dimensions that a link holds
const EDIT = /^(\d+)~(-?[\d.]+)~([\d.]+)$/;

/** tell(what) is called after a change: "picture" (all is new), "q", "bill" (yours has come), "dim", "unit". */
function makeLab(part, tell) {
  const lab = {
    part, facts: null, own: null, q: null, yours: null, dim: 0, unit: "nats", samples: 32, seed: 0, film: null,
    load, refresh, choose, edit, take, reset, undo, measure, body, restored: false,
    get edited() { return lab.q.mu.some((v, d) => v !== lab.own.mu[d]) || lab.q.sigma.some((v, d) => v !== lab.own.sigma[d]); },
    get beta() { return part.model.beta === "kl" ? Infinity : part.model.beta; },
    named(d) { const effect = lab.facts.axes[d]?.effect; return "#" + d + (effect ? " " + effect : ""); },
    dead: (d) => lab.facts.axes[d].kl < lab.facts.dead,
    get range() { return rangeOf(lab.own.mu[lab.dim], lab.own.sigma[lab.dim], part.model.far); },
  };
  let past = [], asked = 0;

  /** Another model: its facts, then the picture. */
  async function load() {
    const query = part.query({ v: part.model.version });
    const facts = await part.wire.get("elbo/start", query);
    lab.facts = facts;
    const first = facts.order[0];
    lab.dim = lab.restored ? first : part.number("dim", first, 0, part.model.dims - 1) | 0;
    await refresh(true);
  }

  /** Another picture, or other draws for it. */
  async function refresh(fresh = true) {
    const stamp = ++asked;
    const own = await part.wire.get("elbo/bill", part.query({ picture: part.picture, samples: lab.samples, seed: lab.seed, v: part.model.version }));
    if (stamp !== asked) return;
    lab.own = own;
    if (fresh || !lab.q) {
      lab.q = { mu: [...own.mu], sigma: [...own.sigma] };
      past = [];
      if (!lab.restored) restore();
    }
    lab.restored = true;
    lab.yours = lab.edited ? null : own;
    lab.film = null;
    tell("picture");
    if (lab.edited) measure();
    fetchFilm();
  }

  function restore() {
    const [low, high] = lab.facts.limits.sigma;
    for (const text of (part.get("q") ?? "").split("_").slice(0, 64)) {
      const [, d, mu, sigma] = EDIT.exec(text)?.map(Number) ?? [];
      if (d < part.model.dims && Math.abs(mu) <= part.model.far && sigma >= low && sigma <= high) [lab.q.mu[d], lab.q.sigma[d]] = [mu, sigma];
    }
  }

  function remember() {
    const moved = lab.q.mu.map((mu, d) => (mu !== lab.own.mu[d] || lab.q.sigma[d] !== lab.own.sigma[d] ? `${d}~${+mu.toFixed(4)}~${+lab.q.sigma[d].toFixed(4)}` : null)).filter(Boolean);
    part.set({ q: moved.length && moved.length <= LINKED ? moved.join("_") : null });
  }

  function choose(dim) {
    lab.dim = dim;
    part.set({ dim });
    lab.film = null;
    tell("dim");
    fetchFilm();
  }

  /** A hand moves mu or sigma of the chosen dimension. `first` begins a step that undo takes back. */
  function edit({ mu, sigma }, first = false) {
    if (first) past.push([lab.dim, lab.q.mu[lab.dim], lab.q.sigma[lab.dim]]);
    if (mu !== undefined) lab.q.mu[lab.dim] = +mu.toFixed(4);
    if (sigma !== undefined) lab.q.sigma[lab.dim] = +sigma.toFixed(4);
    changed();
  }

  /** A whole q at once. */
  function take({ mu, sigma }) {
    past = [];
    lab.q = { mu: mu.map((v) => +v.toFixed(4)), sigma: sigma.map((v) => Math.max(lab.facts.limits.sigma[0], +v.toFixed(4))) };
    lab.film = null;
    changed();
    fetchFilm();
  }

  function changed() {
    lab.yours = lab.edited ? null : lab.own;
    remember();
    tell("q");
    if (lab.edited) measure();
    else tell("bill");
  }

  function undo() {
    const last = past.pop();
    if (!last) return;
    const [dim, mu, sigma] = last;
    [lab.q.mu[dim], lab.q.sigma[dim]] = [mu, sigma];
    if (dim !== lab.dim) choose(dim);
    changed();
  }

  function reset() {
    lab.q = { mu: [...lab.own.mu], sigma: [...lab.own.sigma] };
    past = [];
    lab.film = null;
    changed();
    fetchFilm();
  }

  function body(more = {}) {
    const edited = lab.edited ? { mu: lab.q.mu, sigma: lab.q.sigma } : {};
    return { ...part.query(), picture: part.picture, ...edited, ...more };
  }

  const asking = latest(async ({ mu, sigma }) => {
    const own = lab.own;
    const found = await part.wire.post("elbo/yours", { ...part.query(), picture: part.picture, mu, sigma, samples: lab.samples, seed: lab.seed });
    if (own !== lab.own || !lab.edited) return;
    lab.late = found.mu.some((v, d) => v !== lab.q.mu[d]) || found.sigma.some((v, d) => v !== lab.q.sigma[d]); // the hand is further by now
    lab.yours = found;
    tell("bill");
  });

  /** The bill of the moved q: the newest one only. */
  function measure() {
    asking({ mu: [...lab.q.mu], sigma: [...lab.q.sigma] });
  }

  /** The decoder along the chosen dimension, so that a drag shows pictures without asking. */
  async function fetchFilm() {
    const [dim, mu, [low, high]] = [lab.dim, [...lab.q.mu], lab.range];
    const wanted = (lab.filming = { dim });
    try {
      const sprite = await part.wire.sprite("film", part.query({ z: mu.map((v) => +v.toFixed(4)).join(","), dim, from: low.toFixed(4), to: high.toFixed(4), frames: 49, v: part.model.version }));
      if (wanted !== lab.filming) return;
      lab.film = { dim, low, high, sprite, paint(canvas, z) { paintFrame(canvas, sprite, clampTo(Math.round(((z - low) / (high - low)) * 48), 0, 48)); } };
      tell("film");
    } catch (error) {
      if (wanted === lab.filming) window.explorer.toast(error.message);
    }
  }

  return lab;
}
