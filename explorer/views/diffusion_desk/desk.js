// The desk: what is asked, the film that is shown, and what all sections share.
//
//   desk.start               what the server offers: models, model, schedulers, defaults, limits, examples, words, sweep
//   desk.settings, usual     what the next run is asked with, and what the page opens with; desk.change(changes, burst)
//   desk.undo(), reset()     the settings before; the usual ones
//   desk.picture             the visitor's own picture {id, url, name} or null
//   desk.run(more)           starts a run with the settings; desk.begin(body) any run; desk.stop()
//   desk.film                the film that is shown, or null; desk.show(film); desk.films all of the page's
//   desk.rival               the film it is compared with, or null; desk.compare(film)
//   desk.player              position, play(), pause(), goto(i); desk.stepAt() the step there (the last one at the picture)
//   desk.stale               whether the film is of a run before one that could not be begun
//   desk.w                   the guidance one asks "what if" about at this step; desk.weigh(w), null is the run's own
//   desk.decoder, rows       how pictures are decoded; which strips are shown
//   desk.branch(changes)     a run from the step that is shown, with other settings (branch.js)
//   desk.on(name, fn)        "start", "settings", "film", "news", "frames", "position", "w", "runs", "rows", "rival", "part",
//                            "busy", "picture"

const PAST_MOST = 100;
const BURST_MS = 1200; // a pause this long ends a burst of changes
const ROWS = ["x", "x0", "eps_uncond", "eps_cond", "difference", "eps"];

function makeDesk(root, wire) {
  const heard = {};
  const tab = window.explorer.tab; // this view mounts when its tab is opened
  const desk = {
    root, wire, start: null, settings: null, usual: null, picture: null, film: null, rival: null, running: null, w: null,
    decoder: "full", rows: new Set(ROWS), part: "steps", model: "", past: [], error: null, stale: false, linked: null,
    on, emit, facts, change, undo, reset, run, begin, stop, show, compare, weigh, decode, hide, fail, link, open, reload, choose,
    fillFilm, forget, usePicture, watch: follow,
    at: (name) => root.querySelector('[data-at="' + name + '"]'),
    guidance: () => desk.w ?? desk.film?.settings.guidance_scale ?? 1,
    stepAt: () => Math.min(desk.player.position, Math.max(0, (desk.film?.steps.length ?? 1) - 1)),
    atPicture: () => Boolean(desk.film) && !desk.film.live() && desk.player.position >= desk.film.steps.length,
    /** Numbers a latent has. */
    get size() {
      return desk.start.model.latent.reduce((a, b) => a * b, 1);
    },
    live: () => desk.running !== null,
  };
  desk.player = makePlayer(moved);
  desk.films = makeFilms(wire, framed);
  let [burst, changed] = [null, 0];

  function facts(changes) {
    for (const [name, value] of Object.entries(changes)) if (root.dataset[name] !== String(value)) root.dataset[name] = value;
  }

  function on(name, fn) {
    (heard[name] ??= new Set()).add(fn);
  }

  /** One section's trouble is not the others': it goes to the console, where a test sees it. */
  function emit(name, ...args) {
    for (const fn of heard[name] ?? []) {
      try {
        fn(...args);
      } catch (error) {
        console.error(error);
      }
    }
  }

  function fail(error) {
    window.explorer.toast(error.message, error.offline ? "note" : "error");
  }

  function link(changes) {
    if (window.explorer.tab === tab) window.explorer.set(changes);
  }

  /** Tells the other views of the tab; they may be opened later and look at what was last. */
  function tell(name, detail) {
    document.diffusion = { ...document.diffusion, ...detail };
    document.dispatchEvent(new CustomEvent("diffusion:" + name, { detail }));
  }

  // ---- Settings ----------------------------------------------------------------------------------------------------------

  function change(changes, kind = null) {
    const now = performance.now();
    if (kind === null || kind !== burst || now - changed > BURST_MS) {
      desk.past.push(desk.settings);
      desk.past.splice(0, desk.past.length - PAST_MOST);
    }
    [burst, changed] = [kind, now];
    take({ ...desk.settings, ...changes });
  }

  function take(settings) {
    desk.settings = settings;
    link(linkOf(settings, desk.usual));
    emit("settings");
  }

  function undo() {
    burst = null;
    if (desk.past.length) take(desk.past.pop());
  }

  function reset() {
    change({ ...desk.usual });
    usePicture(null);
  }

  function usePicture(picture) {
    if (desk.picture?.id && desk.picture.url !== picture?.url) URL.revokeObjectURL(desk.picture.url);
    desk.picture = picture;
    link({ face: picture?.face ?? null });
    emit("picture");
  }

  // ---- Runs --------------------------------------------------------------------------------------------------------------

  /** A run with the settings of the page. */
  function run(more = {}) {
    const body = { model: desk.model, settings: { ...desk.settings }, ...more };
    if (desk.picture && !more.parent) Object.assign(body, desk.picture.face === undefined ? { picture: desk.picture.id } : { face: desk.picture.face });
    else if (!more.parent) body.settings.strength = 1;
    return begin(body);
  }

  let [asked, halted] = [0, -1];
  async function begin(body) {
    const mine = ++asked;
    desk.error = null;
    desk.stale = false;
    desk.running = { id: null };
    facts({ state: "busy" });
    emit("busy");
    try {
      const told = await wire.post("run", body);
      if (mine !== asked) {
        if (halted === mine) wire.post("stop", { run: told.run }).catch(() => {}); // it was stopped before it had a name
        return null;
      }
      const film = desk.films.add({ ...told, ...lineOf(body), model: desk.model });
      film.warnings = told.warnings ?? [];
      desk.running = film;
      show(film, 0);
      emit("runs");
      await follow(film, mine);
      return film;
    } catch (error) {
      if (mine !== asked) return null;
      desk.stale = desk.running?.id === null && desk.film !== null; // nothing new came: the film that is shown is an older one
      troubled(error);
      return null;
    }
  }

  const lineOf = (body) => (body.parent ? { parent: body.parent.run, step: body.parent.step } : {});

  function troubled(error) {
    desk.running = null;
    desk.error = error;
    facts({ state: "error" });
    emit("busy");
  }

  /** Asks for news of a run until it has ended; what is new is shown at once. */
  async function follow(film, mine) {
    let tries = 0;
    while (film.live()) {
      let news;
      try {
        news = await wire.json("news", { run: film.id, after: film.steps.length });
        tries = 0;
      } catch (error) {
        if (error.status || ++tries > 4) throw error;
        await wait(400 * tries);
        continue;
      }
      learn(film, news);
      if (news.pause) await wait(news.pause);
      if (desk.film !== film) continue;
      if (film.live()) desk.films.draft(film, draftDecoder());
      else desk.player.extent(lastOf(film));
      emit("news");
    }
    if (desk.running === film) desk.running = null;
    if (film.state === "error") {
      if (desk.film === film) troubled(new Error(film.error || "The run broke off."));
      return;
    }
    if (!desk.running) facts({ state: film.state === "stopped" ? "stopped" : "idle" });
    if (desk.film === film) window.explorer.announce(film.state === "stopped" ? "stopped" : "the picture is there");
    emit("busy");
    emit("runs");
    // A run that a newer one has stopped is looked at when it is clicked; those that are watched are shown as strips.
    if (!film.steps.length || (desk.film !== film && mine !== undefined)) return;
    film.pictured = () => {
      if (desk.film === film) premiere(film, mine === asked);
    };
    await fillFilm(film);
    if (desk.film === film) told(film);
  }

  /** A film that is there for the first time is played, or stands at the step that the link names. */
  function premiere(film, newest) {
    const at = desk.linked;
    desk.linked = null;
    if (at !== null) desk.player.goto(at);
    else if (newest && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      desk.player.position = film.step ?? 0; // a branch is played from where it left
      desk.player.play();
    } else desk.player.goto(desk.player.last);
  }

  function learn(film, news) {
    for (const step of news.steps ?? []) film.steps[step.index] = step;
    const { state, seconds, left, error, total, waiting } = news;
    Object.assign(film, { state, seconds, left, error, waiting, total: total ?? film.total });
  }

  const draftDecoder = () => (desk.start.model.decoders.includes("tiny") ? "tiny" : "rgb");
  const lastOf = (film) => film.steps.length; // one frame more than steps: what came of it

  async function stop() {
    const film = desk.running;
    if (!film) return;
    if (!film.id) {
      halted = asked++;
      desk.running = null;
      facts({ state: "stopped" });
      return emit("busy");
    }
    try {
      await wire.post("stop", { run: film.id });
    } catch (error) {
      fail(error);
    }
  }

  /** The whole film by the decoder that is chosen. */
  async function fillFilm(film) {
    try {
      await desk.films.fill(film, desk.decoder, desk.size);
    } catch (error) {
      if (film !== desk.film) return fail(error);
      facts({ film: "error" });
      desk.error = error;
      emit("busy");
    }
  }

  function told(film) {
    tell("run", { run: film.id, model: nameOf(film.model), settings: film.settings, total: film.total });
    tell("step", { run: film.id, step: desk.stepAt() });
  }

  /** Shows a film. One that is put away, or that another page of this session made, is fetched. */
  async function show(film, position = null) {
    desk.player.pause();
    const before = desk.film;
    desk.error = null;
    desk.stale = false;
    desk.film = film;
    desk.w = null;
    if (desk.rival === film) desk.rival = null;
    desk.player.extent(film.live() ? Math.max(0, film.steps.length - 1) : lastOf(film));
    if (position === null && before && before.total === film.total) position = desk.player.position;
    facts({ run: film.id, total: film.total, film: film.filled && film.decoder === desk.decoder ? "ready" : "loading" });
    emit("film");
    emit("w");
    desk.player.goto(position ?? desk.player.last);
    if (film.live() || !film.steps.length) return;
    desk.films.use(film);
    await fillFilm(film);
    if (desk.film === film) told(film);
  }

  /** The model that ships is the one without a name. */
  const nameOf = (model) => (model === desk.start.models[0]?.name ? "" : model);

  function compare(film) {
    desk.rival = film === desk.film ? null : film;
    emit("rival");
    if (desk.rival) fillFilm(desk.rival);
  }

  async function forget(film) {
    const children = desk.films.all().filter((one) => one.parent === film.id);
    try {
      await wire.post("forget", { run: film.id });
    } catch (error) {
      return fail(error);
    }
    for (const child of children) child.parent = film.parent;
    if (desk.rival === film) compare(null);
    desk.films.drop(film.id);
    if (desk.film === film) {
      const next = desk.films.all().filter((one) => one.steps.length).at(-1);
      if (next) show(next);
    }
    emit("runs");
  }

  function framed(film) {
    if (film === desk.film) {
      facts({ film: film.filled && film.decoder === desk.decoder && !film.filling?.decoder ? "ready" : "loading" });
      if (film.filled && film.decoder === desk.decoder) facts({ film: "ready" });
      if (film.live()) {
        const newest = desk.player.position >= desk.player.last; // who has gone back stays there
        const seen = film.drafts.x0?.length ?? 0;
        desk.player.extent(Math.max(0, seen - 1));
        if (newest) desk.player.goto(seen - 1);
      }
    }
    if (film === desk.film || film === desk.rival) emit("frames");
    if (film.filled) emit("runs");
  }

  // ---- Looking -----------------------------------------------------------------------------------------------------------

  let toldStep = null;
  function moved() {
    facts({ step: desk.player.position, playing: desk.player.playing });
    emit("position");
    if (!desk.player.playing && desk.film?.filled) link({ step: desk.atPicture() ? null : desk.player.position + 1 });
    const step = desk.stepAt();
    if (!desk.film || !desk.film.filled || toldStep === desk.film.id + "/" + step) return;
    toldStep = desk.film.id + "/" + step;
    tell("step", { run: desk.film.id, step });
  }

  function weigh(w) {
    desk.w = w;
    emit("w");
  }

  function decode(kind) {
    desk.decoder = kind;
    link({ decoder: kind === desk.usualDecoder ? null : kind });
    emit("rows");
    if (!desk.film || desk.film.live()) return;
    facts({ film: "loading" });
    for (const film of [desk.film, desk.rival]) if (film) fillFilm(film);
  }

  function hide(row, on) {
    if (on) desk.rows.add(row);
    else desk.rows.delete(row);
    emit("rows");
  }

  // ---- Parts and models --------------------------------------------------------------------------------------------------

  function open(part, quiet = false) {
    desk.part = part;
    facts({ part });
    link({ part: part === "steps" ? null : part });
    for (const box of root.querySelectorAll("[data-box]")) box.hidden = box.dataset.box !== part;
    emit("part");
    if (!quiet) tell("part", { part });
  }

  async function reload(model) {
    const told = await wire.json("start", { model: model || null });
    desk.start = told;
    desk.model = told.model?.name ?? model;
    if (!told.model.decoders.includes(desk.decoder)) desk.decoder = told.model.decoders[0];
    document.diffusion = { ...document.diffusion, model: nameOf(desk.model), start: told };
  }

  async function choose(model) {
    const before = desk.model;
    try {
      await reload(model);
      link({ model: desk.start.models[0]?.name === model ? null : model });
      desk.usual = { ...desk.usual, ...desk.start.defaults, prompt: desk.usual.prompt };
      change({ ...desk.start.defaults, prompt: desk.settings.prompt, seed: desk.settings.seed });
      emit("start");
      run();
    } catch (error) {
      desk.model = before;
      emit("start");
      fail(error);
    }
  }

  return desk;
}
