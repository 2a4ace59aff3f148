// Up to four runs side by side from the same seed: adding one that differs in a setting, sets of runs, and who is ahead.

const COMPARE_COLUMNS = [
  { name: "sw", title: "Sliced Wasserstein", hint: "distance to the data, smaller is better", text: (v) => numberText(v),
    better: -1 },
  { name: "kl", title: "KL, bits", hint: "smaller is better", text: (v) => numberText(v), better: -1 },
  { name: "modes", title: "Modes", hint: "modes covered, more is better",
    text: (v, frame) => (frame.modes_total ? frame.modes_covered + " of " + frame.modes_total : "–"), better: 1 },
  { name: "high_quality", title: "High quality", hint: "share of fakes near the data, more is better",
    text: (v) => percentText(v), better: 1 },
];

/** A setting and a value for it. changes() is {setting: value}, or null after it has said what is wrong. */
function settingPicker(lab, accepts, first) {
  const groups = lab.start.menu.groups;
  const fields = lab.start.menu.fields.filter((field) => field.kind !== "points" && accepts(field));
  const choice = piece("select", { "aria-label": "Setting" }, Object.entries(groups).map(([group, title]) => {
    const options = fields.filter((field) => field.group === group).map((field) => piece("option",
      { value: field.name, selected: field.name === first }, field.label));
    return options.length && piece("optgroup", { label: title }, options);
  }));
  const holder = piece("span", { class: "picker-value" });
  const node = piece("span", { class: "picker" }, choice, piece("span", { "aria-hidden": "true" }, "="), holder);
  let control = null;
  const field = () => fields.find((each) => each.name === choice.value);

  function furnish() {
    const { name, kind, choices, low, high, whole, label } = field();
    const now = lab.desk?.lanes[0].settings[name];
    if (kind === "data" || choices) {
      const all = choices ? Object.entries(choices) : lab.start.toys.map((toy) => [toy.name, toy.label]);
      control = piece("select", { "aria-label": label }, all.map(([value, title]) => piece("option", { value }, title)));
      control.value = (all.find(([value]) => value !== now) ?? all[0])[0];
    } else if (kind === "switch") {
      control = piece("select", { "aria-label": label }, piece("option", { value: "1" }, "on"),
        piece("option", { value: "" }, "off"));
      control.value = now ? "" : "1";
    } else {
      const suggested = whole ? Math.min(high, (now ?? 1) + 1) : now ? Math.min(high, Number((now * 3).toPrecision(2)))
        : Math.min(high, Math.max(low, 0.1));
      control = piece("input", { type: "text", class: "picker-number", inputmode: whole ? "numeric" : "decimal",
        value: String(suggested), size: 8, "aria-label": label, title: low + " to " + high, autocomplete: "off" });
    }
    holder.replaceChildren(control);
  }

  function changes() {
    const { name, kind, low, high, whole, label } = field();
    if (kind === "switch") return { [name]: Boolean(control.value) };
    if (control.matches("select")) return { [name]: control.value };
    const value = Number(control.value.replace(",", "."));
    const fits = control.value.trim() !== "" && Number.isFinite(value) && value >= low && value <= high
      && (!whole || Number.isInteger(value));
    control.setAttribute("aria-invalid", String(!fits));
    if (fits) return { [name]: value };
    window.explorer.toast(label + " takes a " + (whole ? "whole number" : "number") + " from " + low + " to " + high + ".");
    control.focus();
    return null;
  }

  choice.addEventListener("change", furnish);
  lab.on("desk", (desk, before) => {
    const changed = desk?.lanes[0].settings[choice.value] !== before?.lanes[0].settings[choice.value];
    if (changed && !node.contains(document.activeElement)) furnish();
  });
  furnish();
  return { node, changes };
}

function makeCompare(section, lab) {
  const most = lab.start.most_lanes ?? 4;
  const picker = settingPicker(lab, () => true, "loss");
  const add = piece("button", { type: "button", class: "button strong", onclick: addRun }, "Add this run");
  const note = piece("p", { class: "part-empty" });
  const table = piece("div", { class: "compare-table", role: "table", "aria-label": "The runs and how good their fakes are" });
  const losses = makeLosses();
  const sets = piece("div", { class: "compare-sets", role: "group", "aria-label": "Ready-made comparisons" },
    piece("span", { class: "compare-word" }, "Or a set:"),
    piece("button", { type: "button", class: "button small", onclick: () => openSet(scaled([0.3, 1, 3])) },
      "Learning rates × 0.3, 1, 3"),
    piece("button", { type: "button", class: "button small", onclick: () => openSet([1, 2, 5].map((k_d) => ({ k_d }))) },
      "1, 2, 5 updates of D"),
    piece("button", { type: "button", class: "button small",
      onclick: () => openSet([0, 1, 2, 3].map((i) => ({ seed: (base().seed + i) % 1000000 }))) }, "Four seeds"),
    losses.node);
  section.append(
    piece("header", { class: "part-head" }, piece("h3", {}, "Runs side by side")),
    piece("p", { class: "part-lead" }, "Up to " + most +
      " runs from the same seed: the same weights, noise and data at the start, so that only the setting makes the difference."),
    piece("form", { class: "compare-add", onsubmit: (event) => (event.preventDefault(), addRun()) },
      piece("span", {}, "A run with"), picker.node, add),
    sets, note, table);

  const base = () => lab.desk.lanes[0].settings;
  const apart = () => lab.desk.lanes[0].changes;

  async function addRun() {
    const changes = picker.changes();
    if (!changes) return;
    if (Object.entries(changes).every(([name, value]) => base()[name] === value)) {
      return window.explorer.toast("That is what run A has; choose another value.", "note");
    }
    const desk = await lab.do("add", { changes });
    if (desk) window.explorer.announce("Run " + letterOf(desk.lanes.length - 1) + " is added; all runs start again.");
  }

  async function openSet(sets) {
    const lanes = sets.map((changes) => ({ settings: { ...apart(), ...changes }, trained: false }));
    if (!(await lab.do("open", { lanes }))) return;
    await lab.do("play");
  }

  const scaled = (factors) => factors.map((factor) => ({
    g_lr: Number((base().g_lr * factor).toPrecision(3)), d_lr: Number((base().d_lr * factor).toPrecision(3)),
  }));

  /** Which of the six losses: up to four at once. */
  function makeLosses() {
    const field = lab.start.menu.fields.find((each) => each.name === "loss");
    const chosen = ["minimax", "non_saturating", "least_squares", "wgan_gp"];
    const boxes = Object.entries(field?.choices ?? {}).map(([name, title]) => {
      const box = piece("input", { type: "checkbox", value: name, checked: chosen.includes(name), onchange: () => limit() });
      return { box, node: piece("label", {}, box, title) };
    });
    const go = piece("button", { type: "button", class: "button small strong", onclick: () => run() }, "Start them");
    const node = floating(piece("details", { class: "compare-losses" }, piece("summary", { class: "button small" }, "Losses …"),
      piece("div", { class: "compare-panel" }, piece("p", {}, "Up to " + most + " of six:"),
        boxes.map((each) => each.node), go)));
    const picked = () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
    function limit() {
      for (const { box } of boxes) box.disabled = !box.checked && picked().length >= most;
      go.disabled = !picked().length;
    }
    async function run() {
      node.open = false;
      await openSet(picked().map((loss) => ({ loss })));
    }
    limit();
    return { node };
  }

  // ---- The table -----------------------------------------------------------------------------------------------------------

  let rows = [];
  function furnish() {
    const { lanes } = lab.desk;
    const shape = JSON.stringify(lanes.map((one) => [one.lane, one.changes]));
    if (table.dataset.shape === shape) return;
    table.dataset.shape = shape;
    const menu = lab.start.menu;
    const first = lanes[0].settings;
    rows = lanes.map((one) => {
      const differs = Object.fromEntries(Object.entries(one.settings).filter(([name, value]) => value !== first[name]));
      const words = settingWords(menu, differs);
      const radio = piece("input", { type: "radio", name: "compare-lane", value: one.lane, "aria-label": "Look at run " +
        letterOf(one.lane), onchange: () => lab.select(one.lane) });
      const sample = drawing('<path d="M0 4h26" stroke="' + lab.colour(LANE_COLOURS[one.lane]) + '" stroke-width="2.5"' +
        (LANE_DASHES[one.lane].length ? ' stroke-dasharray="' + LANE_DASHES[one.lane].join(" ") + '"' : "") + "/>", "0 0 26 8",
          "curve-sample");
      const step = piece("span", { class: "compare-number", role: "cell", "data-title": "Rounds" });
      const cells = COMPARE_COLUMNS.map((column) => piece("span",
        { class: "compare-number", role: "cell", "data-title": column.title }));
      const what = !one.lane ? "what the others are compared with" : words.length ? words.join(", ") : "the same settings";
      const remove = piece("button", { type: "button", class: "button small", "aria-label": "Remove run " + letterOf(one.lane),
        onclick: () => lab.do("remove", { lane: one.lane }) }, "Remove");
      const node = piece("div", { class: "compare-row", role: "row", "data-lane": one.lane },
        piece("label", { class: "compare-run", role: "cell" }, radio, piece("b", {}, letterOf(one.lane)), sample),
        piece("span", { class: "compare-what", role: "cell" }, what), step, cells,
        piece("span", { class: "compare-do", role: "cell" }, lanes.length > 1 && remove));
      return { lane: one.lane, node, radio, step, cells };
    });
    table.replaceChildren(
      piece("div", { class: "compare-row compare-head", role: "row" },
        piece("span", { role: "columnheader" }, "Run"), piece("span", { role: "columnheader" }, "Differs by"),
        piece("span", { role: "columnheader" }, "Rounds"),
        COMPARE_COLUMNS.map((column) => piece("span", { role: "columnheader", title: column.hint }, column.title)),
        piece("span", { role: "columnheader" }, piece("span", { class: "unseen" }, "Remove"))),
      ...rows.map((row) => row.node));
  }

  function draw() {
    if (!lab.desk) return;
    furnish();
    const many = lab.desk.lanes.length > 1;
    tellText(note, many ? "" : "There is one run so far. Add another, and both start again at round 0, drawn side by side " +
      "above.");
    note.hidden = many;
    table.hidden = !many;
    add.disabled = lab.desk.lanes.length >= most;
    add.title = add.disabled ? "Four runs are as many as fit; remove one first." : "All runs start again at round 0";
    const frames = rows.map(({ lane }) => lab.live[lane] ?? {});
    const valueOf = (frame, name) => (name === "modes" ? (frame.modes_total ? frame.modes_covered : NaN) : frame[name] ?? NaN);
    const best = COMPARE_COLUMNS.map(({ name, better }) => {
      const known = frames.map((frame) => valueOf(frame, name)).filter(Number.isFinite);
      const top = known.length > 1 ? Math.max(...known.map((v) => v * better)) * better : NaN;
      return known.filter((v) => v === top).length === 1 ? top : NaN;
    });
    rows.forEach((row, i) => {
      row.radio.checked = row.lane === lab.selected;
      row.node.toggleAttribute("data-selected", row.lane === lab.selected);
      const { halted } = lab.lane(row.lane) ?? {};
      tellText(row.step, roundsText(frames[i].step ?? 0) + (halted ? ", halted" : ""));
      row.step.title = halted ?? "";
      row.cells.forEach((cell, c) => {
        const value = valueOf(frames[i], COMPARE_COLUMNS[c].name);
        tellText(cell, Number.isFinite(value) ? COMPARE_COLUMNS[c].text(value, frames[i]) : "–");
        cell.toggleAttribute("data-best", value === best[c]);
      });
    });
    section.dataset.runs = lab.desk.lanes.length;
  }

  const drawSoon = drawnWhenSeen(section, draw, 4);
  lab.on("desk", draw);
  lab.on("select", draw);
  lab.on("theme", () => ((table.dataset.shape = ""), draw()));
  lab.on("frame", () => drawSoon());
  draw();
}
