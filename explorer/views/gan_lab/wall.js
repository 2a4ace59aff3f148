// The class: a room with a code, and a wall of everyone's runs, live and small, the best first. Nothing of it is stored.

const WALL_EVERY = 1000; // ms between looks, while somebody looks
const WALL_SETTLE = 3000; // ms between changes of the order, so that one can read it
const WALL_CODE = /^[A-HJ-NP-Z]{4}$/;

function makeWall(section, lab) {
  const code = piece("input", { type: "text", class: "wall-code", maxlength: 4, size: 5, placeholder: "KLMR",
    autocomplete: "off", autocapitalize: "characters", spellcheck: "false", "aria-label": "Code of the room" });
  const name = piece("input", { type: "text", maxlength: 24, size: 14, placeholder: "optional", autocomplete: "off",
    "aria-label": "Your name on the wall, if you like" });
  const join = piece("button", { type: "submit", class: "button strong" }, "Join");
  const create = piece("button", { type: "button", class: "button", onclick: () => enter("") }, "Open a new room");
  const form = piece("form", { class: "wall-form", onsubmit: submit },
    piece("label", {}, "Code ", code), piece("label", {}, "Name ", name), join, create);
  const lead = piece("p", { class: "part-lead" });
  const how = piece("ol", { class: "wall-how" }, [
    "Open a room: it gets four letters.", "Write them on the board, or copy the room’s link.",
    "Set a task, such as the smallest distance on the same data within 5,000 rounds.", "Show the wall on the projector.",
  ].map((step) => piece("li", {}, step)));

  const title = piece("b", { class: "wall-title" });
  const people = piece("span", { class: "wall-people" });
  const inside = piece("div", { class: "wall-inside", hidden: true },
    title, people, piece("span", { class: "wall-gap" }),
    piece("button", { type: "button", class: "button small", onclick: copyLink }, "Copy the room’s link"),
    piece("button", { type: "button", class: "button small", "data-wall": "project", onclick: project }, "Projector"),
    piece("button", { type: "button", class: "button small", "data-wall": "leave", onclick: leave }, "Leave"));
  const rename = piece("form", { class: "wall-rename", hidden: true,
    onsubmit: (event) => (event.preventDefault(), enter(room)) });
  const trouble = piece("p", { class: "wall-trouble", hidden: true });
  const tiles = piece("div", { class: "wall-tiles", role: "list" });
  section.append(piece("header", { class: "part-head" }, piece("h3", {}, "The class")), lead, form, inside, rename, trouble,
    how, tiles);

  let room = null;
  let wanted = (window.explorer.get("room") ?? "").toUpperCase(); // of the link; also what is joined again if the server forgets
  let cards = new Map(); // key -> card
  let order = "";
  let ordered = 0;
  let seen = false;
  let timer = 0;
  let last = null;

  // ---- In and out ------------------------------------------------------------------------------------------------------

  function submit(event) {
    event.preventDefault();
    const asked = code.value.trim().toUpperCase();
    if (!WALL_CODE.test(asked)) {
      complain("A room’s code has four letters, such as KLMR. Whoever opened the room can tell you.");
      return code.focus();
    }
    enter(asked);
  }

  async function enter(asked) {
    complain("");
    const desk = await lab.do("join", { room: asked, name: name.value.trim() });
    if (!desk) return complain(lab.refused?.message ?? "");
    wanted = desk.room?.code ?? "";
    if (wanted) window.explorer.announce("You are in room " + [...wanted].join(" "));
  }

  async function leave() {
    wanted = "";
    if (document.fullscreenElement === section) await document.exitFullscreen().catch(() => {});
    await lab.do("leave");
    show(lab.desk);
    code.focus();
  }

  function complain(sentence) {
    tellText(trouble, sentence);
    trouble.hidden = !sentence;
  }

  function copyLink() {
    const link = new URL(location.pathname, location.href);
    link.search = new URLSearchParams({ tab: window.explorer.tab, room });
    window.explorer.copy(link.href, "The link to room " + room + " is copied. Whoever opens it is on the wall, without a name.");
  }

  // ---- The wall --------------------------------------------------------------------------------------------------------

  function show(desk) {
    const now = desk?.room?.code ?? null;
    if (now !== room) {
      room = now;
      cards = new Map();
      tiles.replaceChildren();
      order = "";
      last = null;
      window.explorer.set({ room });
      section.dataset.room = room ?? "";
      section.dataset.people = 0;
      look();
    }
    form.hidden = how.hidden = Boolean(room);
    inside.hidden = rename.hidden = !room;
    if (room && !rename.contains(name)) rename.replaceChildren(piece("label", {}, "Your name, if you like ", name),
      piece("button", { type: "submit", class: "button small" }, "Show it"));
    if (!room && rename.contains(name)) form.querySelectorAll("label")[1].append(name);
    if (desk?.room?.name && document.activeElement !== name) name.value = desk.room.name;
    tellText(title, room ? "Room " + room : "");
    tellText(lead, room
      ? "Everyone in this room sees everyone’s run, the best first where the data are the same. Names are seen by the room " +
        "only, and nothing is kept."
      : "A room shows the runs of all who join it, small and live. Open one, and give the class its four letters; a name is " +
        "nobody’s duty, and nothing is kept.");
  }

  async function look() {
    clearTimeout(timer);
    if (!room || !seen || document.visibilityState !== "visible") return;
    const asked = room;
    try {
      const told = await (await lab.fetch("wall", { room: asked })).json();
      if (room !== asked) return;
      complain("");
      last = told;
      draw(told.people ?? []);
    } catch (error) {
      if (room === asked) complain(error.message);
    }
    clearTimeout(timer);
    if (room) timer = setTimeout(look, WALL_EVERY);
  }

  function draw(all) {
    const groups = new Map(); // runs can be compared where they learn the same data, whatever their seeds
    const lawOf = (one) => (one.data === "own" ? String(one.scene).split("-")[0] : one.data);
    for (const one of all) groups.set(lawOf(one), [...(groups.get(lawOf(one)) ?? []), one]);
    const sorted = [...groups.values()].sort((a, b) => b.length - a.length)
      .flatMap((group) => {
        group.sort((a, b) => (a.sw ?? Infinity) - (b.sw ?? Infinity));
        return group.map((one, i) => ({ ...one, law: lawOf(one), rank: group.length > 1 && Number.isFinite(one.sw)
          ? i + 1 : 0 }));
      });

    const met = {};
    for (const one of sorted) {
      const who = one.you ? "you" : one.name || "guest";
      met[who] = (met[who] ?? 0) + 1;
      one.key = one.id ?? who + met[who];
    }
    const next = sorted.map((one) => one.law + one.key).join();
    const now = performance.now();
    const settled = order.split(",").sort().join() === next.split(",").sort().join() && now - ordered < WALL_SETTLE;
    const fresh = new Map();
    for (const one of sorted) {
      const card = cards.get(one.key) ?? makeTile();
      card.update(one);
      fresh.set(one.key, card);
    }
    cards = fresh;
    if (!settled && next !== order) {
      tiles.replaceChildren(...sorted.flatMap((one, i) => {
        const begins = groups.size > 1 && one.law !== sorted[i - 1]?.law;
        const title = begins && dataTitle(one.data) + ", " + pluralText(groups.get(one.law).length, "run");
        return [begins && piece("p", { class: "wall-law" }, title), fresh.get(one.key).node].filter(Boolean);
      }));
      order = next;
      ordered = now;
    }
    tellText(people, all.length === 1 ? "Only you so far" : pluralText(all.length, "run") +
      (groups.size > 1 ? " on " + groups.size + " data sets" : ""));
    section.dataset.people = all.length;
    fit();
  }

  const dataTitle = (data) => lab.start.toys?.find((each) => each.name === data)?.label ?? (data === "own" ? "Own data" : data);

  function makeTile() {
    const canvas = piece("canvas", { class: "wall-canvas", width: 192, height: 192, "aria-hidden": "true" });
    const [rank, who] = [piece("b", { class: "wall-rank" }), piece("span", { class: "wall-who" })];
    const [distance, step] = [piece("span"), piece("span")];
    const node = piece("div", { class: "wall-tile", role: "listitem" }, canvas, piece("span", { class: "wall-line" }, rank, who),
      piece("span", { class: "wall-facts" }, distance, step));
    let drawn = "";

    function update(one) {
      node.toggleAttribute("data-you", Boolean(one.you));
      tellText(rank, one.rank ? String(one.rank) : "");
      rank.title = one.rank ? "Place by sliced Wasserstein on these data" : "";
      tellText(who, one.you ? (one.name ? one.name + " (you)" : "you") : one.name || "no name");
      tellText(distance, Number.isFinite(one.sw) ? "distance " + numberText(one.sw) : "not measured yet");
      tellText(step, "round " + roundsText(one.step));
      node.title = dataTitle(one.data) + ", " +
        (lab.start.menu.fields.find((field) => field.name === "loss")?.choices?.[one.loss] ?? one.loss) +
          (one.playing ? "" : ", paused");
      node.dataset.sw = one.sw ?? "";
      const shape = one.fakes + one.reals + lab.colour("sym-fake");
      if (shape === drawn) return;
      drawn = shape;
      paint(one);
    }

    function paint({ fakes, reals }) {
      const context = canvas.getContext("2d");
      const [size, scale] = [canvas.width, canvas.width / 255];
      context.clearRect(0, 0, size, size);
      const dots = (text, draw) => {
        const bytes = bytesFrom64(text);
        for (let i = 0; i + 1 < bytes.length; i += 2) draw(bytes[i] * scale, size - bytes[i + 1] * scale);
      };
      context.fillStyle = lab.colour("sym-real");
      context.globalAlpha = 0.45;
      dots(reals, (x, y) => {
        context.beginPath();
        context.arc(x, y, 3.2, 0, 7);
        context.fill();
      });
      context.fillStyle = lab.colour("sym-fake");
      context.globalAlpha = 0.9;
      dots(fakes, (x, y) => {
        context.beginPath();
        context.moveTo(x, y - 4.5);
        context.lineTo(x + 4.5, y);
        context.lineTo(x, y + 4.5);
        context.lineTo(x - 4.5, y);
        context.fill();
      });
      context.globalAlpha = 1;
    }

    return { node, update };
  }

  // ---- The projector -----------------------------------------------------------------------------------------------------

  async function project() {
    if (document.fullscreenElement === section) return document.exitFullscreen();
    try {
      await section.requestFullscreen();
    } catch {
      section.toggleAttribute("data-large"); // where a browser forbids it, large tiles are what it can have
      fit();
    }
  }

  /** On the projector tiles are as large as they can be while all of them fit. */
  function fit() {
    const large = document.fullscreenElement === section;
    section.toggleAttribute("data-projector", large);
    section.removeAttribute("data-small");
    if (!large) return tiles.style.removeProperty("--tile");
    const sizes = []; // tiles of each group
    for (const node of tiles.children) {
      if (node.matches(".wall-law") || !sizes.length) sizes.push(0);
      if (!node.matches(".wall-law")) sizes[sizes.length - 1]++;
    }
    const [gap, heads] = [inPixels(0.75), sizes.length > 1 ? sizes.length * inPixels(2.25) : 0];
    const height = innerHeight - tiles.getBoundingClientRect().top - inPixels(1.5) - heads;
    const largest = (words) => {
      let best = 40;
      for (let columns = 1; columns <= Math.max(1, cards.size); columns++) {
        const lines = sizes.reduce((sum, size) => sum + Math.ceil(size / columns), 0);
        best = Math.max(best, Math.min((tiles.clientWidth - gap * (columns - 1)) / columns,
          (height - gap * lines) / lines - words));
      }
      return Math.min(best, 420);
    };
    let best = largest(inPixels(3.25));
    if (best < inPixels(6)) {
      section.toggleAttribute("data-small", true); // so many that a name is all that fits
      best = largest(inPixels(1.25));
    }
    tiles.style.setProperty("--tile", Math.floor(best) + "px");
  }

  document.addEventListener("fullscreenchange", () => {
    const large = document.fullscreenElement === section;
    tellText(section.querySelector("[data-wall=project]"), large ? "End projector" : "Projector");
    setTimeout(fit, 50);
  });
  window.addEventListener("resize", () => document.fullscreenElement === section && fit());

  new IntersectionObserver((entries) => {
    seen = entries.at(-1).isIntersecting;
    if (seen) look();
    else clearTimeout(timer);
  }).observe(section);
  document.addEventListener("visibilitychange", look);
  lab.on("theme", () => last && draw(last.people ?? []));
  code.addEventListener("input", () => (code.value = code.value.toUpperCase().replace(/[^A-Z]/g, "")));

  let joining = false;
  lab.on("desk", async (desk) => {
    show(desk);
    if (desk?.room || !WALL_CODE.test(wanted) || joining) return;
    joining = true; // the link says so, or the server was started anew
    await enter(wanted);
    joining = false;
    if (!lab.desk.room) wanted = "";
  });
  show(lab.desk);
}
