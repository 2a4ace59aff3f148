// The reparametrisation board: drag eps, mu, sigma or z; the others solve themselves, so that z = mu + sigma eps holds in every digit shown.
// mu and sigma are kept to 4 decimals and eps to 3, so z has 7 and the equation is exact.

const GRID = { mu: 4, sigma: 4, eps: 3, z: 7 };
const onGrid = (name, v) => +v.toFixed(GRID[name]);

/** What follows when one of the four is set: {mu, sigma, eps, z}. With `hold` z stays where mu or sigma moves, and eps follows. */
function solved(state, name, value, hold) {
  const next = { ...state, [name]: onGrid(name, value) };
  if (name === "z" || (hold && name !== "eps")) next.eps = onGrid("eps", (next.z - next.mu) / next.sigma);
  next.z = onGrid("z", next.mu + next.sigma * next.eps);
  return next;
}

const outsideWords = (count) => `z is ${count} σ from the middle of q(z|x), which practically never draws it.`;

function makeBoard(lab) {
  const { part } = lab;
  let at = null, hold = part.get("hold") === "z", slope = null, keyOf = "", first = true, dragging = false;
  const key = () => [part.model.name, part.model.version, part.picture, lab.dim, ...Object.values(from(lab.q))].join(); // what begins the board anew
  const numbers = Object.fromEntries(Object.keys(GRID).map((name) => [name, piece("output", { class: "c-" + name, "data-value-of": name })]));
  const equation = piece("p", { class: "formula equation", "data-fact": "equation" }, numbers.z, " = ", numbers.mu, " + ", numbers.sigma, " × ", numbers.eps);
  const badge = piece("p", { class: "badge", role: "status", hidden: true });
  const badgePlace = piece("div", { class: "badge-place", "data-longest": outsideWords("1,000") }, badge); // keeps the badge's room, so that no slider moves under a finger
  const gauss = gaussPlace({ moved: (changes) => Object.entries(changes).forEach(([name, value]) => set(name, value)), done: settle, handles: ["mu", "sigma", "z"], limits: { sigma: [1e-3, 20], far: 12 }, height: 14 });
  const sliders = {
    mu: sliderOf({ label: "mu, the middle", min: -4, max: 4, step: 0.01, value: 0, input: (v) => set("mu", v), onchange: settle, "data-slide": "mu" }),
    sigma: sliderOf({ label: "sigma, the width, logarithmic", min: -3, max: 1.3, step: 0.01, value: 0, input: (v) => set("sigma", 10 ** v), onchange: settle, "data-slide": "sigma" }),
    eps: sliderOf({ label: "eps, the noise", min: -4, max: 4, step: 0.01, value: 0, input: (v) => set("eps", v), onchange: settle, "data-slide": "eps" }),
    z: sliderOf({ label: "z, the draw", min: -4, max: 4, step: 0.01, value: 0, input: (v) => set("z", v), onchange: settle, "data-slide": "z" }),
  };
  const letters = { mu: "μ", sigma: "σ", eps: "ε", z: "z" };
  const hints = { mu: "from the encoder", sigma: "from the encoder", eps: "noise, N(0, 1)", z: "goes to the decoder" };
  const lock = switchOf("keep z while μ or σ moves", "Otherwise ε stays and z follows", (on) => ((hold = on), part.set({ hold: on ? "z" : null }), show()));
  lock.set(hold);
  const dims = piece("select", { "aria-label": "Dimension", "data-pick": "dim", onchange: () => lab.choose(+dims.value) });
  const shots = { x: shotOf("x", "the picture"), z: shotOf("z", "decode(z)") };
  const graph = makeGraph();
  const contest = makeContest(lab, () => at);
  const node = piece("div", { class: "view board-view" },
    piece("section", { class: "card" },
      piece("div", { class: "tools" }, piece("label", { class: "named" }, "dimension", dims), lock,
        buttonOf({ words: "Draw ε", title: "A fresh ε from N(0, 1)", press: draw, "data-do": "draw" }),
        buttonOf({ words: "The encoder’s", title: "mu and sigma as the encoder says them", press: () => (at = null, begin(), settle()), "data-do": "encoder" })),
      equation, badgePlace,
      piece("div", { class: "editor" },
        piece("div", { class: "editor-board" }, gauss.node, bellKeys(false),
          Object.entries(sliders).map(([name, slider]) => piece("label", { class: "named wide c-" + name }, piece("i", {}, letters[name]), slider, piece("span", { class: "hint" }, hints[name])))),
        piece("div", { class: "shots two" }, shots.x.node, shots.z.node))),
    piece("section", { class: "card" }, piece("h4", {}, "Which way the gradient goes"), graph.node),
    contest.node);

  /** mu and sigma of the dimension, as the board keeps them. */
  function from(q) {
    return { mu: onGrid("mu", q.mu[lab.dim]), sigma: Math.max(1e-4, onGrid("sigma", q.sigma[lab.dim])) };
  }

  function begin() {
    const d = lab.dim;
    keyOf = key();
    if (first || dims.dataset.model !== part.model.name) {
      dims.replaceChildren(...lab.facts.order.map((one) => piece("option", { value: one }, lab.named(one))));
      dims.dataset.model = part.model.name;
    }
    dims.value = d;
    const eps = first ? part.number("eps", 0.8, -1e6, 1e6) : at?.eps ?? 0.8; // a z that is kept beside a tiny sigma has a huge eps
    const { mu, sigma } = from(lab.q), reach = Math.max(12, part.model.far);
    const start = first ? { mu: onGrid("mu", part.number("m", mu, -reach, reach)), sigma: onGrid("sigma", part.number("s", sigma, 1e-4, 20)) } : { mu, sigma };
    first = false;
    at = solved({ ...start, eps: onGrid("eps", eps), z: 0 }, "eps", eps, false);
    remember();
    show();
  }

  /** The link keeps eps, and mu and sigma where a hand has moved them: z follows from the three. */
  function remember() {
    const moved = (name) => ([lab.q, lab.own].every((q) => from(q)[name] === at[name]) ? null : String(at[name]));
    part.set({ eps: at.eps === 0.8 ? null : at.eps, m: moved("mu"), s: moved("sigma") });
  }

  function set(name, value) {
    if (!Number.isFinite(value)) return;
    dragging = true;
    at = solved(at, name, name === "sigma" ? Math.max(1e-3, value) : value, hold);
    show();
    ask();
  }

  function settle() {
    dragging = false;
    remember();
    ask();
    contest.told("moved");
  }

  function draw() {
    const u = 1 - Math.random();
    set("eps", Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * Math.random()));
    settle();
  }

  const asking = latest(async (state) => {
    const own = lab.own, dim = lab.dim;
    const told = await part.wire.post("elbo/slope", { ...part.query(), picture: part.picture, dim, mu: lab.q.mu, z: state.z });
    if (own !== lab.own || dim !== lab.dim) return;
    if (state.z === at.z) {
      slope = told;
      const bytes = Uint8Array.from(atob(told.pixels), (c) => c.charCodeAt(0)), size = part.model.size;
      paintWith(shots.z.canvas, size, (i) => bytes.subarray(3 * i, 3 * i + 3));
      node.dataset.exact = at.z.toFixed(4);
    }
    show();
  });
  const ask = () => Math.abs(at.z) <= part.model.far && asking({ ...at });

  function show() {
    const far = part.model.far, range = lab.range;
    for (const [name, output] of Object.entries(numbers)) tellText(output, minusText(at[name] < 0 && name !== "z" ? `(${at[name].toFixed(GRID[name])})` : at[name].toFixed(GRID[name])));
    node.dataset.z = at.z.toFixed(7);
    node.dataset.mu = at.mu.toFixed(4);
    node.dataset.sigma = at.sigma.toFixed(4);
    node.dataset.eps = at.eps.toFixed(3);
    const out = Math.abs(at.eps) > 3;
    badge.hidden = !out && Math.abs(at.z) <= far;
    tellText(badge, Math.abs(at.z) > far ? `No code of this model lies beyond ${far.toFixed(0)}: nothing is decoded there.` : outsideWords(shortText(Math.abs(at.eps))));
    node.dataset.outside = String(out);
    gauss.show({ range, q: at, ghost: { mu: lab.own.mu[lab.dim], sigma: lab.own.sigma[lab.dim] }, z: at.z, words: `Posterior over the prior; the draw z is at ${at.z.toFixed(2)}` });
    for (const name of ["mu", "z"]) Object.assign(sliders[name], { min: range[0], max: range[1] });
    for (const [name, slider] of Object.entries(sliders)) {
      const v = name === "sigma" ? Math.log10(at.sigma) : at[name];
      slider.value = v;
      slider.style.setProperty("--at", clampTo((v - slider.min) / (slider.max - slider.min), 0, 1) * 100 + "%");
      slider.setAttribute("aria-valuetext", at[name].toFixed(GRID[name]));
    }
    if (dragging && lab.film?.dim === lab.dim && slope?.z !== at.z) lab.film.paint(shots.z.canvas, at.z);
    graph.show(at, slope && Math.abs(slope.z - at.z) < 1e-6 ? slope : null);
  }

  const photo = latest(async () => {
    const own = lab.own, found = await decodedPixels(lab, {});
    if (own === lab.own) paintPixels(shots.x.canvas, found.x, found.size);
  });

  function told(what) {
    if (!lab.own) return;
    if (what === "picture" || what === "shown") photo();
    if (keyOf !== key() || what === "picture" || what === "q") { // in this view only reset and undo change q
      slope = null;
      begin();
      ask();
    } else if (what === "shown") {
      slope = null;
      remember();
      show();
      ask();
    } else if (what === "film") show();
    contest.told(what);
  }

  /** Elsewhere another picture or dimension may be chosen, to which mu and sigma would not belong: the link forgets them until then. */
  function rest() {
    part.set({ m: null, s: null });
    contest.rest();
  }

  return { node, told, rest, sheet: () => ({ name: "elbo-board", canvases: [[shots.x.canvas, "x"], [shots.z.canvas, "decode(z)"]] }),
    table: () => contest.table(), code: "board", settings: () => ({ ...at, of: contest.of }) };
}
