// The lab itself: what the sections share, the one connection to the server, and the link. Every section gets `lab`:
//
//   lab.start               what the server offers: menu, toys, presets, failures, speeds, ...
//   lab.desk                what runs there now: playing, speed, lanes, look, room, ...
//   lab.frames[lane]        what is shown now, by lane (readFrame in wire.js); lab.live[lane] what is newest
//   lab.scenes[lane]        real points, noise and modes (readScene in wire.js)
//   lab.selected            the lane that single views show
//   lab.slow                whether slow motion is on; lab.setSlow(on)
//   lab.do(name, args)      tells the server; resolves to the desk, or to null after it has said what went wrong
//   lab.set(changes, lane)  changes settings of a lane, or of all; the same, soon and once, while somebody types: lab.setSoon
//   lab.select(lane)        chooses that lane
//   lab.fetch(path, query, init)   a Response, or an Error with a sentence; lab.messages(path, query) a film's messages
//   lab.hold(frames), lab.release()   shows these frames, {lane: frame}, instead of the live ones
//   lab.frame(lane), lab.lane(lane)   a lane's shown frame; its entry in the desk
//   lab.colour(name)        a palette colour of the present mode: lab.colour("sym-real")
//   lab.on(name, fn)        "frame" (frames), "desk" (desk, before), "notes" ({notes, shares}), "select" (lane), "scene" (lane),
//                           "restart" (curves and films are stale), "theme", "layout", "slow" (on), "hold" (frames or null)
//   lab.say(sentence)       a line under the bar, for what has just happened; lab.about() what this run is
//   lab.recipe(settings)    what they are compared with: their data set's known-good ones, or the defaults
//   lab.act                 what the bar's buttons and keys do; lab.parts what the factories returned, by section

const LAB_TELLS_RESTART = new Set(["open", "reset", "undo", "redo", "branch", "add", "remove", "failure", "cure", "remedy"]);

const root = element.querySelector(".ganlab");
const wire = wireTo(props.routes);
const lab = makeLab(root, wire);

function makeLab(root, wire) {
  const part = (name) => root.querySelector('[data-part="' + name + '"]');
  const facts = (changes) => Object.assign(root.dataset, changes);
  const heard = {};
  const colours = new Map();
  const tab = window.explorer.tab; // this view mounts when its tab is opened
  let held = null;
  let drawn = 0;
  let planned = false;
  let queue = Promise.resolve();

  const lab = {
    root, wire, part, facts, start: null, desk: null, live: {}, frames: {}, scenes: {}, selected: 0, slow: false,
    do: tell, set, setSoon, select, hold, release, colour, on, say, setSlow, emit, reopen, take, about, recipe,
    fetch: wire.ask, messages: wire.messages,
    lane: (lane = lab.selected) => lab.desk?.lanes.find((one) => one.lane === lane) ?? lab.desk?.lanes[0],
    frame: (lane = lab.selected) => lab.frames[lane],
    get held() { return held; },
  };

  // ---- Events ------------------------------------------------------------------------------------------------------

  function on(name, fn) {
    (heard[name] ??= new Set()).add(fn);
    return () => heard[name].delete(fn);
  }

  /** One section's trouble is not the others': it goes to the console, where a test sees it. */
  function emit(name, ...args) {
    for (const fn of heard[name] ?? []) {
      try {
        fn(...args);
      } catch (error) {
        console.error(error);
      }
    }
  }

  // ---- Frames: however many come, one draw per animation frame --------------------------------------------------------

  function plan() {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      draw();
    });
  }

  function draw() {
    lab.frames = held ?? lab.live;
    const first = lab.frame() ?? Object.values(lab.frames)[0];
    if (!first) return;
    shown++;
    emit("frame", lab.frames);
    facts({ step: String(Math.round(first.step)), frame: String(++drawn) });
  }

  // A device that cannot draw all that comes asks for less, and for more again when it keeps up.
  let [paced, came, shown] = [25, 0, 0];
  setInterval(() => {
    const [got, done] = [came, shown];
    [came, shown] = [0, 0];
    if (got < 12 || held || !lab.desk?.playing) return;
    const fit = done < 0.85 * got ? Math.max(4, Math.floor(0.9 * done / 4)) : Math.min(25, Math.ceil(1.3 * paced));
    if (fit === paced) return;
    paced = fit;
    tell("frames", { frames: fit }, true);
  }, 4000);

  function received(message) {
    // The desk first: its frames may be those of runs that we have not heard of yet.
    if (message.json?.lanes) take(message.json);
    else if (message.json?.notes || message.json?.shares) emit("notes", message.json);
    let stale = false;
    for (const frame of message.frames) {
      if (!lab.desk?.lanes.some((one) => one.lane === frame.lane)) continue;
      stale ||= frame.step < (lab.live[frame.lane]?.step ?? 0);
      lab.live[frame.lane] = frame;
    }
    if (stale) emit("restart");
    if (message.frames.length) came++;
    if (message.frames.length && !held) plan();
  }

  function hold(frames) {
    held = frames;
    emit("hold", held);
    plan();
  }

  function release() {
    if (!held) return;
    held = null;
    emit("hold", null);
    plan();
  }

  // ---- The desk ----------------------------------------------------------------------------------------------------

  /** Commands go one after the other, so that two quick ones cannot overtake each other. */
  function tell(name, args = {}, quiet = false) {
    const next = queue.then(() => send(name, args));
    queue = next.then(() => {}, () => {});
    return next.catch((error) => {
      lab.refused = error; // a control that asked shows it in its own place
      if (!quiet || error.offline) window.explorer.toast(error.message, error.offline ? "note" : "error");
      emit("desk", lab.desk, lab.desk); // what was shown ahead of the answer goes back
      return null;
    });
  }

  async function send(name, args) {
    lab.refused = null;
    const desk = await wire.post("do", { do: name, ...args });
    if (desk.gone && name !== "open" && name !== "leave") {
      await reopen("The server had forgotten this page, so the run was started again with the same settings.");
      if (name !== "state") return send(name, args);
      return lab.desk;
    }
    take(desk, LAB_TELLS_RESTART.has(name));
    return desk;
  }

  let warming = 0;
  /** A desk as the server tells it becomes ours. */
  function take(desk, restart = false) {
    if (desk.gone) return void reopen("The server had forgotten this page, so the run was started again with the same settings.");
    const before = lab.desk;
    if (before && desk.version < before.version) return; // a later one has overtaken it
    const { notes, shares, ...rest } = desk;
    lab.desk = rest;
    const lanes = new Set(rest.lanes.map((one) => one.lane));
    for (const lane of Object.keys(lab.live)) if (!lanes.has(+lane)) delete lab.live[lane];
    for (const lane of Object.keys(lab.scenes)) if (!lanes.has(+lane)) delete lab.scenes[lane];
    if (!lanes.has(lab.selected)) select(rest.lanes[0].lane);
    facts({ playing: String(rest.playing), lanes: String(rest.lanes.length), engine: rest.engine });
    for (const one of rest.lanes) if (lab.scenes[one.lane]?.id !== one.scene) loadScene(one.lane, one.scene);
    restart ||= before?.lanes.length !== rest.lanes.length;
    emit("desk", lab.desk, before);
    if (restart) emit("restart");
    clearTimeout(warming);
    if (rest.engine === "starting") warming = setTimeout(() => tell("state", {}, true), 2500);
    if (notes || shares) emit("notes", { notes, shares });
    if (rest.say) say(rest.say);
    else if (part("line").dataset.kind !== "news" || restart) describe();
    writeLink();
  }

  const asking = {};
  async function loadScene(lane, id) {
    if (asking[lane] === id) return;
    asking[lane] = id;
    try {
      const scene = readScene(await wire.json("scene", { lane }));
      if (asking[lane] !== id) return;
      lab.scenes[lane] = scene;
      emit("scene", lane);
      plan();
    } catch (error) {
      if (!error.offline) window.explorer.toast(error.message);
    } finally {
      if (asking[lane] === id) delete asking[lane];
    }
  }

  function set(changes, lane = null) {
    return tell("set", { lane, changes });
  }

  // What is typed or clicked quickly goes out as one change. Resolves to null, or to the error that the control shows itself.
  const soon = new Map(); // lane -> {changes, timer, waiting}
  function setSoon(changes, lane = null, wait = 300) {
    const batch = soon.get(lane) ?? { changes: {}, timer: 0, waiting: [] };
    soon.set(lane, batch);
    Object.assign(batch.changes, changes);
    clearTimeout(batch.timer);
    return new Promise((resolve) => {
      batch.waiting.push(resolve);
      batch.timer = setTimeout(async () => {
        soon.delete(lane);
        const desk = await tell("set", { lane, changes: batch.changes }, true);
        for (const done of batch.waiting) done(desk ? null : lab.refused);
      }, wait);
    });
  }

  function select(lane) {
    if (lab.selected === lane) return;
    lab.selected = lane;
    emit("select", lane);
    writeLink();
    plan();
  }

  function setSlow(on) {
    if (lab.slow === on) return;
    lab.slow = on;
    facts({ slow: String(on) });
    emit("slow", on);
    if (on) requestAnimationFrame(() => bringIntoSight(part("graph")));
  }

  /** Scrolls as little as shows a section's end, and no further than its beginning. */
  function bringIntoSight(section) {
    const { top, bottom } = section.getBoundingClientRect();
    const way = Math.min(bottom + 8 - window.innerHeight, top - 8);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (way > 0) window.scrollBy({ top: way, behavior: calm ? "auto" : "smooth" });
  }

  /** The lanes as they are now, for `open`. */
  const openable = () => lab.desk.lanes.map((one) => {
    const trained = one.origin === "trained";
    return { settings: trained ? differing(one.settings, baseOf(one.settings.data, true)) : one.changes, data: one.settings.data, trained };
  });

  /** Opens runs: [{data, settings, trained}]. What was changed in a trained run is live, and set once it is there. */
  async function openRuns(runs) {
    const lanes = runs.map(({ data, settings, trained }) => ({ settings: trained ? { data } : { ...settings, data }, trained }));
    let desk = await wire.post("do", { do: "open", lanes });
    for (const [lane, { settings, trained }] of runs.entries()) {
      const { data, ...changes } = settings;
      if (trained && Object.keys(changes).length) desk = await wire.post("do", { do: "set", lane, changes });
    }
    return desk;
  }

  let reopening = null;
  function reopen(sentence) {
    reopening ??= (async () => {
      const { playing, speed, look } = lab.desk;
    lab.desk.version = -1; // the new desk counts from the start
      try {
        await openRuns(openable());
        await wire.post("do", { do: "look", ...look });
        const desk = await wire.post("do", { do: "speed", speed });
        take(playing ? await wire.post("do", { do: "play" }) : desk, true);
        lost = false; // it has answered; the stream follows
        facts({ state: "ready" });
        if (sentence) say(sentence);
      } finally {
        reopening = null;
      }
    })();
    return reopening;
  }

  // ---- The connection ----------------------------------------------------------------------------------------------

  let lost = false;
  let streamed = 0; // when the stream last brought something
  const stream = streamOf(wire, {
    message(message) {
      streamed = performance.now();
      received(message);
    },
    up() {
      if (!lost) return;
      lost = false;
      facts({ state: "ready" });
      say("Connected again.");
      tell("state");
    },
    down(error) {
      if (error.status) return void tell("state"); // it answers: so it has forgotten this page, and says so
      if (lost) return;
      lost = true;
      facts({ state: "offline" });
      const sentence = "The connection to the server is gone. The page tries again by itself; nothing you set is lost.";
      say(sentence, true);
      if (part("line").getBoundingClientRect().bottom < 0) window.explorer.toast(sentence, "note");
    },
  });

  const visible = () => document.visibilityState === "visible" && (window.explorer.tab ?? tab) === tab;

  /** Nobody looks: no frames. Somebody looks again: at once. */
  function attend() {
    if (!lab.desk) return;
    if (visible()) stream.open();
    else stream.close();
    facts({ stream: String(visible()) });
  }

  // A lid that was closed leaves a connection that is dead without knowing it.
  let awake = Date.now();
  setInterval(() => {
    if (Date.now() - awake > 15000 && stream.wanted) stream.again();
    awake = Date.now();
  }, 5000);

  // Some proxies keep a stream to themselves until it ends. Then frames are asked for one by one.
  let polling = false;
  setInterval(async () => {
    if (polling || lost || !lab.desk?.playing || !stream.wanted || performance.now() - streamed < 4000) return;
    polling = true;
    try {
      for (const message of await wire.messages("frame")) received(message);
    } catch { /* the stream's own troubles are told */ } finally {
      polling = false;
    }
  }, 300);

  document.addEventListener("visibilitychange", attend);
  window.addEventListener("explorer:tab", attend);
  window.addEventListener("online", () => stream.wanted && stream.again());

  // ---- Looks -------------------------------------------------------------------------------------------------------

  function colour(name) {
    if (!colours.has(name)) colours.set(name, getComputedStyle(root).getPropertyValue("--" + name).trim());
    return colours.get(name);
  }

  function recolour() {
    colours.clear();
    emit("theme");
    plan();
  }
  new MutationObserver(recolour).observe(document.body, { attributeFilter: ["class"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);

  let width = 0;
  new ResizeObserver(() => {
    if (root.clientWidth === width || !root.clientWidth) return;
    width = root.clientWidth;
    emit("layout");
    plan();
  }).observe(root);

  // The line under the bar: news for a while, else what this run is.
  let sayTimer = 0;
  function say(sentence, stays = false) {
    clearTimeout(sayTimer);
    writeLine(sentence, "news", /undo brings/i.test(sentence));
    if (!stays) sayTimer = setTimeout(describe, 8000);
  }

  function writeLine(sentence, kind, undo = false) {
    const line = part("line");
    line.dataset.kind = kind;
    line.firstElementChild.textContent = sentence;
    line.lastElementChild.hidden = !undo;
  }

  /** What this run is, in a sentence or two. */
  function about() {
    const [one] = lab.desk.lanes;
    const preset = lab.start.presets[one.settings.data];
    if (one.halted) return one.halted;
    if (lab.desk.lanes.length > 1) return lab.desk.lanes.length + " runs from the same seed, a round at a time. Only their settings differ.";
    if (one.origin === "trained") return "These two networks were trained for " + roundsText(one.steps[0] ?? preset.rounds) + " rounds. " + preset.why;
    if (one.origin === "loaded") return "From a file. Play goes on from there.";
    if (one.origin === "branch") return "A branch of an earlier run. Play goes on from there.";
    return "From scratch: both networks began with random weights. Play trains them against each other.";
  }

  function describe() {
    if (lost || !lab.desk) return;
    writeLine(about(), lab.desk.lanes[0].halted ? "news" : "about");
  }
  part("line").append(Object.assign(document.createElement("span")), piece("button", { type: "button", class: "button", hidden: true, onclick: () => lab.act.undo() }, "Undo"));

  // ---- The link: what differs from the trained model of the data set, or from the defaults -------------------------------

  const fieldNames = () => lab.start.menu.fields.map((field) => field.name);

  function baseOf(data, trained) {
    const base = Object.fromEntries(lab.start.menu.fields.map((field) => [field.name, field.default]));
    return trained ? { ...base, ...lab.start.presets[data]?.settings, data } : base;
  }

  /** What a run's settings are compared with: its data set's known-good ones or the plain defaults, whichever are nearer. */
  function recipe(settings) {
    const [known, plain] = [baseOf(settings.data, true), { ...baseOf(), data: settings.data }];
    const far = (base) => Object.keys(differing(settings, base)).length;
    return isTrained(settings.data) && far(known) <= far(plain) ? known : plain;
  }

  const isTrained = (data) => Boolean(lab.start.presets[data]?.trained);

  function readLink() {
    const get = (key) => window.explorer.get(key);
    const names = new Set(fieldNames());
    const own = {};
    for (const name of names) if (get(name) !== null) own[name] = get(name);
    const data = own.data ?? lab.start.menu.fields.find((field) => field.name === "data").default;
    const runs = [{ data, settings: own, trained: isTrained(data) && get("trained") !== "0" }];
    for (const key of "bcd") {
      if (get(key) === null) break;
      const changes = Object.fromEntries(get(key).split("~").map((pair) => {
        const cut = pair.indexOf("."); // names have no dots, numbers may
        return [pair.slice(0, cut), pair.slice(cut + 1)];
      }).filter(([name]) => names.has(name)));
      runs.push({ data: changes.data ?? data, settings: { ...own, ...changes }, trained: false });
    }
    if (runs.length > 1) runs[0].trained = false; // runs side by side begin at the same start
    return runs;
  }

  /** Settings without those that are as in the base. */
  function differing(settings, base) {
    return Object.fromEntries(Object.entries(settings).filter(([name, value]) => value !== base[name]));
  }

  function writeLink() {
    if (!lab.start || !lab.desk) return;
    const [first, ...others] = lab.desk.lanes;
    const trained = first.origin === "trained" && isTrained(first.settings.data);
    const base = baseOf(first.settings.data, trained);
    const link = { trained: trained || !isTrained(first.settings.data) ? null : "0", b: null, c: null, d: null };
    for (const name of fieldNames()) link[name] = first.settings[name] === base[name] ? null : shortText(first.settings[name]);
    link.data = first.settings.data === baseOf().data ? null : first.settings.data;
    others.forEach((one, i) => {
      const changed = fieldNames().filter((name) => one.settings[name] !== first.settings[name]);
      link["bcd"[i]] = changed.map((name) => name + "." + shortText(one.settings[name])).join("~") || "seed." + one.settings.seed;
    });
    link.speed = lab.start.speeds && lab.desk.speed !== lab.start.speed ? String(lab.desk.speed) : null;
    link.lane = lab.selected || null;
    link.look = Object.keys(lab.desk.look ?? {}).filter((name) => lab.desk.look[name] === true).join(".") || null;
    window.explorer.set(link);
  }

  const shortText = (value) => (typeof value === "boolean" ? (value ? "1" : "0") : String(value));

  // ---- Beginning ---------------------------------------------------------------------------------------------------

  lab.begin = async () => {
    root.querySelector(".lab-failure").hidden = true;
    facts({ state: "loading", ready: "false" });
    try {
      lab.start = await wire.json("start");
      // Read before the first desk is taken in, which writes the link anew.
      const looks = Object.fromEntries(["speed", "look", "lane"].map((name) => [name, window.explorer.get(name)]));
      furnish();
      const first = await openRuns(readLink()).catch((error) => {
        if (error.status !== 400) throw error;
        window.explorer.toast(error.message + " So this is the lab as it usually opens.", "note");
        const { data } = baseOf();
        return openRuns([{ data, settings: {}, trained: isTrained(data) }]);
      });
      lab.start.speed = first.speed;
      take(first, true);
      await readLooks(looks);
      attend();
      const frames = (await wire.messages("frame", { lane: lab.selected })).flatMap((message) => message.frames);
      for (const frame of frames) lab.live[frame.lane] ??= frame;
      plan();
      facts({ state: "ready", ready: "true" });
    } catch (error) {
      facts({ state: "error" });
      root.querySelector(".lab-failure").hidden = false;
      root.querySelector(".lab-failure p").textContent = error.message;
    }
  };

  async function readLooks({ speed, look: looks, lane: chosen }) {
    if (speed !== null && Number.isFinite(+speed)) await tell("speed", { speed: +speed });
    const look = (looks ?? "").split(".").filter(Boolean);
    if (look.length) await tell("look", Object.fromEntries(look.map((name) => [name, true])));
    const lane = +chosen;
    if (lab.desk.lanes.some((one) => one.lane === lane)) select(lane);
  }

  let furnished = false;
  function furnish() {
    if (furnished) return;
    furnished = true;
    const make = (factory, name) => {
      try { // a section that fails leaves the others standing
        return factory(part(name), lab);
      } catch (error) {
        console.error(error);
      }
    };
    lab.parts = {
      bar: make(makeBar, "bar"),
      settings: make(makeControls, "settings"),
      data: make(makeData, "data"),
      graph: make(makeGraph, "graph"),
      plot: make(makePlot, "plot"),
      slow: make(makeSlow, "slow"),
      history: make(makeHistory, "history"),
      curves: make(makeCurves, "curves"),
      vanish: make(makeVanish, "vanish"),
      doctor: make(makeDoctor, "doctor"),
      gallery: make(makeGallery, "gallery"),
      compare: make(makeCompare, "compare"),
      wall: make(makeWall, "wall"),
      export: make(makeExport, "export"),
    };
  }

  // Arrows choose within a group of choices, as everywhere.
  root.addEventListener("keydown", (event) => {
    const group = event.target.closest?.('.seg[role="radiogroup"]');
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!group || !way || event.defaultPrevented) return;
    event.preventDefault();
    const all = [...group.children].filter((node) => !node.disabled);
    const next = all[(all.indexOf(event.target) + way + all.length) % all.length];
    next?.focus();
    next?.click();
  });

  root.querySelector('[data-do="retry"]').addEventListener("click", () => lab.begin());
  return lab;
}

element.lab = lab; // for tests, and for whoever looks in the console
lab.begin();
