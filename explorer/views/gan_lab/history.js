// The run as a video: scrubbing shows earlier moments from a film that was fetched once, and any of them can be gone on from.

const HISTORY_MOMENTS = 120; // of a film
const HISTORY_RATE = 15; // moments per second when it plays
const HISTORY_THUMBS = 96; // moments kept from the stream, so that there are small pictures before there is a film
const HISTORY_SIGNS = {
  back: '<path d="M6 5v10M15 5v10l-7-5z"/>', forth: '<path d="M14 5v10M5 5v10l7-5z"/>', play: '<path d="M6 4v12l10-6z"/>',
  pause: '<path d="M7 4v12M13 4v12"/>', undo: '<path d="M7 4 3 8l4 4M3 8h8.500a4.500 4.500 0 0 1 0 9H8"/>',
  redo: '<path d="m13 4 4 4-4 4M17 8H8.500a4.500 4.500 0 0 0 0 9H12"/>',
};

function makeHistory(section, lab) {
  const icon = (name, label, act, title = label) => piece("button", {
    type: "button", class: "button icon", "aria-label": label, title, "data-history": name, onclick: act,
  }, drawing(HISTORY_SIGNS[name]));

  const scrub = piece("input", { type: "range", class: "history-scrub", min: 0, max: 1, step: 1, value: 1,
    "aria-label": "Round shown" });
  const canvas = piece("canvas", { class: "history-thumbs", "aria-hidden": "true" });
  const marks = piece("div", { class: "history-marks" });
  const place = piece("output", { class: "history-place", "aria-live": "off" });
  const [back, forth] = [icon("back", "One moment back", () => step(-1)), icon("forth", "One moment on", () => step(1))];
  const play = icon("play", "Play the film of this run", () => (playing ? stop() : start()));
  const [undo, redo] = [icon("undo", "Undo", () => lab.do("undo"), "Undo (Ctrl+Z)"),
    icon("redo", "Redo", () => lab.do("redo"), "Redo (Ctrl+Shift+Z)")];
  const live = piece("button", { type: "button", class: "button small strong", "data-history": "live",
    title: "Back to the newest round", onclick: () => release() }, "To now");
  const branch = piece("button", {
    type: "button", class: "button small", "data-history": "branch", title: "Go on from this moment; undo brings the rest back",
      onclick: () => go({}),
  }, "Branch here");
  const picker = settingPicker(lab, (field) => field.live, "g_lr");
  const branchNew = piece("button",
    { type: "button", class: "button small strong", "data-history": "branch-new",
      onclick: () => go({ as_new: true, changes: picker.changes() }) }, "Branch");
  const beside = floating(piece("details", { class: "history-beside" },
    piece("summary", { class: "button small", title: "A branch beside this run, with another setting" }, "Branch with …"),
    piece("div", { class: "history-panel" }, picker.node, branchNew)));
  const hint = piece("p", { class: "history-hint" });
  const now = piece("span", { class: "history-now" }, branch, beside, live);
  section.append(piece("div", { class: "history-grid" },
    piece("header", { class: "part-head" }, piece("h3", {}, "History"), place), now,
    piece("span", { class: "history-keys" }, back, play, forth),
    piece("div", { class: "history-strip" }, canvas, scrub, marks),
    piece("span", { class: "history-keys more" }, undo, redo)), hint);

  // ---- Moments ---------------------------------------------------------------------------------------------------------

  let films = null; // lane -> frames, oldest first
  let loading = null;
  let thumbs = new Map(); // lane -> [{step, fakes}], a few of what the stream brought
  let at = null; // the round that is held, or null for now
  let resume = false; // whether the run went on before one looked back
  let playing = 0;
  let clock = 0;

  const lanes = () => lab.desk?.lanes.map((one) => one.lane) ?? [];
  const newest = () => Math.max(0, ...lanes().map((lane) => Math.round(lab.live[lane]?.step ?? 0)));
  const oldest = () => Math.min(newest(), ...(lab.desk?.lanes ?? []).map((one) => one.steps?.[0] ?? 0));

  /** The film of every lane, fetched when it is first wanted after the run has moved. */
  function ensure() {
    const upTo = Math.max(...(films ? [...films.values()].map((frames) => frames.at(-1).step) : [-1]));
    if (films && upTo >= newest()) return Promise.resolve(films);
    loading ??= (async () => {
      section.dataset.state = "loading";
      try {
        const all = await Promise.all(lanes().map(async (lane) => {
          const frames = (await lab.messages("film", { lane, count: HISTORY_MOMENTS })).flatMap((message) => message.frames);
          const now = lab.live[lane];
          if (now && (!frames.length || frames.at(-1).step < now.step)) frames.push(now); // the run's present, measured and all
          return [lane, frames];
        }));
        films = new Map(all.filter(([, frames]) => frames.length));
        return films;
      } catch (error) {
        window.explorer.toast(error.message);
        return null;
      } finally {
        loading = null;
        section.dataset.state = "ready";
      }
    })();
    return loading;
  }

  const moments = () => [...new Set([...(films?.values() ?? [])].flat().map((frame) => Math.round(frame.step)))].sort((a,
    b) => a - b);
  const before = (frames, round) => frames.reduce((best, frame) => (frame.step <= round + 0.5 ? frame : best), frames[0]);

  function hold() {
    if (at === null || !films) return;
    lab.hold(Object.fromEntries([...films].map(([lane, frames]) => [lane, before(frames, at)])));
  }

  /** Shows the moment nearest to a round. The run rests meanwhile, as a video does. */
  async function goTo(round) {
    if (lab.desk?.playing) {
      resume = true;
      await lab.do("pause");
    }
    at = round;
    draw();
    if (!(await ensure()) || at === null) return;
    const all = moments();
    at = all.reduce((best, each) => (Math.abs(each - at) < Math.abs(best - at) ? each : best), all[0]);
    hold();
    draw();
  }

  function release(goOn = true) {
    stop();
    const again = resume && goOn;
    at = null;
    resume = false;
    lab.release();
    if (again) lab.do("play");
    draw();
  }

  async function step(by) {
    stop();
    const here = at ?? newest();
    if (!(await ensure())) return;
    const all = moments();
    const index = all.findLastIndex((round) => round <= here) + by;
    if (index >= 0 && index < all.length) await goTo(all[index]);
  }

  // ---- The film ----------------------------------------------------------------------------------------------------------

  async function start() {
    const from = at === null || at >= newest() ? -1 : at;
    await goTo(from < 0 ? oldest() : from);
    if (!films || moments().length < 2) return;
    clock = performance.now();
    playing = requestAnimationFrame(tick);
    draw();
  }

  function tick(now) {
    if (!playing) return;
    playing = requestAnimationFrame(tick);
    const steps = Math.floor(((now - clock) / 1000) * HISTORY_RATE);
    if (steps < 1) return;
    clock = now;
    const all = moments();
    const index = Math.min(all.length - 1, all.findLastIndex((round) => round <= at) + Math.min(steps, 4));
    at = all[index];
    hold();
    if (index === all.length - 1) stop();
    draw();
  }

  function stop() {
    cancelAnimationFrame(playing);
    playing = 0;
    draw();
  }

  // ---- Branches ------------------------------------------------------------------------------------------------------------

  async function go(more) {
    const round = at;
    if (round === null) return;
    const { changes } = more;
    if (changes === null) return; // the picker has said what is wrong
    const desk = await lab.do("branch", { lane: lab.selected, step: round, ...more });
    if (!desk) return;
    beside.open = false;
    release(false);
    window.explorer.announce("The run goes on from round " + roundsText(round) + ".");
  }

  // ---- Drawing ---------------------------------------------------------------------------------------------------------------

  const drawSoon = drawnWhenSeen(section, paint, 3);

  function draw() {
    const [low, high] = [oldest(), newest()];
    const here = at ?? high;
    Object.assign(scrub, { min: low, max: Math.max(high, low + 1) });
    scrub.value = at === null ? scrub.max : here;
    const single = high <= low;
    scrub.disabled = single;
    for (const button of [play, back, forth]) button.disabled = single;
    back.disabled ||= here <= low;
    forth.disabled ||= at === null;
    if (play.dataset.sign !== String(Boolean(playing))) {
      play.dataset.sign = Boolean(playing);
      play.replaceChildren(drawing(HISTORY_SIGNS[playing ? "pause" : "play"]));
      play.title = playing ? "Pause the film" : "Play the film of this run";
      play.setAttribute("aria-label", play.title);
    }
    const { undo: undos, redo: redos } = lab.desk ?? {};
    undo.disabled = !undos;
    redo.disabled = !redos;
    now.hidden = at === null;
    if (now.hidden) beside.open = false;
    branchNew.disabled = lanes().length >= (lab.start.most_lanes ?? 4);
    tellText(place, at === null ? "round " + roundsText(high) : "round " + roundsText(here) + " of " + roundsText(high));
    scrub.setAttribute("aria-valuetext", at === null ? "now, round " + roundsText(high) : "round " + roundsText(here) + " of " +
      roundsText(high));
    const origin = lab.lane()?.origin;
    tellText(hint, single
      ? origin === "trained" && high ? "This model was trained for " + roundsText(high) +
        " rounds before; its past begins here. Press play and it grows."
        : origin === "loaded" && high ? "This run was loaded at round " + roundsText(high) +
          "; its past begins here. Press play and it grows."
          : "A run’s past is kept while it trains. Press play, then drag here to go back to any moment."
      : at !== null && films && !films.get(lab.selected) ? "This run has no film yet." : "");
    hint.hidden = !hint.textContent;
    Object.assign(section.dataset, { held: at ?? "", low, high, playing: Boolean(playing), moments: films ? moments().length
      : 0, marks: marks.childElementCount });
    drawSoon();
  }

  /** Events of the selected run, below the strip, each a way to its moment. */
  function mark() {
    const events = (lab.lane()?.events ?? []).filter(({ step: round }) => round >= oldest() && round <= newest());
    const shape = JSON.stringify([events, oldest(), newest()]);
    if (marks.dataset.shape === shape) return;
    marks.dataset.shape = shape;
    const by = new Map();
    for (const { step: round, what } of events) by.set(round, [...(by.get(round) ?? []), what]);
    const [low, high] = [oldest(), Math.max(newest(), oldest() + 1)];
    marks.replaceChildren(...[...by].map(([round, what]) => {
      const trouble = what.some((sentence) => /diverged/i.test(sentence));
      const text = what.map((sentence) => worded(sentence)).join(" ");
      return piece("button", {
        type: "button", class: "history-mark", "data-kind": trouble ? "trouble" : "change", "data-round": round,
        style: "left:" + (100 * (round - low)) / (high - low) + "%", title: "Round " + roundsText(round) + ". " + text,
        "aria-label": "Round " + roundsText(round) + ": " + text, onclick: () => goTo(round),
      }, trouble ? "!" : "");
    }));
    section.dataset.marks = marks.childElementCount;
  }

  /** "Changed: g_lr, loss." in the words of the menu. */
  function worded(sentence) {
    return sentence.replace(/\b[a-z]+[0-9]?(_[a-z0-9]+)*\b/g, (word) => {
      const field = /^Changed/.test(sentence) && lab.start.menu.fields.find((each) => each.name === word);
      return field ? field.label.toLowerCase() + ({ g: " of G", d: " of D" }[field.group] ?? "") : word;
    });
  }

  function paint() {
    mark();
    const fresh = freshCanvas(canvas);
    if (!fresh) return;
    const { context, width, height } = fresh;
    const frames = films?.get(lab.selected) ?? thumbs.get(lab.selected) ?? [];
    if (!frames.length) return;
    const count = Math.max(1, Math.floor(width / (height * 1.12)));
    const cell = width / count;
    const scale = height / 2.4;
    const reals = lab.scenes[lab.selected]?.reals;
    const [low, high] = [oldest(), newest()];
    const [blue, pink, paper] = ["sym-real", "sym-fake", "panel"].map((name) => lab.colour(name));
    for (let i = high > low ? 0 : count - 1; i < count; i++) {
      const round = count > 1 ? low + (i / (count - 1)) * (high - low) : high;
      const frame = before(frames, round);
      if (Math.abs(frame.step - round) > (high - low) / count + 1) continue; // nothing is known of there
      const [x0, y0] = [(i + 0.5) * cell, height / 2];
      context.fillStyle = paper;
      context.fillRect(i * cell + 1, 1, cell - 2, height - 2);
      if (reals) {
        context.fillStyle = blue;
        context.globalAlpha = 0.28;
        for (let k = 0; k < Math.min(120, reals.length / 2); k++) context.fillRect(x0 + reals[2 * k] * scale - 0.7,
          y0 - reals[2 * k + 1] * scale - 0.7, 1.4, 1.4);
      }
      context.fillStyle = pink;
      context.globalAlpha = 0.75;
      for (let k = 0; k < Math.min(160, frame.fakes.length / 2); k++) {
        const [x, y] = [frame.fakes[2 * k] * scale, frame.fakes[2 * k + 1] * scale];
        if (Math.abs(x) < cell / 2 - 1 && Math.abs(y) < height / 2 - 1) context.fillRect(x0 + x - 0.8, y0 - y - 0.8, 1.6, 1.6);
      }
    }
    context.globalAlpha = 1;
    if (at !== null) {
      const x = ((at - low) / Math.max(1, high - low)) * width;
      context.fillStyle = lab.colour("sunk");
      context.globalAlpha = 0.65;
      context.fillRect(x, 0, width - x, height); // what came after
      context.globalAlpha = 1;
    }
  }

  function remember() {
    for (const lane of lanes()) {
      const frame = lab.live[lane];
      if (!frame) continue;
      let kept = thumbs.get(lane) ?? [];
      if (kept.length && kept.at(-1).step >= frame.step) continue;
      const gap = (frame.step - (kept[0]?.step ?? frame.step)) / HISTORY_THUMBS;
      if (kept.length > 1 && frame.step - kept.at(-2).step < gap) kept.pop(); // the last is always the newest
      kept.push({ step: frame.step, fakes: frame.fakes });
      if (kept.length > HISTORY_THUMBS) kept = kept.filter((_, i) => i % 2 === 0 || i === kept.length - 1);
      thumbs.set(lane, kept);
    }
  }

  // ---- Hands ----------------------------------------------------------------------------------------------------------------

  scrub.addEventListener("pointerdown", () => ensure());
  scrub.addEventListener("input", () => {
    stop();
    if (+scrub.value >= newest() && !scrub.matches(":active")) return release();
    goTo(+scrub.value);
  });
  scrub.addEventListener("change", () => at !== null && +scrub.value >= newest() && release());
  scrub.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (event.key === "Home") goTo(oldest());
    else if (event.key === "End" || event.key === "Escape") release();
    else if (by) step(by);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const drawLive = drawnWhenSeen(section, draw, 8);
  lab.on("frame", () => {
    if (lab.held) return;
    remember();
    drawLive();
  });
  lab.on("desk", (desk, old) => {
    // Whoever plays, steps or sets something wants to see what that does: now.
    const moved = desk !== old && desk?.lanes.some((one, i) => {
      const was = old?.lanes[i];
      return was && (one.step !== was.step || JSON.stringify(one.changes) !== JSON.stringify(was.changes));
    });
    if (at !== null && lab.held && ((desk?.playing && !old?.playing) || moved)) release(false);
    draw();
  });
  lab.on("restart", () => {
    films = null;
    thumbs = new Map();
    marks.dataset.shape = "";
    if (at !== null) release(false);
    draw();
  });
  for (const name of ["select", "scene", "theme", "layout"]) lab.on(name, () => draw());

  // Where a chart is clicked, the page goes to that round.
  lab.jump = (round) => (round >= newest() ? release() : goTo(round));
  draw();
  return { goTo, release, step };
}
