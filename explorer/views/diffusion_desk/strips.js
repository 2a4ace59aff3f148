// The film as aligned strips over time, a row for each tensor; a line marks the step. Dragging over them scrubs: nothing is asked.

const STRIP_CELL = 30; // CSS pixels that a frame is wide at least
const STRIP_TALL = 44; // and high at most

function makeStrips(place, desk) {
  const toggles = piece("div", { class: "row row-toggles", role: "group", "aria-label": "Rows" });
  const decoder = piece("div", {});
  const body = piece("div", { class: "strip-body" });
  const mark = piece("div", { class: "strip-mark", hidden: true });
  const rows = {};
  place.className = "strips";
  place.append(piece("div", { class: "strip-head" }, toggles, decoder), body);
  let [room, edge] = [0, 0]; // how wide the strips are, and where they begin
  let planned = false;

  for (const view of [...ROWS, "channels", "rival", "apart"]) {
    const canvas = piece("canvas", { class: "strip", "aria-hidden": "true" });
    const { sign, words, brief, tone } = VIEWS[view] ?? STRIP_ELSE[view];
    const label = piece("div", { class: "strip-label", title: words }, signOf(sign, tone), piece("small", {}, brief));
    rows[view] = { node: piece("div", { class: "strip-row", "data-row": view }, label, canvas), canvas };
    body.append(rows[view].node);
  }
  body.append(mark);
  const none = piece("p", { class: "small-text muted strip-none", hidden: true }, "The noise rows end one frame earlier: after the last step no noise is predicted.");
  place.append(none);

  const buttons = Object.fromEntries(
    [...ROWS, "channels"].map((view) => {
      const { sign, words } = VIEWS[view] ?? STRIP_ELSE[view];
      const button = piece("button", { type: "button", class: "chip", title: words, "data-row-toggle": view, onclick: () => desk.hide(view, !desk.rows.has(view)) }, signOf(sign));
      return [view, button];
    }),
  );
  toggles.append(piece("span", { class: "muted small-text" }, "Rows"), ...Object.values(buttons));

  function furnish() {
    const names = { full: "Decoder", tiny: "Tiny decoder", rgb: "Linear" };
    const titles = {
      full: "The autoencoder's decoder", tiny: "A small decoder for previews", rgb: "Each latent cell as one colour: a 4 × 3 matrix, no network",
    };
    const choice = segmented("Decoder of the pictures", desk.start.model.decoders.map((kind) => [kind, names[kind] ?? kind, titles[kind]]), desk.decode, "decoders");
    choice.set(desk.decoder);
    decoder.replaceChildren(choice);
  }

  const shown = (view) => (view === "rival" || view === "apart" ? desk.rival !== null : desk.rows.has(view));

  function plan() {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => ((planned = false), paint()));
  }

  function paint() {
    const film = desk.film;
    for (const view of Object.keys(rows)) rows[view].node.hidden = !shown(view);
    for (const [view, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", desk.rows.has(view));
    const first = rows[Object.keys(rows).find(shown)]?.canvas;
    [room, edge] = [first?.clientWidth ?? 0, first?.offsetLeft ?? 0];
    if (!film || room < 40) return void (mark.hidden = true);
    const count = Math.max(2, film.total + 1);
    const chosen = chosenFrames(count, room, STRIP_CELL);
    const tall = Math.min(STRIP_TALL, Math.floor(room / chosen.length));
    body.style.setProperty("--strip-tall", tall + "px");
    for (const view of Object.keys(rows)) {
      if (!shown(view)) continue;
      paintStrip(rows[view].canvas, room, tall, chosen, (i) => frameOf(film, view, i));
    }
    place.dataset.cells = chosen.length;
    place.dataset.chosen = chosen.join();
    follow();
  }

  function frameOf(film, view, i) {
    if (view === "rival") return desk.rival?.at("x0", i);
    if (view === "apart") return desk.apart?.frames?.[i] ?? null;
    if (view === "channels") return i < film.steps.length ? latentBitmap(film, i) : null;
    return film.at(view, i);
  }

  /** A latent's channels as a bitmap; painted once. */
  function latentBitmap(film, i) {
    if (!film.tensors && !film.channels) return null;
    film.mosaics ??= [];
    if (!film.mosaics[i]) {
      film.mosaics[i] = mosaicOf("");
      body.append(film.mosaics[i]); // its colours are those of the page
      if (film.channels) film.mosaics[i].tile(film.channels[i]);
      else film.mosaics[i].paint(film.tensors.x[i], desk.start.model.latent, (film.scale ??= scaleOf(film.tensors.x)));
      film.mosaics[i].remove();
    }
    return film.mosaics[i];
  }

  /** The line moves alone: rows are painted when their frames change. */
  function follow() {
    const film = desk.film;
    none.hidden = !desk.atPicture() || !["eps_uncond", "eps_cond", "difference", "eps"].some((view) => desk.rows.has(view));
    const chosen = place.dataset.chosen?.split(",").map(Number) ?? [];
    mark.hidden = !film?.steps.length || !chosen.length;
    if (mark.hidden) return;
    const cell = room / chosen.length;
    const nearest = chosen.reduce((best, i, at) => (Math.abs(i - desk.player.position) < Math.abs(chosen[best] - desk.player.position) ? at : best), 0);
    mark.style.width = cell + "px";
    mark.style.transform = "translateX(" + (edge + nearest * cell) + "px)";
  }

  // Dragging: the frame under the finger is the one shown.
  let dragging = false;
  function point(event) {
    const box = rows[Object.keys(rows).find(shown)]?.canvas.getBoundingClientRect();
    const chosen = place.dataset.chosen?.split(",").map(Number) ?? [];
    if (!box || !chosen.length) return;
    const share = (event.clientX - box.left) / box.width;
    // Between the frames that are drawn lie those that are not: each has its place.
    desk.player.goto(share * (desk.film.total + 1) - 0.5);
  }
  body.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.target.matches("canvas, .strip-mark") || !desk.film) return;
    dragging = true;
    body.setPointerCapture(event.pointerId);
    point(event);
  });
  body.addEventListener("pointermove", (event) => dragging && point(event));
  for (const name of ["pointerup", "pointercancel"]) body.addEventListener(name, () => (dragging = false));

  new ResizeObserver(plan).observe(body);
  window.addEventListener("explorer:theme", () => {
    for (const film of desk.films.all()) film.mosaics = null;
    plan();
  });
  desk.on("start", furnish);
  for (const name of ["film", "frames", "rows", "rival", "news"]) desk.on(name, plan);
  desk.on("position", follow);
}

const STRIP_ELSE = {
  channels: { sign: "x_t ▦", words: "the latent's channels", brief: "its channels", tone: "--sym-x" },
  rival: { sign: "x̂_0 ′", words: "the picture that the other run expects", brief: "the other run", tone: "--sym-xhat" },
  apart: { sign: "|Δx̂_0|", words: "where the two runs differ", brief: "difference", tone: "--warn" },
};
