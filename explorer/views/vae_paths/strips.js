// The path lab: three ways from A to B as film strips under one scrubber, what the code and the picture do along each.

const PATH_WAYS = {
  lerp: ["Straight line", "lerp: z = (1 − t) A + t B"],
  slerp: ["Arc", "slerp: the direction turns evenly, the norm goes evenly from |A| to |B|"],
  geodesic: ["Geodesic", "the way along which the picture changes least, found by descent"],
};

function pathLab(lab) {
  const { part, book } = lab;
  let names = [], faces = [], found = {}, films = {}, index = 0, ticket = 0, polling = null, playing = 0, shown = part.get("shown") === "1";
  let stale = true;

  const slots = faceSlots(lab, { letters: "AB", change: (i, name) => choose(i === 0 ? [name, names[1]] : [names[0], name]),
    extra: [buttonOf({ words: "Swap", title: "A becomes B and B becomes A", press: swap, "data-do": "swap" })] });
  const plane = latentPlane({ move: dragged });
  plane.node.hidden = true;

  const scrubber = sliderOf({ label: "Place on all three paths, t from 0 (A) to 1 (B)", min: 0, max: 24, step: 1, value: 0, input: (i) => seek(i), "data-do": "t" });
  const place = piece("output", { class: "t-now" });
  const play = buttonOf({ words: "Play", title: "There and back (space)", press: toggle, "data-do": "play" });
  const rows = Object.fromEntries(Object.keys(PATH_WAYS).map((way) => [way, wayRow(way)]));

  const guesses = Object.keys(PATH_WAYS).map((way) => piece("button", { type: "button", class: "button", "data-guess": way, onclick: () => guess(way) }, PATH_WAYS[way][0]));
  const verdict = piece("p", { class: "verdict", role: "status" });
  const bars = piece("div", { class: "way-bars", hidden: true });
  const asking = piece("div", { class: "tools guess" }, piece("b", {}, "Along which one does the picture change least?"), guesses);
  const words = piece("p", { class: "aside" });

  const progress = piece("progress", { max: 1, value: 0 });
  const stop = buttonOf({ words: "Stop", title: "Stop looking for the geodesic", press: halt, "data-do": "stop" });
  const again = buttonOf({ words: "Find it", title: "Look for the geodesic", press: () => seekGeodesic(ticket), "data-do": "find" });
  const state = piece("span", { class: "muted", role: "status" });
  rows.geodesic.note.append(progress, state, stop, again);

  const strips = piece("section", { class: "card ways", "aria-label": "Three ways from A to B" },
    piece("div", { class: "tools scrub" }, play, piece("span", { class: "scrub-end" }, "A"), scrubber, piece("span", { class: "scrub-end" }, "B"), place),
    Object.values(rows).map(({ node }) => node));
  const score = piece("section", { class: "card", "aria-label": "Which is shortest" }, asking, verdict, bars, words);
  const files = piece("div", { class: "tools files" });
  const left = piece("div", { class: "lab-left" }, slots.node);
  const node = piece("div", { class: "tool", "data-tool": "path" }, piece("div", { class: "lab-top" }, left, plane.node), strips, files);

  function wayRow(way) {
    const big = piece("canvas", { class: "picture way-now", role: "img", "aria-label": PATH_WAYS[way][0] + " at t" });
    const film = piece("canvas", { class: "way-film", role: "img", "aria-label": PATH_WAYS[way][0] + " from A to B; drag along it",
      onpointerdown: (event) => (film.setPointerCapture(event.pointerId), pointed(event)),
      onpointermove: (event) => film.hasPointerCapture(event.pointerId) && pointed(event) });
    const pointed = (event) => {
      const box = film.getBoundingClientRect();
      seek(Math.round(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (frames() - 1)));
    };
    const move = (t) => seek(Math.round(t * (frames() - 1)));
    const norm = lineChart({ title: "Length of the code", unit: "|z|", x: ["t", 0, 1], move });
    const step = lineChart({ title: "Change from picture to picture", unit: "", x: ["t", 0, 1], move });
    const total = piece("b", { class: "way-length" });
    const reveal = way === "lerp" && buttonOf({ words: "Just show me", title: "Show the lengths", press: () => guess(""), "data-do": "show" });
    const note = piece("div", { class: "tools way-note" });
    const node = piece("article", { class: "way", "data-way": way, "data-state": "empty" },
      piece("header", { class: "way-head" }, piece("span", { class: "way-swatch", "data-way": way, "aria-hidden": "true" }), piece("h4", {}, PATH_WAYS[way][0]), piece("span", { class: "muted" }, PATH_WAYS[way][1]), total, reveal || null),
      big, piece("div", { class: "way-body" }, film, note, piece("div", { class: "way-charts" }, norm.node, step.node)));
    return { node, big, film, norm, step, total, note, reveal };
  }

  const frames = () => lab.facts.frames;

  // ---- What is shown ------------------------------------------------------------------------------------------------------------

  function seek(i) {
    index = Math.min(frames() - 1, Math.max(0, i));
    scrubber.set(index);
    scrubber.setAttribute("aria-valuetext", "t = " + fixedText(index / (frames() - 1)));
    const t = index / (frames() - 1), points = {};
    tellText(place, "t = " + fixedText(t));
    for (const [way, row] of Object.entries(rows)) {
      if (films[way]) paintFrame(row.big, films[way], index);
      row.norm.cursor(t);
      row.step.cursor(t);
      row.node.style.setProperty("--t", t);
      if (found[way]) points[way] = found[way].z[index];
    }
    if (lab.facts.map) plane.at(points);
    part.facts({ t: t.toFixed(3) });
    part.set({ t: index || null });
  }

  function toggle() {
    if (playing) return void rest();
    let begun = null, from = index;
    const last = frames() - 1;
    const turn = (now) => {
      begun ??= now;
      const at = Math.floor((now - begun) / 80) + from, lap = at % (2 * last);
      const next = lap > last ? 2 * last - lap : lap;
      if (next !== index) seek(next);
      playing = requestAnimationFrame(turn);
    };
    playing = requestAnimationFrame(turn);
    play.querySelector("span").textContent = "Pause";
  }

  function rest() {
    cancelAnimationFrame(playing);
    playing = 0;
    play.querySelector("span").textContent = "Play";
  }

  /** A way as a strip; the straight line stands for a geodesic that is not found yet. */
  function paintFilm(way) {
    const row = rows[way], sprite = films[way] ?? films.lerp, { film } = row;
    const cells = Math.min(frames(), Math.max(5, Math.floor((film.clientWidth || 720) / 60)));
    const side = sprite.width;
    Object.assign(film, { width: cells * side, height: side });
    const context = film.getContext("2d");
    for (let i = 0; i < cells; i++) {
      const frame = Math.round((i * (frames() - 1)) / (cells - 1));
      context.drawImage(sprite.sheet, (frame % sprite.columns) * side, Math.floor(frame / sprite.columns) * side, side, side, i * side, 0, side, side);
    }
    film.style.aspectRatio = `${cells} / 1`;
  }

  /** The charts of all ways share their axes, so that one sees which is longer. */
  function chartAll() {
    const all = Object.entries(found);
    if (!all.length) return;
    const t = Array.from({ length: frames() }, (_, i) => i / (frames() - 1));
    const shell = Math.sqrt(part.model.dims);
    const highNorm = roundUp(Math.max(shell * 1.3, ...all.flatMap(([, path]) => path.norm)));
    const highStep = roundUp(Math.max(1e-6, ...all.flatMap(([, path]) => path.step)));
    for (const [way, path] of all) {
      rows[way].norm.set([{ name: PATH_WAYS[way][0], way, xs: t, ys: path.norm }], { value: shell, words: "√" + part.model.dims }, highNorm);
      rows[way].step.set([{ name: PATH_WAYS[way][0], way, xs: t.slice(1), ys: path.step }], null, highStep);
      tellText(rows[way].norm.node.querySelector(".muted"), `|z|; dashed: √${part.model.dims} = ${fixedText(shell, 1)}, where draws from N(0, I) lie`);
      tellText(rows[way].step.node.querySelector(".muted"), lab.facts.eye.unit);
      tellText(rows[way].total, shown ? "length " + shortText(path.length) : "length hidden: predict it");
      rows[way].node.dataset.length = path.length;
    }
    if (lab.facts.map) plane.paths(Object.fromEntries(all.map(([way, path]) => [way, path.z])), faces.map(({ z }) => z));
    judge();
    seek(index);
  }

  function guess(way) {
    shown = true;
    part.set({ shown: 1 });
    score.dataset.guess = way;
    chartAll();
  }

  function judge() {
    asking.hidden = rows.lerp.reveal.hidden = shown;
    bars.hidden = !shown;
    const eye = lab.facts.eye, apart = found.lerp?.apart ?? 0;
    tellText(words, `A path's length is the sum of its ${frames() - 1} steps; a step is how far a picture is from the next by ${eye.words}. ` +
      "Ends and t are the same for all three; A and B are means μ, not samples. The decoder has no doubts: it paints something between the codes too, so its geodesic may cut through holes where no picture was ever encoded.");
    if (!shown) return tellText(verdict, "");
    const all = Object.entries(found), most = Math.max(...all.map(([, { length }]) => length), 1e-9);
    bars.replaceChildren(...all.map(([way, { length }]) => piece("div", { class: "way-bar", "data-way": way },
      piece("span", {}, PATH_WAYS[way][0]), piece("span", { class: "way-track" }, piece("i", { style: `width: ${(100 * length) / most}%` })), piece("b", {}, shortText(length)))),
      piece("p", { class: "muted way-apart" }, `${lab.facts.eye.unit}. A and B themselves are ${shortText(apart)} apart: no path can be shorter.`));
    const best = all.reduce((a, b) => (b[1].length < a[1].length ? b : a))[0], guessed = score.dataset.guess;
    if (!found.geodesic) return tellText(verdict, "The geodesic is still being looked for.");
    const saved = 1 - found.geodesic.length / Math.max(found.lerp.length, 1e-12);
    const told = guessed ? (guessed === best || found[guessed].length <= found[best].length ? "Yes. " : `No: ${PATH_WAYS[best][0].toLowerCase()}. `) : "";
    tellText(verdict, told + (saved > 0.0005 ? `The geodesic is ${fixedText(100 * saved, saved > 0.095 ? 0 : 1)} % shorter than the straight line.` : "No shorter way was found than the straight line."));
  }

  // ---- Asking ----------------------------------------------------------------------------------------------------------------------

  async function choose(next) {
    names = next;
    part.set({ a: names[0], b: names[1] });
    await load();
  }

  function swap() {
    return choose([names[1], names[0]]);
  }

  async function load() {
    const mine = ++ticket;
    part.facts({ path: "busy" });
    strips.setAttribute("aria-busy", "true");
    try {
      const met = await book.meet(names);
      if (mine !== ticket) return;
      faces = met;
      slots.show(faces);
      const query = pairQuery();
      const [measured, ...sprites] = await Promise.all([part.wire.get("paths/measure", query), ...["lerp", "slerp"].map((way) => part.wire.sprite("paths/strip", { ...query, way }))]);
      if (mine !== ticket) return;
      found = { lerp: measured.lerp, slerp: measured.slerp };
      films = { lerp: sprites[0], slerp: sprites[1] };
      rows.geodesic.node.dataset.state = "empty";
      rows.slerp.note.replaceChildren(...(measured.slerp.turns ? [] : [piece("span", { class: "muted" }, "A and B lie on one line through 0: no arc is defined, so this is the straight line.")]));
      for (const way of ["lerp", "slerp"]) (rows[way].node.dataset.state = "ready", paintFilm(way));
      paintFilm("geodesic");
      chartAll();
      part.facts({ path: "ready", geodesic: "busy" });
      strips.removeAttribute("aria-busy");
      stale = false;
      seekGeodesic(mine);
    } catch (error) {
      if (mine !== ticket) return;
      strips.removeAttribute("aria-busy");
      if (error.status === 400 && names.join() !== lab.usual(2).join()) { // a picture of another page, a code of another model
        window.explorer.toast(error.message);
        return choose(lab.usual(2));
      }
      part.trouble(error, load);
    }
  }

  const pairQuery = () => part.query({ a: names[0], b: names[1], v: part.model.version });

  async function seekGeodesic(mine) {
    clearTimeout(polling);
    if (mine !== ticket || !lab.open("path")) return;
    finding(true);
    try {
      const told = await part.wire.post("paths/geodesic", { ...pairQuery(), model: part.model.name });
      if (mine !== ticket) return;
      if (told.state === "done") return await take(told.path, mine);
      if (told.state === "failed") throw new Error(told.error);
      progress.value = told.share;
      tellText(state, told.state === "waiting" ? "Others' paths come first …" : "Looking for it …");
      polling = setTimeout(() => seekGeodesic(mine), 400);
    } catch (error) {
      if (mine !== ticket) return;
      finding(false, error.message);
    }
  }

  async function take(path, mine) {
    const sprite = await part.wire.sprite("paths/strip", { ...pairQuery(), way: "geodesic" });
    if (mine !== ticket) return;
    found.geodesic = path;
    films.geodesic = sprite;
    rows.geodesic.node.dataset.state = "ready";
    finding(false, path.start === "lerp" && path.length === path.tried.lerp ? "Nothing shorter than the straight line was found." : "");
    again.hidden = true;
    paintFilm("geodesic");
    chartAll();
    part.facts({ geodesic: "ready" });
  }

  function finding(on, said = "") {
    for (const one of [progress, stop]) one.hidden = !on;
    again.hidden = on;
    if (on) part.facts({ geodesic: "busy" });
    else tellText(state, said);
  }

  async function halt() {
    clearTimeout(polling);
    ticket++;
    finding(false, "Stopped.");
    part.facts({ geodesic: "stopped" });
    await part.wire.post("paths/stop", { kind: "geodesic" });
  }

  /** An end moved on the map: lines follow at once, pictures when it is let go. */
  function dragged(i, z, done) {
    const ends = faces.map((face) => Array.from(face.z));
    ends[i] = z;
    plane.paths({ lerp: ends }, ends);
    if (done) choose(names.map((name, k) => (k === i ? "code:" + z.map((v) => v.toFixed(3)).join(",") : name)));
  }

  // ---- Files -----------------------------------------------------------------------------------------------------------------------

  function offer() {
    const kinds = { gif: "GIF", mp4: "MP4", strip: "Strip" };
    const way = piece("select", { "aria-label": "Which path" }, Object.keys(PATH_WAYS).map((one) => piece("option", { value: one }, PATH_WAYS[one][0])));
    const file = (format) => part.wire.file("paths/strip", { ...pairQuery(), way: way.value, format, pingpong: format === "strip" ? null : 1 }).catch((error) => window.explorer.toast(error.message));
    files.replaceChildren(piece("span", { class: "named" }, "Save", way), ...lab.facts.exports.map((format) => buttonOf({ words: kinds[format], title: "Save the path as " + kinds[format], press: () => file(format) })),
      buttonOf({ words: "CSV", title: "Norms and distances of all three", press: table }),
      lab.python("path", () => ({ faces: names.join("|") })), lab.link());
  }

  function table() {
    const rows = Object.entries(found).flatMap(([way, path]) => path.norm.map((norm, i) => [way, (i / (frames() - 1)).toFixed(4), norm, i ? path.step[i - 1] : "", i ? path.step.slice(0, i).reduce((a, b) => a + b, 0).toFixed(5) : 0]));
    handOver(csvText(["path", "t", "norm", "step (" + lab.facts.eye.unit + ")", "length so far"], rows), "paths.csv");
  }

  const watch = new ResizeObserver(() => films.lerp && Object.keys(rows).forEach(paintFilm));
  watch.observe(rows.lerp.node);

  return {
    node,
    async begin() { // another model, or the first time
      rest();
      films = {}; found = {};
      for (const { node } of Object.values(rows)) node.dataset.state = "empty";
      plane.node.hidden = !lab.facts.map;
      if (lab.facts.map) left.append(score); // beside the map there is room for it
      else strips.after(score);
      if (lab.facts.map) plane.data(lab.facts.map);
      names = [part.get("a"), part.get("b")].map((name, i) => name || (i === 0 && part.picture.startsWith("upload:") ? part.picture : lab.usual(2)[i]));
      if (!part.get("a") && !part.get("b") && part.picture !== "gallery:0") names[0] = part.picture;
      if (names[0] === names[1] && !part.get("b")) names[1] = lab.usual(2)[0];
      index = Math.round(part.number("t", 12, 0, frames() - 1));
      scrubber.max = frames() - 1;
      stale = true;
      offer();
      await slots.load();
      await load();
    },
    show() {
      if (stale) return load();
      if (!found.geodesic && part.root.dataset.geodesic === "busy") seekGeodesic(ticket);
    },
    rest() {
      rest();
      clearTimeout(polling);
      if (part.root.dataset.geodesic === "busy" && !found.geodesic) part.wire.post("paths/stop", { kind: "geodesic" }).catch(() => {});
    },
    picture: (picture) => choose([picture, names[1]]),
    take: (i, name) => choose(names.map((old, k) => (k === i ? name : old))),
    keys: { Space: toggle, ArrowLeft: () => seek(index - 1), ArrowRight: () => seek(index + 1), s: swap },
  };
}
