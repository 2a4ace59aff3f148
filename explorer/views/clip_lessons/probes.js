// Five small experiments with one bar to choose among them; each is made when it is first shown.

const PROBES = {
  prompts: ["Prompts", makePrompts], order: ["Word order", makeOrder], arithmetic: ["Arithmetic", makeArithmetic],
  typographic: ["Words in the picture", makeAttack], gap: ["Modality gap", makeGap],
};

async function makeProbes(section, lab) {
  const link = lab.link("probes");
  const first = Object.hasOwn(PROBES, link.get("kind") ?? "") ? link.get("kind") : "prompts";
  const made = {};
  const places = Object.fromEntries(Object.keys(PROBES).map((name) => [name, piece("section", { class: "probe", "data-probe": name, "data-ready": "false", hidden: true })]));
  const nav = segments("Probe", Object.entries(PROBES).map(([name, [words]]) => [name, words]), first, (name) => (link.set({ kind: name === "prompts" ? null : name }), show(name)));
  section.append(lab.head("Probes", "Five experiments on what the model has understood, and what it has only learnt by heart."), piece("div", { class: "probe-nav" }, nav.node), ...Object.values(places));

  async function show(name) {
    for (const [one, place] of Object.entries(places)) place.hidden = one !== name;
    section.dataset.probe = name;
    const place = places[name];
    made[name] ??= Promise.resolve(PROBES[name][1](place, lab)).then(() => (place.dataset.ready = "true"));
    try {
      await made[name];
    } catch (error) {
      delete made[name];
      const trouble = troublePlace();
      trouble.show(error, () => (place.replaceChildren(), show(name)));
      place.replaceChildren(trouble.node);
    }
  }

  await show(first);
  return {};
}

/**
 * What all probes have in common: one question to the server at a time, the newest counts, its answer is drawn, and trouble
 * has its place. question() is the body; draw(told) draws.
 */
function probeOf(section, lab, kind, question, draw) {
  const trouble = troublePlace();
  const see = piece("p", { class: "see", role: "status" }, "Asking the model …");
  let asked = 0;
  async function ask() {
    const mine = ++asked;
    trouble.clear();
    section.dataset.busy = "true";
    try {
      const told = await lab.wire.post("probe", { model: lab.model.name, kind, ...question() });
      if (mine !== asked) return;
      draw(told);
      tellText(see, told.say ?? "");
    } catch (error) {
      if (mine !== asked) return;
      trouble.show(error, ask);
      if (see.textContent === "Asking the model …") tellText(see, "");
    }
    if (mine !== asked) return;
    section.dataset.busy = "false";
    section.dataset.runs = +(section.dataset.runs ?? 0) + 1;
  }
  return { ask, see, trouble: trouble.node };
}

/** A picture to choose, as a button that shows it. */
function facePicker(lab, words, from, change) {
  const picture = pictureOf(lab.wire, null, "The picture", 128);
  const node = piece("button", { type: "button", class: "face-choice", title: words, "aria-label": words, onclick: () => lab.pick(words, from, ({ ref }) => (picture.swap(ref), change(ref))) }, picture, piece("span", {}, "change"));
  return { node, show: (ref) => picture.swap(ref) };
}
