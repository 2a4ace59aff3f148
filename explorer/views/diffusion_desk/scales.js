// "Run all the way": the same noise and prompt with several guidance scales, in one batch; the films as strips under each other.

const SCALES = [0, 1, 3, 7.5, 15];

function makeScales(place, desk) {
  const go = buttonOf({ words: "Run all the way with w = " + SCALES.join(", "), name: "small", press: run, "data-do": "compare" });
  const status = piece("p", { class: "small-text muted", role: "status" });
  const rows = piece("div", { class: "scale-rows" });
  place.append(piece("div", { class: "row" }, go, status), rows);
  let shown = []; // [{w, film, canvas}]

  async function run() {
    const film = desk.film;
    if (!film) return;
    go.disabled = true;
    tellText(status, "Running five films at once");
    try {
      const told = await desk.wire.post("compare", { run: film.id, scales: SCALES });
      const films = told.runs.map((one) => desk.films.add({ ...one, parent: null, model: film.model }));
      shown = films.map((one, k) => rowOf(one, told.runs[k].scale ?? SCALES[k]));
      rows.replaceChildren(...shown.map((one) => one.node));
      await Promise.all(films.map((one) => desk.watch(one)));
      for (const one of films) await desk.fillFilm(one);
      tellText(status, "Same noise, same prompt: only w differs.");
      place.dataset.done = films.length;
      desk.emit("runs");
    } catch (error) {
      tellText(status, error.message);
    } finally {
      go.disabled = false;
    }
  }

  function rowOf(film, w) {
    const canvas = piece("canvas", { class: "strip" });
    const pick = piece("button", { type: "button", class: "scale-pick", title: "Show this run", onclick: () => desk.show(film) }, signOf("w"), " = " + w);
    const last = screenOf("scale-final", "The picture with guidance " + w);
    return { film, canvas, last, node: piece("div", { class: "scale-row", "data-w": w }, pick, piece("div", { class: "scale-strip" }, canvas), last) };
  }

  function paint() {
    for (const { film, canvas, last } of shown) {
      const room = canvas.parentElement.clientWidth;
      if (room < 40) continue;
      const chosen = chosenFrames(film.total + 1, room, STRIP_CELL);
      const tall = Math.min(STRIP_TALL, Math.floor(room / chosen.length));
      canvas.style.height = tall + "px";
      paintStrip(canvas, room, tall, chosen, (i) => film.at("x0", i));
      last.show(film.final());
    }
  }

  new ResizeObserver(paint).observe(rows);
  desk.on("frames", paint);
  desk.on("runs", paint);
  desk.on("busy", () => (go.disabled = desk.live()));
}
