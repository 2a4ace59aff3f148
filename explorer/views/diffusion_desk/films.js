// Films: what the page holds of a run, as bitmaps and numbers. Only filling asks the server; looking at a film never does.

const FILMS_MOST = 16; // whose bitmaps are kept
const OVER = ["done", "stopped", "error"]; // states in which nothing more comes
const SMALL_NUMBERS = 20_000; // numbers of a latent up to which the page takes the tensors themselves

/** A run as the page knows it. A film of n steps has n + 1 frames: the last is the picture. */
function makeFilm({ run, total, settings, parent = null, step = null, model = null }) {
  const film = {
    id: run,
    total,
    settings,
    parent,
    step, // of the parent, from which this run branches off
    model,
    state: "waiting",
    seconds: 0,
    left: null,
    error: null,
    warnings: [],
    steps: [], // what the server tells of each step
    frames: {}, // view -> bitmaps, complete
    drafts: {}, // view -> bitmaps, as far as the run has come
    decoder: null, // of the pictures in `frames`
    tensors: null, // {size, x, eps_uncond, eps_cond}: one Float32Array a step each
    channels: null, // of large latents instead: the heat maps of each step
    filled: false,
    used: 0,
    /** The bitmap of a view at position i, or null. */
    at: (view, i) => film.frames[view]?.[i] ?? (film.frames[view] ? null : film.drafts[view]?.[i]) ?? null,
    final: () => film.frames.x0?.at(-1) ?? film.drafts.x0?.at(-1) ?? null,
    live: () => !OVER.includes(film.state),
    close() {
      film.channels?.flat().forEach((bitmap) => bitmap.close());
      for (const shelf of [film.frames, film.drafts]) {
        for (const bitmaps of Object.values(shelf)) bitmaps.forEach((bitmap) => bitmap?.close());
      }
      Object.assign(film, { frames: {}, drafts: {}, decoder: null, tensors: null, channels: null, filled: false });
    },
  };
  return film;
}

/** All films of the page, and how they are filled. `changed(film)` is called when there is more to see. */
function makeFilms(wire, changed) {
  const films = new Map();
  let clock = 0;

  function add(told) {
    const film = films.get(told.run) ?? makeFilm(told);
    films.set(film.id, film);
    return film;
  }

  function use(film) {
    film.used = ++clock;
    const kept = [...films.values()].filter((one) => one.filled).sort((a, b) => b.used - a.used);
    for (const old of kept.slice(FILMS_MOST)) old.close();
  }

  /** What came while the run goes on: x̂0 and x_t of its newest steps, cheaply decoded. */
  async function draft(film, decoder) {
    if (film.drafting || film.filled) return;
    film.drafting = true;
    try {
      const [from, to] = [film.drafts.x0?.length ?? 0, film.steps.length];
      if (to <= from) return;
      const told = await Promise.all(
        ["x0", "x"].map((view) => wire.sprite("strip", { run: film.id, view, decoder, from, to: to - 1 })),
      );
      ["x0", "x"].forEach((view, i) => (film.drafts[view] ??= []).push(...told[i].bitmaps));
      changed(film);
    } catch (error) {
      if (error.status !== 429) console.info(error.message); // a preview that is missed is no trouble: the film follows
    } finally {
      film.drafting = false;
    }
  }

  /** The whole film: pictures by the decoder, noises, tensors. Nothing is asked twice. */
  function fill(film, decoder, size) {
    if (film.filling?.decoder === decoder) return film.filling.promise;
    if (film.filled && film.decoder === decoder) return Promise.resolve(film);
    const promise = filled(film, decoder, size).finally(() => film.filling?.promise === promise && (film.filling = null));
    film.filling = { decoder, promise };
    return promise;
  }

  async function filled(film, decoder, size) {
    const run = film.id;
    const done = film.steps.length;
    const strip = async (view) => (await wire.sprite("strip", { run, view, decoder })).bitmaps;
    const still = () => film.filling?.decoder === decoder;
    const take = (view, bitmaps) => {
      const old = film.frames[view];
      film.frames[view] = bitmaps;
      old?.forEach((bitmap) => bitmap.close());
      changed(film);
    };

    // x has one frame more than there are steps: the last one is what the run ended with, and all estimates lead there.
    const [x0, x] = await Promise.all([strip("x0"), strip("x")]);
    if (!still()) return film;
    take("x", x);
    take("x0", [...x0, await createImageBitmap(x.at(-1))]);
    film.decoder = decoder;
    film.pictured?.(); // it can be played: the noises follow
    film.pictured = null;
    const noises = ["eps_uncond", "eps_cond", "difference", "eps"].filter((view) => !film.frames[view]);
    await Promise.all([
      ...noises.map(async (view) => take(view, await strip(view))),
      film.tensors || film.channels ? null : size > SMALL_NUMBERS ? channels(film) : tensors(film),
    ]);
    if (!film.filled) {
      film.filled = true;
      use(film);
    }
    changed(film);
    return film;
  }

  /** The tensors themselves, so that arithmetic in the page is on the true numbers. */
  async function tensors(film) {
    const what = ["x", "eps_uncond", "eps_cond"];
    const { shape, values } = await wire.floats("latents", { run: film.id, what: what.join() });
    const [steps, kinds] = shape;
    const size = values.length / (kinds * steps);
    const cut = (k) => Array.from({ length: steps }, (_, i) => values.subarray((i * kinds + k) * size, (i * kinds + k + 1) * size));
    // x of Euler's kind is longer: shown is x_t, as noisy as in training, in every scheduler.
    const scaled = (list) => list.map((one, i) => ((film.steps[i].coefficients?.scale ?? 1) === 1 ? one : one.map((value) => value * film.steps[i].coefficients.scale)));
    film.tensors = { size, ...Object.fromEntries(what.map((name, k) => [name, name === "x" ? scaled(cut(k)) : cut(k)])) };
  }

  /** Of large latents: their channels as heat maps, painted by the server. */
  async function channels(film) {
    const { bitmaps, told } = await wire.sprite("channels", { run: film.id, view: "x", to: film.steps.length - 1 });
    const many = Number(told("x-channels")) || 4;
    film.scale = Number(told("x-scale"));
    film.channels = film.steps.map((_, i) => bitmaps.slice(i * many, (i + 1) * many));
  }

  return { add, use, draft, fill, get: (id) => films.get(id), all: () => [...films.values()], drop: (id) => (films.get(id)?.close(), films.delete(id)) };
}
