// Begins: asks what the server offers, reads the link, furnishes the sections, and runs the first prompt at once.

const root = element.querySelector(".desk");
const desk = makeDesk(root, wireTo(props.routes));

function make(factory, name) {
  try {
    // a section that fails leaves the others standing
    factory(desk.at(name), desk);
  } catch (error) {
    console.error(error);
  }
}

function furnish() {
  if (desk.furnished) return;
  desk.furnished = true;
  make(makePrompt, "prompt");
  make(makeKnobs, "knobs");
  make(makeProgress, "progress");
  make(makeStage, "stage");
  make(makeTransport, "transport");
  make(makeStrips, "strips");
  make(makeGuidance, "guidance");
  make(makeOneStep, "onestep");
  make(makeBranches, "branches");
  make(makeExport, "export");
  makeKeys(desk);
}

/** The first run is made when a part is opened that speaks of a run. */
function firstRun() {
  if (desk.begun || !["steps", "inside"].includes(desk.part)) return;
  desk.begun = true;
  desk.run();
}

async function begin() {
  const failure = root.querySelector(".failure");
  failure.hidden = true;
  const { get } = window.explorer;
  try {
    try {
      await desk.reload(get("model"));
    } catch (error) {
      if (error.offline || !get("model")) throw error;
      window.explorer.toast(error.message + " So this is the model that comes with the app.", "note");
      await desk.reload(null);
    }
    const { defaults, examples, model } = desk.start;
    desk.usual = { prompt: "", negative: "", seed: 0, steps: 25, scheduler: "ddim", eta: 0, guidance_scale: 4, strength: 1, mode: "text", ...defaults };
    if (!desk.usual.prompt) desk.usual.prompt = examples[0] ?? "";
    desk.usualDecoder = model.decoders[0];
    desk.decoder = model.decoders.includes(get("decoder")) ? get("decoder") : desk.usualDecoder;
    desk.settings = settingsFrom(get, desk.usual, desk.start);
    if (/^\d+$/.test(get("step") ?? "")) desk.linked = get("step") - 1;
    furnish();
    desk.emit("start");
    desk.emit("settings");
    desk.emit("picture");
    desk.emit("rows");
    root.dataset.ready = "true";
    firstRun();
  } catch (error) {
    desk.facts({ state: "error" });
    failure.hidden = false;
    failure.querySelector("p").textContent = error.message;
  }
}

desk.on("part", () => root.dataset.ready === "true" && firstRun());
document.addEventListener("diffusion:part", ({ detail }) => {
  if (detail?.part && detail.part !== desk.part && desk.start) desk.open(detail.part, true);
});
document.addEventListener("diffusion:use", ({ detail }) => {
  if (!desk.start || !detail) return;
  desk.change({ ...(detail.settings ?? {}), ...(detail.prompt !== undefined ? { prompt: detail.prompt } : {}) });
  desk.begun = true;
  desk.run();
});
root.querySelector(".failure button").addEventListener("click", begin);
// The row of parts stands before anything is asked: other parts need no model.
make(makeBar, "bar");
desk.open(DIFFUSION_PARTS.some(([name]) => name === window.explorer.get("part")) ? window.explorer.get("part") : "steps");
element.desk = desk; // for tests, and for whoever looks in the console
begin();
