// Disentanglement in numbers, the rotation dial, the game of naming a slider, and maps of the codes: one of four views at a time.

const METRIC_VIEWS = [["dial", "Turn the code", "The dial: same ELBO, other metrics"], ["scores", "All metrics", "What they are, and what fools them"], ["game", "Name this slider", "What does it move?"], ["maps", "Flat maps", "PCA, t-SNE, AE and VAE on the same pictures, and UMAP where the host has it"]];
const METRIC_LEADS = {
  dial: "A VAE's ELBO does not care which way the axes of its code point: turned, it gives the same pictures for the same bill. Metrics of disentanglement do care. Drag the disc: first of a code that could not be better, then of this model's.",
  scores: "Each metric compares a code with factors that are known. None can be trusted alone: here is what each measures, and what it is fooled by.",
  game: "If a code is disentangled, its sliders have names. Move the slider, then say what it moves.",
  maps: "Up to five ways to lay the same pictures flat. Only some have a way back from the map to a picture.",
};

makePart(element, props, { name: "metrics", prefix: "m", keys: "← → turn, space plays the film, 1 to 5 guess, Enter goes on", models: true, build: buildPart });

async function buildPart(place, part) {
  const start = await part.wire.get("metrics/start", part.query());
  const toys = Object.keys(start.names);
  const hub = { part, start, live: null, model: null, source: part.get("from") === "model" || toys.includes(part.get("from")) ? part.get("from") : "perfect", names: start.factors, use };
  const known = METRIC_VIEWS.map(([name]) => name), endings = new AbortController();
  let view = known.includes(part.get("view")) ? part.get("view") : "dial";

  const lead = piece("p", { class: "aside" });
  const nav = segmented("What to look at", METRIC_VIEWS, open, "metric-nav");
  const dial = makeDial(hub), game = makeGame(hub), maps = makeMaps(hub), sheet = makeSheet(hub);
  const views = { dial: [dial.node, dialExports(hub, dial)], scores: [sheet.node, sheetExports(hub, sheet.node)], game: [game.node], maps: [maps.node, mapsExports(hub, maps)] };
  place.append(piece("div", { class: "tools" }, nav), lead, ...Object.values(views).flat());
  nav.set(view);

  function open(wanted) {
    view = wanted;
    part.set({ view: view === "dial" ? null : view });
    show();
  }

  function show() {
    for (const [name, nodes] of Object.entries(views)) for (const node of nodes) node.hidden = name !== view;
    tellText(lead, METRIC_LEADS[view]);
    part.facts({ view });
    dial.rest();
    game.rest();
    if (view === "game") game.show();
    if (view === "maps") maps.show();
  }

  /** The model's codes or a toy's. A link that says nothing shows the perfect code: there the scores have most to lose. */
  async function use(source) {
    hub.source = source;
    part.set({ from: source === "perfect" ? null : source });
    hub.names = source === "model" ? start.factors : start.toy_factors;
    try {
      if (source === "model") hub.live = hub.model;
      else hub.live = makeTurnable(await toyCodes(part, start, source), start);
      if (!hub.live) return;
      begun ||= source === "model";
      dial.fresh(true);
    } catch (error) {
      part.trouble(error, () => use(source));
    }
  }

  let begun = false;
  function came(codes) {
    if (!lead.isConnected) return void endings.abort(); // another model was chosen
    if (codes.n < 200 && codes.n < codes.total) return;
    hub.model = makeTurnable({ ...codes }, start);
    if (view === "game") game.show();
    if (hub.source !== "model") return;
    hub.live = hub.model;
    dial.fresh(!begun);
    begun = true;
  }

  show();
  if (hub.source !== "model") await use(hub.source);
  dial.picture().catch((error) => part.trouble(error, () => dial.picture()));
  const asked = () => modelCodes(part, start, came, endings.signal).catch((error) => endings.signal.aborted || part.trouble(error, asked));
  asked();

  return {
    show,
    rest: () => (dial.rest(), game.rest()),
    picture: () => (dial.picture().catch((error) => part.trouble(error)), game.picture()),
    keys: { ArrowRight: () => view === "dial" && dial.keys.ArrowRight(), ArrowLeft: () => view === "dial" && dial.keys.ArrowLeft(), Space: () => view === "dial" && dial.keys.Space(),
      ...Object.fromEntries(Object.entries(game.keys).map(([key, run]) => [key, () => view === "game" && run()])) },
  };
}
