// The twin's frame: what is asked, which sub-part is shown, the link, and what passes between the image run and the twin.
//
//   twin.start, settings     what the server offers; what the film is made with; change(changes), reset()
//   twin.film, mix, position the film that is shown, its mixture, where it stands; step() its whole step
//   twin.probe               the point that is opened (probe.js)
//   twin.on(name, fn)        "settings", "film", "position", "probe", "run"

const SUBS = [
  ["film", "Film", null], ["guidance", "Guidance", makeGuidance], ["bayes", "Bayes", makeBayes], ["coverage", "Coverage", makeCoverage],
  ["memory", "Memorisation", makeMemory], ["race", "Steps", makeRace], ["likelihood", "Likelihood", makeLikelihood], ["elbo", "ELBO", makeElbo],
];
const TWIN_PARTS = new Set(["twin", "twins"]);
const STOCHASTIC = new Set(["ddpm", "euler_a"]);
const TWIN_KEYS = "Space: play or pause the film; , .: one step back or on; ← → ↑ ↓: on the plot, move the point that is looked at; Enter: on the plot, trace it";

const root = element.querySelector(".twin");
makeTwin(root, props.routes + "/twin");

function makeTwin(root, prefix) {
  const { route, ask, get, set } = window.explorer;
  const tab = window.explorer.tab; // this view mounts when its tab is opened
  const heard = {};
  const lessons = {};
  let [opening, sub, film, probe, waiting] = [null, "film", null, null, 0];
  const wire = {
    get: async (name) => (await ask(route(prefix + "/" + name))).json(),
    post: (name, body, signal) => window.explorer.post(route(prefix + "/" + name), body, signal),
    film: async (body, signal) => (await ask(route(prefix + "/film"), { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, signal })).arrayBuffer(),
  };
  const twin = {
    root, wire, start: null, settings: null, film: null, mix: null, position: 0, probe: null,
    on: (name, fn) => (heard[name] ??= []).push(fn),
    emit: (name) => heard[name]?.forEach((fn) => fn()),
    facts(changes) {
      for (const [name, value] of Object.entries(changes)) if (root.dataset[name] !== String(value)) root.dataset[name] = value;
    },
    link: (changes) => window.explorer.tab === tab && set(changes),
    step: () => film?.step() ?? 0,
    get sub() { return sub; },
    body, change, reset, classesHere, className, imageRun, takeOver, handBack, ownCopy,
  };
  root.twin = twin;

  // ---- Settings ----

  const dataSet = (name = twin.settings.data) => twin.start.data.find((one) => one.name === name);

  function className(y) {
    return dataSet().classes[y] ?? String(y);
  }

  function classesHere() {
    const names = dataSet().classes.map((name, i) => [i, name]);
    if (twin.settings.data !== "own") return names;
    const there = new Set(twin.settings.points.map((point) => point[2]));
    return names.filter(([i]) => there.has(i));
  }

  function body() {
    const { points, ...rest } = twin.settings;
    return rest.data === "own" ? { ...rest, points } : rest;
  }

  /** Settings that fit together: a kind that the data have, a class that a point has. */
  function fitting(settings) {
    const preset = dataSet(settings.data);
    const out = { ...settings };
    if (!preset.kinds.includes(out.kind)) out.kind = preset.kinds[0];
    const there = out.data === "own" ? new Set(out.points.map((point) => point[2])) : new Set(preset.classes.keys());
    if (out.y !== null && !there.has(out.y)) out.y = there.size > 1 ? Math.min(...there) : null;
    return out;
  }

  const NAMES_KEPT = ["data", "kind", "size", "s", "y", "w", "steps", "eta", "schedule", "spacing", "seed", "n"];

  function change(changes) {
    const before = twin.settings;
    // New data begin with a class where they have some; own points begin with a little width, or they only copy.
    if (changes.data && changes.data !== before.data) {
      changes = { ...changes, y: changes.y ?? (before.y === null ? null : 0), ...(changes.data === "own" && before.s === 0 ? { s: 0.05 } : {}) };
    }
    twin.settings = fitting({ ...before, ...changes });
    twin.link(linkFrom(twin.settings));
    twin.emit("settings");
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 140);
  }

  function reset() {
    change({ ...usual(), points: twin.settings.points });
  }

  const usual = () => ({ ...twin.start.defaults, points: [] });

  function linkFrom(settings) {
    const base = usual(), out = {};
    for (const name of NAMES_KEPT) out["tw_" + name] = settings[name] === base[name] ? null : settings[name] === null ? "none" : settings[name];
    out.tw_points = settings.data === "own" && settings.points.length ? packPoints(settings.points, twin.start.reach) : null;
    return out;
  }

  function fromLink() {
    const out = usual();
    for (const name of NAMES_KEPT) {
      const text = get("tw_" + name);
      if (text === null) continue;
      const limits = twin.start.limits[name];
      if (name === "y") out.y = text === "none" ? null : /^\d$/.test(text) ? +text : out.y;
      else if (limits) {
        const v = text.trim() === "" ? NaN : +text;
        if (v >= limits[0] && v <= limits[1]) out[name] = ["w", "eta", "s"].includes(name) ? v : Math.round(v);
      } else if ({ data: twin.start.data, schedule: twin.start.schedules, spacing: twin.start.spacings }[name]?.some((one) => one.name === text) || (name === "kind" && ["law", "points"].includes(text))) out[name] = text;
    }
    out.points = unpackPoints(get("tw_points"), twin.start.reach, twin.start.limits.points);
    return fitting(out);
  }

  const linked = () => NAMES_KEPT.some((name) => get("tw_" + name) !== null);

  function ownCopy() {
    const law = twin.film?.law;
    if (!law) return;
    const points = law.shown.slice(0, 300).map(([x, y], i) => [onGrid(x, twin.start.reach), onGrid(y, twin.start.reach), Math.min(3, law.shown_label[i])]);
    change({ data: "own", points });
  }

  // ---- The image run ----

  /** {steps, w, eta, seed, note} of the latest image run, or null. */
  function imageRun() {
    const given = document.diffusion?.settings;
    if (!given) return null;
    const eta = STOCHASTIC.has(given.scheduler) ? 1 : given.scheduler === "ddim" ? +given.eta || 0 : 0;
    const note = given.scheduler && given.scheduler !== "ddim" ? `; its scheduler ${given.scheduler} is ${eta ? "an SDE" : "an ODE"} solver, here DDIM's step with eta ${eta}` : "";
    return { steps: within(+given.steps || 25, 1, 100), w: within(+given.guidance_scale || 0, 0, 20), eta: within(eta, 0, 1), seed: within(+given.seed || 0, 0, 999_999), note };
  }

  function takeOver() {
    const run = imageRun();
    if (run) change({ steps: run.steps, w: run.w, eta: run.eta, seed: run.seed, schedule: "scaled_linear", spacing: "leading" });
  }

  function handBack() {
    const { steps, w, eta, seed } = twin.settings;
    const settings = { steps, guidance_scale: w, scheduler: "ddim", eta, seed };
    document.dispatchEvent(new CustomEvent("diffusion:use", { detail: { settings } }));
    document.dispatchEvent(new CustomEvent("diffusion:part", { detail: { part: "steps" } })); // where the picture is
    window.explorer.toast(`The image run takes ${pluralText(steps, "step")}, guidance ${w}, eta ${eta} and seed ${seed}.`, "good");
  }

  // ---- The page ----

  function build() {
    const rows = segments("Parts of the twin", SUBS.map(([name, words]) => [name, words]), sub, choose);
    const places = Object.fromEntries(SUBS.map(([name]) => [name, piece("div", { class: "stage rows", "data-lesson": name, "data-ready": "false", hidden: true })]));
    const controls = piece("div", { class: "card controls" }), point = piece("div", { class: "card point" });
    root.replaceChildren(
      piece("header", { class: "lesson-head" }, piece("h3", {}, "The same, in two dimensions"),
        piece("p", { class: "todo" }, "An image has thousands of numbers, a point has two, and its score is known exactly: nothing here is trained. The sliders are those of an image run.")),
      piece("div", { class: "subs" }, rows.node),
      piece("div", { class: "columns" }, piece("div", { class: "left" }, Object.values(places)), point, controls),
    );
    twin.places = places;
    twin.rows = rows;
    film = makeFilm(places.film, twin);
    twin.controls = makeControls(controls, twin);
    probe = makeProbe(point, twin);
    twin.point = point;
    twin.on("position", () => film.playing || showSchedule());
    twin.on("film", showSchedule);
    root.addEventListener("keydown", keys);
  }

  const showSchedule = soonOnce(() => twin.controls.show(), 60);

  function choose(name) {
    sub = name;
    twin.rows.show(name);
    for (const [one, place] of Object.entries(twin.places)) place.hidden = one !== name;
    twin.point.hidden = name !== "film";
    twin.facts({ sub: name });
    twin.controls.show();
    twin.link({ tw_sub: name === "film" ? null : name });
    return refresh();
  }

  /** What is shown follows the settings; what is hidden waits until it is shown. */
  function refresh() {
    clearTimeout(waiting);
    if (sub === "film") {
      const key = JSON.stringify(twin.body());
      if (key === refresh.key) {
        twin.facts({ state: twin.film ? "ready" : "empty" });
        return film.draw();
      }
      refresh.key = key;
      return film.load();
    }
    film.stop();
    const make = SUBS.find(([name]) => name === sub)[2];
    lessons[sub] ??= make(twin.places[sub], twin);
    return lessons[sub].show();
  }

  function keys(event) {
    if (sub !== "film" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=range]), select, textarea")) return;
    if (event.key === " " && !event.target.closest("button, summary")) film.toggle();
    else if (event.key === "." || event.key === ",") {
      film.stop();
      film.go(film.step() + (event.key === "." ? 1 : -1));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async function open() {
    if (!opening) {
      opening = wire.get("start");
      opening.catch(() => (opening = null));
    }
    twin.start = await opening;
    if (twin.settings) return;
    twin.settings = fromLink();
    const run = !linked() && imageRun();
    if (run) Object.assign(twin.settings, { steps: run.steps, w: run.w, eta: run.eta, seed: run.seed });
    build();
  }

  async function show(part) {
    const mine = TWIN_PARTS.has(part);
    root.hidden = !mine;
    twin.facts({ part: mine ? "twin" : "", keys: mine ? TWIN_KEYS : "" });
    if (!mine) {
      film?.stop();
      return twin.facts({ ready: "true", state: "idle" });
    }
    twin.facts({ ready: "false", state: "busy" });
    try {
      await open();
    } catch (error) {
      const trouble = troublePlace();
      trouble.show(error, () => show(part));
      root.replaceChildren(trouble.node);
      return twin.facts({ state: "failed" });
    }
    const asked = get("tw_sub");
    await choose(SUBS.some(([name]) => name === asked) ? asked : sub);
    if (root.dataset.part) twin.facts({ ready: "true" });
  }

  document.addEventListener("diffusion:part", ({ detail }) => element.isConnected && show(detail?.part ?? detail));
  document.addEventListener("diffusion:run", () => element.isConnected && twin.start && twin.emit("run"));
  queueMicrotask(() => show(get("part") ?? document.diffusion?.part ?? ""));
  return twin;
}
