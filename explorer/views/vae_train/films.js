// What the page knows of its trainings: their states, and the moments of their films as they come. Draws nothing.

const FILM_MOST = 240; // moments kept of a run; beyond them every other one goes

/** films.refresh() asks for all that is new; tell(state) hears of it. Polls while something lives and the part is shown. */
function makeFilms(part, tell) {
  const kept = new Map(); // run -> {moments, next, facts, pictures, asked}
  let state = { runs: [], upload: null };
  let shown = "", timer = 0, resting = true, asking = null, again = false;

  const filmOf = (run) => kept.get(run) ?? kept.set(run, { moments: [], next: 0, facts: null, pictures: null, asked: false }).get(run);
  const alive = () => state.runs.some((run) => run.live) || state.upload?.state === "reading";

  function take(told) {
    for (const run of told.runs) run.live = ["waiting", "opening", "running"].includes(run.state);
    state = { runs: told.runs, upload: told.upload };
    for (const name of kept.keys()) if (!state.runs.some(({ run }) => run === name)) kept.delete(name);
    tell(state);
  }

  /** A message as training_film.packed makes it. */
  async function news(run) {
    const reply = await window.explorer.ask(part.wire.url("train/news", run ? { run, since: filmOf(run).next } : {}));
    const buffer = await reply.arrayBuffer(), view = new DataView(buffer);
    const length = view.getUint32(0, true);
    const told = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    if (run && state.runs.length && !told.runs.some((one) => one.run === run)) return told;
    let at = 4 + length;
    for (const moment of told.moments) {
      const values = new Int16Array(buffer.slice(at, at + moment.points));
      const places = Float32Array.from(values, (v) => (v / 32767) * moment.scale);
      at += moment.points;
      const jpeg = new Blob([new Uint8Array(buffer, at, moment.sprite)], { type: "image/jpeg" });
      at += moment.sprite;
      const film = filmOf(run);
      film.moments.push({ ...moment, places, jpeg });
      film.next = moment.number + 1;
      if (film.moments.length > FILM_MOST) film.moments = film.moments.filter((_, i) => i % 2 === 0 || i === film.moments.length - 1);
    }
    return told;
  }

  /** What stays the same of a run, asked once it has begun. */
  async function settle(run) {
    const film = filmOf(run);
    if (film.asked || !film.moments.length) return;
    film.asked = true;
    try {
      film.facts = await part.wire.get("train/facts", { run });
      film.pictures = await part.wire.sprite("train/pictures", { run });
    } catch (error) {
      film.asked = false;
      throw error;
    }
  }

  async function round() {
    const behind = state.runs.filter(({ run, newest, live }) => run === shown || (!live && newest >= filmOf(run).next)).map(({ run }) => run);
    const order = behind.includes(shown) ? [shown, ...behind.filter((run) => run !== shown)] : behind;
    if (!order.length) take(await news(""));
    for (const run of order) {
      let told;
      do {
        told = await news(run);
        take(told);
      } while (told.more && !resting);
      await settle(run);
      tell(state);
    }
  }

  function refresh() {
    clearTimeout(timer);
    again = asking !== null; // what is under way may have been answered before that happened for which one asks now
    asking ??= round()
      .then(() => part.fine(), (error) => part.trouble(error, () => (part.fine(), refresh())))
      .finally(() => {
        asking = null;
        clearTimeout(timer);
        if (again && !resting) return void refresh();
        const mine = state.runs.find(({ run }) => run === shown);
        if (!resting && alive()) timer = setTimeout(refresh, mine?.state === "running" || mine?.state === "opening" ? 180 : 800);
      });
    return asking;
  }

  return {
    take, refresh, filmOf,
    get state() { return state; },
    of: (run) => state.runs.find((one) => one.run === run) ?? null,
    show: (run) => (shown = run),
    rest: () => ((resting = true), clearTimeout(timer)),
    wake: () => ((resting = false), refresh()),
  };
}
