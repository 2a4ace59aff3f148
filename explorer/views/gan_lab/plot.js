// The layered plot: real points, fakes, D's heat map, G's manifold and gradient arrows, in one canvas that is drawn when
// something has changed. With several runs, one small plot each.

const PLOT_REACH = 1.12; // the plot goes a little beyond the data's box, so that fakes may leave that
const PLOT_GLIDE = 55; // ms between frames from which on points glide from one to the next
const PLOT_WORDS = {
  heat: ["heat map", "Layer: D's heat map"],
  ideal: ["optimal D*", "Layer: the optimal discriminator and its gradients"],
  reals: ["real points", "Layer: real points"],
  fakes: ["fakes", "Layer: fakes"],
  manifold: ["manifold", "Layer: G's manifold"],
  arrows: ["arrows", "Layer: gradients of G's loss"],
  modes: ["crosses", "Layer: the centres of the modes"],
};
const PLOT_SWATCHES = { // beside the words, so that they are told apart by shape too
  heat: '<rect x="2" y="4" width="16" height="12" rx="2" class="heat"/>',
  ideal: '<rect x="2" y="4" width="16" height="12" rx="2" class="heat"/><path d="M10 6v8M6.5 8l7 4M13.5 8l-7 4"/>',
  reals: '<circle cx="6" cy="7" r="3" class="real"/><circle cx="14" cy="13" r="3" class="real"/>',
  fakes: '<path class="fake" d="M6 3l4 4-4 4-4-4zM14 9l4 4-4 4-4-4z"/>',
  manifold: '<path class="net" d="M3 6q7-4 14 0v9q-7-4-14 0zM3 10.500q7-4 14 0M10 4v9"/>',
  arrows: '<path class="pull" d="M3 10h12M10.500 5.500 16 10l-5.500 4.500"/>',
  modes: '<path d="M10 4v12M4 10h12"/>',
};

function makePlot(section, lab) {
  const layers = layersOf(lab);
  const toggle = (name) =>
    '<button type="button" class="gplot-word" data-layer="' + name + '" aria-label="' + PLOT_WORDS[name][1] + '"><svg viewBox="0 0 20 20" ' +
    'aria-hidden="true">' + PLOT_SWATCHES[name] + "</svg>" + PLOT_WORDS[name][0] + "</button>";
  section.classList.add("gplot");
  section.innerHTML = `
    <header class="gplot-head"><h3>Layered plot</h3><p class="gplot-at" aria-live="polite"></p></header>
    <div class="gplot-stage">
      <canvas tabindex="0" role="application" aria-roledescription="plot" aria-label="Plot of real points and fakes; arrow keys move the reading point"></canvas>
    </div>
    <div class="gplot-keys">
      <div class="gplot-heat" title="The line is where D cannot tell"><span class="low"></span><i><b></b></i><span class="high"></span></div>
      <div class="gplot-unit"></div>
    </div>
    <p class="gplot-say">${toggle("reals")} are what G shall imitate, ${toggle("fakes")} what it makes of noise; its ${toggle("manifold")} is
      the whole grid of noise after G. The ${toggle("heat")} says where D sees real data; put the ${toggle("ideal")} for these very fakes in its place.
      The ${toggle("arrows")} show where G's loss pulls each fake<span class="gplot-modes">; ${toggle("modes")} mark the modes</span>.
      <span class="gplot-average" hidden>Fakes and distances are those of <button type="button" class="gplot-word" data-look="ema" aria-pressed="false"
      aria-label="Show the generator's running average">G's running average</button>.</span>
      <span class="gplot-outside"></span></p>`;

  const find = (selector) => section.querySelector(selector);
  const canvas = find("canvas");
  const context = canvas.getContext("2d");
  const at = find(".gplot-at");
  let ink = null;
  let size = { width: 0, height: 0, ratio: 1 };
  let rem = 16;
  let cells = []; // one per lane
  let drawn = 0;
  let probe = null; // {x, y, cell} in units: where one points
  let emphasis = null; // in slow motion: the layers that matter now

  // ---- What a cell shows: the frame itself, or something between the last frame and this one ---------------------------------

  const GLIDING = ["fakes", "arrows", "manifold", "heat", "ideal_heat", "ideal_arrows"];

  function makeCell(lane) {
    return {
      lane, frame: null, scene: null, shown: {}, from: {}, start: 0, span: 0, came: 0, factor: 0,
      heat: makeHeat(), heatKey: null, reals: document.createElement("canvas"), realsKey: "", box: null, view: null, mass: null, massOf: null,
    };
  }

  function take(cell, frame, now, glide) {
    if (cell.frame === frame) return false;
    const before = cell.frame;
    const span = glide ?? (now - cell.came < 1500 ? Math.min(600, now - cell.came) : 350);
    cell.came = now;
    const same = before && before.fakes.length === frame.fakes.length && before.manifold.length === frame.manifold.length &&
      before.heat.length === frame.heat.length && cell.sceneAtFrame === cell.scene;
    const moves = same && !fieldStill.matches && span >= PLOT_GLIDE && before.step !== undefined;
    if (moves) {
      for (const name of GLIDING) {
        const here = cell.shown[name];
        cell.from[name] = here && frame[name] && here.length === frame[name].length ? keepCopy(cell, name, here) : null;
      }
      // Each frame's map has a scale of its own, which fits its values: the old map goes on in the new one's.
      const old = cell.from.heat, share = (before.heat_hi - before.heat_lo) / (frame.heat_hi - frame.heat_lo);
      const shift = (255 * (before.heat_lo - frame.heat_lo)) / (frame.heat_hi - frame.heat_lo);
      if (old) for (let i = 0; i < old.length; i++) old[i] = old[i] * share + shift;
      cell.start = now;
      cell.span = span;
    } else {
      cell.span = 0;
    }
    cell.frame = frame;
    cell.sceneAtFrame = cell.scene;
    cell.factor = arrowFactor(frame.arrows, cell.factor);
    if (frame.ideal_arrows) cell.factor = Math.min(cell.factor, arrowFactor(frame.ideal_arrows)); // both on one scale
    if (!cell.span) for (const name of GLIDING) cell.shown[name] = frame[name];
    return true;
  }

  /** What was shown, in memory that is used again and again. */
  function keepCopy(cell, name, values) {
    const room = (cell.room ??= {});
    if (room[name]?.length !== values.length) room[name] = new Float32Array(values.length);
    room[name].set(values);
    return room[name];
  }

  function glide(cell, now) {
    if (!cell.span) return false;
    const t = Math.min(1, (now - cell.start) / cell.span);
    if (t >= 1) {
      cell.span = 0;
      for (const name of GLIDING) cell.shown[name] = cell.frame[name];
      return true;
    }
    const eased = t * t * (3 - 2 * t);
    const mixed = (cell.mixed ??= {});
    for (const name of GLIDING) {
      const from = cell.from[name], to = cell.frame[name];
      if (!from || !to) {
        cell.shown[name] = to;
        continue;
      }
      if (mixed[name]?.length !== to.length) mixed[name] = new Float32Array(to.length);
      const out = mixed[name];
      for (let i = 0; i < out.length; i++) out[i] = from[i] + eased * (to[i] - from[i]);
      cell.shown[name] = out;
    }
    return true;
  }

  // ---- Drawing when something has changed, at most once per animation frame, glides at every second ------------------------------

  let asked = 0;
  let odd = 0;
  function plan() {
    asked ||= requestAnimationFrame(step);
  }
  function step(now) {
    cancelAnimationFrame(asked);
    asked = 0;
    if (!canvas.isConnected || !section.clientWidth) return;
    const gliding = cells.some((cell) => cell.span);
    if (gliding && !dirty && ++odd % 2) return plan(); // thirty a second look as alive as sixty, at half the price
    for (const cell of cells) glide(cell, now);
    dirty = false;
    draw();
    if (cells.some((cell) => cell.span)) plan();
  }
  let dirty = true;
  const redraw = () => ((dirty = true), plan());

  function layout() {
    rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const columns = cells.length > 1 ? 2 : 1, rows = Math.max(1, Math.ceil(cells.length / columns));
    const width = canvas.parentElement.clientWidth;
    if (!width) return;
    const [left, bottom, top, right, head] = [2.1, 1.9, 0.5, 0.5, cells.length > 1 ? 1.5 : 0].map((v) => Math.round(v * rem));
    const side = Math.floor((width - columns * (left + right)) / columns);
    const height = rows * (side + bottom + top + head);
    canvas.style.height = height + "px";
    size = fitCanvas(canvas, width, height);
    cells.forEach((cell, i) => {
      const x = (i % columns) * (side + left + right) + left, y = Math.floor(i / columns) * (side + bottom + top + head) + top + head;
      cell.box = { x, y, side };
      cell.view = { x: x + side / 2, y: y + side / 2, unit: side / 2 / PLOT_REACH };
      cell.realsKey = "";
    });
    redraw();
  }

  /** Real points and mode crosses do not move: they are drawn once. */
  function drawReals(cell) {
    const { side } = cell.box;
    const key = [cell.scene?.id, side, size.ratio, ink.dark, layers.on.reals, layers.on.modes].join();
    if (cell.realsKey === key) return;
    cell.realsKey = key;
    const pixels = Math.round(side * size.ratio);
    Object.assign(cell.reals, { width: pixels, height: pixels });
    if (!cell.scene) return;
    const pen = cell.reals.getContext("2d");
    pen.scale(size.ratio, size.ratio);
    const view = { x: side / 2, y: side / 2, unit: cell.view.unit };
    if (layers.on.reals) {
      pen.fillStyle = ink.panel;
      pen.globalAlpha = 0.85;
      drawDots(pen, cell.scene.reals, view, dotSize(side) + 0.8);
      pen.globalAlpha = 1;
      pen.fillStyle = ink.real;
      drawDots(pen, cell.scene.reals, view, dotSize(side));
    }
  }

  const dotSize = (side) => Math.max(1.3, Math.min(4, side / 215));
  const diamondSize = (side) => Math.max(2.3, Math.min(7, side / 125));
  const strength = (name) => (!emphasis || emphasis.has(name) ? 1 : 0.22);

  /** Paper, frames, ticks and names: what changes with the layout only. */
  function drawBase() {
    const { ratio, width, height } = size;
    const key = [width, height, ratio, rem, ink.dark, cells.length, cells.length > 1 ? lab.selected : ""].join();
    if (key === baseKey) return;
    baseKey = key;
    Object.assign(base, { width: canvas.width, height: canvas.height });
    const pen = base.getContext("2d", { alpha: false });
    pen.fillStyle = ink.paper;
    pen.fillRect(0, 0, base.width, base.height);
    pen.scale(ratio, ratio);
    for (const cell of cells) if (cell.box) drawAxes(pen, cell);
  }
  const base = document.createElement("canvas");
  let baseKey = "";

  function draw() {
    const { ratio } = size;
    drawBase();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(base, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    let any = false;
    for (const cell of cells) if (cell.box) any = drawCell(cell) || any;
    if (!any) return;
    drawProbe();
    canvas.dataset.drawn = ++drawn;
    const first = cells.find((cell) => cell.lane === lab.selected) ?? cells[0];
    canvas.dataset.step = Math.round(first.frame?.step ?? 0);
    canvas.dataset.factor = first.factor;
    canvas.dataset.gliding = String(cells.some((cell) => cell.span > 0));
    tellKeys(first);
  }

  function drawCell(cell) {
    const { x, y, side } = cell.box;
    const { view, frame, shown, scene } = cell;
    const loss = lossOf(cell.lane);
    const box = { x: view.x - view.unit, y: view.y - view.unit, side: 2 * view.unit };
    const ready = Boolean(frame);

    context.save();
    context.beginPath();
    context.rect(x + 1, y + 1, side - 2, side - 2);
    context.clip();
    if (ready) {
      const ideal = layers.on.ideal && shown.ideal_heat;
      if (layers.on.heat || ideal) {
        const bytes = ideal ? shown.ideal_heat : shown.heat;
        const scale = ideal ? FIELD_EVEN : judgement(frame, loss);
        const [low, high] = ideal ? [0, 1] : [frame.heat_lo, frame.heat_hi];
        if (cell.heatKey !== bytes || cell.span || cell.heatTable !== ink.table || cell.heatFrame !== frame) {
          cell.heat.paint(bytes, frame.grid, low, high, scale, ink.table);
          cell.heatKey = bytes;
          cell.heatTable = ink.table;
          cell.heatFrame = frame;
        }
        context.globalAlpha = strength("heat");
        context.imageSmoothingEnabled = true;
        context.imageSmoothingQuality = "low"; // bilinear; more costs and shows nothing
        context.drawImage(cell.heat.canvas, box.x, box.y, box.side, box.side);

        // Where D cannot tell.
        context.beginPath();
        traceLevel(context, bytes, frame.grid, ((scale.middle - low) / (high - low)) * 255, view);
        context.strokeStyle = ink.ink;
        context.globalAlpha = 0.6 * strength("heat");
        context.lineWidth = 1.25;
        context.setLineDash(ideal ? [5, 3] : []);
        context.stroke();
        context.setLineDash([]);
      } else {
        context.fillStyle = ink.panel;
        context.fillRect(box.x, box.y, box.side, box.side);
      }
      context.globalAlpha = 1;
    }

    if (scene) {
      drawReals(cell);
      context.globalAlpha = strength("reals");
      context.drawImage(cell.reals, x, y, side, side);
      context.globalAlpha = 1;
    }
    if (ready && shown.fakes) {
      if (layers.on.manifold && shown.manifold) {
        context.globalAlpha = strength("manifold");
        drawManifold(context, shown.manifold, frame.cx, frame.cy, massOf(cell), view, ink.fake, side / 420);
        context.globalAlpha = 1;
      }
      if (layers.on.arrows) {
        context.globalAlpha = strength("arrows");
        if (layers.on.ideal && shown.ideal_arrows) drawArrowsOf(shown.fakes, shown.ideal_arrows, cell, true);
        drawArrowsOf(shown.fakes, shown.arrows, cell, false);
        context.globalAlpha = 1;
      }
      if (layers.on.fakes) {
        context.globalAlpha = strength("fakes");
        drawFakes(cell);
        context.globalAlpha = 1;
      }
    }
    if (layers.on.modes && scene?.modes?.length) drawModes(scene.modes, view, side);
    context.restore();
    if (cells.length > 1) drawName(cell);
    return ready;
  }

  function drawArrowsOf(points, arrows, cell, open) {
    const { side } = cell.box;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = ink.ink;
    context.fillStyle = ink.pull;
    drawArrows(context, points, arrows, cell.view, cell.factor, { width: Math.max(1, side / 420), head: Math.max(4, side / 62), open });
  }

  function drawFakes(cell) {
    const { side } = cell.box;
    const points = cell.shown.fakes, radius = diamondSize(side), edge = PLOT_REACH - (1.4 * radius) / cell.view.unit;
    context.fillStyle = ink.panel;
    drawDiamonds(context, points, cell.view, radius + 1.1, edge);
    context.fillStyle = ink.fake;
    drawDiamonds(context, points, cell.view, radius, edge);
    // Fakes beyond the plot stand at its edge, hollow.
    cell.outside = drawDiamonds(context, points, cell.view, radius + 0.8, edge, true);
    context.fillStyle = ink.panel;
    if (cell.outside) drawDiamonds(context, points, cell.view, radius - 1.1, edge, true);
  }

  /** The path in ink with a rim, so that it is seen on every colour of the map. */
  function strokeOutlined() {
    context.strokeStyle = ink.panel;
    context.lineWidth = 4;
    context.stroke();
    context.strokeStyle = ink.ink;
    context.lineWidth = 1.75;
    context.stroke();
  }

  function drawModes(modes, view, side) {
    const arm = Math.max(4, side / 75);
    context.beginPath();
    for (const [u, v] of modes) {
      const px = view.x + u * view.unit, py = view.y - v * view.unit;
      context.moveTo(px - arm, py);
      context.lineTo(px + arm, py);
      context.moveTo(px, py - arm);
      context.lineTo(px, py + arm);
    }
    context.lineCap = "round";
    strokeOutlined();
  }

  function drawAxes(pen, cell) {
    const { x, y, side } = cell.box;
    pen.fillStyle = ink.sunk;
    pen.fillRect(x, y, side, side);
    const chosen = cells.length > 1 && cell.lane === lab.selected;
    pen.strokeStyle = chosen ? ink.focus : ink.line;
    pen.lineWidth = chosen ? 2.5 : 1;
    pen.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
    pen.strokeStyle = ink.strong;
    pen.lineWidth = 1;
    const font = 0.75 * rem;
    pen.font = `${font}px system-ui, sans-serif`;
    pen.fillStyle = ink.muted;
    const ticks = side > 15 * rem ? [-1, -0.5, 0, 0.5, 1] : [-1, 0, 1];
    pen.beginPath();
    for (const v of ticks) {
      const px = Math.round(cell.view.x + v * cell.view.unit) + 0.5, py = Math.round(cell.view.y - v * cell.view.unit) + 0.5;
      pen.moveTo(px, y + side);
      pen.lineTo(px, y + side + 4);
      pen.moveTo(x, py);
      pen.lineTo(x - 4, py);
    }
    pen.stroke();
    pen.textBaseline = "top";
    pen.textAlign = "center";
    for (const v of ticks) pen.fillText(String(v).replace("-", "−"), cell.view.x + v * cell.view.unit, y + side + 6);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const v of ticks) pen.fillText(String(v).replace("-", "−"), x - 7, cell.view.y - v * cell.view.unit);
    // The axes' names stand between their last two ticks.
    pen.fillStyle = ink.ink;
    pen.font = `italic 600 ${0.9375 * rem}px Georgia, "Times New Roman", "DejaVu Serif", serif`;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    const between = side > 15 * rem ? 0.75 : 0.5;
    pen.fillText("x₁", cell.view.x + between * cell.view.unit, y + side + 5);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText("x₂", x - 6, cell.view.y - between * cell.view.unit);
  }

  /** Of runs side by side: which, and where it is. */
  function drawName({ lane, box: { x, y }, frame }) {
    context.textAlign = "left";
    context.textBaseline = "bottom";
    context.font = `700 ${0.9375 * rem}px system-ui, sans-serif`;
    context.fillStyle = ink.ink;
    context.fillText(lab.desk.lanes.find((one) => one.lane === lane)?.name ?? "ABCD"[lane], x, y - 5);
    context.font = `${0.8125 * rem}px system-ui, sans-serif`;
    context.fillStyle = ink.muted;
    context.fillText("round " + Math.round(frame?.step ?? 0).toLocaleString("en"), x + 1.1 * rem, y - 5);
  }

  const lossOf = (lane) => lab.desk?.lanes.find((one) => one.lane === lane)?.settings.loss ?? "non_saturating";
  const noiseOf = (lane) => lab.desk?.lanes.find((one) => one.lane === lane)?.settings.noise ?? "gaussian2";

  function massOf(cell) {
    if (!cell.frame.cy) return null;
    if (cell.massOf !== cell.scene) {
      const whole = cell.scene && cell.scene.grid_noise.length === 2 * (cell.frame.cx + 1) * (cell.frame.cy + 1);
      cell.mass = whole ? noiseMass(cell.scene.grid_noise, cell.frame.cx, cell.frame.cy, noiseOf(cell.lane).startsWith("gaussian"))
        : new Float32Array(cell.frame.cx * cell.frame.cy).fill(1 / (cell.frame.cx * cell.frame.cy));
      cell.massOf = cell.scene;
    }
    return cell.mass;
  }

  // ---- The legend, written only when it changes ------------------------------------------------------------------------------------

  const write = (node, text) => node.textContent !== text && (node.textContent = text);
  let unitSaid = "";

  function tellKeys(cell) {
    if (!cell.frame) return;
    const loss = lossOf(cell.lane);
    const ideal = layers.on.ideal && cell.frame.ideal_heat;
    const { low, middle, high } = ideal ? FIELD_EVEN : judgement(cell.frame, loss);
    const critic = CRITICS.has(loss) && !ideal;
    write(find(".gplot-heat .low"), critic ? "fake " + fieldText(low, 2) : (ideal ? "D* = " : "D = ") + "0 fake");
    write(find(".gplot-heat .high"), critic ? fieldText(high, 2) + " real" : "1 real");
    write(find(".gplot-heat b"), critic ? fieldText(middle, 2) : "0.5");
    section.dataset.critic = String(critic);
    find(".gplot-heat").hidden = !(layers.on.heat || ideal);
    const best = word("ideal");
    best.disabled = CRITICS.has(loss);
    best.title = best.disabled ? "For this loss there is no optimal D to compute: its critic is limited by its weights, not by the data" : "";
    find(".gplot-modes").hidden = !cell.scene?.modes?.length;

    // The arrows' unit: how long a round number is drawn, between 1.5 and 4 rem.
    const perUnit = cell.factor * cell.view.unit;
    const round = [5, 2, 1, 0.5, 0.2, 0.1, 0.05].map((v) => v / 1).concat([10, 20, 50, 100, 200, 500]).sort((a, b) => a - b)
      .find((v) => v * perUnit >= 1.25 * rem) ?? 500;
    const length = Math.min(5 * rem, round * perUnit);
    const mean = cell.frame.arrow_length;
    const said = [layers.on.arrows, round, cell.factor, Math.round(length), fieldText(mean, 2), Boolean(ideal)].join();
    if (said === unitSaid) return;
    unitSaid = said;
    const scale = cell.factor === 1 ? "true to scale" : "drawn × " + cell.factor;
    find(".gplot-unit").innerHTML = layers.on.arrows
      ? `<svg width="${Math.round(length)}" height="10" viewBox="0 0 ${Math.round(length)} 10" aria-hidden="true"><path d="M0 5H${Math.round(length) - 1}M${Math.round(length) - 6} 1.500 ${Math.round(length) - 1} 5l-5 3.500"/></svg>` +
        `<span>gradient of ${round}, ${scale}; mean <b>${fieldText(mean, 2)}</b>${ideal ? "; dashed: with D*" : ""}</span>` : "";
  }

  function tellOutside() {
    const cell = cells.find((one) => one.lane === lab.selected) ?? cells[0];
    const count = layers.on.fakes ? (cell?.outside ?? 0) : 0;
    write(find(".gplot-outside"), count ? `${count} ${count === 1 ? "fake lies" : "fakes lie"} beyond the plot (hollow, at its edge).` : "");
  }

  // ---- Reading the plot ------------------------------------------------------------------------------------------------------------

  function cellAt(px, py) {
    return cells.find(({ box }) => box && px >= box.x && px <= box.x + box.side && py >= box.y && py <= box.y + box.side);
  }

  function pointAt(event) {
    const rect = canvas.getBoundingClientRect();
    const px = event.clientX - rect.left, py = event.clientY - rect.top;
    const cell = cellAt(px, py);
    if (!cell) return null;
    return { cell, x: (px - cell.view.x) / cell.view.unit, y: (cell.view.y - py) / cell.view.unit };
  }

  /** The nearest shown point within a finger's or a pointer's reach. */
  function nearest({ cell, x, y }) {
    let best = null;
    let close = (14 / cell.view.unit) ** 2;
    const look = (points, kind) => {
      for (let i = 0; i < points.length; i += 2) {
        const d = (points[i] - x) ** 2 + (points[i + 1] - y) ** 2;
        if (d < close) {
          close = d;
          best = { kind, index: i / 2, x: points[i], y: points[i + 1] };
        }
      }
    };
    if (layers.on.reals && cell.scene) look(cell.scene.reals, "real point");
    if (layers.on.fakes && cell.shown.fakes) look(cell.shown.fakes, "fake");
    return best;
  }

  function read() {
    if (!probe || !probe.cell.frame) return write(at, "");
    const { cell } = probe;
    const { frame } = cell;
    const near = nearest(probe);
    const here = near ?? probe;
    const loss = lossOf(cell.lane);
    const two = (v) => (v < 0 ? "−" : "") + Math.abs(v).toFixed(2);
    let value = heatAt(frame.heat, frame.grid, frame.heat_lo, frame.heat_hi, here.x, here.y);
    if (near?.kind === "fake") value = judged(loss, frame.fake_logits[near.index]);
    else if (near?.kind === "real point" && near.index < frame.real_logits.length) value = judged(loss, frame.real_logits[near.index]);
    const letter = CRITICS.has(loss) ? "critic" : "D";
    let text = `${near ? near.kind + " " : ""}(${two(here.x)}, ${two(here.y)})` + (Number.isFinite(value) ? `  ${letter} = ${two(value)}` : "");
    if (near?.kind === "fake" && layers.on.arrows) {
      text += "  gradient " + fieldText(Math.hypot(frame.arrows[2 * near.index], frame.arrows[2 * near.index + 1]), 2);
    }
    if (layers.on.ideal && frame.ideal_heat) {
      const best = heatAt(frame.ideal_heat, frame.grid, 0, 1, here.x, here.y);
      if (Number.isFinite(best)) text += `  D* = ${two(best)}`;
    }
    write(at, text);
    canvas.dataset.reading = text;
  }

  function drawProbe() {
    if (!probe) return;
    read();
    const near = nearest(probe) ?? probe;
    const px = probe.cell.view.x + near.x * probe.cell.view.unit, py = probe.cell.view.y - near.y * probe.cell.view.unit;
    context.beginPath();
    context.arc(px, py, 8, 0, 2 * Math.PI);
    strokeOutlined();
  }

  function point(next) {
    probe = next;
    if (!probe) {
      write(at, "");
      delete canvas.dataset.reading;
    }
    redraw();
  }

  canvas.addEventListener("pointermove", (event) => point(pointAt(event)));
  canvas.addEventListener("pointerdown", (event) => point(pointAt(event)));
  canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && point(null));
  canvas.addEventListener("blur", () => point(null));
  canvas.addEventListener("click", (event) => {
    const hit = pointAt(event);
    if (hit && cells.length > 1) lab.select(hit.cell.lane);
  });
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.key === "Escape" && probe) return point(null);
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // arrows read the plot here, and do nothing else
    const cell = cells.find((one) => one.lane === lab.selected) ?? cells[0];
    const step = event.shiftKey ? 0.2 : 0.05;
    const from = probe?.cell === cell ? probe : { x: 0, y: 0 };
    const inside = (v) => Math.max(-PLOT_REACH, Math.min(PLOT_REACH, v));
    point({ cell, x: inside(from.x + by[0] * step), y: inside(from.y + by[1] * step) });
  });

  // ---- Layers ------------------------------------------------------------------------------------------------------------------

  const words = [...section.querySelectorAll("[data-layer]")];
  const word = (name) => words.find((one) => one.dataset.layer === name);
  function tellLayers() {
    for (const word of words) word.setAttribute("aria-pressed", String(layers.on[word.dataset.layer]));
    section.dataset.layers = Object.keys(layers.on).filter((name) => layers.on[name]).join(" ");
  }
  for (const word of words) word.addEventListener("click", () => layers.set(word.dataset.layer));
  layers.heard(() => (tellLayers(), redraw()));
  tellLayers();

  // ---- Listening ---------------------------------------------------------------------------------------------------------------

  function lanes() {
    const now = lab.desk?.lanes.map((one) => one.lane) ?? [0];
    if (now.join() !== cells.map((cell) => cell.lane).join()) {
      cells = now.map((lane) => cells.find((cell) => cell.lane === lane) ?? makeCell(lane));
      probe = null;
      section.dataset.lanes = String(cells.length);
      layout();
    }
    for (const cell of cells) {
      if (cell.scene !== lab.scenes[cell.lane]) {
        if (!cell.scene) cell.sceneAtFrame = lab.scenes[cell.lane]; // it only came later than its first frame
        cell.scene = lab.scenes[cell.lane] ?? null;
        redraw();
      }
    }
    if (lab.desk?.look) layers.agree(Boolean(lab.desk.look.ideal)); // a link may bring the optimal D with it
  }

  function tellAverage() {
    if (!lab.desk?.look) return;
    find(".gplot-average").hidden = !lab.desk.lanes.some((one) => one.settings.ema > 0);
    find('[data-look="ema"]').setAttribute("aria-pressed", String(Boolean(lab.desk.look.ema)));
  }
  find('[data-look="ema"]').addEventListener("click", () => lab.do("look", { ema: !lab.desk.look.ema }));

  let nextGlide = null;
  lab.on("frame", (frames) => {
    lanes();
    const now = performance.now();
    let news = false;
    for (const cell of cells) if (frames[cell.lane]) news = take(cell, frames[cell.lane], now, nextGlide) || news;
    nextGlide = null;
    if (!news) return;
    // The lab tells of frames in an animation frame: what is drawn now costs no frame of its own.
    dirty = true;
    step(now);
  });
  setInterval(tellOutside, 500);
  lab.on("desk", () => (lanes(), tellAverage()));
  lab.on("scene", () => (lanes(), redraw()));
  lab.on("select", redraw);
  lab.on("theme", recolour);
  lab.on("layout", layout);
  new ResizeObserver(() => canvas.parentElement.clientWidth !== size.width && layout()).observe(canvas.parentElement);

  function recolour() {
    ink = fieldInk(section);
    section.style.setProperty("--scale", ink.scale);
    section.style.setProperty("--pull", ink.pull);
    redraw();
  }
  recolour();
  lanes();
  layout();

  return {
    layers, redraw,
    /** Only these layers in full strength; null for all. */
    emphasise(names) {
      emphasis = names && new Set(names);
      redraw();
    },
    /** The next frame is glided to in this many ms. */
    glideNext: (ms) => (nextGlide = ms),
    canvas,
    /** Where a point of a lane's plot is on the canvas, in CSS pixels, and how many of them one unit has. */
    place(x, y, lane = lab.selected) {
      const { view } = cells.find((cell) => cell.lane === lane);
      return { x: view.x + x * view.unit, y: view.y - y * view.unit, unit: view.unit };
    },
  };
}
