// Slow motion: every update in five numbered steps, with the numbers of that very update, first those of D, then those of G.
// The server makes an update when its phase begins; until step 5 the page shows what was before, so that each step can say
// what the update is about to do. Phases are kept: one can go back and forth among them.

const SLOW_KEPT = 40; // phases one can go back through
const SLOW_STEPS = {
  d: ["G makes fakes", "D judges both", "D’s loss", "D’s gradients", "D is updated"],
  g: ["G makes fakes", "D judges fakes", "G’s loss", "G’s gradients", "G is updated"],
};
// What matters in each step: parts and edges of the overview, layers of the plot.
const SLOW_VIEW = {
  d1: [["z", "G", "fakes"], ["z", "fakes"], ["fakes", "manifold"]],
  d2: [["fakes", "reals", "D", "judged"], ["fakesD", "realsD", "judged"], ["heat", "reals", "fakes"]],
  d3: [["judged", "dloss"], ["toD"], ["heat", "reals", "fakes"]],
  d4: [["dloss", "D"], ["gradD"], ["heat"]],
  d5: [["D"], ["gradD"], ["heat", "reals", "fakes"]],
  g1: [["z", "G", "fakes"], ["z", "fakes"], ["fakes", "manifold"]],
  g2: [["fakes", "D", "judged"], ["fakesD", "judged"], ["heat", "fakes"]],
  g3: [["judged", "gloss"], ["toG"], ["heat", "fakes"]],
  g4: [["gloss", "D", "pull", "G"], ["gradG", "gradG2", "gradG3"], ["heat", "fakes", "arrows"]],
  g5: [["G", "fakes"], ["gradG3", "fakes"], ["fakes", "arrows", "manifold"]],
};

/** Weights and biases of a net with these layers. */
const weightCount = (sizes) => sizes.slice(1).reduce((sum, size, i) => sum + size * (sizes[i] + 1), 0);

function makeSlow(section, lab) {
  const panel = document.createElement("section");
  panel.className = "gslow";
  panel.hidden = true;
  panel.setAttribute("aria-label", "Slow motion");
  const chips = (what) => SLOW_STEPS[what].map((title, i) =>
    `<li><button type="button" data-step="${i + 1}" data-what="${what}"><b>${i + 1}</b><span>${title}</span></button></li>`).join("");
  panel.innerHTML = `
    <div class="gslow-bar">
      <h3>Slow motion</h3>
      <span class="gslow-go">
        <button type="button" class="button small icon" data-go="back" aria-label="Step back" title="Step back (←)"><svg viewBox="0 0 20 20" aria-hidden="true"><path d="M12.500 4.500 7 10l5.500 5.500"/></svg></button>
        <button type="button" class="button small" data-go="toggle" aria-pressed="true"></button>
        <button type="button" class="button small icon" data-go="next" aria-label="Next step" title="Next step (→)"><svg viewBox="0 0 20 20" aria-hidden="true"><path d="M7.500 4.500 13 10l-5.500 5.500"/></svg></button>
      </span>
      <label class="gslow-speed"><span>Pace</span><input type="range" min="0" max="100" step="1" aria-label="Seconds per step"><output></output></label>
      <button type="button" class="button small icon" data-go="leave" aria-label="Leave slow motion" title="Leave slow motion (M)"><svg viewBox="0 0 20 20" aria-hidden="true"><path d="m5 5 10 10M15 5 5 15"/></svg></button>
    </div>
    <div class="gslow-phases">
      <div class="gslow-phase" data-what="d"><p><b>D learns</b> <span></span></p><ol>${chips("d")}</ol></div>
      <div class="gslow-phase" data-what="g"><p><b>G learns</b> <span></span></p><ol>${chips("g")}</ol></div>
    </div>
    <p class="gslow-say" aria-live="polite"></p>`;

  const find = (selector) => panel.querySelector(selector);
  const pace = find("input"), toggleButton = find('[data-go="toggle"]');
  let phases = []; // {what, number, of, before, after}: frames by lane
  let at = 0; // the phase that is shown
  let step = 0; // 1 to 5
  let running = false;
  let timer = 0;
  let busy = null; // the promise of a phase that is being made
  let mine = null; // the frames that we hold
  let session = 0; // what belongs to an earlier visit is dropped

  // 0.6 to 5 seconds, even in ratios; the slider's right end is fast.
  const seconds = () => 5 * (0.6 / 5) ** (pace.value / 100);
  const plot = () => lab.parts?.plot, graph = () => lab.parts?.graph;
  const settings = () => lab.lane().settings;

  // ---- From phase to phase ------------------------------------------------------------------------------------------------

  /** What comes after the last phase: k_d updates of D, then k_g of G. */
  function upcoming() {
    const { k_d, k_g } = settings();
    const turns = [...Array(k_d).fill("d"), ...Array(k_g).fill("g")];
    const last = phases.at(-1);
    const next = last && last.turn + 1 < turns.length && turns[last.turn] === last.what ? last.turn + 1 : 0;
    const what = turns[next] ?? "d";
    return { what, turn: next, ends: next === turns.length - 1, number: what === "d" ? next + 1 : next + 1 - k_d, of: what === "d" ? k_d : k_g };
  }

  /** The server makes the update; its "before" is what is shown until step 5. */
  function makePhase() {
    const visit = session;
    return (busy ??= (async () => {
      panel.dataset.busy = "true";
      try {
        if (lab.desk.playing) await lab.do("pause");
        const before = phases.at(-1)?.after ?? (await framesNow());
        if (visit !== session || !before) return false;
        hold(before);
        const phase = { ...upcoming(), before };
        const desk = await lab.do("step", { what: phase.what, round: phase.ends });
        if (!desk || visit !== session) return false;
        phase.after = await framesNow();
        if (!phase.after || visit !== session) return false;
        phases.push(phase);
        if (phases.length > SLOW_KEPT) phases.shift(), at--;
        return true;
      } catch (error) {
        window.explorer.toast(error.message);
        return false;
      } finally {
        busy = null;
        panel.dataset.busy = "false";
      }
    })());
  }

  async function framesNow() {
    const frames = {};
    for (const { lane } of lab.desk.lanes) {
      const messages = await lab.messages("frame", { lane });
      for (const message of messages) for (const frame of message.frames) if (frame.lane === lane) frames[lane] = frame;
    }
    return Object.keys(frames).length ? frames : null;
  }

  function hold(frames) {
    if (mine === frames) return;
    mine = frames;
    lab.hold(frames);
  }

  async function next() {
    clearTimeout(timer);
    const visit = session;
    if (!phases.length || step === 5) {
      if (at + 1 >= phases.length) {
        if (!(await makePhase()) || visit !== session) return running && visit === session && pause();
        at = phases.length - 1;
      } else {
        at++;
      }
      step = 1;
    } else {
      step++;
    }
    show();
    wait();
  }

  function back() {
    clearTimeout(timer);
    if (step > 1) step--;
    else if (at > 0) (at--, (step = 5));
    else return;
    show();
    wait();
  }

  function jump(what, number) {
    const phase = phases[at];
    if (!phase) return;
    if (phase.what !== what) {
      // To the next phase of that kind if it has been, else to the last one.
      let to = phases.findIndex((one, i) => i > at && one.what === what);
      if (to < 0) to = phases.findLastIndex((one, i) => i < at && one.what === what);
      if (to < 0) return;
      at = to;
    }
    step = number;
    show();
    wait();
  }

  function wait() {
    clearTimeout(timer);
    if (running) timer = setTimeout(next, 1000 * seconds());
  }

  function pause() {
    running = false;
    clearTimeout(timer);
    tellBar();
  }
  function go() {
    running = true;
    tellBar();
    if (step === 0) next();
    else wait();
  }

  // ---- Showing a step ---------------------------------------------------------------------------------------------------------

  function show() {
    const phase = phases[at];
    if (!phase) return;
    const name = phase.what + step;
    const [parts, edges, layers] = SLOW_VIEW[name];
    if (step === 5) plot()?.glideNext(fieldStill.matches ? 0 : Math.min(900, 400 * seconds()));
    hold(step === 5 ? phase.after : phase.before);
    graph()?.emphasise(parts, edges);
    plot()?.emphasise(layers);
    if (step === 1) graph()?.play();
    for (const group of panel.querySelectorAll(".gslow-phase")) {
      const here = group.dataset.what === phase.what;
      group.toggleAttribute("data-here", here);
      group.querySelector("p span").textContent = here && phase.of > 1 ? `update ${phase.number} of ${phase.of}` : "";
      for (const chip of group.querySelectorAll("button")) {
        if (here && +chip.dataset.step === step) chip.setAttribute("aria-current", "step");
        else chip.removeAttribute("aria-current");
        chip.toggleAttribute("data-past", here && +chip.dataset.step < step);
      }
    }
    find(".gslow-say").innerHTML = `<b>${step}. ${SLOW_STEPS[phase.what][step - 1]}.</b> ` + caption(phase);
    Object.assign(panel.dataset, { step: String(step), what: phase.what, number: String(phase.number), phases: String(phases.length) });
    find('[data-go="back"]').disabled = at === 0 && step === 1;
  }

  const number = (v) => `<b class="n">${fieldText(v)}</b>`;
  const share = (v) => `<b class="n">${Number.isFinite(v) ? Math.round(100 * v) + " %" : "–"}</b>`;

  /** In words, with the numbers of this update; losses before and after are on the points that are shown. */
  function caption(phase) {
    const s = settings();
    const lane = lab.selected in phase.before ? lab.selected : +Object.keys(phase.before)[0];
    const before = phase.before[lane], after = phase.after[lane] ?? before;
    const formula = `<span class="formula">${GRAPH_LOSSES[s.loss][phase.what.toUpperCase()][0]}</span>`;
    const batch = `<b class="n">${s.batch}</b>`;
    const noise = s.noise.endsWith("1") ? 1 : 2;
    const sizes = (who, first, last) => [first, ...Array(s[who + "_layers"]).fill(s[who + "_width"]), last];
    const critic = s.loss.startsWith("wgan");
    const shown = (who) => `on the points shown, its loss goes from ${number(shownLoss(before, s, who))} to ${number(shownLoss(after, s, who))}`;
    const optimizer = { sgd: "SGD", momentum: "SGD with momentum", adam: "Adam", rmsprop: "RMSprop" };
    const texts = {
      d1: () => `G turns ${batch} fresh draws of noise into points. While D learns, G stays as it is.`,
      d2: () => `D sees ${batch} real points and the ${batch} fakes, and ${critic ? "scores" : "judges"} each: rightly ${share(after.real_acc)} of the real ones and ${share(after.fake_acc)} of the fakes.`,
      d3: () => `The verdicts give one number, ${formula} = ${number(after.d_loss)}. The better D tells them apart, the lower.`,
      d4: () => `Back through D: how the loss changes with each of its <b class="n">${weightCount(sizes("d", 2, 1))}</b> weights. All together a gradient of length ${number(after.d_norm)}${after.penalty > 0 ? ", with a penalty of " + number(after.penalty) + " in it" : ""}.`,
      d5: () => `${optimizer[s.d_opt]} moves the weights against it, learning rate ${number(s.d_lr)}. D’s map changes, the points stay; ${shown("d")}.`,
      g1: () => `Again ${batch} fresh draws of noise become points. Now D stays as it is, and G learns.`,
      g2: () => `D judges the fakes alone: G never sees a real point. Of the fakes shown D takes ${share(1 - shownRight(before, s.loss).fake)} for real.`,
      g3: () => `G wants them taken for real: ${formula} = ${number(after.g_loss)}. The better they pass, the lower.`,
      g4: () => `The loss goes back through D, which does not change, to each fake: the arrows, of mean length ${number(before.arrow_length)}. From there into G’s <b class="n">${weightCount(sizes("g", noise, 2))}</b> weights: a gradient of length ${number(after.g_norm)}.`,
      g5: () => `${optimizer[s.g_opt]} moves G’s weights, learning rate ${number(s.g_lr)}, and the fakes follow; ${shown("g")}.`,
    };
    return texts[phase.what + step]();
  }

  function tellBar() {
    toggleButton.textContent = running ? "Pause" : "Go on";
    toggleButton.setAttribute("aria-pressed", String(running));
    toggleButton.title = (running ? "Pause" : "Go on") + " (Space)";
    panel.dataset.running = String(running);
  }

  function tellPace() {
    find("output").textContent = seconds().toFixed(1) + " s a step";
    pace.setAttribute("aria-valuetext", seconds().toFixed(1) + " seconds a step");
    pace.style.setProperty("--at", pace.value + "%");
  }

  // ---- Coming and going -----------------------------------------------------------------------------------------------------------

  function forget() {
    session++;
    phases = [];
    at = step = 0;
    busy = null;
    mine = null;
    clearTimeout(timer);
  }

  function enter() {
    forget();
    if (!panel.isConnected) {
      const home = lab.root.querySelector(".ggraph") ?? section;
      home.append(panel);
      section.hidden = home !== section;
    }
    panel.hidden = false;
    find(".gslow-say").textContent = "";
    go();
  }

  function leave() {
    const held = mine;
    forget();
    running = false;
    panel.hidden = true;
    graph()?.emphasise(null);
    plot()?.emphasise(null);
    if (held && lab.held === held) lab.release();
  }

  pace.value = 33;
  tellPace();
  tellBar();
  pace.addEventListener("input", () => (tellPace(), wait()));
  panel.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.go) ({ back: () => (pause(), back()), next: () => (pause(), next()), toggle, leave: () => lab.setSlow(false) })[button.dataset.go]();
    else if (button?.dataset.step) (pause(), jump(button.dataset.what, +button.dataset.step));
  });
  function toggle() {
    if (running) pause();
    else go();
  }

  document.addEventListener("keydown", (event) => {
    if (!lab.slow || panel.offsetParent === null || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches?.("input, select, textarea, canvas, [role=slider], [role=radio], [contenteditable]")) return;
    const way = { ArrowRight: next, ArrowLeft: back }[event.key];
    if (!way) return;
    event.preventDefault();
    pause();
    way();
  });

  lab.on("slow", (on) => (on ? enter() : leave()));
  // A new run, another moment of the history, another button's step: then this is no longer what slow motion speaks of.
  lab.on("restart", () => lab.slow && enter());
  lab.on("hold", (frames) => lab.slow && mine && frames !== mine && lab.setSlow(false));
  lab.on("desk", (desk, before) => lab.slow && desk.playing && !before?.playing && lab.setSlow(false));
  lab.on("select", () => lab.slow && phases.length && show());

  return { toggle, next: () => (pause(), next()), back: () => (pause(), back()), panel };
}
