// The bill: what a picture costs under the encoder's q and under a moved one, line by line, and every dimension's KL.

const DRAWN = 6;

function makeBill(lab) {
  const { part } = lab;
  const shots = { x: shotOf("x", "the picture"), xhat: shotOf("xhat", "decode(μ), the encoder's"), yours: shotOf("z", "decode(μ), yours") };
  const rows = [
    ["constant", "Constant of the density", "What a perfect mean would score. No code changes it.", "in", "−½ Σ ln 2πσ²"],
    ["squared", "Squared errors", "Averaged over draws z ~ q(z|x)", "in minus", "½ Σ ((x − x̂) / σ)²"],
    ["expected", "Reconstruction", "E_q[log p(x|z)]: how well draws from q explain the picture", "sum"],
    ["kl", "KL from the prior", "KL(q(z|x) ‖ p(z)), the sum of the lines below", "minus"],
    ["elbo", "ELBO", "Reconstruction − KL: at most log p(x), the picture's own log-probability", "total"],
    ["objective", "", "", "beta"],
  ].map(([key, words, title, kind, formula]) => {
    const cells = ["own", "yours", "change"].map((name) => piece("td", { "data-cell": key + "-" + name, class: name }));
    const head = piece("th", { scope: "row", title }, piece("span", { class: "sign", "aria-hidden": "true" }, kind.includes("minus") ? "−" : kind === "sum" || kind === "total" ? "=" : ""), piece("span", {}, words, formula && piece("small", {}, formula)));
    return { key, cells, head, node: piece("tr", { class: kind, "data-line": key }, head, cells) };
  });
  const unitPick = segmented("Unit", Object.entries(UNITS).map(([name, { words, title }]) => [name, words, title]), (unit) => {
    lab.unit = unit;
    part.set({ unit: unit === "nats" ? null : unit });
    paint();
  });
  unitPick.set(lab.unit);
  const drawsPick = segmented("Draws", [[8, "8"], [32, "32"], [128, "128"]], (samples) => again({ samples: +samples }));
  drawsPick.set(lab.samples);
  const table = piece("table", { class: "bill" },
    piece("thead", {}, piece("tr", {}, piece("th", { scope: "col" }, "Line"), piece("th", { scope: "col" }, "encoder’s q"), piece("th", { scope: "col" }, "your q"), piece("th", { scope: "col" }, "change"))),
    piece("tbody", {}, rows.map((row) => row.node)));
  const sentence = piece("p", { class: "verdict", "aria-live": "polite" });
  const small = piece("p", { class: "aside" });
  const editor = makeEditor(lab);
  const lines = makeLines(lab);
  const walker = makeWalk(lab);
  const drawn6 = Array.from({ length: DRAWN }, () => piece("canvas", { class: "picture", width: 64, height: 64, role: "img", "aria-label": "a draw" }));
  const drawnWords = piece("figcaption", {});
  const top = piece("div", { class: "bill-top" },
    piece("div", { class: "shots" }, piece("div", { class: "shots three" }, Object.values(shots).map((shot) => shot.node)),
      piece("figure", { class: "shot" }, piece("div", { class: "shots six-always" }, drawn6), drawnWords)),
    piece("div", { class: "bill-side" }, table, sentence));
  const node = piece("div", { class: "view bill-view" },
    piece("section", { class: "card" },
      piece("p", { class: "formula lead" }, "log p(", symbol("x", "x"), ") ≥ ELBO = E", piece("sub", {}, symbol("z", "z"), " ~ q"), "[log p(", symbol("x", "x"), "|", symbol("z", "z"), ")] − KL(q(", symbol("z", "z"), "|", symbol("x", "x"), ") ‖ ", symbol("prior", "p(z)"), ")"),
      top,
      piece("div", { class: "tools" }, piece("span", { class: "named" }, "in", unitPick), piece("span", { class: "named", title: "Draws z ~ q for the expectation; ± is its standard error" }, "draws", drawsPick),
        buttonOf({ words: "New draws", title: "The same with other noise", press: () => again({ seed: (lab.seed + 1) % 1000 }), "data-do": "draws" })),
      small),
    editor.node, lines.node, walker.node);

  function again(changes) {
    Object.assign(lab, changes);
    part.set({ seed: lab.seed || null, draws: lab.samples === 32 ? null : lab.samples });
    lab.refresh(false).catch((error) => part.trouble(error));
  }

  function told(what) {
    if (!lab.own) return;
    if (what === "picture" || what === "shown") pictures();
    if (what === "picture" || what === "shown" || (what === "bill" && !lab.late)) sampled(lab.body({ count: DRAWN, seed: lab.seed }));
    editor.told(what);
    walker.told(what);
    paint();
    if (what !== "q" || lab.film) shown();
  }

  /** The picture and its reconstruction, exactly. */
  const pictures = latest(async () => {
    const own = lab.own;
    const found = await decodedPixels(lab, { z: null, seed: 0 });
    if (own !== lab.own) return;
    paintPixels(shots.x.canvas, found.x, found.size);
    paintPixels(shots.xhat.canvas, found.mean, found.size);
    part.facts({ pictured: part.picture });
    exact();
  });

  /** The moved q's picture: from the film at once, exactly a little later. */
  function shown() {
    shots.yours.node.hidden = !lab.edited;
    if (lab.edited && lab.film?.dim === lab.dim) lab.film.paint(shots.yours.canvas, lab.q.mu[lab.dim]);
    if (lab.edited && lab.yours && !lab.late) exact();
  }

  const exactly = latest(async (mu) => {
    const found = await decodedPixels(lab, { z: mu, seed: 0 });
    if (lab.edited && mu.every((v, d) => v === lab.q.mu[d])) {
      paintPixels(shots.yours.canvas, found.mean, found.size);
      part.facts({ exact: "true" });
    }
  });
  const exact = () => lab.edited && exactly([...lab.q.mu]);

  /** What the expectation is over: a few draws from q, decoded. */
  const sampled = latest(async (body) => {
    const sprite = await part.wire.sprite("elbo/draws", {}, part.wire.posting(body));
    drawn6.forEach((canvas, i) => paintFrame(canvas, sprite, i));
    tellText(drawnWords, `${DRAWN} draws z ~ ${lab.edited ? "your" : "the encoder’s"} q, decoded: the expectation is over such pictures`);
    node.dataset.drawn = String((+node.dataset.drawn || 0) + 1);
  });

  function paint() {
    const values = lab.facts.values;
    const kl = lab.q.mu.map((mu, d) => (lab.edited ? klOf(mu, lab.q.sigma[d]) : lab.own.kl[d]));
    const own = billIn(lab.unit, values, lab.own, lab.own.kl, lab.beta);
    const from = { kl: lab.own.kl, told: own };
    const yours = { ...billIn(lab.unit, values, lab.yours ?? lab.own, kl, lab.beta, from), waiting: !lab.yours };
    const scale = 10 ** own.digits / UNITS[lab.unit].per(values);
    for (const { key, cells, node } of rows) {
      const waits = yours.waiting && key !== "kl" && key !== "constant";
      const error = ["squared", "expected", "elbo"].includes(key) || (key === "objective" && lab.beta !== Infinity);
      fill(cells[0], digitsText(own[key], own.digits), error && own.error, own.digits);
      fill(cells[1], !lab.edited ? "" : waits ? "…" : digitsText(yours[key], own.digits), error && !waits && lab.edited && yours.error, own.digits);
      const paired = lab.edited && !waits && error && key !== "objective" ? errorOf(lab.yours.squared.map((v, i) => v - lab.own.squared[i])) * scale : 0;
      fill(cells[2], !lab.edited ? "" : waits ? "…" : signedText(yours[key] - own[key], own.digits), paired, own.digits);
      node.hidden = key === "objective" && lab.beta === 1;
    }
    table.dataset.edited = top.dataset.edited = String(lab.edited);
    const last = rows.at(-1).head.lastChild;
    tellText(last, lab.beta === Infinity ? "What trained this encoder: −KL alone" : `What trained this model: reconstruction − β KL, β = ${lab.beta}`);
    const word = UNITS[lab.unit].words;
    const gain = lab.edited && lab.yours ? yours.elbo - own.elbo : 0;
    tellText(sentence, !lab.edited ? `The encoder pays ${digitsText(own.kl, own.digits)} ${word} for the code and is left with ${digitsText(own.squared, own.digits)} ${word} for squared errors.`
      : !lab.yours ? "Asking the decoder …"
      : gain > 0 ? `Your q is better than the encoder’s by ${digitsText(gain, own.digits)} ${word} here: the encoder was trained for all pictures at once.`
      : `Your q is ${digitsText(-gain, own.digits)} ${word} worse than the encoder’s.`);
    const sigmas = lab.facts.sigmas.map((one) => one.sigma).join(", ");
    tellText(small, `The decoder is a density: p(x|z) = N(x; decode(z), σ²) with σ = ${sigmas}${lab.facts.sigmas.length > 1 ? " (narrower where the face is)" : ""} for pixels in [−1, 1], n = ${wholeText(values)} values. `
      + `log p(x|μ), without sampling: ${digitsText(own.mean, own.digits)}. `
      + (lab.unit === "each" ? `As a density of values in [−1, 1]; for the 256 levels of a byte subtract ${Math.log2(127.5).toFixed(3)} bits. ` : "")
      + "Lines are rounded so that they add up; ± is the standard error of the draws, and that of a change is of draws with the same noise.");
    lines.paint(own, yours, kl);
    part.facts({ edited: String(lab.edited), settled: String(!!lab.yours && !lab.late || !lab.edited), dim: lab.dim, elbo: (own.elbo / 10 ** own.digits).toFixed(own.digits),
      kl: sumOf(kl).toFixed(4), yours: yours.waiting ? "" : (yours.elbo / 10 ** own.digits).toFixed(own.digits) });
  }

  function fill(cell, text, error, digits) {
    const more = error ? "± " + (error / 10 ** digits).toFixed(digits) : "";
    if (cell.dataset.text === text + more) return;
    cell.dataset.text = text + more;
    cell.replaceChildren(text, more ? piece("small", {}, more) : "");
  }

  const sheet = () => ({ name: "elbo-bill", canvases: [[shots.x.canvas, "x"], [shots.xhat.canvas, "decode(mu), encoder"], ...(lab.edited ? [[shots.yours.canvas, "decode(mu), yours"]] : [])] });
  return { node, told, rest: () => walker.rest(), sheet, table: () => billTable(lab) };
}

const symbol = (name, words) => piece("i", { class: "c-" + name }, words);

function shotOf(kind, words) {
  const canvas = piece("canvas", { class: "picture", width: 64, height: 64, role: "img", "aria-label": words, "data-shot": kind });
  const caption = piece("figcaption", {}, words);
  return { canvas, caption, node: piece("figure", { class: "shot" }, canvas, caption) };
}
