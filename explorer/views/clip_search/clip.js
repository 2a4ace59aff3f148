// Begins: asks what the server offers, reads the link, furnishes the sections, and searches at once.

const root = element.querySelector(".clip");
const desk = makeDesk(root, wireTo(props.routes));
const CLIP_LESSONS = ["matrix", "tokens", "probes", "indexlab"];

function furnish() {
  if (desk.furnished) return;
  desk.furnished = true;
  const make = (factory, name) => {
    try {
      // a section that fails leaves the others standing
      factory(desk.at(name) ?? root.querySelector('[data-box="' + name + '"]'), desk);
    } catch (error) {
      console.error(error);
    }
  };
  make(makeBar, "bar");
  make(makeField, "field");
  make(makeTray, "tray");
  make(makeEquation, "equation");
  make(makeTools, "tools");
  make(makeFilters, "filters");
  make(makeResults, "results");
  make(makeWatch, "watch");
  make(makeDetail, "detail");
  make(makeClassify, "classify");
  make(makeCollections, "collections");
  makeKeys(desk);
}

async function begin() {
  const failure = root.querySelector(".failure");
  failure.hidden = true;
  const { get } = window.explorer;
  try {
    desk.model = get("model") ?? "avatars";
    try {
      await desk.reload();
    } catch (error) {
      if (error.offline || desk.model === "avatars") throw error;
      window.explorer.toast(error.message + " So this is the model that comes with the app.", "note");
      desk.model = "avatars";
      await desk.reload();
    }
    const first = desk.start.collections[0]?.id ?? "faces";
    const parts = splitSigns(desk.start.examples[0] ?? "");
    desk.usual = { ...NOTHING_ASKED, collection: first, text: parts[0]?.[1] ?? "" };
    desk.query = queryFrom(get, desk.usual);
    const opened = get("open");
    const part = get("part");
    furnish();
    desk.emit("start");
    desk.emit("query", false);
    desk.show(CLIP_PARTS.some(([name]) => name === part) ? part : "search", !CLIP_LESSONS.includes(part));
    root.dataset.ready = "true";
    await desk.search();
    if (opened !== null && /^\d+$/.test(opened)) desk.open(+opened);
  } catch (error) {
    desk.facts({ state: "error" });
    failure.hidden = false;
    failure.querySelector("p").textContent = error.message;
  }
}

document.addEventListener("clip:use", ({ detail }) => {
  if (!desk.start || !detail) return;
  if (detail.part === "search") {
    if (desk.part !== "search") desk.show("search");
    desk.only(
      detail.ref
        ? { terms: [{ kind: "image", ref: detail.ref, weight: 1, label: detail.text || "a picture" }] }
        : { text: detail.text ?? "" },
    );
  }
});
root.querySelector(".failure button").addEventListener("click", begin);
element.desk = desk; // for tests, and for whoever looks in the console
begin();
