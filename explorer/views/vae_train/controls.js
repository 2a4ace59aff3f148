// What a training may be asked for: the settings as controls, in the link, and as the server wants them.

const TRAIN_BETAS = [[0, "0", "Reconstruction only: an autoencoder"], [0.1, "0.1"], [1, "1", "The VAE"], [4, "4"], [16, "16"], ["kl", "KL only", "The limit of an endless beta: codes follow the prior and say nothing"]];

/** makeControls(part, menu, lacking, changed): `.node`, `.settings`, `.upload` (a place for the files), `.set(settings)`. */
function makeControls(part, menu, lacking, changed) {
  const { sets, ranges, usual } = menu;
  const settings = { ...usual, widths: [...usual.widths] };
  const numbers = {};
  const layers = (size) => Math.log2(size / 4);

  const data = segmented("Pictures", Object.entries(sets).map(([name, { title }]) => [name, title, lacking[name]]), (name) => {
    settings.data = name;
    resize(sets[name].sizes[0]);
    say();
  }, "wrap");
  for (const button of data.children) if (lacking[button.dataset.value]) button.disabled = true;
  const why = piece("p", { class: "aside" }, ...Object.values(lacking));
  const upload = piece("div", { class: "train-upload", hidden: true });

  const beta = segmented("Beta", TRAIN_BETAS, (value) => ((settings.beta = value), say()), "wrap");
  const free = numberField("sigma", 0.1);
  const exact = piece("input", { type: "number", min: 0, max: 16, step: "any", "aria-label": "Another beta, 0 to 16", onchange: () => {
    if (exact.value === "" || !(+exact.value >= 0 && +exact.value <= 16)) return show();
    settings.beta = +exact.value;
    say();
  } });

  const size = segmented("Size of the pictures", [[32, "32 px"], [64, "64 px"]], (value) => (resize(value), say()));
  const sizeRow = setting("Size", "Pixels per side of the pictures", size);
  const widths = piece("span", { class: "train-widths" });
  const batch = piece("select", { "aria-label": "Pictures in a batch", onchange: () => ((settings.batch = +batch.value), say()) },
    menu.batches.map((value) => piece("option", { value }, String(value))));

  const node = piece("div", { class: "train-controls" },
    setting("Pictures", "What it is trained on", data),
    Object.keys(lacking).length ? why : null,
    upload,
    setting("β", "Loss = reconstruction + β · KL", piece("span", { class: "tools" }, beta, piece("label", { class: "named" }, "or", exact))),
    setting("Latent size", "Numbers of a code; with 2 the map is the whole latent space", numberField("dims", 1)),
    piece("details", { class: "train-more" }, piece("summary", {}, "Network, optimiser and budget"),
      piece("div", { class: "train-fields" },
        sizeRow,
        setting("Layers", "Channels of each layer of the encoder; the decoder mirrors them", widths),
        setting("Decoder σ", "p(x|z) = N(x̂, σ²), for pixels from −1 to 1: only β σ² decides what is learnt", free),
        setting("Learning rate", "Of AdamW; rises over 20 steps, then falls along a cosine", numberField("lr", "any")),
        setting("Batch", "Pictures of one step", batch),
        setting("Steps", "At most a minute at a time on this host", numberField("steps", 50)),
        setting("Seed", "Same seed and settings, same model", numberField("seed", 1)))));

  function setting(words, title, control) {
    return piece("div", { class: "train-setting", title }, piece("span", { class: "train-name" }, words), control);
  }

  function numberField(name, step) {
    const { title, least, most } = ranges[name];
    const field = piece("input", { type: "number", min: least, max: most, step: "any", "data-setting": name, "aria-label": `${title}, ${least} to ${most}`, inputmode: "decimal", onchange: () => {
      const value = +field.value, whole = step !== "any" && step >= 1;
      if (field.value === "" || !(value >= least && value <= most)) {
        window.explorer.toast(`${title} is a number from ${least} to ${wholeText(most)}.`);
        return show();
      }
      settings[name] = whole ? Math.round(value) : value;
      say();
    } });
    return (numbers[name] = field);
  }

  function resize(next) {
    settings.size = next;
    while (settings.widths.length < layers(next)) settings.widths.push(Math.min(128, settings.widths.at(-1) * 2));
    settings.widths.length = layers(next);
  }

  function show() {
    data.set(settings.data);
    beta.set(settings.beta);
    size.set(settings.size);
    sizeRow.hidden = sets[settings.data].sizes.length < 2;
    upload.hidden = settings.data !== "upload";
    exact.value = settings.beta === "kl" ? "" : settings.beta;
    batch.value = settings.batch;
    for (const [name, field] of Object.entries(numbers)) field.value = settings[name];
    widths.replaceChildren(...settings.widths.map((width, i) => {
      const from = settings.size / 2 ** i;
      const select = piece("select", { "aria-label": `Channels of the layer from ${from} to ${from / 2} pixels`, title: `${from} → ${from / 2} pixels`,
        onchange: () => ((settings.widths[i] = +select.value), say()) }, menu.widths.map((value) => piece("option", { value }, String(value))));
      select.value = width;
      return select;
    }));
  }

  function say() {
    show();
    part.set(Object.fromEntries(Object.keys(usual).map((key) => {
      const text = key === "widths" ? settings.widths.join("-") : String(settings[key]);
      const plain = key === "widths" ? settings.size === usual.size && text === usual.widths.join("-") : text === String(usual[key]);
      return [key, plain ? null : text];
    })));
    changed(settings);
  }

  function set(next) {
    Object.assign(settings, next, { widths: [...(next.widths ?? settings.widths)] });
    say();
  }

  /** What the link says; what makes no sense there is left as usual. */
  function read() {
    const name = part.get("data");
    if (sets[name] && !lacking[name]) settings.data = name;
    const wanted = +part.get("size");
    resize(sets[settings.data].sizes.includes(wanted) ? wanted : sets[settings.data].sizes[0]);
    const beta = part.get("beta");
    if (beta === "kl") settings.beta = "kl";
    else settings.beta = part.number("beta", usual.beta, 0, 16);
    for (const key of Object.keys(numbers)) settings[key] = part.number(key, usual[key], ranges[key].least, ranges[key].most);
    for (const key of ["dims", "steps", "seed"]) settings[key] = Math.round(settings[key]);
    if (menu.batches.includes(+part.get("batch"))) settings.batch = +part.get("batch");
    const given = (part.get("widths") ?? "").split("-").map(Number);
    if (given.length === layers(settings.size) && given.every((width) => menu.widths.includes(width))) settings.widths = given;
    show();
  }

  return { node, upload, settings, set, read, show };
}
