// Own points: drawn with mouse, finger, pen or keys, or read from a table. They go into the settings as text, and so into the link.

const OWN_DATA = "own";
const DRAW_RATE = 110; // points a second while the brush is down, however fast it moves
const DRAW_TAP = 5; // points of a single tap
const DRAW_REACH = 1.06; // what the canvas shows beyond the box
const DRAW_FILES = /\.(csv|tsv|txt|dat)$/i;

/** As config.pack_points: base64url of little-endian uint16 pairs, 0 for -1 and 65535 for 1. */
function packPoints(points) {
  const bytes = new Uint8Array(4 * points.length);
  const view = new DataView(bytes.buffer);
  points.forEach(([x, y], i) => {
    view.setUint16(4 * i, Math.round((Math.max(-1, Math.min(1, x)) + 1) * 32767.5), true);
    view.setUint16(4 * i + 2, Math.round((Math.max(-1, Math.min(1, y)) + 1) * 32767.5), true);
  });
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function unpackPoints(text) {
  try {
    const bytes = bytesFrom64(text.replaceAll("-", "+").replaceAll("_", "/"));
    const view = new DataView(bytes.buffer);
    return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) =>
      [view.getUint16(4 * i, true) / 32767.5 - 1, view.getUint16(4 * i + 2, true) / 32767.5 - 1]);
  } catch {
    return [];
  }
}

function makeData(section, lab) {
  const most = lab.start.menu.most_points;
  let kept = ""; // the own points of this page, packed; they stay while other data are learnt
  let points = []; // those on the canvas
  let past = [];
  let future = [];
  let erasing = false;
  let brush = null; // {x, y} where it is, in units
  let stroke = null; // {path: [[t, x, y]], owed, pressure} while it is down
  let byKeys = false;

  // ---- The dialog --------------------------------------------------------------------------------------------------

  const canvas = piece("canvas", { class: "draw-canvas", tabindex: "0", role: "application", "aria-roledescription": "drawing canvas",
    "aria-label": "Canvas for points. Arrow keys move the brush, with Shift in large steps; Space puts points, E erases, Enter is done." });
  const count = piece("output", { class: "draw-count", "aria-live": "off" });
  const note = piece("p", { class: "draw-note", role: "status" });
  const size = piece("input", { type: "range", min: 0.01, max: 0.3, step: 0.01, value: 0.07, "aria-label": "Size of the brush", oninput: () => (sizeShown(), paint()) });
  const tool = (words, on, title) => piece("button", { type: "button", class: "button", role: "radio", title, "aria-checked": "false", onclick: () => choose(on) }, words);
  const tools = piece("span", { class: "seg", role: "radiogroup", "aria-label": "Brush" }, tool("Draw", false, "Put points"), tool("Erase", true, "Take points away (E)"));
  const icon = (name, words, title, run) => piece("button", { type: "button", class: "button icon", "aria-label": words, title, "data-draw": name, onclick: run }, drawing(BAR_ICONS[name]));
  const undo = icon("undo", "Undo", "Undo (Ctrl+Z)", () => travel(past, future));
  const redo = icon("redo", "Redo", "Redo (Ctrl+Shift+Z)", () => travel(future, past));
  const clear = piece("button", { type: "button", class: "button", "data-draw": "clear", onclick: () => change([]) }, "Clear");
  const take = piece("button", { type: "button", class: "button", "data-draw": "take", title: "Begin with the real points that are on the plot now", onclick: takeShown }, "Copy the data");
  const file = piece("input", { type: "file", class: "unseen", accept: ".csv,.tsv,.txt,text/csv,text/plain", "aria-label": "Upload a table of points", onchange: () => (read(file.files[0]), (file.value = "")) });
  const upload = piece("label", { class: "button draw-upload", title: "A text file with two columns of numbers; or drop one here" }, "Upload CSV", file);
  const apply = piece("button", { type: "button", class: "button strong", "data-draw": "apply", onclick: done }, "Learn this");
  const cancel = piece("button", { type: "button", class: "button", "data-draw": "cancel", onclick: () => dialog.close() }, "Cancel");
  const dialog = piece("dialog", { class: "draw", "aria-labelledby": "draw-title" },
    piece("div", { class: "draw-head" }, piece("h2", { id: "draw-title" }, "Your own data"), count,
      piece("p", {}, "Draw what the generator shall imitate. Where the brush stays longer there will be more points.")),
    canvas,
    piece("div", { class: "draw-tools" }, tools, piece("label", { class: "draw-size" }, "Brush", size), undo, redo),
    piece("div", { class: "draw-tools" }, clear, take, upload),
    note,
    piece("div", { class: "draw-end" }, cancel, apply));
  section.hidden = false;
  section.append(dialog);
  dialog.addEventListener("close", () => ((stroke = null), section.closest(".ganlab").querySelector('[data-do="draw"]')?.focus({ preventScroll: true })));
  dialog.addEventListener("click", (event) => event.target === dialog && !stroke && !past.length && dialog.close());

  function open(start = null) {
    if (!start && kept) start = unpackPoints(kept);
    [points, past, future] = [start ?? [], [], []];
    choose(false);
    tellText(note, "");
    if (!dialog.open) dialog.showModal();
    canvas.focus({ preventScroll: true });
    brush = null;
    byKeys = false;
    sizeShown();
    paint();
  }

  const sizeShown = () => size.style.setProperty("--at", ((size.value - size.min) / (size.max - size.min)) * 100 + "%");

  function choose(erase) {
    erasing = erase;
    [...tools.children].forEach((node, i) => node.setAttribute("aria-checked", String(Boolean(i) === erase)));
    canvas.dataset.tool = erase ? "erase" : "draw";
    paint();
  }

  // ---- Strokes -------------------------------------------------------------------------------------------------------

  const radius = () => +size.value;
  const clip = (v) => Math.max(-1, Math.min(1, v));

  function at(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width * 2 - 1) * DRAW_REACH, (1 - (event.clientY - box.top) / box.height * 2) * DRAW_REACH];
  }

  function remember() {
    past.push(points.slice());
    past.splice(0, past.length - 60);
    future = [];
  }

  function change(next) {
    if (!next.length && !points.length) return;
    remember();
    points = next;
    tellText(note, "");
    paint();
  }

  function travel(from, to) {
    if (!from.length) return;
    to.push(points);
    points = from.pop();
    paint();
  }

  function scatter(x, y) {
    const [angle, far] = [Math.random() * 2 * Math.PI, Math.sqrt(Math.random()) * radius()];
    points.push([clip(x + far * Math.cos(angle)), clip(y + far * Math.sin(angle))]);
  }

  function rub(x, y) {
    points = points.filter(([px, py]) => Math.hypot(px - x, py - y) > radius());
  }

  function put(x, y, n) {
    if (erasing) return rub(x, y);
    for (let i = 0; i < n && points.length < most; i++) scatter(x, y);
    if (points.length >= most) tellText(note, "These are " + roundsText(most) + " points, the most there can be. Erase some to go on.");
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || stroke) return;
    canvas.setPointerCapture(event.pointerId);
    const [x, y] = at(event);
    byKeys = false;
    remember();
    tellText(note, "");
    stroke = { id: event.pointerId, path: [[performance.now(), x, y]], owed: 0, pressure: 1, from: performance.now() };
    brush = { x, y };
    put(x, y, DRAW_TAP);
    paint();
    requestAnimationFrame(spray);
  });

  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    brush = { x, y };
    if (stroke?.id === event.pointerId) {
      const all = event.getCoalescedEvents?.() ?? [];
      for (const one of all.length ? all : [event]) stroke.path.push([Math.min(one.timeStamp, performance.now()), ...at(one)]);
      stroke.pressure = event.pointerType === "pen" && event.pressure ? 2 * event.pressure : 1;
      if (erasing) for (const [, px, py] of stroke.path) rub(px, py);
    }
    if (!stroke) paint();
  });

  const lift = (event) => {
    if (stroke?.id !== event.pointerId) return;
    spray(performance.now(), true);
    stroke = null;
    if (event.pointerType !== "mouse") brush = null;
    paint();
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => !stroke && !byKeys && ((brush = null), paint()));

  /** The points of the time since the last frame, spread over where the brush has been in it. */
  function spray(_, last = false) {
    if (!stroke) return;
    const now = performance.now();
    const since = Math.min(0.1, (now - stroke.from) / 1000);
    stroke.owed += since * DRAW_RATE * stroke.pressure;
    stroke.from = now;
    const { path } = stroke;
    const [from, to] = [path[0][0], Math.max(now, path[0][0] + 1)];
    for (; stroke.owed >= 1; stroke.owed--) {
      const t = from + Math.random() * (to - from);
      let i = path.length - 1;
      while (i > 0 && path[i][0] > t) i--;
      const next = path[i + 1] ?? path[i];
      const share = next === path[i] ? 0 : (t - path[i][0]) / Math.max(1, next[0] - path[i][0]);
      put(path[i][1] + share * (next[1] - path[i][1]), path[i][2] + share * (next[2] - path[i][2]), 1);
    }
    stroke.path = [[now, path.at(-1)[1], path.at(-1)[2]]];
    if (last) return;
    paint();
    requestAnimationFrame(spray);
  }

  dialog.addEventListener("keydown", (event) => {
    const key = event.key;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "z") {
      event.preventDefault();
      return event.shiftKey ? travel(future, past) : travel(past, future);
    }
    if (event.target !== canvas || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 0.2 : 0.05;
    const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[key];
    if (!way && ![" ", "e", "E", "Enter", "Delete", "Backspace"].includes(key)) return;
    event.preventDefault();
    byKeys = true;
    brush ??= { x: 0, y: 0 };
    if (way) brush = { x: clip(brush.x + way[0]), y: clip(brush.y + way[1]) };
    if (key === " ") {
      if (!event.repeat) remember();
      put(brush.x, brush.y, DRAW_TAP);
    }
    if (key === "Delete" || key === "Backspace") (remember(), rub(brush.x, brush.y));
    if (key.toLowerCase() === "e") choose(!erasing);
    if (key === "Enter") return done();
    window.explorer.announce(brush.x.toFixed(2) + ", " + brush.y.toFixed(2) + ": " + pluralText(points.length, "point"));
    paint();
  });

  // ---- Drawing -------------------------------------------------------------------------------------------------------

  function paint() {
    const fresh = dialog.open && freshCanvas(canvas);
    if (fresh) {
      const { context, width, height } = fresh;
      const px = (v) => ((v / DRAW_REACH + 1) / 2) * width;
      const py = (v) => ((1 - v / DRAW_REACH) / 2) * height;
      context.strokeStyle = lab.colour("line");
      context.lineWidth = 1;
      context.beginPath();
      for (const v of [-1, 0, 1]) {
        context.moveTo(px(v), py(-1)), context.lineTo(px(v), py(1));
        context.moveTo(px(-1), py(v)), context.lineTo(px(1), py(v));
      }
      context.stroke();
      context.fillStyle = lab.colour("sym-real");
      context.globalAlpha = 0.75;
      context.beginPath();
      const r = Math.max(1.6, width / 260);
      for (const [x, y] of points) context.moveTo(px(x) + r, py(y)), context.arc(px(x), py(y), r, 0, 7);
      context.fill();
      context.globalAlpha = 1;
      if (!points.length && !stroke) {
        context.fillStyle = lab.colour("muted");
        context.textAlign = "center";
        context.font = "500 " + inPixels(1) + "px system-ui, sans-serif";
        context.fillText("Draw here", width / 2, height / 2 - inPixels(1));
      }
      if (brush) {
        context.strokeStyle = lab.colour(erasing ? "error" : "ink");
        context.lineWidth = 1.5;
        context.setLineDash(erasing ? [5, 4] : []);
        context.beginPath();
        context.arc(px(brush.x), py(brush.y), (radius() / DRAW_REACH / 2) * width, 0, 7);
        if (byKeys) {
          context.moveTo(px(brush.x) - 6, py(brush.y)), context.lineTo(px(brush.x) + 6, py(brush.y));
          context.moveTo(px(brush.x), py(brush.y) - 6), context.lineTo(px(brush.x), py(brush.y) + 6);
        }
        context.stroke();
        context.setLineDash([]);
      }
    }
    tellText(count, roundsText(points.length) + " of " + roundsText(most) + " points");
    canvas.dataset.count = points.length;
    undo.disabled = !past.length;
    redo.disabled = !future.length;
    clear.disabled = !points.length;
  }
  new ResizeObserver(paint).observe(canvas);
  lab.on("theme", paint);

  function thumbnail(small) {
    const context = small.getContext("2d");
    small.width = small.height = 48;
    context.fillStyle = lab.colour("sym-real");
    context.globalAlpha = 0.55;
    for (const [x, y] of unpackPoints(kept)) {
      context.beginPath();
      context.arc((x + 1) * 22 + 2, (1 - y) * 22 + 2, 1.7, 0, 7);
      context.fill();
    }
  }

  // ---- From elsewhere ----------------------------------------------------------------------------------------------------

  function takeShown() {
    const reals = lab.scenes[lab.selected]?.reals;
    if (!reals) return;
    change(Array.from({ length: reals.length / 2 }, (_, i) => [clip(reals[2 * i]), clip(reals[2 * i + 1])]));
  }

  async function read(chosen) {
    if (!chosen) return;
    tellText(note, "Reading “" + chosen.name + "”.");
    try {
      const told = await lab.wire.json("data", {}, { method: "POST", body: chosen });
      change(unpackPoints(told.points));
      tellText(note, told.note || pluralText(told.count, "point") + " from “" + chosen.name + "”.");
    } catch (error) {
      tellText(note, error.message);
    }
  }

  // A table may be dropped anywhere in the lab; what is not a table is somebody else's.
  const tables = (event) => [...(event.dataTransfer?.files ?? [])].filter((one) => DRAW_FILES.test(one.name) || /^text\//.test(one.type));
  lab.root.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  lab.root.addEventListener("drop", (event) => {
    const [first] = tables(event);
    if (!first || event.defaultPrevented) return;
    event.preventDefault();
    if (!dialog.open) open([]);
    read(first);
  });

  // ---- Into the lab ----------------------------------------------------------------------------------------------------

  function done() {
    if (points.length < 2) {
      tellText(note, points.length ? "One point is too little to learn from; draw some more." : "There is nothing drawn yet. Draw at least two points.");
      return void canvas.focus();
    }
    kept = packPoints(points);
    dialog.close();
    use();
  }

  function use() {
    if (!kept) return open();
    lab.release();
    return lab.set({ data: OWN_DATA, points: kept });
  }

  lab.on("desk", () => {
    const { settings } = lab.lane();
    if (settings.data === OWN_DATA && settings.points) kept = settings.points;
  });

  return { open: () => open(), use, read, thumbnail, get points() { return kept; } };
}
