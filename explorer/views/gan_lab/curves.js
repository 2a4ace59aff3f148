// The charts of a run: what the two players report, and metrics that judge the fakes themselves. Rounds run to the right.

const CURVE_TRACE = ["d_loss", "g_loss", "real_acc", "fake_acc", "d_norm", "g_norm"]; // of every round; unknown breaks the line
const CURVE_MEASURES = ["kl", "js", "sw", "covered", "high_quality"]; // now and then; the line goes on between
const CURVE_SPANS = [[0, "whole run"], [10000, "last 10,000"], [2000, "last 2,000"], [500, "last 500"], [100, "last 100"]];

// A line is [quantity, what it is called, its colour]. `says` is what the chart can and cannot tell.
const CURVE_PANELS = [
  {
    name: "losses", title: "Losses", unit: "as minimised", y: {},
      lines: [["d_loss", "D", "sym-real"], ["g_loss", "G", "sym-fake"]],
    says: (settings) => "Loss curves say little about quality: each player’s loss depends on the other." + balanceOf(settings),
  },
  {
    name: "accuracy", title: "D’s accuracy", unit: "share judged rightly", y: { from: 0, to: 1, percent: true, guide: 0.5 },
    lines: [["real_acc", "on reals", "sym-real"], ["fake_acc", "on fakes", "sym-fake"]], percent: true,
    says: () => "Near 50 % D can only guess; 100 % on both means that D wins. A guessing D does not prove good fakes: it may " +
      "be weak.",
  },
  {
    name: "norms", title: "Gradient norms", unit: "log scale", y: { log: true },
      lines: [["d_norm", "D", "sym-real"], ["g_norm", "G", "sym-fake"]],
    says: () => "How hard each net is pulled. A line of G that sinks to nothing learns no more; both climbing comes before " +
      "divergence.",
  },
  {
    name: "divergence", title: "KL and JS", unit: "bits", y: { from: 0 },
      lines: [["kl", "KL", "sym-loss"], ["js", "JS", "sym-sigma"]],
    says: () => "Data against 10,000 fakes, cell by cell: 0 is perfect, chance leaves a few hundredths. KL(data‖fakes) jumps " +
      "when a mode is lost; JS ends at 1.",
  },
  {
    name: "distance", title: "Sliced Wasserstein", unit: "in the plot’s units, log scale", y: { log: true },
      lines: [["sw", "distance", "ink"]],
    says: () => "How far fakes would have to be moved, on average over directions. It shows progress even where data and " +
      "fakes do not overlap and KL is at its end.",
  },
  {
    name: "modes", title: "Modes and quality", unit: "share", y: { from: 0, to: 1, percent: true }, percent: true,
    lines: [["covered", "covered", "good"], ["high_quality", "high quality", "sym-mu"]],
    says: (settings, total) => total
      ? "High quality: within 3 sd of a mode. Both near 100 % is good, yet one of the " + total +
        " modes may still get most of the fakes."
      : "High quality: where the data are dense. These data have no separate modes to count.",
  },
];

/** What the losses are when D can only guess, where that is known. */
function balanceOf({ loss, smoothing }) {
  if (smoothing) return "";
  if (loss === "non_saturating") return " When D can only guess they are 1.39 and 0.69.";
  if (loss === "minimax") return " When D can only guess they are 1.39 and −0.69.";
  if (loss === "least_squares") return " When D can only guess they are 0.25 and 0.125.";
  if (loss === "hinge") return " When D can only guess, D’s is 2.";
  return " Here D’s loss is minus its estimate of a distance, so closer to 0 is better for G.";
}

function makeCurves(section, lab) {
  // ---- The page's part -----------------------------------------------------------------------------------------------

  const span = piece("select", { class: "curves-span", "aria-label": "Rounds shown" },
    ...CURVE_SPANS.map(([rounds, title]) => piece("option", { value: rounds }, title)));
  const hint = piece("p", { class: "curves-hint" });
  const grid = piece("div", { class: "curves-grid" });
  section.append(
    piece("header", { class: "part-head" }, piece("h3", {}, "Curves"), hint,
      piece("label", { class: "curves-rounds" }, "Show ", span)),
    grid,
  );
  const empty = piece("p", { class: "curves-empty", hidden: true });
  grid.before(empty);

  const panels = CURVE_PANELS.map((panel) => {
    const canvas = piece("canvas", { class: "curve-canvas", tabindex: 0, role: "img", "aria-label": panel.title });
    const key = piece("div", { class: "curve-key" });
    const note = piece("p", { class: "curve-says" });
    grid.append(piece("figure", { class: "curve", "data-curve": panel.name },
      piece("figcaption", {}, piece("b", {}, panel.title), piece("span", { class: "curve-unit" }, panel.unit)), key,
      piece("div", { class: "curve-stage" }, canvas, piece("span", { class: "curve-x", "aria-hidden": "true" }, "rounds")),
        note));
    const made = { ...panel, canvas, key, note, map: null, entries: [] };
    listen(made);
    return made;
  });

  // ---- What is known of each run -------------------------------------------------------------------------------------

  let runs = new Map(); // lane -> {tracks: {name: track}, step, measured}
  let asked = 0;
  let late = 0; // when the last frame was taken in, to notice what was missed
  let cursor = null;
  let reach = { low: 0, high: 1 };

  const blank = () => ({
    tracks: Object.fromEntries([...CURVE_TRACE, ...CURVE_MEASURES].map((name) => [name, makeTrack()])), step: -1, measured: -1,
  });

  function take(lane, frame) {
    if (!runs.has(lane)) runs.set(lane, blank());
    const run = runs.get(lane);
    if (frame.step > run.step) {
      for (const name of CURVE_TRACE) run.tracks[name].push(frame.step, frame[name]);
      run.step = frame.step;
    }
    const measured = Number.isFinite(frame.metrics_step) ? frame.metrics_step : frame.step;
    if (measured > run.measured && Number.isFinite(frame.sw)) {
      const values = { ...frame, covered: frame.modes_covered / frame.modes_total };
      for (const name of CURVE_MEASURES) if (Number.isFinite(values[name])) run.tracks[name].push(measured, values[name]);
      run.measured = measured;
      run.total = frame.modes_total;
    }
  }

  function fill(told, lane) {
    const run = blank();
    const put = (table, names, skips) => {
      (table.step ?? []).forEach((step, i) => {
        for (const name of names) {
          const column = table[name === "covered" ? "modes_covered" : name];
          if (!column) continue;
          const value = column[i];
          if (value === null || value === undefined) {
            if (!skips) run.tracks[name].push(step, NaN);
          } else {
            const total = lab.live[lane]?.modes_total;
            if (name !== "covered") run.tracks[name].push(step, value);
            else if (total) run.tracks[name].push(step, value / total);
          }
          if (skips) run.measured = Math.max(run.measured, step);
          else run.step = Math.max(run.step, step);
        }
      });
    };
    put(told, CURVE_TRACE, false);
    put({ ...told, step: told.metrics_step ?? told.step }, CURVE_MEASURES, true); // a table of its own, with rounds of its own
    return run;
  }

  /** The whole run anew: after a restart, and where frames were missed. */
  let waiting = 0;
  function resync(wait = 150) {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const ticket = ++asked;
      const lanes = lab.desk?.lanes.map((one) => one.lane) ?? [];
      try {
        const told = await Promise.all(lanes.map(async (lane) => (await lab.fetch("curves", { lane })).json()));
        if (ticket !== asked) return;
        runs = new Map(lanes.map((lane, i) => [lane, fill(told[i], lane)]));
        for (const lane of lanes) if (lab.live[lane]) take(lane, lab.live[lane]);
        late = performance.now();
        count("resyncs");
        draw();
      } catch (error) {
        if (ticket === asked && !error.offline) tellText(hint, error.message);
      }
    }, wait);
  }

  const count = (name) => (section.dataset[name] = +(section.dataset[name] || 0) + 1);

  // ---- Drawing -------------------------------------------------------------------------------------------------------

  const draw = drawnWhenSeen(section, render);

  function domain() {
    let [low, high] = [Infinity, -Infinity];
    for (const { tracks } of runs.values()) {
      for (const track of Object.values(tracks)) {
        if (track.length) [low, high] = [Math.min(low, track.first), Math.max(high, track.last)];
      }
    }
    if (low > high) return null;
    if (+span.value) low = Math.max(low, high - span.value);
    return { low, high: Math.max(high, low + 10) };
  }

  function render() {
    if (!lab.desk) return;
    const known = domain();
    const step = Math.max(0, ...lab.desk.lanes.map((one) => lab.live[one.lane]?.step ?? 0));
    empty.hidden = [...runs.values()].some(({ tracks }) => CURVE_TRACE.some((name) => tracks[name].length > 1));
    section.toggleAttribute("data-empty", !empty.hidden);
    tellText(empty, { trained: "This model was trained before it was opened, so its curves begin here, at round " +
      roundsText(step) + ". Press play and they grow.",
      loaded: "This run was loaded, so its curves begin here, at round " + roundsText(step) +
        ". Press play and they grow." }[step ? lab.lane().origin : ""] ??
      "No round has been trained yet. Press play, and the curves grow here.");
    reach = known ?? { low: step, high: step + 10 };
    const ink = { text: lab.colour("muted"), grid: lab.colour("line"), line: lab.colour("line-strong"),
      strong: lab.colour("ink") };
    const now = lab.held ? lab.frame()?.step : null;
    const { settings, events = [] } = lab.lane();
    const total = lab.live[lab.selected]?.modes_total;
    const marks = events.map(({ step: round }) => ({ round }));
    for (const panel of panels) {
      const lines = linesOf(panel);
      panel.map = drawLines(panel.canvas, { lines, x: reach, y: panel.y, cursor, now, ink, marks });
      tellText(panel.note, panel.says(settings, total));
      readout(panel, lines, cursor ?? now);
    }
    tellText(hint, cursor !== null ? "Round " + roundsText(cursor) + "; click to go there"
      : now !== null && now !== undefined ? "Dashed: round " + roundsText(now) + ", shown above"
        : "Point for values, click to go there");
    const first = runs.get(lab.selected)?.tracks.d_loss;
    Object.assign(section.dataset, {
      points: first?.length ?? 0, first: first?.length ? Math.round(first.first) : "", last: first?.length
        ? Math.round(first.last) : "",
      measures: runs.get(lab.selected)?.tracks.sw.length ?? 0, runs: runs.size, cursor: cursor ?? "",
    });
    count("drawn");
  }

  /** With one run, colours and dashes tell its lines apart; with several, they tell the runs apart, and thin is the second. */
  function linesOf(panel) {
    const many = runs.size > 1;
    return [...runs].flatMap(([lane, { tracks }]) =>
      panel.lines.map(([name, label, colour], i) => ({
        track: tracks[name], name: label, lane,
        colour: lab.colour(many ? LANE_COLOURS[lane] : colour),
        dash: many ? LANE_DASHES[lane] : i ? [5, 3] : [],
        width: many ? (i ? 0.9 : 2) : 1.75,
        label: many && !i ? letterOf(lane) : "",
      })));
  }

  /** The legend, with the values at the crosshair or the newest ones: with several runs a table, a column each. */
  function readout(panel, lines, at) {
    const shape = lines.map((line) => line.lane + line.name + line.colour).join();
    if (panel.shape !== shape) {
      panel.shape = shape;
      const sample = ({ colour, width, dash }) => drawing('<path d="M0 4h22" stroke="' + colour + '" stroke-width="' +
        width + '"' +
        (dash.length ? ' stroke-dasharray="' + dash.join(" ") + '"' : "") + "/>", "0 0 22 8", "curve-sample");
      const many = runs.size > 1;
      panel.entries = lines.map((line) => piece("output", { class: "curve-value", style: many ? "color:" + line.colour : null }));
      panel.key.toggleAttribute("data-table", many);
      panel.key.style.setProperty("--columns", runs.size);
      if (many) {
        const lanes = [...runs.keys()];
        panel.key.replaceChildren(piece("span"),
          ...lanes.map((lane) => piece("span", { class: "curve-lane" },
            sample({ ...lines.find((line) => line.lane === lane), width: 2 }), piece("b", {}, letterOf(lane)))),
          ...panel.lines.flatMap(([, name], i) => [
            piece("span", { class: "curve-entry" }, panel.lines.length > 1
              && sample({ colour: lab.colour("muted"), width: i ? 0.9 : 2.5, dash: [] }), name),
            ...lanes.map((_, column) => panel.entries[column * panel.lines.length + i]),
          ]));
      } else {
        panel.key.replaceChildren(...lines.map((line, i) => piece("span", { class: "curve-entry" }, sample(line), line.name,
          panel.entries[i])));
      }
    }
    const width = (reach.high - reach.low) / 40;
    const texts = lines.map(({ track, lane, name }, i) => {
      const value = at === null || at === undefined ? track.latest : track.near(at, width)?.mean ?? NaN;
      const text = panel.percent ? percentText(value) : numberText(value);
      tellText(panel.entries[i], text);
      return (runs.size > 1 ? letterOf(lane) + " " : "") + name + " " + text;
    });
    panel.canvas.setAttribute("aria-label", panel.title +
      (at === null || at === undefined ? ", latest: " : " at round " + roundsText(at) + ": ") + texts.join(", "));
  }

  // ---- Hands ---------------------------------------------------------------------------------------------------------

  function listen(panel) {
    const { canvas } = panel;
    const clamped = (round) => Math.round(Math.min(reach.high, Math.max(reach.low, round)));
    const place = (event) => panel.map && clamped(panel.map.toRound(event.clientX - canvas.getBoundingClientRect().left));
    const point = (round) => {
      if (cursor === round) return;
      cursor = round;
      draw(true);
    };
    canvas.addEventListener("pointermove", (event) => point(place(event)));
    canvas.addEventListener("pointerdown", (event) => point(place(event)));
    canvas.addEventListener("pointerleave", () => point(null));
    canvas.addEventListener("blur", () => point(null));
    canvas.addEventListener("click", (event) => panel.map && lab.jump?.(place(event)));
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = Math.max(1, Math.round((reach.high - reach.low) / 50));
      const here = cursor ?? reach.high;
      const to = { ArrowLeft: here - step, ArrowRight: here + step, Home: reach.low, End: reach.high }[event.key];
      if (to !== undefined) point(clamped(to));
      else if (event.key === "Enter" && cursor !== null) lab.jump?.(cursor);
      else if (event.key === "Escape" && cursor !== null) point(null);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  span.addEventListener("change", () => draw(true));

  lab.on("frame", () => {
    const now = performance.now();
    if (lab.held) return draw();
    if (late && now - late > 3000 && lab.desk?.playing) resync(); // the page was hidden, or the line was down
    late = now;
    for (const [lane, frame] of Object.entries(lab.live)) take(+lane, frame);
    draw();
  });
  lab.on("hold", (held) => (held ? draw(true) : resync(0)));
  lab.on("restart", () => resync());
  // the stream skips rounds; now all of them
  lab.on("desk", (desk, before) => (before?.playing && !desk?.playing ? resync() : draw()));
  for (const name of ["select", "theme", "layout"]) lab.on(name, () => draw());
  resync(0);
  return { resync, track: (name, lane = lab.selected) => runs.get(lane)?.tracks[name] };
}
