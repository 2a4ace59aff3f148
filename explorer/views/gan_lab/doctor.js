// What the server's doctor says of each run, with the remedy as a button; and how the fakes share out over the modes.

const DOCTOR_SIGNS = {
  good: ["Well", '<circle cx="10" cy="10" r="8.25"/><path d="m6.5 10.3 2.4 2.4 4.7-5"/>'],
  note: ["Note", '<circle cx="10" cy="10" r="8.25"/><path d="M10 9v5M10 6.2v.2"/>'],
  warn: ["Warning", '<path d="M10 2.5 18.3 17H1.7z"/><path d="M10 8v4.2M10 14.6v.2"/>'],
  error: ["Error", '<path d="M6.6 1.8h6.8l4.8 4.8v6.8l-4.8 4.8H6.6l-4.8-4.8V6.6z"/><path d="m7 7 6 6M13 7l-6 6"/>'],
};
const DOCTOR_RANK = ["error", "warn", "note", "good"];

function makeDoctor(section, lab) {
  const list = piece("ul", { class: "doctor-list" });
  const calm = piece("p", { class: "doctor-calm" });
  const shares = piece("div", { class: "doctor-shares", hidden: true });
  const watch = piece("input", { type: "checkbox" });
  section.append(
    piece("header", { class: "part-head" }, piece("h3", {}, "The doctor"),
      piece("label", { class: "doctor-watch", title: "Training pauses as soon as there is a new warning" }, watch,
        "pause at a warning")),
    calm, list, shares);

  let notes = {};
  let share = {};
  let known = null; // troubles that were there before

  function take(told) {
    if (told.notes) notes = told.notes;
    if (told.shares) share = told.shares;
    draw();
  }

  function draw() {
    const lanes = lab.desk?.lanes.map((one) => one.lane) ?? [];
    const many = lanes.length > 1;
    const rows = lanes.flatMap((lane) => (notes[lane] ?? []).map((finding) => ({ ...finding, lane })));
    rows.sort((a, b) => DOCTOR_RANK.indexOf(a.level) - DOCTOR_RANK.indexOf(b.level) || a.lane - b.lane);
    const shape = JSON.stringify([rows, many]);
    if (list.dataset.shape !== shape) {
      list.dataset.shape = shape;
      keep(rows.map((row) => item(row, many)));
    }
    const worst = rows[0]?.level ?? "";
    tellText(calm, rows.length ? "" : !lab.desk?.lanes.some((one) => lab.live[one.lane]?.step > 0)
      ? "Nothing has been trained yet, so there is nothing to examine."
      : "Nothing to report so far.");
    calm.hidden = Boolean(rows.length);
    Object.assign(section.dataset, { level: worst, findings: rows.length, ids: rows.map((row) => row.id).join(" ") });

    const troubles = rows.filter((row) => row.level === "error" || row.level === "warn");
    const fresh = known ? troubles.filter((row) => !known.has(row.lane + row.id)) : [];
    known = new Set(troubles.map((row) => row.lane + row.id));
    const worded = (row) => (many ? "Run " + letterOf(row.lane) + ": " : "") + row.sentence;
    const pauses = watch.checked && fresh.length && lab.desk?.playing;
    if (pauses) lab.do("pause").then(() => lab.say("Paused: " + worded(fresh[0])));
    const loud = fresh.find((row) => pauses || row.level === "error");
    if (loud) window.explorer.announce((pauses ? "Paused. " : "") + worded(loud));
    drawShares();
  }

  /** New rows take the place of old ones of the same finding, and the one that has the focus keeps it. */
  function keep(items) {
    const focused = document.activeElement?.closest?.(".doctor-item")?.dataset.key;
    list.replaceChildren(...items);
    if (focused) items.find((one) => one.dataset.key === focused)?.querySelector("button")?.focus({ preventScroll: true });
  }

  function item(row, many) {
    const [word, sign] = DOCTOR_SIGNS[row.level] ?? DOCTOR_SIGNS.note;
    const button = row.remedy && piece("button", {
      type: "button", class: "button small", title: row.live === false
        ? "This starts again from round 0; undo brings the run back." : null,
      onclick: async (event) => {
        event.currentTarget.disabled = true;
        const desk = await lab.do("remedy", { lane: row.lane, id: row.id });
        if (desk) window.explorer.announce("Done: " + row.remedy);
        else if (button.isConnected) button.disabled = false;
      },
    }, row.remedy);
    return piece("li", { class: "doctor-item", "data-level": row.level, "data-finding": row.id, "data-key": row.lane + row.id },
      drawing(sign, "0 0 20 20", "doctor-sign"),
      piece("p", {}, piece("span", { class: "unseen" }, word + ": "), many
        && piece("b", { class: "doctor-lane" }, letterOf(row.lane)), row.sentence),
      button);
  }

  /** A bar for each mode: the share of all fakes that lies at it. The modes are numbered as on the plot. */
  function drawShares() {
    const lane = lab.selected;
    const all = share[lane] ?? [];
    shares.hidden = all.length < 2;
    if (shares.hidden) return;
    const shape = all.length + "|" + lane;
    if (shares.dataset.shape !== shape) {
      shares.dataset.shape = shape;
      shares.replaceChildren(
        piece("p", { class: "doctor-where" }, "Where the fakes are, by mode"),
        piece("div", { class: "doctor-bars", role: "img" },
          all.map((_, i) => piece("span", { class: "doctor-bar" }, piece("i"),
            piece("small", {}, all.length <= 12 ? String(i + 1) : "")))),
        piece("p", { class: "doctor-rest" }));
    }
    const most = Math.max(...all, 1 / all.length);
    shares.querySelectorAll(".doctor-bar").forEach((bar, i) => {
      bar.firstChild.style.height = (100 * all[i]) / most + "%";
      bar.toggleAttribute("data-lost", all[i] < 0.05 / all.length);
      bar.title = "Mode " + (i + 1) + ": " + percentText(all[i]) + " of the fakes";
    });
    const rest = Math.max(0, 1 - all.reduce((a, b) => a + b, 0));
    tellText(shares.lastChild, percentText(rest) + " of the fakes are at no mode.");
    shares.children[1].setAttribute("aria-label", "Share of the fakes at each mode: " +
      all.map((s, i) => i + 1 + ": " + percentText(s)).join(", "));
  }

  lab.on("notes", take);
  for (const name of ["desk", "select"]) lab.on(name, draw);
  lab.on("restart", () => ((notes = lab.desk ? notes : {}), draw()));
  draw();
}
