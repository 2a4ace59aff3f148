// The frame: which room is shown, which run and step the rooms speak of, and what they share. Rooms get `inside`:
//
//   inside.id, step, total, settings, model   the run (or null) and the step that are looked at
//   inside.go(step)          another step, for all rooms and for the other views
//   inside.told()            words, layers and masses of the run; inside.maps(layer) their bytes; both asked for once
//   inside.frames(), final() x̂₀ of every step and the result as bitmaps
//   inside.wire              requests (wire.js); inside.use(prompt) asks the desk for a run
//
// A room is {run(), step()}: run() when it is opened or the run is another, step() when the step is.

const INSIDE_ROOMS = [
  ["attention", "Attention", makeLooking, true],
  ["swap", "Swap a word", makeSwap, true],
  ["text", "Text encoder", makeText, true],
  ["unet", "UNet", makeUnet, true],
  ["decoder", "Decoder", makeDecoder, true],
  ["sizes", "Sizes", makeSizes, false],
];
const INSIDE_MS = 160; // a step of the film

makeInside(element.querySelector(".inside"), wireTo(props.routes));

function makeInside(root, wire) {
  const tab = window.explorer.tab; // this view mounts when its tab is opened
  const at = (name) => root.querySelector(`[data-at="${name}"]`);
  const places = Object.fromEntries([...root.querySelectorAll("[data-place]")].map((node) => [node.dataset.place, node]));
  const built = {};
  let [shown, room, touched, timer] = [false, "attention", false, 0];
  const inside = {
    root, wire, id: null, step: 0, total: 1, settings: null, model: "",
    go: (step) => ((touched = true), move(step, true)),
    told: () => telling(inside.id, inside.id),
    maps: (layer) => mapping(inside.id + layer, inside.id, layer),
    frames: () => filming(inside.id, inside.id, "x0"),
    final: () => filming(inside.id + "final", inside.id, "final"),
    use: (prompt) => document.dispatchEvent(new CustomEvent("diffusion:use", { detail: { prompt } })),
  };
  const telling = remembered((run) => wire.json("attention", { run }));
  const mapping = remembered((run, layer) => wire.bytes("maps", { run, layer }));
  const filming = remembered((run, view) => wire.strip("strip", { run, view, decoder: "full" }));

  // ---- The bar ----------------------------------------------------------------------------------------------------------------

  const rooms = segments("What to look into", INSIDE_ROOMS.map(([name, words]) => [name, words]), room, (name) => open(name));
  const prompt = piece("input", { type: "text", "aria-label": "Prompt", placeholder: "a face with red hair and sunglasses", autocomplete: "off", maxlength: 2000 });
  const form = piece("form", { class: "ask", onsubmit: (event) => (event.preventDefault(), inside.use(prompt.value)) }, prompt, button("Run", null, { type: "submit", class: "button strong", "data-do": "run" }));
  const slider = sliderOf({ label: "Step", min: 0, max: 1, value: 0, input: (v) => inside.go(v) });
  const stepWords = piece("output", { class: "step-words", "aria-live": "off" });
  const play = button("▶", () => (timer ? pause() : start()), { class: "button icon", "aria-label": "Play the steps", "data-do": "play" });
  const steps = piece("div", { class: "steps" }, play, slider, stepWords);
  at("bar").replaceChildren(rooms.node, piece("div", { class: "bar" }, form, steps));

  function start() {
    if (inside.step >= inside.total - 1) move(0, true);
    touched = true;
    timer = setInterval(() => (inside.step < inside.total - 1 && root.isConnected && !root.hidden ? move(inside.step + 1, true) : pause()), INSIDE_MS);
    tellPlay();
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    tellPlay();
  }

  function tellPlay() {
    tellText(play, timer ? "❚❚" : "▶");
    play.setAttribute("aria-label", timer ? "Pause" : "Play the steps");
  }

  // ---- The run and the step ---------------------------------------------------------------------------------------------------

  function take({ run, settings, model, total }) {
    if (!run || run === inside.id) return;
    pause();
    touched = false;
    Object.assign(inside, { id: run, settings: settings ?? {}, model: model ?? "", total: total ?? 1 });
    inside.step = within(inside.step, 0, inside.total - 1);
    if (document.activeElement !== prompt) prompt.value = inside.settings.prompt ?? "";
    root.dataset.run = run;
    tellStep();
    if (shown) open(room);
  }

  function move(step, mine = false) {
    step = within(Math.round(step), 0, Math.max(0, inside.total - 1));
    if (step === inside.step && root.dataset.step !== "") return;
    inside.step = step;
    tellStep();
    if (shown) built[room]?.step?.();
    if (mine && inside.id) {
      document.diffusion = { ...document.diffusion, step };
      document.dispatchEvent(new CustomEvent("diffusion:step", { detail: { run: inside.id, step, from: "inside" } }));
    }
  }

  function tellStep() {
    slider.show(inside.step, Math.max(1, inside.total - 1));
    tellText(stepWords, inside.id ? `step ${inside.step + 1} of ${inside.total}` : "");
    slider.setAttribute("aria-valuetext", `step ${inside.step + 1} of ${inside.total}`);
    root.dataset.step = inside.step;
  }

  // ---- Rooms ------------------------------------------------------------------------------------------------------------------

  async function open(name) {
    room = name;
    rooms.show(name);
    root.dataset.room = name;
    if (window.explorer.tab === tab) window.explorer.set({ inside: name === "attention" ? null : name });
    const [, , make, needs] = INSIDE_ROOMS.find(([one]) => one === name);
    const empty = needs && !inside.id;
    at("empty").hidden = !empty;
    tellText(at("empty"), empty ? "Waiting for a run. Write a prompt and press Run." : "");
    steps.hidden = !["attention", "swap", "unet", "decoder"].includes(name) || empty;
    for (const [one, node] of Object.entries(places)) node.hidden = one !== name || empty;
    if (empty) return;
    root.dataset.state = "busy";
    built[name] ??= make(places[name], inside);
    const of = inside.id;
    await built[name].run();
    if (room === name && of === inside.id) root.dataset.state = "idle";
  }

  function show(part) {
    shown = part === "inside";
    root.hidden = !shown;
    if (!shown) return pause();
    touched = false;
    const latest = document.diffusion ?? {};
    if (latest.run) take(latest);
    if (Number.isInteger(latest.step)) move(latest.step);
    root.dataset.ready = "true";
    open(room);
  }

  const live = (run) => ({ detail }) => element.isConnected && detail && run(detail);
  document.addEventListener("diffusion:part", live(({ part }) => show(part)));
  document.addEventListener("diffusion:run", live((detail) => take(detail)));
  document.addEventListener("diffusion:step", live(({ run, step, from }) => from !== "inside" && !touched && run === inside.id && Number.isInteger(step) && move(step)));

  const linked = window.explorer.get("inside");
  if (INSIDE_ROOMS.some(([name]) => name === linked)) room = linked;
  queueMicrotask(() => show(document.diffusion?.part ?? window.explorer.get("part") ?? ""));
  root.inside = inside; // for tests, and for whoever looks in the console
}
