// The three-world map and the dial of beta: latent maps side by side, one pointer that decodes in all of them.

makePart(element, props, {
  name: "worlds", prefix: "w", models: false, build: buildWorlds,
  keys: "Arrows on a map: move the pointer (Shift: further); Enter on a map: choose the nearest picture; R: other draws; H: holes; S: scale; B: play the dial; + − 0 on the manifold: dive in, out, all",
});

const SCALES = [["own", "Own", "Each map shows all of its codes and the prior"], ["prior", "Prior", "All maps show the same square, 3.5 sigma of the prior each way"], ["all", "All codes", "All maps show the same square, as wide as the widest cloud"]];
const MODES = [["z", "Same z", "The pointer is at the same coordinates in every world"], ["cloud", "Same place in the cloud", "The pointer has the same share of codes to its left and below in every world"]];

async function buildWorlds(place, part) {
  const { wire } = part, clouds = new Map(), models = new Map();
  const linkedZ = (part.get("z") ?? "").split(",").map(Number);
  const state = {
    data: part.get("data") === "avatars" ? "avatars" : "digits",
    scale: SCALES.some(([one]) => one === part.get("scale")) ? part.get("scale") : "own",
    mode: part.get("mode") === "cloud" ? "cloud" : "z",
    colour: part.get("colour"), holes: part.get("holes") === "1", near: part.number("near", 0.15, 0.02, 1),
    z: linkedZ.length === 2 && linkedZ.every((v) => Math.abs(v) <= 100) ? linkedZ : [0.6, 0.8],
    on: part.get("on"), picture: /^(point|gallery):\d{1,5}$/.test(part.get("pick") ?? "") ? part.get("pick") : "gallery:3", fourth: part.get("four"),
  };
  let start = null, worlds = [], boards = null, dial = null, manifold = null, draws = null, on = null, frame = 0, drawn = 0, stamp = 0, trail = [], chosen = null, opened = 0;

  // ---- What stands on the page whatever the data ----

  const colours = piece("select", { "data-pick": "colour", onchange: () => recolour(colours.value) });
  const legend = piece("ul", { class: "legend", "aria-label": "Colours" });
  const dataSeg = segmented("Pictures", [["digits", "Digits"], ["avatars", "Faces"]], (data) => ((state.picture = "gallery:3"), part.set({ pick: null }), open(data)), "data-seg");
  const scaleSeg = segmented("Scale", SCALES, (scale) => rescale(scale), "scale-seg");
  const modeSeg = segmented("Pointer", MODES, (mode) => ((state.mode = mode), part.set({ mode: mode === "z" ? null : mode }), redraw(), settle()), "mode-seg");
  const holesSwitch = switchOf("Shade holes", "Outside every posterior's 3σ ellipse, each taken at least as wide as the distance beside (H)", (on) => shade(on), "holes-switch");
  const nearWords = piece("span", { class: "muted" });
  const nearSlider = sliderOf({ label: "A hole has no code within this distance, in prior sigmas, and lies outside every posterior's 3 sigma", min: 0.02, max: 1, step: 0.01, value: state.near, input: (v) => nearer(v), "data-do": "near" });
  const fourth = piece("select", { "data-pick": "fourth", onchange: () => another(fourth.value || null) });
  const fourthLabel = piece("label", { class: "named", hidden: true }, "One more map", fourth);
  const nearLabel = piece("span", { class: "named near", hidden: !state.holes }, "no code within", nearSlider, nearWords);
  const grid = piece("div", { class: "worlds-grid" });
  const quiz = makeQuiz({ worlds: () => worlds, place: grid, changed: () => draws?.tell(worlds, state.near) });
  const original = piece("canvas", { class: "picture original", width: 64, height: 64, role: "img", "aria-label": "The chosen picture" }), originalWords = piece("b", { class: "chosen-name", "aria-live": "polite" });
  const picker = makePicker(part, { change: (picture) => pick(picture) });
  const manifoldSeg = piece("div"), countSeg = segmented("Pictures a side", [["7", "7"], ["11", "11"], ["15", "15"]], (count) => manifold?.set(null, +count), "count-seg");
  const dialPlace = piece("div"), drawsPlace = piece("div"), manifoldPlace = piece("div");
  countSeg.set("15");

  place.append(
    piece("header", {}, piece("h3", {}, "Three worlds"), piece("p", { class: "aside" },
      "The same network, the same pictures, a code of two numbers; only the aim differs. Move over a map: every world paints what it has at that place. Rings: 1, 2 and 3 σ of the prior N(0, I). Axes: z₀ to the right, z₁ up, in units of the prior's σ.")),
    piece("div", { class: "tools" }, dataSeg, piece("label", { class: "named" }, "Colour", colours), piece("span", { class: "named" }, "Scale", scaleSeg), piece("span", { class: "named" }, "Pointer", modeSeg),
      holesSwitch, nearLabel, fourthLabel),
    grid, piece("div", { class: "tools below" }, legend, quiz.node),
    piece("section", { class: "card chosen", "aria-label": "The chosen picture" },
      original,
      piece("div", { class: "chosen-side" }, originalWords, piece("p", { class: "muted" }, "Choose a picture here or a point on a map: each world shows its ", piece("span", { class: "c-mu" }, "mean μ"), " with ", piece("span", { class: "c-sigma" }, "ellipses at 1σ and 2σ"), " of its posterior, to scale, and paints it again from μ."), picker.node)),
    drawsPlace,
    piece("section", { class: "card manifold", "aria-label": "The data manifold" },
      piece("header", {}, piece("h3", {}, "The data manifold"), piece("p", { class: "muted" }, "Dive in with +, by pinching, or click it first, then the wheel dives in; once you are in, drag to move. The part you look at is decoded anew. The dashed square on the map shows where you are; a click sends the pointer there.")),
      piece("div", { class: "tools" }, manifoldSeg, piece("span", { class: "named" }, "Pictures a side", countSeg)), manifoldPlace),
    dialPlace,
    makeFiles([
      ["png", "Maps as PNG", "All maps as they are", async () => handOver(await mapsPicture(worlds, part.root), "worlds.png")],
      ["csv", "Codes as CSV", "Means, sigmas and labels of all pictures in all six stops", () => wire.file("worlds/codes.csv", { models: start.stops.map(({ name }) => name), v: start.version }), "Writing the codes …"],
      ["path-gif", "Path as GIF", "What the pointer passed, in every world; before it moves, a circle of radius 1.5", () => wire.file("worlds/path", { models: same().map(({ model }) => model.name), z: passed().flat(2).map((v) => +v.toFixed(3)), format: "gif" }), "Drawing the path …"],
      ["dial-gif", "β film as GIF", "The dial from stop to stop", () => wire.file("worlds/film", { data: state.data, factor: state.colour, format: "gif", v: start.version }), "Drawing the film …"],
      ["python", "Copy Python", "A program that does what is shown", () => window.explorer.copy(program(), "The program is on the clipboard.")],
    ]),
  );

  // ---- One set of pictures ----

  async function open(data) {
    const mine = ++opened;
    state.data = data;
    dataSeg.set(data);
    part.set({ data: data === "digits" ? null : data });
    part.facts({ data, boards: "0", state: "busy" });
    part.fine();
    if (start) waiting(data);
    try {
      const told = await wire.get("worlds/start", { data });
      if (mine !== opened) return;
      start = told;
      await lay(mine);
    } catch (error) {
      if (mine === opened) stay(), part.trouble(error, () => open(data));
      return;
    }
    part.facts({ state: "ready" });
    rest(mine).catch((error) => mine === opened && part.trouble(error, () => open(data)));
  }

  /** Other pictures are on their way: what is of the old ones is dimmed and cannot be chosen. */
  function waiting(data) {
    for (const node of [original, picker.node, ...old()]) node.classList.add("old");
    for (const node of [picker.node, ...old()]) node.inert = true;
    tellText(originalWords, data === "avatars" ? "Loading the faces …" : "Loading the digits …");
  }
  const old = () => [grid, drawsPlace, manifoldPlace, dialPlace];
  function came(...nodes) {
    for (const node of nodes) node.classList.remove("old"), (node.inert = false);
  }

  /** They did not come: the old ones stay. */
  function stay() {
    came(original, picker.node, ...old());
    tellText(originalWords, chosen?.told.caption ?? "");
  }

  /** The maps and the first picture: what one sees at once. */
  async function lay(mine) {
    quiz.stop();
    dial?.rest();
    clouds.clear(), models.clear();
    boards = boardsOf(wire, start.near);
    for (const model of start.stops) models.set(model.name, model);
    part.model = { ...models.get(state.data + "-1"), captions: start.captions };
    trail = [];
    const factors = Object.keys(start.factors);
    if (!factors.includes(state.colour)) state.colour = usualColour();
    tellParts(colours, factors.map((name) => piece("option", { value: name }, name)));
    colours.value = state.colour;
    worlds = start.worlds.map((name) => worldOf(models.get(name)));
    on = worlds.find(({ model }) => model.name === state.on) ?? worlds[1];
    grid.replaceChildren(...worlds.map(({ node }) => node));
    dial = makeDial(start, { clouds, half, look: looks, tell: ({ stop }) => part.set({ stop: stop === "1" ? null : stop }), tap: tapped });
    dialPlace.replaceChildren(dial.node);
    draws = makeDraws({ fetch: drawn8, point: (z) => (follow(on, z), settle()), shown(seed, z) {
      part.set({ seed: seed || null });
      for (const world of worlds) world.map.set({ draws: z }), world.map.over();
      draws.tell(worlds, state.near);
    } });
    drawsPlace.replaceChildren(draws.node);
    manifold = makeManifold(start, {
      fetch: ({ model, rect: [x0, x1, y0, y1], count }) => wire.sprite("worlds/manifold", { model: model.name, x0, x1, y0, y1, count, v: model.version }),
      tell(rect, count) {
        const whole = rect[0] === start.edge && rect[1] === 1 - start.edge && rect[2] === start.edge && rect[3] === 1 - start.edge;
        part.set({ rect: whole ? null : rect.join(","), n: count === 15 ? null : count });
        outline();
      },
      point: (z) => (follow(worlds.find(({ model }) => model === manifoldModel) ?? on, z), settle()),
    });
    manifoldPlace.replaceChildren(manifold.node);
    await Promise.all(worlds.map(({ model }) => codes(model)));
    if (mine !== opened) return;
    recolour(state.colour);
    measure();
    follow(on, state.z);
    await settled();
    if (mine === opened) came(...old());
  }

  /** All that makes it quick, or stands further down. */
  async function rest(mine) {
    const go = async (work) => mine === opened && (await work());
    await go(() => pick(state.picture));
    picker.load().then(() => mine === opened && (came(picker.node), picker.set(state.picture)), (error) => window.explorer.toast(error.message));
    for (const { model } of worlds) await go(() => boards.load(model, "near", start.near, model.version)), await go(() => part.facts({ boards: +part.root.dataset.boards + 1 }));
    await go(() => {
      draws.set(part.number("seed", 0, 0, 999_999));
      const rect = (part.get("rect") ?? "").split(",").map(Number), names = start.stops.map(({ stop }) => stop);
      const stop = names.includes(part.get("view")) ? part.get("view") : "1";
      const segment = segmented("World of the manifold", start.stops.map(({ stop }) => [stop, stop === "0" ? "β = 0" : stop === "kl" ? "KL only" : stop]), showManifold, "manifold-seg");
      segment.set(stop);
      manifoldSeg.replaceChildren(segment);
      const count = part.number("n", 15, 7, 15);
      countSeg.set(String(count));
      manifold.set(rect.length === 4 && rect.every((v) => v >= 0 && v <= 1) ? rect : null, count);
      showManifold(stop);
    });
    const rest = start.stops.filter(({ name }) => !clouds.has(name));
    await go(() => Promise.all(rest.map(codes)));
    await go(async () => {
      const stops = start.stops.map(({ stop }) => stop), at = stops.indexOf(part.get("stop"));
      dial.pictures(await wire.sprite("worlds/dial", { data: state.data, v: start.version }));
      if (mine === opened) dial.go(at >= 0 ? at : stops.indexOf("1"), false);
    });
    for (const { model } of worlds) if (model.reach > start.near + 0.2) await go(() => boards.load(model, "wide", model.reach, model.version));
    await go(() => offer());
    await go(() => part.facts({ all: "true" }));
  }

  async function codes(model) {
    const cloud = cloudOf(await wire.floats("worlds/codes", { model: model.name, v: model.version }));
    clouds.set(model.name, cloud);
    for (const world of worlds) if (world.model === model) world.cloud = cloud;
  }

  function worldOf(model) {
    const world = makeWorld(model, { hover: (z) => follow(world, z, true), rest: () => settle(), tap: (z) => tapped(z, model) });
    return world;
  }

  // ---- Scale, colour, holes ----

  const half = (model) => (state.scale === "prior" ? start.near : state.scale === "all" ? Math.max(...worlds.map((one) => one.model.reach)) : model.reach);
  const mineOf = (model) => Object.keys(model.factors).indexOf(state.colour);
  const looks = (model) => {
    const cloud = clouds.get(model.name), f = mineOf(model), names = f >= 0 ? model.factors[state.colour] : null;
    return { values: cloud && f >= 0 ? cloud.labels[f] : null, names: names && names.length <= 10 ? names : null, holes: state.holes, near: state.near };
  };

  function dress() {
    for (const world of worlds) {
      world.map.set({ cloud: world.cloud, half: half(world.model), ...looks(world.model) });
      world.map.paint();
    }
    dial?.paint();
  }

  function rescale(scale) {
    state.scale = scale;
    scaleSeg.set(scale);
    part.set({ scale: scale === "own" ? null : scale });
    part.facts({ scale });
    dress();
  }

  /** What colours the points at first: few values, so that no colour stands for two. */
  const usualColour = () => (start.factors.skin ? "skin" : Object.keys(start.factors)[0]);

  function recolour(name) {
    state.colour = name;
    part.set({ colour: name === usualColour() ? null : name });
    tellParts(legend, start.factors[name].map((value, i) => piece("li", {}, piece("span", { class: "dot", style: `background:${colourOf(i)}` }), value)));
    part.facts({ colour: name });
    dress();
  }

  function shade(yes) {
    state.holes = yes;
    holesSwitch.set(yes);
    nearLabel.hidden = !yes;
    part.set({ holes: yes ? "1" : null });
    dress();
  }

  const remeasure = latest(async () => (await new Promise(requestAnimationFrame), measure()));
  function nearer(v) {
    state.near = v;
    nearSlider.set(v);
    part.set({ near: v === 0.15 ? null : v });
    if (!start) return;
    tellNear();
    remeasure(v);
    if (state.holes) dress();
    redraw();
  }

  const tellNear = () => tellText(nearWords, fixedText(state.near) + " σ, and outside every posterior's 3σ");

  function measure() {
    tellNear();
    for (const world of worlds) {
      if (!world.cloud) continue;
      world.shares = holeShares(world.cloud, state.near);
      world.tellFigures();
    }
    draws?.tell(worlds, state.near);
  }

  // ---- The pointer ----

  const clamped = (z, model) => z.map((v) => Math.min(model.far, Math.max(-model.far, v)));

  function follow(world, z, finger = false) {
    on = world;
    state.z = z;
    stamp++;
    if (finger && world.cloud) {
      const [i, distance] = nearestCode(world.cloud, z);
      hover(distance * world.map.plane.scale < 12 ? i : -1, world.model);
    }
    redraw();
  }

  /** The pointer's way, a place in every world at each step; a circle while it has none. */
  function passed() {
    if (trail.some((places) => places.join() !== trail[0].join())) return trail;
    return Array.from({ length: 48 }, (_, i) => same().map(() => [1.5 * Math.cos((i * Math.PI) / 24), 1.5 * Math.sin((i * Math.PI) / 24)]));
  }

  function redraw() {
    if (!frame && start) frame = requestAnimationFrame(draw);
  }

  /** Once a screen frame: every world's place, its picture from the board, its marks. */
  function draw() {
    frame = 0;
    const shares = state.mode === "cloud" && on.cloud ? sharesOf(on.cloud, state.z) : null;
    let waits = false;
    for (const world of worlds) {
      world.z = clamped(world === on || !shares || !world.cloud ? state.z : atShares(world.cloud, shares), world.model);
      const how = boards.paint(world.picture, world.model, world.z);
      if (!how) waits = true;
      world.tell(how, state.near);
      world.map.set({ pointer: world.z });
      world.map.over();
    }
    trail.push(same().map(({ z }) => z));
    if (trail.length > 110) trail = trail.filter((_, i) => i % 2);
    part.facts({ drawn: ++drawn, z: on.z.map((v) => v.toFixed(4)).join(","), exact: "false" });
    if (waits) settle();
  }

  /** The worlds that one request can ask: pictures of one size. */
  const same = () => worlds.filter(({ model }) => model.size === start.size);

  const exactly = latest(async (asked) => {
    for (const group of [same(), worlds.filter((world) => !same().includes(world))]) {
      if (!group.length) continue;
      const query = { models: group.map(({ model }) => model.name), z: group.flatMap(({ z }) => z.map((v) => +v.toFixed(5))) };
      const sprite = await wire.sprite("worlds/decoded", { ...query, v: start.version });
      if (asked !== stamp) return;
      group.forEach((world, i) => (paintFrame(world.picture, sprite, i), world.tell("exact", state.near)));
    }
    part.facts({ exact: "true", drawn: ++drawn });
  });

  /** The pointer rests: the board's picture makes place for the decoder's own. */
  function settle() {
    part.set({ z: state.z.map((v) => +v.toFixed(3)).join(","), on: on === worlds[1] ? null : on.model.name });
    if (frame) requestAnimationFrame(() => exactly(stamp));
    else exactly(stamp);
  }

  async function settled() {
    await new Promise(requestAnimationFrame);
    const asked = stamp, group = same();
    const sprite = await wire.sprite("worlds/decoded", { models: group.map(({ model }) => model.name), z: group.flatMap(({ z }) => z.map((v) => +v.toFixed(5))), v: start.version });
    if (asked === stamp) group.forEach((world, i) => (paintFrame(world.picture, sprite, i), world.tell("exact", state.near)));
    part.facts({ exact: String(asked === stamp), drawn: ++drawn });
  }

  // ---- A picture: hovered, or chosen ----

  const codeAt = (cloud, i) => ({ mu: cloud.mu.slice(2 * i, 2 * i + 2), sigma: cloud.sigma.slice(2 * i, 2 * i + 2) });
  const shares = (world, model) => world.cloud && world.model.data === model.data;

  function hover(i, model) {
    for (const world of worlds) world.map.set({ hovered: i >= 0 && shares(world, model) ? codeAt(world.cloud, i) : null });
  }

  function tapped(z, model) {
    const cloud = clouds.get(model.name);
    if (cloud) pick("point:" + nearestCode(cloud, z)[0]);
  }

  const picked = latest(async (picture) => {
    const mine = opened, group = same(), models = group.map(({ model }) => model.name), query = { models, picture, v: start.version };
    const [told, sprite] = await Promise.all([wire.get("worlds/picture", query), wire.sprite("worlds/pictures", query)]);
    if (picture !== state.picture || mine !== opened) return;
    chosen = { picture, told };
    came(original);
    paintFrame(original, sprite, 0);
    tellText(originalWords, told.caption);
    group.forEach((world, i) => {
      world.picked = { mu: told.mu[i], sigma: told.sigma[i] };
      paintFrame(world.again, sprite, i + 1);
      world.tellPicked(told.psnr_db[i]);
      world.map.set({ picked: world.picked });
      world.map.over();
    });
    part.facts({ picked: picture });
  });

  function pick(picture) {
    state.picture = picture;
    part.set({ pick: picture === "gallery:3" || picture.startsWith("upload") ? null : picture });
    picker.set(picture);
    picked(picture);
  }

  // ---- Draws, manifold ----

  async function drawn8(seed) {
    const names = worlds.filter(({ model }) => model.stop !== undefined).map(({ model }) => model.name);
    const reply = await window.explorer.ask(wire.url("worlds/draws", { models: names, seed, count: 8, v: start.version }));
    const [count, height, width] = reply.headers.get("x-shape").split(",").map(Number), flat = reply.headers.get("x-z").split(",").map(Number);
    const sheet = await createImageBitmap(await reply.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    return { sprite: { sheet, count, width, height, columns: Number(reply.headers.get("x-columns")) }, z: Array.from({ length: flat.length / 2 }, (_, i) => flat.slice(2 * i, 2 * i + 2)) };
  }

  let manifoldModel = null;
  function showManifold(stop) {
    manifoldModel = start.stops.find((one) => one.stop === stop);
    part.set({ view: stop === "1" ? null : stop });
    manifold.show(manifoldModel);
    outline();
  }

  function outline() {
    for (const world of worlds) {
      world.map.set({ rect: world.model === manifoldModel ? manifold.box : null });
      world.map.over();
    }
  }

  // ---- A fourth map: another stop, or a model that this page trained ----

  function offer() {
    const own = (document.vae?.models ?? []).filter((one) => one.own);
    const stops = start.stops.filter(({ world }) => !world);
    tellParts(fourth, [piece("option", { value: "" }, "none"), ...stops.map(({ name, stop }) => piece("option", { value: name }, "β = " + stop)), ...own.map(({ name, title }) => piece("option", { value: name }, title))]);
    fourthLabel.hidden = fourth.options.length < 2;
    const wanted = document.vae?.fourth ?? state.fourth;
    if (wanted && [...fourth.options].some(({ value }) => value === wanted)) {
      fourth.value = wanted;
      if (!worlds.some(({ model }) => model.name === wanted)) another(wanted);
    } else if (worlds.length > 3) another(null);
  }

  async function another(name) {
    state.fourth = name;
    if (document.vae) document.vae.fourth = null; // as asked for by another part
    part.set({ four: name && !name.startsWith("own-") ? name : null });
    if (worlds.length > 3) worlds.pop().node.remove();
    grid.dataset.count = name ? 4 : 3;
    if (!worlds.includes(on)) on = worlds[1];
    if (name) {
      try {
        let model = models.get(name);
        if (!model) {
          const facts = await wire.get("worlds/facts", { model: name });
          model = { ...facts, own: true };
        }
        const world = worldOf(model);
        world.cloud = clouds.get(name) ?? cloudOf(await wire.floats("worlds/codes", { model: name, v: model.version }));
        if (state.fourth !== name) return;
        clouds.set(name, world.cloud);
        worlds.push(world);
        grid.append(world.node);
        await boards.load(model, "near", start.near, model.version);
        if (model.reach > start.near + 0.2) await boards.load(model, "wide", model.reach, model.version);
      } catch (error) {
        fourth.value = "";
        state.fourth = null;
        grid.dataset.count = 3;
        return window.explorer.toast(error.message);
      }
    }
    trail = [];
    measure(), dress(), redraw(), settle();
    if (chosen) picked(state.picture);
    if (draws.z.length) draws.set(draws.seed);
    part.facts({ maps: worlds.length });
  }

  // ---- The page ----

  const program = () => worldsPython({
    models: worlds.filter(({ model }) => !model.own).map(({ model }) => model.name), z: worlds.filter(({ model }) => !model.own).map(({ z }) => z), shares: state.near,
    manifold: { model: manifoldModel?.name ?? state.data + "-1", rect: manifold.rect, count: +manifold.canvas.dataset.count || 15 }, picture: state.picture,
  });
  part.program = program;
  const live = (work) => () => part.root.isConnected && start && !part.root.hidden && work();
  document.addEventListener("vae:models", live(offer));
  window.addEventListener("explorer:theme", live(() => requestAnimationFrame(() => (dress(), outline()))));

  holesSwitch.set(state.holes);
  scaleSeg.set(state.scale);
  modeSeg.set(state.mode);
  nearSlider.set(state.near);
  part.facts({ scale: state.scale });
  await open(state.data);
  return {
    show: () => start && (dress(), offer()),
    rest: () => dial?.rest(),
    keys: {
      r: () => draws?.roll(),
      h: () => shade(!state.holes),
      s: () => rescale(SCALES[(SCALES.findIndex(([one]) => one === state.scale) + 1) % SCALES.length][0]),
      b: () => dial?.toggle(),
    },
  };
}
