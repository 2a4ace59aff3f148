// The bar on top: play, step, reset, undo, speed, rounds, and what the two networks play for and on. All of it is what the
// desk says; a click shows at once and goes back where the server refuses.

const BAR_SLOW = -1; // the speed slider's left end
const BAR_ENGINES = {
  numba: ["numba", "Compiled code with hand-written gradients, on one core of the server"],
  torch: ["PyTorch", "These settings run on PyTorch's autograd: larger networks, or what the compiled code does not cover"],
  starting: ["warming up", "The compiled code is being loaded; until then PyTorch trains"],
};
const BAR_ICONS = {
  play: '<path class="solid" d="M6 3.5v13l11-6.5z"/>',
  pause: '<path class="solid" d="M5 3.5h3.5v13H5zM11.5 3.5H15v13h-3.5z"/>',
  reset: '<path d="M4.5 5.5A7 7 0 1 1 3 10M4.2 2.5v3.2h3.2"/>',
  undo: '<path d="M7 4 3 8l4 4M3 8h8.5a4.5 4.5 0 0 1 0 9H8"/>',
  redo: '<path d="m13 4 4 4-4 4M17 8H8.5a4.5 4.5 0 0 0 0 9H12"/>',
  slow: '<circle cx="10" cy="11" r="6.5"/><path d="M10 7.5V11l2.5 1.8M7.5 2h5"/>',
  settings: '<path d="M3 6h7M14 6h3M3 14h3M10 14h7"/><circle cx="12" cy="6" r="2"/><circle cx="8" cy="14" r="2"/>',
  dice: '<rect x="3" y="3" width="14" height="14" rx="3"/><path class="solid" d="M6.8 5.6a1.2 1.2 0 1 0 .01 0zM13.2 11.9a1.2 1.2 0 1 0 .01 0zM10 8.8a1.2 1.2 0 1 0 .01 0z"/>',
  draw: '<path d="m4 16 1-4 8.5-8.5 3 3L8 15zM11.5 5.5l3 3"/>',
};
const BAR_TOYS = { // under a small picture; the whole name is the title
  line: "line", gaussians: "blobs", ring: "ring", disjoint: "disjoint", ring8: "8 ring", grid25: "25 grid", moons: "moons",
  spiral: "spiral", imbalanced: "rare", checkerboard: "checkers", own: "own",
};
const barIcon = (name) => drawing(BAR_ICONS[name]);

function makeBar(section, lab) {
  const { menu, speeds } = lab.start;
  const field = Object.fromEntries(menu.fields.map((one) => [one.name, one]));
  const stops = [BAR_SLOW, ...speeds];

  const button = (name, words, title, run, look = "") =>
    piece("button", { type: "button", class: "button " + look, "data-do": name, title, "aria-label": look.includes("icon") ? words : null, onclick: run },
      BAR_ICONS[name] && barIcon(name), !look.includes("icon") && piece("span", { class: "word" }, words));

  // ---- Transport ---------------------------------------------------------------------------------------------------

  const play = button("play", "Play", "Train (Space)", toggle, "strong big");
  const step = (what, words, title) =>
    piece("button", { type: "button", class: "button", "data-do": "step-" + what, title, onclick: () => act.step(what) }, words);
  const steps = piece("span", { class: "seg steps", role: "group", "aria-label": "One step" },
    piece("span", { class: "seg-name", "aria-hidden": "true" }, "Step"),
    step("d", piece("span", {}, piece("b", { class: "of-d" }, "D")), "One update of the discriminator (D)"),
    step("g", piece("span", {}, piece("b", { class: "of-g" }, "G")), "One update of the generator (G)"),
    step("both", "both", "One round: the updates of D, then those of G (B)"));
  const undo = button("undo", "Undo", "Undo (Ctrl+Z)", () => act.undo(), "icon");
  const redo = button("redo", "Redo", "Redo (Ctrl+Shift+Z)", () => act.redo(), "icon");

  const rounds = piece("output", { class: "rounds", "aria-label": "Round", "aria-live": "off" }, "0");
  const updates = piece("span", { class: "updates" });
  const counter = piece("div", { class: "counter" }, piece("span", { class: "counter-name" }, "Round"), rounds, updates);

  const speedWords = piece("output", { class: "speed-words" });
  const speedNow = piece("span", { class: "speed-now" });
  const speed = piece("input", {
    type: "range", min: 0, max: stops.length - 1, step: 1, class: "speed", "aria-label": "Speed", title: "Speed (+ and −)",
    oninput: () => act.speed(+speed.value),
  });
  const speeding = piece("div", { class: "speeding" },
    piece("div", { class: "speed-line" }, piece("span", { class: "speed-name" }, "Speed"), speedWords, speedNow), speed);
  const slow = piece("button", { type: "button", class: "button", "data-do": "slow", "aria-pressed": "false", title: "Ten numbered steps a round, with words (M)", onclick: () => act.slow() },
    barIcon("slow"), piece("span", { class: "word" }, "Slow motion"));

  const badge = piece("span", { class: "engine", role: "note" });
  const settings = piece("button", { type: "button", class: "button", "data-do": "settings", title: "Show or hide the settings (C)", onclick: () => act.settings() },
    barIcon("settings"), piece("span", { class: "word" }, "Settings"));

  // ---- What is learnt, and by which rules ----------------------------------------------------------------------------

  const thumbs = new Map();
  const strip = piece("div", { class: "toys", role: "radiogroup", "aria-label": "Data", onkeydown: walk });
  for (const toy of lab.start.toys) strip.append(thumb(toy.name, toy.label, density(bytesFrom64(toy.thumb))));
  const own = thumb(OWN_DATA, "your own", null);
  const draw = piece("button", { type: "button", class: "button draw-own", "data-do": "draw", title: "Draw or upload your own points", onclick: () => lab.parts.data?.open() },
    barIcon("draw"), piece("span", {}, "Draw"));
  strip.append(own);

  const started = piece("span", { class: "seg begun", role: "radiogroup", "aria-label": "Begin with" },
    ...[["trained", "trained", "Begin with networks that were trained on this data set"], ["scratch", "from scratch", "Begin with random networks at round 0"]].map(([value, words, title]) =>
      piece("button", { type: "button", class: "button", role: "radio", "data-begin": value, title, onclick: () => begin(value) }, words)));

  const loss = piece("select", { class: "loss", "aria-label": "Loss", onchange: () => lab.set({ loss: loss.value }, differ("loss") ? lab.selected : null) },
    ...Object.entries(field.loss.choices).map(([value, words]) => piece("option", { value }, words)));
  const seed = piece("input", {
    type: "number", class: "seed", min: 0, max: 999999, step: 1, inputmode: "numeric", "aria-label": "Seed", title: field.seed.help,
    onchange: () => reseed(seed.value), onkeydown: (event) => event.key === "Enter" && seed.blur(),
  });
  const dice = button("dice", "Another seed", "Another seed: new weights, noise and batches", () => reseed(Math.floor(Math.random() * 1000)), "icon");

  section.append(
    piece("div", { class: "bar-row transport" }, play, counter, steps, piece("span", { class: "tray" }, button("reset", "Reset", "Back to round 0, with the same seed (R)", () => act.reset(), "icon"), undo, redo), speeding, slow,
      piece("span", { class: "gap" }), badge, settings),
    piece("div", { class: "bar-row problem" },
      piece("div", { class: "data-pick" }, strip, draw),
      piece("div", { class: "rules" },
        piece("div", { class: "labelled" }, piece("span", { class: "label" }, "Begin"), started),
        piece("label", { class: "labelled" }, piece("span", { class: "label" }, "Loss"), loss),
        piece("div", { class: "labelled" }, piece("span", { class: "label" }, "Seed"), piece("span", { class: "seeding" }, seed, dice)))),
  );

  /** Runs that are compared by this setting keep their difference: then a change is for the selected one. */
  const differ = (name) => lab.desk.lanes.some((one) => one.settings[name] !== lab.desk.lanes[0].settings[name]);

  // While the bar is out of sight, play and the round stay at hand.
  const floatPlay = piece("button", { type: "button", class: "button strong", "data-do": "float-play", onclick: () => toggle() });
  const floatRound = piece("span", { class: "float-round" });
  const float = piece("div", { class: "float", hidden: true }, floatPlay, floatRound);
  section.append(float);
  new IntersectionObserver((entries) => {
    const { isIntersecting, boundingClientRect } = entries.at(-1);
    float.hidden = isIntersecting || boundingClientRect.bottom > 0 || !boundingClientRect.width;
  }).observe(play);

  // ---- Deeds -------------------------------------------------------------------------------------------------------

  function toggle() {
    const on = lab.root.dataset.playing !== "true";
    if (lab.parts.slow?.toggle && lab.slow) return void lab.parts.slow.toggle();
    lab.release();
    showPlaying(on);
    lab.do(on ? "play" : "pause");
  }

  const act = {
    play: toggle,
    step(what) {
      lab.release();
      showPlaying(false);
      return lab.do("step", { what });
    },
    async reset() {
      lab.release();
      if (await lab.do("reset")) lab.say("Back at round 0, with the same seed; undo brings the run back.");
    },
    undo: () => lab.desk.lanes[0].undo && (lab.release(), lab.do("undo")),
    redo: () => lab.desk.lanes[0].redo && (lab.release(), lab.do("redo")),
    slow: () => lab.setSlow(!lab.slow),
    settings: () => lab.parts.settings?.toggle(),
    speed(index) {
      index = Math.max(0, Math.min(stops.length - 1, index));
      speed.value = index;
      showSpeed();
      lab.setSlow(stops[index] === BAR_SLOW);
      if (stops[index] !== BAR_SLOW) soonSpeed(stops[index]);
    },
  };
  lab.act = act;

  let speedTimer = 0;
  function soonSpeed(value) {
    clearTimeout(speedTimer);
    speedTimer = setTimeout(() => lab.do("speed", { speed: value }), 120);
  }

  function reseed(value) {
    const whole = Math.round(+value);
    if (!Number.isFinite(whole) || String(value).trim() === "" || whole < 0 || whole > 999999) {
      window.explorer.toast("A seed is a whole number from 0 to 999,999.", "note");
      return show();
    }
    seed.value = whole;
    lab.set({ seed: whole });
  }

  // A trained start stays a trained start when another data set is chosen: that is what somebody wants to look at.
  let wish = "trained";
  function choose(data) {
    lab.release();
    if (data === OWN_DATA) return void lab.parts.data?.use();
    const trained = wish === "trained" && lab.start.presets[data]?.trained && lab.desk.lanes.length === 1;
    markData(data);
    if (trained) openTrained(data);
    else lab.set({ data });
  }

  function begin(value) {
    wish = value;
    const { data } = lab.lane().settings;
    if (value === "scratch") return void act.reset();
    lab.release();
    openTrained(data);
  }

  async function openTrained(data) {
    if (await lab.do("open", { lanes: [{ settings: { data }, trained: true }] })) lab.say(lab.about() + " Undo brings the old run back.");
  }

  // ---- Pictures of the data sets --------------------------------------------------------------------------------------

  function thumb(name, label, paint) {
    const canvas = piece("canvas", { width: 48, height: 48, "aria-hidden": "true" });
    const node = piece("button", { type: "button", role: "radio", class: "toy", "data-toy": name, title: label, "aria-checked": "false", tabindex: "-1", onclick: () => choose(name) },
      canvas, piece("span", { class: "toy-name" }, BAR_TOYS[name] ?? label));
    thumbs.set(name, { node, canvas, paint });
    return node;
  }

  function density(values) {
    const n = 24;
    return (canvas) => {
      const context = canvas.getContext("2d");
      const image = context.createImageData(n, n);
      const probe = /^#(..)(..)(..)/.exec(lab.colour("sym-real")) ?? [0, "10", "60", "a0"];
      const rgb = probe.slice(1).map((hex) => parseInt(hex, 16));
      for (let y = 0; y < n; y++) {
        for (let x = 0; x < n; x++) {
          const at = 4 * ((n - 1 - y) * n + x);
          image.data.set([...rgb, Math.min(255, values[y * n + x] * 1.15)], at);
        }
      }
      canvas.width = canvas.height = n;
      context.putImageData(image, 0, 0);
    };
  }

  function paintThumbs() {
    own.hidden = !lab.parts?.data?.points;
    thumbs.get(OWN_DATA).paint = (canvas) => lab.parts?.data?.thumbnail(canvas);
    for (const { canvas, paint } of thumbs.values()) paint?.(canvas);
  }

  function markData(data) {
    for (const [name, { node }] of thumbs) {
      const on = name === data;
      if (on && node.getAttribute("aria-checked") !== "true" && strip.scrollWidth > strip.clientWidth) {
        strip.scrollTo({ left: node.offsetLeft - strip.clientWidth / 2 + node.offsetWidth / 2 });
      }
      node.setAttribute("aria-checked", String(on));
      node.tabIndex = on ? 0 : -1;
    }
  }

  /** Arrows walk along the data sets, as in any group of radio buttons. */
  function walk(event) {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const all = [...thumbs.values()].map((one) => one.node).filter((node) => !node.hidden);
    const next = all[(all.indexOf(document.activeElement) + way + all.length) % all.length];
    next.focus();
    choose(next.dataset.toy);
  }

  // ---- What is so ----------------------------------------------------------------------------------------------------

  function showPlaying(on) {
    lab.facts({ playing: String(on) });
    facePlay(on);
  }

  function facePlay(on) {
    play.replaceChildren(barIcon(on ? "pause" : "play"), piece("span", { class: "word" }, on ? "Pause" : "Play"));
    play.setAttribute("aria-pressed", String(on));
    floatPlay.replaceChildren(barIcon(on ? "pause" : "play"), on ? "Pause" : "Play");
  }

  function showSpeed() {
    const value = stops[+speed.value];
    const words = value === BAR_SLOW ? "slow motion" : value === 0 ? "as fast as it goes" : roundsText(value) + (value === 1 ? " round/s" : " rounds/s");
    tellText(speedWords, words);
    speed.setAttribute("aria-valuetext", words);
    speed.style.setProperty("--at", (+speed.value / (stops.length - 1)) * 100 + "%");
  }

  function show() {
    const { desk } = lab;
    const one = lab.lane();
    if (!lab.slow && String(desk.playing) !== play.getAttribute("aria-pressed")) showPlaying(desk.playing);
    if (!speed.matches(":active") && !lab.slow) {
      speed.value = stops.indexOf(desk.speed) >= 0 ? stops.indexOf(desk.speed) : nearest(desk.speed);
      showSpeed();
    }
    undo.disabled = !one.undo;
    redo.disabled = !one.redo;
    const [name, why] = BAR_ENGINES[desk.engine] ?? [desk.engine, ""];
    tellText(badge, name);
    badge.title = why;
    badge.dataset.engine = desk.engine;
    if (document.activeElement !== loss) loss.value = one.settings.loss;
    if (document.activeElement !== seed) seed.value = one.settings.seed;
    const possible = Boolean(lab.start.presets[one.settings.data]?.trained) && desk.lanes.length === 1;
    if (possible) wish = one.origin === "trained" ? "trained" : "scratch";
    for (const node of started.children) {
      const value = node.dataset.begin;
      node.setAttribute("aria-checked", String((value === "trained") === (one.origin === "trained")));
      node.disabled = value === "trained" && !possible;
    }
    paintThumbs();
    markData(one.settings.data);
  }

  const nearest = (value) => stops.reduce((best, stop, i) => (i && stop && Math.abs(Math.log(stop / value)) < Math.abs(Math.log(stops[best] / value)) ? i : best), 1);

  function showFrame() {
    const frame = lab.frame();
    if (!frame) return;
    tellText(rounds, roundsText(frame.step));
    tellText(floatRound, "Round " + roundsText(frame.step));
    tellText(updates, "D " + roundsText(frame.d_updates) + " · G " + roundsText(frame.g_updates));
    const rate = frame.rounds_per_second;
    tellText(speedNow, lab.desk.playing && rate > 0 ? roundsText(rate) + "/s now" : "");
  }

  lab.on("desk", show);
  lab.on("frame", showFrame);
  lab.on("theme", paintThumbs);
  lab.on("select", show);
  // In slow motion the big button is slow motion's own.
  const watchSlow = new MutationObserver(() => lab.slow && facePlay(lab.parts.slow.panel.dataset.running === "true"));

  lab.on("slow", (on) => {
    watchSlow.disconnect();
    if (on && lab.parts.slow?.panel) watchSlow.observe(lab.parts.slow.panel, { attributeFilter: ["data-running"] });
    facePlay(on ? lab.parts.slow?.panel?.dataset.running === "true" : lab.desk.playing);
    slow.setAttribute("aria-pressed", String(on));
    speed.value = on ? 0 : Math.max(1, stops.indexOf(lab.desk.speed));
    showSpeed();
  });

  // ---- Keys --------------------------------------------------------------------------------------------------------

  // After a click a button keeps the focus; Space then means "play", not "click once more". After Tab it means the button.
  let byHand = true;
  document.addEventListener("pointerdown", () => (byHand = true), true);
  document.addEventListener("keydown", (event) => /^(Tab|Enter|Arrow)/.test(event.key) && (byHand = false), true);
  // A choice made by hand is done; Space shall play then, and not open it again.
  lab.root.addEventListener("change", (event) => byHand && event.target.matches("select") && event.target.blur());

  const onScreen = () => lab.root.isConnected && lab.root.offsetParent !== null && !document.querySelector("dialog[open]");
  const writing = (node) => node.matches?.("textarea, select, [contenteditable], input:not([type=range]):not([type=checkbox])");

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || !lab.desk || !onScreen() || writing(event.target)) return;
    const key = event.key.toLowerCase();
    const held = event.ctrlKey || event.metaKey;
    if (key === " ") {
      if (held || event.repeat) return;
      if (event.target.closest?.("button, summary, a, [role=slider], [role=button]") && !byHand) return;
      event.preventDefault();
      return toggle();
    }
    const action = held
      ? { z: event.shiftKey ? act.redo : act.undo, y: act.redo }[key]
      : { d: () => act.step("d"), g: () => act.step("g"), b: () => act.step("both"), r: act.reset, m: act.slow, c: act.settings,
          "+": () => act.speed(+speed.value + 1), "=": () => act.speed(+speed.value + 1), "-": () => act.speed(+speed.value - 1) }[key];
    if (!action || (event.repeat && !"dgb".includes(key))) return;
    event.preventDefault();
    action();
  });
  // Space on a button that has the focus from a click would click it when the key goes up.
  document.addEventListener("keyup", (event) => {
    if (event.key === " " && byHand && onScreen() && event.target.closest?.("button")) event.preventDefault();
  }, true);

  return { show, act, nodes: { play, speed, strip, loss, seed } };
}
