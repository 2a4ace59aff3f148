// Five ways in which GANs fail, each one click away, and its cure a second click. What one had comes back with a third.

const GALLERY_SECONDS = 12; // a failure shows itself within about so long

// Small drawings of what goes wrong: data round and blue, fakes as diamonds, as on the plot.
const GALLERY_DOT = (x, y) => '<circle cx="' + x + '" cy="' + y + '" r="2.6" class="real"/>';
const GALLERY_FAKE = (x, y) => '<path d="m' + x + " " + (y - 2.8) + ' 2.8 2.8-2.8 2.8-2.8-2.8z" class="fake"/>';
const GALLERY_RING = Array.from({ length: 8 },
  (_, i) => [48 + 26 * Math.cos((i * Math.PI) / 4), 32 + 23 * Math.sin((i * Math.PI) / 4)]);
const GALLERY_RING_DOTS = GALLERY_RING.map(([x, y]) => GALLERY_DOT(x.toFixed(1), y.toFixed(1))).join("");
const GALLERY_PICTURES = {
  collapse: GALLERY_RING_DOTS +
    [[72, 30], [77, 33], [73, 37], [70, 34], [76, 27], [68, 29]].map(([x, y]) => GALLERY_FAKE(x, y)).join(""),
  oscillation: GALLERY_RING_DOTS + '<path d="M70 20a25 22 0 0 0-44 2" class="way"/><path d="m25 14 0.5 8.5 8-3" class="way"/>' +
    '<path d="M26 43a25 22 0 0 0 44 1" class="way"/><path d="m71 52-0.5-8.5-8 3" class="way"/>' +
    [[21, 32], [24, 36], [20, 28]].map(([x, y]) => GALLERY_FAKE(x, y)).join(""),
  vanishing: '<path d="M8 12h36c14 0 13 40 26 40h18" class="line"/>' +
    [[14, 12], [20, 12], [25, 12], [31, 12]].map(([x, y]) => GALLERY_FAKE(x, y)).join("") +
    [[74, 52], [80, 52], [85, 52]].map(([x, y]) => GALLERY_DOT(x, y)).join(""),
  divergence: '<path d="M8 40c12-5 14 5 22-1s8-10 13 2 9 14 13-6 7-26 11 4" class="line"/>' +
    '<path d="M67 39 74 8M74 8l-6.5 5.5M74 8l3.5 7.5" class="way"/>' +
    '<path d="M84 20v22M84 49v1" class="alarm"/>',
  imbalance: '<path d="M48 12v40M34 52h28M22 26 74 16" class="line"/>' +
    '<path d="M13 44h18L22 26zM65 34h18L74 16z" class="line thin"/>' +
    GALLERY_DOT(22, 40) + GALLERY_DOT(17, 41) + GALLERY_DOT(27, 41) + GALLERY_FAKE(74, 30),
};

function makeGallery(section, lab) {
  const grid = piece("div", { class: "gallery-grid" });
  const back = piece("button", { type: "button", class: "button small", hidden: true, onclick: goBack }, "Back to what I had");
  section.append(
    piece("header", { class: "part-head" }, piece("h3", {}, "Failures and their cures"), back),
    piece("p", { class: "part-lead" },
      "One click makes it happen, always in the same way; a second click cures it from the same seed."), grid);

  let had = null; // how many undos there were before the first failure was opened
  const cards = (lab.start.failures ?? []).map((failure) => makeCard(failure));
  grid.append(...cards.map((card) => card.node));
  if (!cards.length) grid.append(piece("p", { class: "part-empty" }, "This server has no failures to show."));

  function makeCard(failure) {
    const show = piece("button", { type: "button", class: "button", onclick: () => open(failure) }, "Make it happen");
    const cure = piece("button", { type: "button", class: "button strong gallery-cure", hidden: true,
      onclick: () => heal(failure) },
      piece("span", {}, "Cure it"), failure.cure_title && piece("small", {}, failure.cure_title));
    const bar = piece("progress", { max: failure.rounds, value: 0, "aria-label": "Rounds until it shows" });
    const state = piece("p", { class: "gallery-state", role: "status" });
    const node = piece("article", { class: "gallery-card", "data-failure": failure.name, "data-state": "idle" },
      drawing(GALLERY_PICTURES[failure.name] ?? "", "0 0 96 64", "gallery-picture"),
      piece("h4", {}, failure.title),
      failure.see && piece("p", { class: "gallery-see" }, failure.see),
      failure.why && piece("details", { class: "gallery-why" }, piece("summary", {}, "Why"), piece("p", {}, failure.why)),
      piece("div", { class: "gallery-foot" }, bar, state, piece("div", { class: "gallery-do" }, show, cure)));
    return { failure, node, show, cure, bar, state };
  }

  async function open(failure) {
    const before = lab.desk?.failure ? had : undos();
    if (!(await lab.do("failure", { name: failure.name }))) return;
    had = before;
    await hurry(failure.rounds);
    await lab.do("play");
    toPlot();
  }

  async function heal(failure) {
    if (!(await lab.do("cure"))) return;
    await hurry(failure.cured ?? failure.rounds);
    await lab.do("play");
    toPlot();
  }

  /** What happens is to be seen on the plot, which on a phone is far away. */
  function toPlot() {
    const plot = lab.part("plot");
    const { top, bottom } = plot.getBoundingClientRect();
    if (bottom < 80 || top > innerHeight - 80) {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      plot.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
    }
  }

  /** The slowest of the offered speeds at which it shows soon, unless it is faster already. */
  async function hurry(rounds) {
    const { speed } = lab.desk;
    if (speed === 0 || speed >= rounds / GALLERY_SECONDS) return;
    const enough = (lab.start.speeds ?? []).filter((one) => one >= rounds / GALLERY_SECONDS).sort((a, b) => a - b)[0];
    await lab.do("speed", { speed: enough ?? 0 });
  }

  const undos = () => lab.desk?.undo ?? lab.lane()?.undo ?? 0;

  async function goBack() {
    back.disabled = true;
    for (let left = undos() - (had ?? 0); left > 0 && lab.desk.failure; left--) if (!(await lab.do("undo"))) break;
    back.disabled = false;
    window.explorer.announce("Your run is back.");
  }

  function draw() {
    const { failure: name, cured } = lab.desk ?? {};
    back.hidden = !name || undos() === 0;
    for (const { failure, node, show, cure, bar, state } of cards) {
      const here = failure.name === name;
      const step = Math.round(lab.live[lab.desk?.lanes[0].lane]?.step ?? 0);
      const goal = here && cured ? failure.cured ?? failure.rounds : failure.rounds;
      const due = step >= goal;
      const halted = here && lab.lane()?.halted;
      const mood = !here ? "idle" : cured ? (due ? "cured" : "curing") : due || halted ? "shown" : "coming";
      if (node.dataset.state !== mood) node.dataset.state = mood;
      show.hidden = here && !cured;
      tellText(show, here ? "See it again" : "Make it happen");
      cure.hidden = !here || cured;
      bar.hidden = !here || due || Boolean(halted);
      bar.max = goal;
      bar.value = Math.min(step, goal);
      tellText(state, {
        idle: "Shows by round " + roundsText(failure.rounds),
        coming: "Shows by round " + roundsText(failure.rounds) + ", now " + roundsText(step),
        shown: halted || "There it is.",
        curing: "With the cure: judge at round " + roundsText(goal) + ", now " + roundsText(step),
        cured: "Cured: the same seed, " +
          (failure.cure_title ? failure.cure_title[0].toLowerCase() + failure.cure_title.slice(1) : "another setting") + ".",
      }[mood]);
    }
    section.dataset.failure = name ?? "";
    section.dataset.cured = Boolean(cured);
  }

  const drawSoon = drawnWhenSeen(section, draw);
  lab.on("frame", () => lab.desk?.failure && drawSoon());
  lab.on("desk", () => (draw(), drawSoon()));
  draw();
}
