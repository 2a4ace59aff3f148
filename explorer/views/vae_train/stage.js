// The film of one training: map, reconstructions and board of one moment, the losses up to it, and a slider through all.

/** makeStage(part, films): `.node`, `.show(run)` draws what is new, `.set(run)` turns to another. */
function makeStage(part, films) {
  const map = piece("canvas", { class: "train-map", role: "img", tabindex: 0 });
  const peek = piece("canvas", { class: "train-peek", width: 32, height: 32 }), peekWords = piece("span");
  const mapWords = piece("p", { class: "aside train-axes" });
  const legend = piece("div", { class: "train-legend" });
  const factor = piece("select", { "aria-label": "Colour the points by", onchange: () => draw(true) });
  const factorRow = piece("label", { class: "named", hidden: true }, "Colour by", factor);
  const originals = piece("canvas", { class: "train-strip", role: "img", "aria-label": "Held-out pictures" });
  const decoded = piece("canvas", { class: "train-strip", role: "img", "aria-label": "Their reconstructions" });
  const board = piece("canvas", { class: "train-board", role: "img" }), boardWords = piece("figcaption");
  const curves = { reconstruction: piece("canvas", { class: "train-curve", role: "img", "aria-label": "Reconstruction over the steps" }), kl: piece("canvas", { class: "train-curve", role: "img", "aria-label": "KL over the steps" }) };
  const numbers = { reconstruction: piece("span", { class: "train-number" }), kl: piece("span", { class: "train-number" }) };
  const slider = sliderOf({ label: "Moment of the training", min: 0, max: 1, step: 1, value: 0, input: (value) => ((follow = value >= film().moments.length - 1), (playing = false), turn(value)), class: "train-scrub" });
  const play = buttonOf({ words: "Play", title: "Play the film (Space)", press: toggle });
  const stepWords = piece("output", { class: "train-step" });
  const rest = piece("p", { class: "aside", hidden: true });

  const node = piece("div", { class: "train-stage" },
    piece("div", { class: "tools train-player" }, play, slider, stepWords),
    rest,
    piece("div", { class: "train-views" },
      piece("figure", { class: "shot train-mapbox" }, piece("figcaption", {}, piece("b", { class: "c-mu" }, "μ"), " of held-out pictures; circles: ", piece("span", { class: "c-prior" }, "1, 2 and 3 σ of the prior")), map,
        piece("div", { class: "tools" }, factorRow, legend), piece("div", { class: "train-peekbox" }, peek, peekWords), mapWords),
      piece("div", { class: "train-pictures" },
        piece("figure", { class: "shot" }, piece("figcaption", {}, piece("b", { class: "c-x" }, "x"), " held out, and ", piece("b", { class: "c-xhat" }, "x̂"), " decoded from its μ"), originals, decoded),
        piece("figure", { class: "shot" }, board, boardWords))),
    piece("div", { class: "pair" },
      piece("figure", { class: "shot" }, piece("figcaption", {}, piece("b", {}, "Reconstruction"), ", nats per picture ", numbers.reconstruction), curves.reconstruction),
      piece("figure", { class: "shot" }, piece("figcaption", {}, piece("b", {}, "KL"), ", nats per picture ", numbers.kl), curves.kl)),
    piece("p", { class: "aside" }, "Line: mean of the training batches since the moment before. Dashed: held-out pictures, with the averaged weights. Thin: other trainings of the same pictures and σ."));

  let run = "", index = 0, follow = true, playing = false, drawn = "", marked = -1, ticking = 0, sheet = null;

  const film = () => films.filmOf(run);
  const settings = () => films.of(run)?.settings;

  function set(next) {
    run = next;
    follow = true;
    playing = false;
    drawn = "";
    marked = -1;
    peek.hidden = true;
    tellText(peekWords, "");
    show();
  }

  function show() {
    const { moments, facts } = film();
    const told = films.of(run);
    rest.hidden = moments.length > 0;
    tellText(rest, !told ? "" : told.state === "waiting" ? `In line: place ${told.place || 1}. Its film begins when a seat is free.` : told.state === "failed" ? told.note : told.note || "It is about to begin.");
    node.toggleAttribute("data-empty", !moments.length);
    if (facts && factor.dataset.run !== run) furnish(facts);
    if (!moments.length) return;
    const most = Math.max(1, moments.length - 1);
    if (+slider.max !== most) {
      slider.max = most;
      slider.fill = () => slider.style.setProperty("--at", (+slider.value / most) * 100 + "%");
    }
    if (follow) turn(moments.length - 1);
    else draw();
  }

  function furnish(facts) {
    const names = Object.keys(facts.factors);
    factor.dataset.run = run;
    factor.replaceChildren(...names.map((name, i) => piece("option", { value: i }, name)));
    factor.value = Math.max(0, names.indexOf("hair colour"));
    factorRow.hidden = names.length < 2;
    drawn = "";
  }

  function turn(next) {
    index = Math.max(0, Math.min(film().moments.length - 1, next));
    slider.value = index;
    slider.fill();
    draw();
  }

  let planned = false;
  function draw(anew = false) {
    if (anew) drawn = "";
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      paint();
    });
  }

  async function paint() {
    const { moments, facts, pictures } = film(), moment = moments[Math.min(index, moments.length - 1)];
    if (!moment || !node.isConnected || !map.clientWidth) return;
    const labels = labelsOf(film(), +factor.value || 0), names = facts ? Object.keys(facts.factors) : [];
    const values = names.length ? facts.factors[names[+factor.value || 0]] : [];
    const digits = settings()?.data === "digits";
    const reach = mapReach(Math.max(...moments.slice(0, index + 1).map(({ scale }) => scale)));
    const dims = settings()?.dims ?? 2, [a, b] = moment.dims;
    const axes = [a, b].map((d) => `z${d}`);
    drawMap(map, { places: moment.places, labels, values, reach, axes, glyphs: digits, marked });
    map.setAttribute("aria-label", `Map of ${moment.places.length / 2} held-out codes at step ${moment.step}`);
    map.reach = reach;
    tellText(mapWords, dims === 2 ? "The whole latent space: its two numbers are the axes." :
      `The two of ${dims} dimensions that hold most: ${axes[0]} with ${moment.kl[a].toFixed(1)} nats and ${axes[1]} with ${moment.kl[b].toFixed(1)} of ${moment.kl.reduce((x, y) => x + y, 0).toFixed(1)}.`);
    tellText(stepWords, `Step ${wholeText(moment.step)}, ${moment.seconds.toFixed(1)} s`);
    const others = films.state.runs.filter((one) => one.run !== run && settings() && ["data", "size", "sigma"].every((key) => one.settings[key] === settings()[key]));
    for (const name of ["reconstruction", "kl"]) {
      drawCurves(curves[name], { name, at: moment.step, runs: [{ moments, strong: true }, ...others.map((one) => ({ moments: films.filmOf(one.run).moments, strong: false })).filter((one) => one.moments.length)] });
      const { losses } = moment;
      tellText(numbers[name], `${losses[name] === null ? "" : fixedText(losses[name], 1) + " "}· held out ${fixedText(losses["held_" + name], 1)}`);
    }
    if (legend.dataset.stamp !== run + values + digits) {
      legend.dataset.stamp = run + values + digits;
      legend.replaceChildren(...values.map((value, i) => piece("span", {}, piece("i", { style: `background:${labelColour(i)}` }), value)));
    }
    const stamp = run + ":" + moment.number + ":" + Boolean(pictures);
    part.facts({ shown: index, step: moment.step, moments: moments.length });
    if (stamp === drawn) return;
    drawn = stamp;
    const image = await createImageBitmap(moment.jpeg);
    if (drawn !== stamp) return image.close();
    sheet = image;
    const size = image.width / 8, side = settings()?.size === 64 ? 5 : 7;
    copy(decoded, image, size, 8, 1, (i) => [i % 8, 0]);
    copy(board, image, size, side, side, (i) => [i % 8, 1 + Math.floor(i / 8)]);
    tellText(boardWords, dims === 2 ? "The decoder over the plane, in equal shares of the prior" : "Decoded from the prior: the same noise at every moment");
    board.setAttribute("aria-label", boardWords.textContent);
    if (pictures) {
      const { sheet: held, columns } = pictures;
      copy(originals, held, pictures.width, 8, 1, (i) => [facts.shown[i] % columns, Math.floor(facts.shown[i] / columns)]);
    }
    part.facts({ painted: moment.number });
  }

  function copy(canvas, image, size, columns, rows, from) {
    if (canvas.width !== columns * size || canvas.height !== rows * size) Object.assign(canvas, { width: columns * size, height: rows * size });
    const context = canvas.getContext("2d");
    for (let i = 0; i < columns * rows; i++) {
      const [x, y] = from(i);
      context.drawImage(image, x * size, y * size, size, size, (i % columns) * size, Math.floor(i / columns) * size, size, size);
    }
  }

  /** From the beginning where it stands at the end. */
  function toggle() {
    playing = !playing;
    follow = false;
    tellText(play.firstChild, playing ? "Pause" : "Play");
    if (!playing) return;
    if (index >= film().moments.length - 1) turn(0);
    clearTimeout(ticking);
    tick();
  }

  function tick() {
    if (!playing || !node.isConnected) return;
    if (index >= film().moments.length - 1) {
      playing = false;
      follow = true; // the end is where new moments come
    } else turn(index + 1);
    tellText(play.firstChild, playing ? "Pause" : "Play");
    if (playing) ticking = setTimeout(tick, 110);
  }

  map.addEventListener("pointermove", (event) => {
    const moment = film().moments[index], { pictures, facts } = film();
    if (!moment || !pictures) return;
    point(nearestPoint(map, event, moment.places, map.reach), pictures, facts);
  });
  map.addEventListener("pointerleave", () => point(-1));
  map.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key], { pictures, facts } = film();
    if (!way || !pictures) return;
    event.preventDefault();
    point((Math.max(-1, marked) + way + pictures.count) % pictures.count, pictures, facts);
  });

  function point(next, pictures, facts) {
    if (next === marked) return;
    marked = next;
    peek.hidden = next < 0;
    if (next >= 0 && next < pictures.count) {
      paintFrame(peek, pictures, next);
      const names = Object.keys(facts.factors), which = +factor.value || 0;
      tellText(peekWords, names.length ? facts.factors[names[which]][facts.labels[next][which]] : `picture ${next + 1}`);
    } else tellText(peekWords, "");
    draw();
  }

  new ResizeObserver(() => draw(true)).observe(map);
  window.addEventListener("explorer:theme", () => node.isConnected && draw(true));

  /** The moment that is shown, as one picture: map, reconstructions, board. */
  function picture() {
    const canvas = document.createElement("canvas"), side = 560;
    Object.assign(canvas, { width: side * 2 + 60, height: side + 40 });
    const context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(part.root).getPropertyValue("--panel") || "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(map, 20, 20, side, side);
    context.imageSmoothingEnabled = false;
    context.drawImage(originals, side + 40, 20, side, side / 8);
    context.drawImage(decoded, side + 40, 24 + side / 8, side, side / 8);
    const left = side - side / 4 - 12;
    context.drawImage(board, side + 40, 32 + side / 4, left, left);
    return canvas;
  }

  return { node, set, show, toggle, picture, film, draw, get run() { return run; }, get index() { return index; } };
}
