// All settings of the menu, in four groups. A control shows what the desk says; what one types goes out after a short rest,
// and what the server refuses goes back, with the server's sentence under the control.

const CONTROL_STOPS = { // where − and + lead; anything between can be typed
  g_lr: [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1], d_lr: [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1],
  batch: [1, 2, 4, 8, 16, 32, 64, 100, 150, 256, 512, 1024], ema: [0, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999],
  smoothing: [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4], clip: [0.01, 0.03, 0.1, 0.3, 1, 3, 10], gp: [0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
  r1: [0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10], instance_noise: [0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5], beta1: [0, 0.5, 0.9, 0.95, 0.99],
};
const CONTROL_MATTERS = { // what a control needs to matter, and what is said where it does not
  smoothing: [(s) => ["non_saturating", "minimax"].includes(s.loss), "It matters with the two log losses only."],
  clip: [(s) => s.loss === "wgan", "It matters with “WGAN, clipped weights” only."],
  gp: [(s) => s.loss === "wgan_gp", "It matters with WGAN-GP only."],
  beta1: [(s) => s.g_opt === "adam" || s.d_opt === "adam", "It matters where an optimizer is Adam."],
  g_width: [(s) => s.g_layers > 0, "There are no hidden layers."], d_width: [(s) => s.d_layers > 0, "There are no hidden layers."],
  g_act: [(s) => s.g_layers > 0, "There are no hidden layers."], d_act: [(s) => s.d_layers > 0, "There are no hidden layers."],
};
const CONTROL_ELSEWHERE = new Set(["data", "points", "seed", "loss"]); // these stand in the bar
const CONTROL_SHORT = { // beside a narrow column of controls; the whole label is in the tip
  g_layers: "Hidden layers", d_layers: "Hidden layers", g_width: "Neurons", d_width: "Neurons", k_g: "Updates", k_d: "Updates",
  ema: "EMA", smoothing: "Smoothing", clip: "Weight clip", gp: "Penalty (GP)", beta1: "Adam’s β₁", noise: "Noise z",
};
const CONTROL_CHOICES = { // shorter than the menu's own words, for narrow selects
  noise: { gaussian2: "2-D Gaussian", uniform2: "2-D uniform", gaussian1: "1-D Gaussian", uniform1: "1-D uniform" },
  g_out: { linear: "linear", tanh: "tanh" }, optimizer: { sgd: "SGD", momentum: "Momentum 0.9", adam: "Adam", rmsprop: "RMSprop" },
  act: { relu: "ReLU", leaky_relu: "Leaky ReLU", tanh: "tanh", silu: "SiLU" },
};
const CONTROL_REST = 650; // ms after the last key before a number that is being typed goes out

function makeControls(section, lab) {
  const { menu } = lab.start;
  const fields = menu.fields.filter((field) => !CONTROL_ELSEWHERE.has(field.name));
  const rows = {};
  let scope = null; // which lane a change is for; null is all

  // ---- The panel -----------------------------------------------------------------------------------------------------

  const forWhom = piece("span", { class: "seg scope", role: "radiogroup", "aria-label": "Changes are for", hidden: true });
  const tip = piece("p", { class: "ctl-tip", role: "tooltip", hidden: true });
  const readout = { g: piece("p", { class: "ctl-net" }), d: piece("p", { class: "ctl-net" }) };
  const groups = Object.entries(menu.groups).map(([group, title]) =>
    piece("div", { class: "ctl-group", "data-group": group, role: "group", "aria-label": title },
      piece("h3", {}, title), readout[group], ...fields.filter((field) => field.group === group).map(row)));
  const hide = piece("button", { type: "button", class: "ctl-link", "data-do": "hide", onclick: () => hideAll(true) }, "Hide all controls for a lesson");
  const plain = piece("button", { type: "button", class: "ctl-link", "data-do": "defaults", onclick: resetAll }, "Reset all settings");
  section.append(
    piece("div", { class: "ctl-head" }, piece("h2", {}, "Settings"), forWhom,
      piece("p", { class: "ctl-key" }, piece("span", { class: "ctl-mark live" }, "live"), piece("span", { class: "ctl-mark again" }, "restarts the run"))),
    piece("div", { class: "ctl-groups" }, ...groups), piece("p", { class: "ctl-foot" }, plain, hide), tip);

  // ---- One control -----------------------------------------------------------------------------------------------------

  function row(field) {
    const id = "ctl-" + field.name;
    const short = CONTROL_SHORT[field.name] ?? field.label;
    const made = field.kind === "choice" ? choice(field) : field.kind === "switch" ? onOff(field) : stepper(field);
    made.focusable.id = id;
    made.focusable.setAttribute("aria-describedby", id + "-help");
    const again = piece("button", { type: "button", class: "ctl-back", onclick: () => {
      const value = base()[field.name];
      made.put(value);
      write(field, value);
    } },
      drawing('<path d="M5 5.500A6.500 6.500 0 1 1 3.600 10.500M4.700 2.500v3.300h3.300"/>'));
    const helpText = field.help + (field.live ? " Live: the run goes on with it." : " A change restarts the run.");
    const help = piece("span", { class: "unseen", id: id + "-help" }, helpText);
    const wrong = piece("p", { class: "ctl-wrong", role: "alert", hidden: true });
    const label = piece("label", { for: id, class: "ctl-label" }, short);
    const node = piece("div", { class: "ctl", "data-name": field.name, "data-kind": field.kind, "data-live": String(field.live) },
      label, again, made.node, help, wrong);
    let wait = 0;
    node.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && (wait = setTimeout(() => tell(field.name), 350)));
    node.addEventListener("pointerdown", () => (clearTimeout(wait), untell()));
    node.addEventListener("pointerleave", () => (clearTimeout(wait), untell()));
    node.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && tell(field.name));
    node.addEventListener("focusout", untell);
    label.addEventListener("click", () => tell(field.name));
    rows[field.name] = { ...made, field, node, help, helpText, wrong, again };
    return node;
  }

  function choice(field) {
    const words = CONTROL_CHOICES[field.name] ?? (/_opt$/.test(field.name) ? CONTROL_CHOICES.optimizer : /_act$/.test(field.name) ? CONTROL_CHOICES.act : {});
    const node = piece("select", { onchange: () => write(field, node.value) },
      ...Object.entries(field.choices).map(([value, text]) => piece("option", { value, title: text }, words[value] ?? text)));
    return { node, focusable: node, put: (value) => (node.value = value), enable: (on) => (node.disabled = !on) };
  }

  function onOff(field) {
    const node = piece("button", { type: "button", role: "switch", class: "ctl-switch", "aria-checked": "false", onclick: () => {
      const on = node.getAttribute("aria-checked") !== "true";
      put(on);
      write(field, on);
    } }, piece("i"), piece("span"));
    const put = (on) => (node.setAttribute("aria-checked", String(on)), (node.lastChild.textContent = on ? "on" : "off"));
    return { node, focusable: node, put, enable: (on) => (node.disabled = !on) };
  }

  function stepper(field) {
    const input = piece("input", {
      type: "text", inputmode: field.whole ? "numeric" : "decimal", autocomplete: "off", spellcheck: "false", maxlength: 12, role: "spinbutton",
      "aria-valuemin": field.low, "aria-valuemax": field.high,
      oninput: () => {
        const value = read();
        if (Number.isFinite(value)) write(field, value, CONTROL_REST);
      },
      onchange: () => commit(),
      onkeydown: (event) => {
        if (event.key === "ArrowUp" || event.key === "ArrowDown") (event.preventDefault(), go(event.key === "ArrowUp" ? 1 : -1));
        if (event.key === "Enter") input.blur(); // which sends it; then Space plays
        if (event.key === "Escape") (put(current(field)), (input.dataset.sent = input.value));
      },
    });
    const read = () => (input.value.trim() === "" ? NaN : Number(input.value.trim().replace(",", ".")));
    const put = (value) => {
      input.value = input.dataset.sent = plainNumber(value);
      input.setAttribute("aria-valuenow", value);
    };
    const commit = () => {
      if (input.value === input.dataset.sent) return;
      write(field, Number.isFinite(read()) ? read() : input.value.trim() || "nothing", 0);
    };
    const go = (way) => {
      const from = Number.isFinite(read()) ? read() : current(field);
      const value = nextStop(field, from, way);
      if (value === from) return;
      put(value);
      write(field, value, 250);
    };
    const less = nudge("−", field.label + ": less", () => go(-1));
    const more = nudge("+", field.label + ": more", () => go(1));
    const node = piece("span", { class: "ctl-step" }, less, input, more);
    return { node, focusable: input, put, enable: (on) => [less, input, more].forEach((one) => (one.disabled = !on)), busy: () => document.activeElement === input && input.value !== input.dataset.sent };
  }

  /** A button that goes on while it is held. A finger may only want to scroll: it counts when it is lifted, or stays. */
  function nudge(sign, name, run) {
    let timer = 0;
    let done = false; // this press has counted already
    const stop = () => clearTimeout(timer);
    const again = (wait) => (timer = setTimeout(() => ((done = true), run(), again(90)), wait));
    return piece("button", {
      type: "button", tabindex: "-1", "aria-label": name,
      onpointerdown: (event) => {
        if (event.button !== 0) return;
        done = event.pointerType === "mouse";
        if (done) run();
        stop();
        again(450);
      },
      onpointerup: stop, onpointerleave: stop, onpointercancel: stop,
      onclick: (event) => (event.detail === 0 || !done) && run(),
      oncontextmenu: (event) => event.preventDefault(),
    }, sign);
  }

  function nextStop(field, from, way) {
    const stops = CONTROL_STOPS[field.name];
    if (!stops) return Math.max(field.low, Math.min(field.high, Math.round(from) + way));
    const near = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));
    const next = way > 0 ? stops.find((stop) => stop > from && !near(stop, from)) : stops.findLast((stop) => stop < from && !near(stop, from));
    return next ?? from;
  }

  const plainNumber = (value) => (Math.abs(value) >= 1e-6 || value === 0 ? String(+(+value).toPrecision(7)) : (+value).toExponential());

  // ---- Changes out, answers in -------------------------------------------------------------------------------------------

  const current = (field) => lab.lane(scope ?? lab.selected).settings[field.name];

  async function write(field, value, wait = 0) {
    const one = rows[field.name];
    one.wrong.hidden = true;
    lab.release();
    one.focusable.removeAttribute("aria-invalid");
    const refused = await lab.setSoon({ [field.name]: value }, scope, wait);
    if (!refused) return;
    tellText(one.wrong, refused.message);
    one.wrong.hidden = false;
    one.put(current(field));
    one.focusable.setAttribute("aria-invalid", "true");
    clearTimeout(one.forgive);
    one.forgive = setTimeout(() => (one.wrong.hidden = true), 10000);
  }

  /** What the settings are marked against, and go back to. */
  const base = () => lab.recipe(lab.lane(scope ?? lab.selected).settings);

  function resetAll() {
    lab.release();
    lab.set(Object.fromEntries(fields.map((field) => [field.name, base()[field.name]])), scope);
  }

  function show() {
    const { lanes } = lab.desk;
    if (scope !== null && !lanes.some((one) => one.lane === scope)) scope = null;
    const { settings } = lab.lane(scope ?? lab.selected);
    const from = base();
    for (const { field, node, put, enable, busy, help, helpText, again } of Object.values(rows)) {
      const value = settings[field.name];
      if (!busy?.()) put(value);
      const [matters, why] = CONTROL_MATTERS[field.name] ?? [() => true, ""];
      const on = matters(settings);
      enable(on);
      node.toggleAttribute("data-off", !on);
      const back = "Back to " + settingValue(field, from[field.name]);
      if (again.title !== back) (again.title = back), again.setAttribute("aria-label", field.label + ": back to " + settingValue(field, from[field.name]));
      node.toggleAttribute("data-changed", value !== from[field.name]);
      node.toggleAttribute("data-differs", lanes.some((one) => one.settings[field.name] !== value));
      tellText(help, on ? helpText : helpText + " " + why);
    }
    plain.disabled = !section.querySelector("[data-changed]");
    tellText(readout.g, netText([+settings.noise.at(-1), ...Array(settings.g_layers).fill(settings.g_width), 2]));
    tellText(readout.d, netText([2, ...Array(settings.d_layers).fill(settings.d_width), 1]));
    showScope();
  }

  function netText(sizes) {
    const count = sizes.slice(1).reduce((sum, n, i) => sum + (sizes[i] + 1) * n, 0);
    return sizes.join(" → ") + " · " + pluralText(count, "number");
  }

  function showScope() {
    const { lanes } = lab.desk;
    forWhom.hidden = lanes.length < 2;
    if (lanes.length < 2) return void (scope = null);
    const choices = [[null, "all"], ...lanes.map((one) => [one.lane, one.name])];
    forWhom.replaceChildren(...choices.map(([value, words]) =>
      piece("button", { type: "button", class: "button", role: "radio", "aria-checked": String(scope === value), title: value === null ? "Changes are for all runs" : "Changes are for run " + words + " alone",
        onclick: () => ((scope = value), value !== null && lab.select(value), show()) }, words)));
  }

  // ---- What a control does, in words ----------------------------------------------------------------------------------------

  function tell(name) {
    const { node, help, field } = rows[name];
    tip.textContent = "";
    tip.append(piece("b", {}, field.label), " " + help.textContent);
    tip.hidden = false;
    const [box, at] = [section.getBoundingClientRect(), node.getBoundingClientRect()];
    const right = box.right + tip.offsetWidth + 16 < document.documentElement.clientWidth;
    tip.style.left = (right ? box.width + 4 : Math.max(0, Math.min(box.width - tip.offsetWidth, at.left - box.left))) + "px";
    tip.style.top = (right ? at.top - box.top : at.bottom - box.top + 2) + "px";
  }
  function untell() {
    tip.hidden = true;
  }

  // ---- Open and closed, and hidden for a lesson ------------------------------------------------------------------------------

  const remember = (open) => {
    try { localStorage.setItem("explorer-gan-settings", String(open)); } catch { /* a private window forgets it */ }
  };
  const remembered = () => {
    try { return localStorage.getItem("explorer-gan-settings"); } catch { return null; }
  };

  function open(on, keep = true) {
    lab.facts({ settings: String(on) });
    section.hidden = !on;
    for (const button of lab.root.querySelectorAll('.bar [data-do="settings"]')) button.setAttribute("aria-expanded", String(on));
    if (keep) remember(on);
    lab.emit("layout");
  }

  function hideAll(on) {
    lab.facts({ hidden: String(on) });
    open(!on && (remembered() ?? "true") === "true", false);
    window.explorer.set({ hide: on ? "1" : null });
    if (on) lab.say("The controls are hidden, and stay so in a copied link. “Settings” brings them back.");
  }

  function toggle() {
    if (lab.root.dataset.hidden === "true") return hideAll(false), open(true);
    open(section.hidden);
    if (!section.hidden && lab.root.clientWidth < 700) section.scrollIntoView({ block: "nearest" });
  }

  const roomy = () => lab.root.clientWidth >= 80 * parseFloat(getComputedStyle(document.documentElement).fontSize);
  open((remembered() ?? String(roomy())) === "true" && (roomy() || lab.root.clientWidth > 700), false);
  if (window.explorer.get("hide") === "1") hideAll(true);

  lab.on("desk", show);
  lab.on("select", show);
  return { toggle, open, show, rows };
}
