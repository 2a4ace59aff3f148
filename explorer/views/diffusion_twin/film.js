// The film: points on their way from noise to data, played, scrubbed and stepped without a request.

const FILM_SECONDS = 4.5;
const LAYERS = {
  density: ["Density p_t", true, "data"], contours: ["Density of the class", true, "told"], data: ["Data", true, "data"], paths: ["Paths", false, "sample"],
  ghosts: ["Estimates x̂₀", false, "ghost"], free: ["Score", true, "free"], told: ["Score of the class", false, "told"],
  guided: ["Guided score", false, "guided"],
};

function makeFilm(place, twin) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let [playing, before, drag] = [false, 0, null];
  const layers = Object.fromEntries(Object.entries(LAYERS).map(([name, [, on]]) => [name, on]));
  const asked = window.explorer.get("tw_layers");
  if (asked !== null) for (const name of Object.keys(layers)) layers[name] = asked.split(",").includes(name);

  const holder = piece("div", { class: "plot" });
  const plot = makePlot(holder, {
    words: "Points on their way from noise to data. Arrow keys move the point that is looked at; Enter traces it.",
    on: pointer,
  });
  const brush = makeBrush(twin, draw);
  const play = button("Play", toggle, { class: "button strong", "data-do": "play" });
  const bar = slider("Step", { min: 0, max: 1, step: 1, value: 0, words: () => where(), change: (v) => (stop(), go(v)), fact: "step" });
  const read = piece("p", { class: "quiet film-read", "aria-live": "off" });
  const trouble = troublePlace();
  const chips = Object.entries(LAYERS).map(([name, [words, , hue]]) =>
    piece("button", { type: "button", class: "chip", "data-layer": name, style: `--hue: var(${HUES[hue]})`, "aria-pressed": String(layers[name]), onclick: (event) => layer(name, event.currentTarget) },
      piece("span", { class: "chip-mark", "aria-hidden": "true" }), words));

  place.append(
    brush.node, trouble.node, holder,
    piece("div", { class: "transport" }, play, button("‹", () => (stop(), go(Math.ceil(twin.position) - 1)), { class: "button icon", "aria-label": "One step back", "data-do": "back" }),
      button("›", () => (stop(), go(Math.floor(twin.position) + 1)), { class: "button icon", "aria-label": "One step on", "data-do": "on" }), bar.node),
    read,
    piece("div", { class: "tools", role: "group", "aria-label": "Layers of the plot" }, chips),
    piece("div", { class: "tools" }, button("Save the plot (PNG)", savePicture, { "data-do": "png" }), button("Save the points (CSV)", saveTable, { "data-do": "csv" })),
  );

  const last = () => twin.film?.steps ?? 0;
  const step = () => Math.min(last(), Math.floor(twin.position + 1e-6));

  function where() {
    if (!twin.film) return "";
    const k = step();
    return k >= last() ? "done" : `${k} of ${last()}`;
  }

  // ---- Films from the server ----

  let asking = null;
  async function load() {
    asking?.abort();
    const mine = (asking = new AbortController());
    if (twin.settings.data === "own" && !twin.settings.points.length) {
      twin.film = twin.mix = null;
      trouble.clear();
      twin.facts({ state: "empty", step: "0" });
      draw();
      twin.emit("film");
      return brush.on || brush.turn(true);
    }
    twin.facts({ state: "busy" });
    try {
      const buffer = await twin.wire.film(twin.body(), mine.signal);
      const share = twin.film ? twin.position / Math.max(1, last()) : null;
      twin.film = filmFrom(buffer);
      twin.mix = mixOf(twin.film.law);
      trouble.clear();
      bar.input.max = last();
      twin.probe = twin.probe?.kind === "sample" && twin.probe.i < twin.film.n ? twin.probe : { kind: "sample", i: 0 };
      if (share === null && !still.matches) start(0);
      else go(share === null ? last() : Math.round(share * last()));
      twin.facts({ state: "ready", points: twin.film.n });
      twin.emit("film");
    } catch (error) {
      if (mine.signal.aborted) return;
      trouble.show(error, load);
      twin.facts({ state: "failed" });
    }
  }

  // ---- Time ----

  function go(position) {
    twin.position = within(position, 0, last());
    bar.input.max = last();
    bar.show(step());
    bar.input.style.setProperty("--at", (step() / Math.max(1, last())) * 100 + "%"); // its length is not known when it is made
    twin.facts({ step: step() });
    draw();
    twin.emit("position");
  }

  function toggle() {
    if (playing) stop();
    else if (twin.film) start(twin.position >= last() - 0.01 ? 0 : twin.position);
  }

  function start(from) {
    go(from);
    playing = true;
    before = performance.now();
    tellText(play, "Pause");
    twin.facts({ playing: "true" });
    requestAnimationFrame(tick);
  }

  function stop() {
    playing = false;
    tellText(play, "Play");
    twin.facts({ playing: "false" });
  }

  function tick(now) {
    if (!playing) return;
    const on = ((now - before) / 1000) * (last() / FILM_SECONDS);
    before = now;
    go(twin.position + Math.min(on, last() / 20));
    if (twin.position >= last()) stop();
    else requestAnimationFrame(tick);
  }

  // ---- The moment that is drawn ----

  function draw() {
    const { film, mix, settings } = twin;
    const own = brush.on || settings.data === "own";
    const data = own ? { points: brush.drawn, label: brush.drawn.map((one) => one[2]) } : film && { points: film.law.shown, label: film.law.shown_label };
    if (!film) {
      tellText(read, "There is no point yet: press “Draw points” and draw on the plot.");
      return plot.draw({ mix: null, a: 1, y: null, w: 1, layers, data, drawing: brush.on, cursor: brush.cursor, name: "empty" });
    }
    const k = step(), rest = Math.min(1, twin.position - k), next = Math.min(last(), k + 1);
    const a = Math.min(0.9999, film.abar[k] + rest * (film.abar[next] - film.abar[k]));
    let x = film.x(k);
    if (rest > 1e-3) {
      const to = film.x(next), from = x;
      x = from.map((v, i) => v + rest * (to[i] - v));
    }
    const t = k < last() ? film.t[k] : 0;
    tellText(read, k < last()
      ? `t = ${t} of 1,000 · ᾱ = ${fixedText(film.abar[k], 4)} · √ᾱ = ${fixedText(Math.sqrt(film.abar[k]), 3)} of the data, √(1−ᾱ) = ${fixedText(Math.sqrt(1 - film.abar[k]), 3)} of noise · arrows are ${ARROW_GAIN} (1−ᾱ) times the score`
      : `The end: ${wholeText(film.n)} points, no noise left.`);
    plot.draw({
      mix, a, y: settings.y, w: settings.w, layers: brush.on ? { ...layers, free: false, told: false, guided: false } : { ...layers, free: layers.free && k < last(), told: layers.told && k < last(), guided: layers.guided && k < last() },
      data, drawing: brush.on, cursor: brush.cursor, x: brush.on ? null : x,
      x0: layers.ghosts && k < last() && !brush.on ? film.x0(k) : null, paths: layers.paths && !brush.on ? { film, until: k } : null,
      trace: brush.on ? null : twin.probe?.trace, probe: brush.on ? null : probeDrawn(twin, k), name: `${k}`,
    });
  }

  function layer(name, chip) {
    layers[name] = !layers[name];
    chip.setAttribute("aria-pressed", String(layers[name]));
    const on = Object.keys(layers).filter((one) => layers[one]);
    twin.link({ tw_layers: on.join() === Object.keys(LAYERS).filter((one) => LAYERS[one][1]).join() ? null : on.join() });
    draw();
  }

  // ---- Pointing ----

  function pointer(kind, x, y, event) {
    if (kind === "key") return brush.on ? brush.key(event) : keys(event);
    if (brush.on) return brush.pointer(kind, x, y, event);
    if (!twin.film) return;
    if (kind === "pointerdown" && event.button === 0) {
      drag = { from: [x, y], moved: false };
      event.target.setPointerCapture?.(event.pointerId);
      stop();
    } else if (kind === "pointermove" && drag) {
      if (!drag.moved && Math.hypot(x - drag.from[0], y - drag.from[1]) < 0.06) return;
      drag.moved = true;
      look([x, y]);
    } else if (kind === "pointerup" && drag) {
      const near = drag.moved ? null : nearest(x, y);
      drag = null;
      if (near !== null) {
        twin.probe = { kind: "sample", i: near };
        draw();
        twin.emit("probe");
      } else {
        look([x, y]);
        trace();
      }
    } else if (kind === "pointercancel") drag = null;
  }

  function nearest(x, y) {
    const points = twin.film.x(step());
    let [best, away] = [null, 9 / plot.unit()];
    for (let i = 0; i < points.length; i += 2) {
      const d = Math.hypot(points[i] - x, points[i + 1] - y);
      if (d < away) [best, away] = [i / 2, d];
    }
    return best;
  }

  /** A free point, from this step on; at the end of the film, from its beginning. */
  function look(at) {
    const k = step();
    if (k >= last()) go(0);
    const limit = twin.start.reach + 0.25;
    twin.probe = { kind: "start", at: at.map((v) => digitsOf(within(v, -limit, limit), 3)), first: k >= last() ? 0 : k, trace: null };
    draw();
    twin.emit("probe");
  }

  let tracing = 0;
  async function trace() {
    const probe = twin.probe, mine = ++tracing;
    if (probe?.kind !== "start") return;
    try {
      const told = await twin.wire.post("trace", { settings: twin.body(), start: probe.at, step: probe.first });
      if (mine !== tracing || twin.probe !== probe) return;
      probe.trace = told;
      twin.facts({ traced: probe.first + " " + probe.at.join(" ") });
      draw();
      twin.emit("probe");
    } catch (error) {
      window.explorer.toast(error.message);
    }
  }

  const traceSoon = soonOnce(trace, 300);
  function keys(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!twin.film || (!way && event.key !== "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    const at = probeNow(twin, step()).x;
    look(way ? at.map((v, i) => v + 0.1 * way[i]) : at);
    way ? traceSoon() : trace();
  }

  // ---- Files ----

  async function savePicture() {
    handOver(await plot.picture(), `twin-${twin.settings.data}-step-${step()}.png`);
  }

  function saveTable() {
    if (!twin.film) return window.explorer.toast("There is no film yet.", "note");
    const k = step(), x = twin.film.x(k), x0 = k < last() ? twin.film.x0(k) : null;
    const rows = [["point", "step", "t", "abar", "x1", "x2", "x0_1", "x0_2"]];
    for (let i = 0; i < twin.film.n; i++) {
      rows.push([i, k, k < last() ? twin.film.t[k] : 0, twin.film.abar[k], x[2 * i], x[2 * i + 1], x0 ? x0[2 * i] : x[2 * i], x0 ? x0[2 * i + 1] : x[2 * i + 1]]);
    }
    handOverTable(rows, `twin-${twin.settings.data}-step-${k}.csv`);
  }

  twin.on("settings", () => brush.show());
  return { load, go, stop, toggle, draw, trace, step, get playing() { return playing; } };
}
