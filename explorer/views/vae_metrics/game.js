// "Name this slider": a film of one number, or of a random direction, and a guess at what it moves.

const GAME_CHOICES = 5;
const GAME_FRAMES = 33;
const GAME_LEVELS = [["number", "A number of the code", "The axes that the model learnt"], ["direction", "A random direction", "The same code, turned at random: has it names?"]];

/** hub as for the dial; the score stays on the page. */
function makeGame(hub) {
  const { part } = hub;
  const canvas = piece("canvas", { class: "picture game-picture", width: 64, height: 64, role: "img", "aria-label": "The slider's film" });
  const slider = sliderOf({ label: "The nameless slider", min: 0, max: GAME_FRAMES - 1, step: 1, value: 16, input: (at) => ((held = true), paint(at)), style: "--track: var(--sym-z)" });
  const ask = piece("p", { class: "game-ask" }, "What does this slider move most?");
  const choices = piece("div", { class: "game-choices", role: "group", "aria-label": "Guesses" });
  const verdict = piece("p", { class: "game-verdict", role: "status" });
  const table = piece("ol", { class: "game-bars" });
  const next = buttonOf({ words: "Next slider", name: "strong", press: () => ask_for(seed + 1), "data-do": "next" });
  const board = piece("p", { class: "game-score" });
  const level = segmented("What is asked", GAME_LEVELS, (value) => ((mode = value), part.set({ level: value === "number" ? null : value }), ask_for(seed)));
  const stage = piece("div", { class: "game" }, piece("div", { class: "game-stage" }, canvas, slider), piece("div", { class: "game-side" }, ask, choices, verdict, table, piece("div", { class: "tools" }, next, board)));
  const sorry = piece("p", { class: "aside", hidden: true });
  const node = piece("section", { class: "card", "aria-label": "Name this slider" }, piece("div", { class: "tools" }, piece("h4", {}, "Name this slider"), level), sorry, stage);
  let seed = part.number("seed", 1, 0, 1e6) | 0, mode = part.get("level") === "direction" ? "direction" : "number", sprite = null, question = null, held = false, swing = 0;
  const score = { points: 0, asked: 0, streak: 0, best: 0 };
  level.set(mode);

  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  function paint(at) {
    if (sprite) paintFrame(canvas, sprite, Math.round(at));
    slider.set(Math.round(at));
  }

  function swinging() {
    cancelAnimationFrame(swing);
    if (calm()) return;
    const begun = performance.now(), tick = (now) => {
      if (held || !stage.isConnected) return;
      paint(16 + 15.9 * Math.sin((now - begun) / 900));
      swing = requestAnimationFrame(tick);
    };
    swing = requestAnimationFrame(tick);
  }

  /** The question of a seed is the same for everybody with the same model. */
  async function ask_for(wanted) {
    seed = wanted;
    if (!hub.model || hub.model.factors < 2) return;
    part.set({ seed: seed === 1 ? null : seed });
    const random = seeded(seed * 7919 + 13), names = Object.keys(hub.start.factors);
    const turn = mode === "direction" ? { kind: "all", seed: (seed % 5) + 1, part: 1 } : { kind: "plane", i: 0, j: 1, degrees: 0 };
    let A = null;
    if (mode === "direction") {
      const { values } = await part.wire.floats("metrics/logarithm", { dims: hub.model.dims, seed: turn.seed });
      A = Array.from({ length: hub.model.dims }, (_, i) => Float64Array.from(values.subarray(i * hub.model.dims, (i + 1) * hub.model.dims)));
    }
    const now = hub.model.at(turn, A), best = now.shares.map((row) => Math.max(...row));
    let dims = now.shares.map((_, d) => d).sort((a, b) => best[b] - best[a]);
    const clear = dims.filter((d) => best[d] > 0.05);
    dims = clear.length >= 4 ? clear : dims.slice(0, 8);
    const dim = dims[Math.floor(random() * dims.length)], shares = now.shares[dim];
    const order = names.map((_, k) => k).sort((a, b) => shares[b] - shares[a]);
    const others = order.slice(1).map((k) => [random(), k]).sort((a, b) => a[0] - b[0]).map(([, k]) => k).slice(0, GAME_CHOICES - 1);
    const offered = [order[0], ...others].map((k) => [random(), k]).sort((a, b) => a[0] - b[0]).map(([, k]) => k);
    const low = quantile(now.columns[dim], now.n, 0.005), high = quantile(now.columns[dim], now.n, 0.995), mine = (question = { dim, turn, shares, order, offered, done: false, names });
    choices.replaceChildren(...offered.map((k, i) => buttonOf({ words: `${i + 1}  ${names[k]}`, press: () => guess(k), "data-guess": k })));
    tellText(verdict, "");
    table.replaceChildren();
    next.hidden = true;
    held = false;
    part.facts({ question: `${mode} ${seed}`, game: "asked" });
    tellScore();
    const got = await part.wire.sprite("metrics/film", part.query({ picture: part.picture, turn: turnText(turn), dim, from: low.toFixed(3), to: high.toFixed(3), v: part.model.version }));
    if (mine !== question) return;
    sprite = got;
    paint(16);
    swinging();
    part.facts({ film: `${mode} ${seed}` });
  }

  function guess(k) {
    if (!question || question.done) return;
    question.done = true;
    const { shares, order, names, dim } = question, most = Math.max(shares[order[0]], 1e-9), points = Math.round((100 * shares[k]) / most);
    score.points += points;
    score.asked++;
    score.streak = k === order[0] ? score.streak + 1 : 0;
    score.best = Math.max(score.best, score.streak);
    for (const button of choices.children) {
      button.disabled = true;
      if (+button.dataset.guess === order[0]) button.classList.add("right");
      else if (+button.dataset.guess === k) button.classList.add("wrong");
    }
    const effect = mode === "number" ? hub.start.axes[dim] : null;
    tellText(verdict, (k === order[0] ? `Right: ${names[k]}. ` : `It moves ${names[order[0]]} most. `) + `${points} of 100 points: ` +
      (mode === "number" ? `this is ${numberName(dim)}, which knows ${Math.round(100 * shares[order[0]])} % of ${names[order[0]]}` : `this direction knows ${Math.round(100 * shares[order[0]])} % of ${names[order[0]]}`) +
      (k === order[0] ? "." : ` and ${Math.round(100 * shares[k])} % of ${names[k]}.`) +
      (effect?.effect ? ` The judge sees ${effect.effect} change most${effect.effect === names[k] && k !== order[0] ? ", as you do: what a number knows and what it paints need not be the same" : ""}.` : "") +
      (mode === "direction" ? " Compare with the learnt axes: most random directions have no name." : ""));
    table.replaceChildren(...order.map((one) => piece("li", { class: one === order[0] ? "first" : "" }, piece("span", {}, names[one]), piece("span", { class: "game-bar", style: `--share: ${(100 * shares[one]).toFixed(1)}%` }), piece("span", { class: "muted" }, (100 * shares[one]).toFixed(0) + " %"))));
    next.hidden = false;
    next.focus({ preventScroll: true });
    part.facts({ game: "told", points: score.points });
    tellScore();
  }

  function tellScore() {
    tellText(board, score.asked ? `${wholeText(score.points)} points in ${countText(score.asked, "slider")}; ${score.streak} right in a row, ${score.best} at most.` : "100 points for the factor it knows most of, fewer for others, as much as it knows.");
  }

  function show() {
    const enough = hub.model?.factors > 1;
    stage.hidden = !enough;
    sorry.hidden = enough;
    tellText(sorry, !hub.model ? "The codes are on their way …" : hub.model.factors ? "There is one known factor here, so there is nothing to guess; choose the faces as the model above." : "Nothing is known of these pictures, so nobody can say what is right; choose the faces as the model above.");
    if (enough && !question) return ask_for(seed);
    if (enough && !held) swinging();
  }

  const keys = { Enter: () => !next.hidden && ask_for(seed + 1) };
  for (let i = 0; i < GAME_CHOICES; i++) keys[String(i + 1)] = () => question && !question.done && question.offered[i] !== undefined && guess(question.offered[i]);
  return { node, show, rest: () => ((held = true), cancelAnimationFrame(swing)), picture: () => question && ask_for(seed), keys };
}
