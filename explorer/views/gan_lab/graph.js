// The model overview: noise, G, fakes, real data, D, what it says, both losses, and the gradients on their way back; live.
// Words are elements, so that they can be read, chosen and focused; pictures and moving edges are on one canvas.

// Places in units of the drawing: [left, top, width, height]. A net's box holds its picture, its layers and what it is made of.
const GRAPH_WIDE = {
  width: 760, height: 580, text: 14.5,
  z: [0, 160, 82, 82], G: [114, 98, 190, 316], fakes: [334, 147, 112, 112], reals: [334, 332, 112, 112], D: [474, 142, 190, 316],
  judged: [686, 190, 74, 170], pull: [340, 22, 100, 84], gloss: [548, 0, 212, 100], dloss: [548, 480, 212, 100], note: [0, 428, 308, 152],
  edges: {
    z: [[82, 201], [114, 201]], fakes: [[304, 201], [334, 201]], fakesD: [[446, 203], [460, 203], [460, 240], [474, 240]],
    realsD: [[446, 388], [460, 388], [460, 320], [474, 320]], judged: [[664, 275], [686, 275]],
    toG: [[723, 166], [723, 100]], toD: [[723, 360], [723, 480]],
    gradD: [[548, 530], [510, 530], [510, 458]],
    gradG: [[600, 100], [600, 142]], gradG2: [[506, 142], [506, 64], [440, 64]], gradG3: [[340, 64], [209, 64], [209, 98]],
  },
  labels: { normG: [214, 41, 122, "left"], normD: [318, 538, 184, "right"] },
};
const GRAPH_NARROW = {
  width: 362, height: 712, text: 12,
  z: [0, 26, 70, 70], G: [90, 0, 152, 258], fakes: [266, 26, 96, 96], reals: [272, 396, 90, 90], D: [106, 314, 146, 252],
  judged: [0, 344, 82, 150], pull: [0, 168, 70, 70], gloss: [0, 606, 176, 106], dloss: [186, 606, 176, 106],
  edges: {
    z: [[70, 74], [90, 74]], fakes: [[242, 74], [266, 74]], fakesD: [[314, 122], [314, 340], [252, 340]],
    realsD: [[272, 441], [252, 441]], judged: [[106, 407], [82, 407]],
    toG: [[30, 494], [30, 606]], toD: [[60, 494], [60, 588], [290, 588], [290, 606]],
    gradD: [[232, 606], [232, 566]],
    gradG: [[130, 606], [130, 566]], gradG2: [[150, 314], [150, 286], [35, 286], [35, 238]], gradG3: [[70, 203], [90, 203]],
  },
  labels: { normG: [156, 280, 150, "left"], normD: [238, 567, 124, "left"] },
};
const GRAPH_PARTS = { // name -> [title, the plot's layer that it switches]
  z: ["Noise z"], G: ["Generator G", "manifold"], fakes: ["Fakes G(z)", "fakes"], reals: ["Real data x", "reals"],
  D: ["Discriminator D", "heat"], judged: ["Verdicts"], pull: ["Gradients", "arrows"], gloss: ["G’s loss"], dloss: ["D’s loss"],
};
const GRAPH_EDGES = { // name -> [colour, whether it is a gradient]
  z: ["z"], fakes: ["fake"], fakesD: ["fake"], realsD: ["real"], judged: ["muted"], toG: ["fake"], toD: ["muted"],
  gradD: ["pull", true], gradG: ["pull", true], gradG2: ["pull", true], gradG3: ["pull", true],
};
const GRAPH_REST = 105; // ms between two drawings while frames rush in: the plot beside it is the one to watch
const GRAPH_REPLAY = 2000; // ms in which the grid of noise becomes the manifold

// Each loss: what is minimised, as HTML; its value when D can only guess; how far the bar goes.
const i_ = (letter) => "<i>" + letter + "</i>";
const [DX, DF] = [`${i_("D")}(${i_("x")})`, `${i_("D")}(${i_("G")}(${i_("z")}))`];
const GRAPH_LOSSES = {
  non_saturating: {
    D: [`−mean log ${DX} − mean log(1 − ${DF})`, Math.log(4), [0, 3]], G: [`−mean log ${DF}`, Math.LN2, [0, 3]],
  },
  minimax: {
    D: [`−mean log ${DX} − mean log(1 − ${DF})`, Math.log(4), [0, 3]], G: [`mean log(1 − ${DF})`, -Math.LN2, [-3, 0]],
  },
  least_squares: {
    D: [`½ mean (${DX} − 1)² + ½ mean ${DF}²`, 0.25, [0, 0.5]], G: [`½ mean (${DF} − 1)²`, 0.125, [0, 0.5]],
  },
  wgan: { D: [`mean ${DF} − mean ${DX}`, 0, [-1, 1]], G: [`−mean ${DF}`, null, [-1, 1]] },
  wgan_gp: { D: [`mean ${DF} − mean ${DX} + penalty`, 0, [-1, 1]], G: [`−mean ${DF}`, null, [-1, 1]] },
  hinge: { D: [`mean max(0, 1 − ${DX}) + mean max(0, 1 + ${DF})`, 2, [0, 4]], G: [`−mean ${DF}`, 0, [-2, 2]] },
};

function makeGraph(section, lab) {
  const layers = layersOf(lab);
  section.classList.add("ggraph");
  section.innerHTML = `
    <header class="ggraph-head"><h3>Model overview</h3><span class="ggraph-run"></span></header>
    <div class="ggraph-stage">
      <canvas aria-hidden="true"></canvas>
      ${Object.entries(GRAPH_PARTS).map(([name, [title, layer]]) => `
        <div class="ggraph-part" data-part-name="${name}">
          <button type="button" class="ggraph-open" aria-describedby="ggraph-note"><span class="title">${title}</span></button>
          <p class="text"></p>${layer ? `<button type="button" class="ggraph-eye" data-layer="${layer}" aria-label="Show in the layered plot: ${PLOT_WORDS[layer][0]}"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M1 8s2.500-4.500 7-4.500S15 8 15 8s-2.500 4.500-7 4.500S1 8 1 8z"/><circle cx="8" cy="8" r="2"/><path class="off" d="M2.500 13.500 13.500 2.500"/></svg></button>` : ""}
        </div>`).join("")}
      <p class="ggraph-label" data-label="normG"></p><p class="ggraph-label" data-label="normD"></p>
    </div>
    <p class="ggraph-note" id="ggraph-note" role="note"></p>`;

  const find = (selector) => section.querySelector(selector);
  const stage = find(".ggraph-stage"), note = find(".ggraph-note");
  const canvas = find("canvas");
  const pen = canvas.getContext("2d");
  const parts = Object.fromEntries([...section.querySelectorAll(".ggraph-part")].map((node) => [node.dataset.partName, node]));
  let place = GRAPH_WIDE;
  let unit = 1; // CSS pixels per unit of the drawing
  let ratio = 1;
  let ink = fieldInk(section);
  let frame = null;
  let scene = null;
  let shownScene = null;
  let mass = null;
  let drawn = 0;
  let seen = true;
  let phase = 0; // of the moving dashes, in units
  let open = null; // the part that is explained
  section.dataset.open = "";
  let emphasis = null; // in slow motion: {parts, edges}
  let replay = 0; // when it began
  const heat = makeHeat();
  const stills = {}; // pictures that do not move: name -> {canvas, key}
  const ranges = {}; // of the loss bars: they grow, and start again with the run

  const settings = () => lab.lane()?.settings ?? null;

  // ---- Places ------------------------------------------------------------------------------------------------------------

  function layout() {
    if (!section.clientWidth) return;
    place = section.clientWidth < 560 ? GRAPH_NARROW : GRAPH_WIDE; // the stage itself is held narrow by its narrow layout
    section.dataset.layout = place === GRAPH_WIDE ? "wide" : "narrow";
    const width = stage.clientWidth;
    unit = width / place.width;
    ratio = Math.min(3, devicePixelRatio || 1);
    const height = place.height * unit;
    stage.style.height = height + "px";
    section.style.setProperty("--text", place.text * unit + "px");
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    for (const [name, node] of Object.entries(parts)) {
      const [left, top, wide, high] = place[name];
      node.style.cssText = `left:${left * unit}px;top:${top * unit}px;width:${wide * unit}px;height:${high * unit}px`;
    }
    if (place.note) {
      const [left, top, wide, high] = place.note;
      note.style.cssText = `left:${left * unit}px;top:${stage.offsetTop + top * unit}px;width:${wide * unit}px;height:${high * unit}px`;
    } else {
      note.style.cssText = "";
    }
    for (const node of section.querySelectorAll(".ggraph-label")) {
      const [left, top, wide, align] = place.labels[node.dataset.label];
      node.style.cssText = `left:${left * unit}px;top:${top * unit}px;width:${wide * unit}px;text-align:${align}`;
    }
    for (const name in stills) delete stills[name];
    redraw();
  }

  /** Where a part's picture is: all of its box, or in a net's box below the title. */
  function boxOf(name) {
    const [left, top, wide, high] = place[name];
    if (name !== "G" && name !== "D") return [left, top, wide, high];
    const side = wide - 20;
    return [left + 10, top + 30, side, side];
  }

  // ---- Drawing: when something has changed, once per animation frame, and while frames rush in at every second or third -------

  let asked = 0;
  let later = 0;
  let all = true;
  let last = -Infinity;
  function plan() {
    asked ||= requestAnimationFrame(step);
  }
  function redraw() {
    all = true;
    plan();
  }

  /** A frame of training came: we are in an animation frame, so what is drawn now costs no frame of its own. */
  function come() {
    renew();
    const now = performance.now();
    if (now - last > GRAPH_REST) return step(now);
    later ||= setTimeout(() => ((later = 0), plan()), GRAPH_REST);
  }

  function step(now) {
    cancelAnimationFrame(asked);
    clearTimeout(later);
    asked = later = 0;
    if ((!seen && drawn && frame) || !section.isConnected || !stage.clientWidth) return;
    const moving = Boolean(emphasis) && !fieldStill.matches;
    if (!all && moving && now - last < 45) return plan(); // edges need no sixty steps a second
    if (all || moving) {
      if (!fieldStill.matches) phase += Math.min(100, now - last) * (emphasis ? 0.05 : 0.035);
      last = now;
      all = false;
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, canvas.width, canvas.height);
      drawEdges();
      for (const name in PAINTERS) drawPart(name);
      tell(now);
      section.dataset.drawn = ++drawn;
      section.dataset.step = Math.round(frame?.step ?? 0);
    } else if (replay) {
      drawPart("G");
    }
    if (moving || replay) plan();
  }

  function drawEdges() {
    pen.setTransform(unit * ratio, 0, 0, unit * ratio, 0, 0);
    pen.lineJoin = "round";
    const still = !(lab.desk?.playing || emphasis);
    for (const [name, points] of Object.entries(place.edges)) {
      const [colour, gradient] = GRAPH_EDGES[name];
      const active = emphasis?.edges.includes(name);
      const dim = emphasis && !active;
      pen.globalAlpha = dim ? 0.25 : 1;
      pen.strokeStyle = pen.fillStyle = ink[colour];
      const [tip, back] = [points.at(-1), points.at(-2)];
      const length = Math.hypot(tip[0] - back[0], tip[1] - back[1]);
      const dx = (tip[0] - back[0]) / length, dy = (tip[1] - back[1]) / length;
      const head = active ? 10 : 8;

      // The way, rounded at its corners, and on it what flows.
      pen.beginPath();
      pen.moveTo(points[0][0], points[0][1]);
      for (let i = 1; i < points.length - 1; i++) pen.arcTo(points[i][0], points[i][1], points[i + 1][0], points[i + 1][1], 10);
      pen.lineTo(tip[0] - dx * head, tip[1] - dy * head);
      pen.lineWidth = active ? 4 : 2;
      pen.globalAlpha = dim ? 0.12 : 0.28;
      pen.stroke();
      pen.globalAlpha = dim ? 0.25 : 1;
      pen.setLineDash(gradient ? [3, 5] : [7, 6]);
      pen.lineDashOffset = still ? 0 : -phase;
      pen.stroke();
      pen.setLineDash([]);
      pen.beginPath();
      pen.moveTo(tip[0], tip[1]);
      pen.lineTo(tip[0] - dx * head - dy * head * 0.5, tip[1] - dy * head + dx * head * 0.5);
      pen.lineTo(tip[0] - dx * head + dy * head * 0.5, tip[1] - dy * head - dx * head * 0.5);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  /** One part's picture. Those that stay are drawn once and copied. */
  function drawPart(name) {
    const [left, top, wide, high] = boxOf(name);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const x = Math.round(left * unit), y = Math.round(top * unit), w = Math.round(wide * unit), h = Math.round(high * unit);
    pen.save();
    pen.translate(x, y);
    pen.beginPath();
    pen.rect(0, 0, w, h);
    pen.clip();
    pen.clearRect(0, 0, w, h);
    pen.globalAlpha = emphasis && !emphasis.parts.includes(name) ? 0.3 : 1;
    if (frame || name === "z" || name === "reals") PAINTERS[name](w, h);
    pen.restore();
    if (name === "G" || name === "D") drawNet(name);
  }

  function still(name, w, h) {
    const key = [scene?.id, w, h, ratio, ink.dark, settings()?.noise].join();
    if (stills[name]?.key !== key) {
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: w * ratio, height: h * ratio });
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      if (scene) (name === "z" ? paintNoise : paintReals)(context, w, h);
      stills[name] = { key, canvas };
    }
    pen.drawImage(stills[name].canvas, 0, 0, w, h);
  }

  function paintNoise(context, w, h) {
    const wide = (settings()?.noise ?? "gaussian2").startsWith("gaussian") ? 3.2 : 1.15;
    const one = scene.noise.length === (frame?.fakes.length ?? 512) / 2;
    const dot = Math.max(1.5, w / 44);
    context.fillStyle = ink.z;
    if (one) {
      context.globalAlpha = 0.35;
      context.fillRect(w * 0.05, h / 2 - 0.5, w * 0.9, 1);
    }
    context.globalAlpha = one ? 0.35 : 0.8;
    for (let i = 0; i < scene.noise.length / (one ? 1 : 2); i++) {
      const u = one ? scene.noise[i] : scene.noise[2 * i], v = one ? 0 : scene.noise[2 * i + 1];
      if (one) context.fillRect(w / 2 + (u / wide) * (w / 2), h / 2 - h * 0.12, 0.75, h * 0.24);
      else context.fillRect(w / 2 + (u / wide) * (w / 2) - dot / 2, h / 2 - (v / wide) * (h / 2) - dot / 2, dot, dot);
    }
  }

  const viewOf = (w) => ({ x: w / 2, y: w / 2, unit: w / 2 / PLOT_REACH });

  function paintReals(context, w) {
    context.fillStyle = ink.real;
    context.globalAlpha = 0.85;
    drawDots(context, scene.reals, viewOf(w), Math.max(1, w / 95));
  }

  const PAINTERS = {
    z: (w, h) => still("z", w, h),
    reals: (w, h) => still("reals", w, h),
    G(w) {
      const grid = replay ? between(Math.min(1, (performance.now() - replay) / GRAPH_REPLAY)) : frame.manifold;
      if (frame.cy && !mass) mass = massOf();
      drawManifold(pen, grid, frame.cx, frame.cy, mass, viewOf(w), ink.fake, w / 240);
    },
    fakes(w) {
      pen.fillStyle = ink.fake;
      pen.globalAlpha *= 0.85;
      drawDiamonds(pen, frame.fakes, viewOf(w), Math.max(1.4, w / 62));
    },
    D(w) {
      const loss = settings()?.loss;
      const scale = judgement(frame, loss);
      heat.paint(frame.heat, frame.grid, frame.heat_lo, frame.heat_hi, scale, ink.table);
      pen.imageSmoothingQuality = "low";
      pen.drawImage(heat.canvas, 0, 0, w, w);
      pen.beginPath();
      const level = ((scale.middle - frame.heat_lo) / (frame.heat_hi - frame.heat_lo)) * 255;
      traceLevel(pen, frame.heat, frame.grid, level, { x: w / 2, y: w / 2, unit: w / 2 });
      pen.strokeStyle = ink.ink;
      pen.lineWidth = 1.25;
      pen.globalAlpha *= 0.7;
      pen.stroke();
    },
    judged: paintVerdicts,
    pull(w, h) {
      const view = { x: w / 2, y: h / 2, unit: Math.min(w, h) / 2 / PLOT_REACH };
      pullFactor = arrowFactor(frame.arrows, pullFactor);
      const before = pen.globalAlpha;
      pen.fillStyle = ink.fake;
      pen.globalAlpha = before * 0.7;
      drawDiamonds(pen, frame.fakes, view, 1.1);
      pen.globalAlpha = before;
      pen.fillStyle = ink.pull;
      drawArrows(pen, frame.fakes, frame.arrows, view, pullFactor, { width: 0.9, head: 3.5 });
    },
    gloss: (w, h) => paintBar("G", lossNow("g"), w, h),
    dloss: (w, h) => paintBar("D", lossNow("d"), w, h),
  };
  let pullFactor = 0;

  /** The last update's loss; before the first update, that of the points that are shown. */
  const lossNow = (who) => (Number.isFinite(frame[who + "_loss"]) ? frame[who + "_loss"] : shownLoss(frame, settings(), who));

  /** Real points left, fakes right, as high as D finds them real, before the colours of the heat map. */
  function paintVerdicts(w, h) {
    const loss = settings()?.loss;
    const critic = CRITICS.has(loss);
    let { low, middle, high } = judgement(frame, loss);
    if (critic) {
      // What D says of these points alone: its map reaches farther.
      low = high = middle;
      for (const set of [frame.real_logits, frame.fake_logits]) for (const v of set) (low = Math.min(low, v)), (high = Math.max(high, v));
      const reach = Math.max(high - middle, middle - low, 0.05) * 1.08;
      low = middle - reach;
      high = middle + reach;
    }
    const key = [h, ink.dark].join();
    if (stills.judged?.key !== key) {
      const shade = pen.createLinearGradient(0, h, 0, 0);
      for (let i = 0; i <= 16; i++) {
        const pixel = ink.table[Math.round((i / 16) * 255)];
        shade.addColorStop(i / 16, `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`);
      }
      stills.judged = { key, shade };
    }
    pen.fillStyle = stills.judged.shade;
    pen.fillRect(0, 0, w, h);
    pen.fillStyle = ink.ink;
    const mid = Math.round(h * (1 - (middle - low) / (high - low)));
    const before = pen.globalAlpha;
    pen.globalAlpha = before * 0.55;
    pen.fillRect(0, mid, w, 1);
    pen.globalAlpha = before;
    const room = h - 10;
    const up = (logit) => 5 + room * (1 - Math.max(0, Math.min(1, (judged(loss, logit) - low) / (high - low))));
    const swarm = (i) => ((i * 0.6180339887) % 1) - 0.5;
    const lane = w * 0.36;
    pen.fillStyle = ink.real;
    const dot = Math.max(1.3, w / 52), diamond = Math.max(1.7, w / 40);
    for (let i = 0; i < frame.real_logits.length; i++) {
      pen.beginPath();
      pen.arc(w * 0.27 + swarm(i) * lane, up(frame.real_logits[i]), dot, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.fillStyle = ink.fake;
    for (let i = 0; i < frame.fake_logits.length; i += 2) fillDiamond(pen, w * 0.73 + swarm(i / 2) * lane, up(frame.fake_logits[i]), diamond);
  }

  /** A loss as a bar, with a mark where it stands when D can only guess. The number is text, above it. */
  function paintBar(who, value, w, h) {
    const loss = settings()?.loss ?? "non_saturating";
    const [, even, [from, to]] = GRAPH_LOSSES[loss][who];
    const key = who + loss;
    let range = (ranges[key] ??= [from, to]);
    while (Number.isFinite(value) && value > range[1] && range[1] < 1e4) ranges[key] = range = [range[0] * (range[0] < 0 ? 2 : 1), Math.max(range[1], 0.5) * 2];
    while (Number.isFinite(value) && value < range[0] && range[0] > -1e4) ranges[key] = range = [Math.min(range[0], -0.5) * 2, range[1] * (range[1] > 0 ? 2 : 1)];
    const left = 10, right = w - 10, high = Math.max(6, h * 0.075), top = h - high - 12;
    const at = (v) => left + ((v - range[0]) / (range[1] - range[0])) * (right - left);
    pen.fillStyle = ink.sunk;
    pen.fillRect(left, top, right - left, high);
    if (Number.isFinite(value)) {
      pen.fillStyle = ink.loss;
      const zero = at(Math.max(range[0], Math.min(range[1], 0))), here = at(value);
      pen.fillRect(Math.min(zero, here), top, Math.max(1.5, Math.abs(here - zero)), high);
    }
    if (even !== null) {
      pen.fillStyle = ink.ink;
      pen.fillRect(Math.round(at(even)) - 1, top - 3, 2, high + 6);
    }
  }

  /** The layers as they are: a dot per neuron, or a bar where dots would not fit. */
  function drawNet(name) {
    const s = settings();
    if (!s) return;
    const [left, top, wide, high] = place[name];
    const picture = boxOf(name);
    const who = name.toLowerCase();
    const x0 = (left + 14) * unit, w = (wide - 28) * unit, y0 = (picture[1] + picture[3] + 8) * unit, h = (place === GRAPH_WIDE ? 40 : 32) * unit;
    const key = [name, s[who + "_layers"], s[who + "_width"], s.noise, w, ratio, ink.dark].join();
    if (stills["net" + name]?.key !== key) {
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: Math.ceil(w * ratio), height: Math.ceil(h * ratio) });
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      const ends = name === "G" ? [+s.noise.at(-1), 2] : [2, 1];
      paintNet(context, w, h, [ends[0], ...Array(s[who + "_layers"]).fill(s[who + "_width"]), ends[1]], name === "G" ? [ink.z, ink.fake] : [ink.ink, ink.ink]);
      stills["net" + name] = { key, canvas };
    }
    pen.save();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(x0, y0, w, h);
    pen.globalAlpha = emphasis && !emphasis.parts.includes(name) ? 0.3 : 1;
    pen.drawImage(stills["net" + name].canvas, x0, y0, w, h);
    pen.restore();
  }

  function paintNet(context, w, h, sizes, colours) {
    const gap = w / (sizes.length - 1 || 1), inset = 4;
    const X = (layer) => inset + (layer * (w - 2 * inset)) / (sizes.length - 1);
    const most = Math.floor(h / 3.2);
    const Y = (size, k) => h / 2 + (k - (size - 1) / 2) * Math.min(7 * unit, (h - 6) / Math.max(1, size - 1));
    const ys = (size) => (size > most ? [2, h / 2, h - 2] : Array.from({ length: size }, (_, k) => Y(size, k)));
    context.strokeStyle = ink.strong;
    context.globalAlpha = gap < 24 ? 0.35 : 0.45;
    context.lineWidth = 0.6;
    context.beginPath();
    for (let layer = 0; layer + 1 < sizes.length; layer++) {
      for (const a of ys(sizes[layer])) for (const b of ys(sizes[layer + 1])) context.moveTo(X(layer), a), context.lineTo(X(layer + 1), b);
    }
    context.stroke();
    context.globalAlpha = 1;
    sizes.forEach((size, layer) => {
      context.fillStyle = layer === 0 ? colours[0] : layer === sizes.length - 1 ? colours[1] : ink.muted;
      context.beginPath();
      if (size > most) context.roundRect(X(layer) - 2.5, 0, 5, h, 2.5);
      else for (const y of ys(size)) context.moveTo(X(layer) + 2.2, y), context.arc(X(layer), y, Math.min(2.6 * unit, 1.2 + h / size / 3), 0, 2 * Math.PI);
      context.fill();
    });
  }

  // ---- The grid of noise becomes the manifold -------------------------------------------------------------------------------

  function massOf() {
    const whole = scene && scene.grid_noise.length === 2 * (frame.cx + 1) * (frame.cy + 1);
    return whole ? noiseMass(scene.grid_noise, frame.cx, frame.cy, (settings()?.noise ?? "").startsWith("gaussian"))
      : new Float32Array(frame.cx * frame.cy).fill(1 / (frame.cx * frame.cy));
  }

  let room = null;
  function between(t) {
    const to = frame.manifold, from = scene?.grid_noise;
    section.dataset.replay = t.toFixed(2);
    if (t >= 1 || !from) {
      replay = 0;
      section.dataset.replay = "done";
      return to;
    }
    if (room?.length !== to.length) room = new Float32Array(to.length);
    const one = !frame.cy;
    let wide = 0;
    for (const v of from) wide = Math.max(wide, Math.abs(v));
    const still = Math.min(1, Math.max(0, (t - 0.12) / 0.88)); // the grid stands for a moment
    const eased = still * still * (3 - 2 * still);
    for (let k = 0; k < to.length / 2; k++) {
      const u = (one ? from[k] : from[2 * k]) / wide, v = one ? 0 : from[2 * k + 1] / wide;
      room[2 * k] = u + eased * (to[2 * k] - u);
      room[2 * k + 1] = v + eased * (to[2 * k + 1] - v);
    }
    return room;
  }

  function play() {
    if (!frame || !scene || fieldStill.matches) return;
    replay = performance.now();
    section.dataset.replay = "0.00";
    plan();
  }

  // ---- Words ------------------------------------------------------------------------------------------------------------------

  const write = (node, html) => node.dataset.was !== html && ((node.dataset.was = html), (node.innerHTML = html));
  const text = (name) => parts[name].querySelector(".text");
  const label = (name) => find(`[data-label="${name}"]`);
  const OPTIMIZER = { sgd: "SGD", momentum: "momentum", adam: "Adam", rmsprop: "RMSprop" };
  const ACTIVATION = { relu: "ReLU", leaky_relu: "leaky ReLU", tanh: "tanh", silu: "SiLU" };
  const NOISE = { gaussian2: "2-D Gaussian", uniform2: "2-D uniform", gaussian1: "1-D Gaussian", uniform1: "1-D uniform" };
  const LOSS = {
    non_saturating: "non-saturating", minimax: "minimax", least_squares: "least squares", wgan: "WGAN, clipped", wgan_gp: "WGAN-GP", hinge: "hinge",
  };

  function netText(s, who) {
    const count = s[who + "_layers"];
    const hidden = count ? `${count} hidden ${count === 1 ? "layer" : "layers"} of ${s[who + "_width"]}` : "no hidden layer";
    const k = s["k_" + who];
    return `${hidden}<br>${count ? ACTIVATION[s[who + "_act"]] + " · " : ""}${OPTIMIZER[s[who + "_opt"]]}<br>rate ${s[who + "_lr"]} · ${k} per round`;
  }

  let told = 0;
  let telling = 0;
  function tell(now) {
    if (now - told < 150) {
      // Nobody reads numbers faster, but the last ones shall stand.
      telling ||= setTimeout(() => ((telling = 0), tell(performance.now())), 160);
      return;
    }
    told = now;
    const s = settings();
    if (!s) return;
    const critic = s.loss.startsWith("wgan");
    write(find(".ggraph-run"), lab.desk.lanes.length > 1 ? "of run " + lab.lane().name : "");
    write(parts.D.querySelector(".title"), critic ? "Critic D" : "Discriminator D");
    write(text("z"), NOISE[s.noise]);
    write(text("G"), netText(s, "g"));
    write(text("D"), netText(s, "d"));
    const { D, G } = GRAPH_LOSSES[s.loss];
    write(text("gloss"), `<span class="formula">${G[0]}</span>`);
    write(text("dloss"), `<span class="formula">${D[0]}</span>`);
    write(parts.gloss.querySelector(".title"), `G’s loss <b>${frame ? fieldText(lossNow("g")) : "–"}</b>`);
    write(parts.dloss.querySelector(".title"), `D’s loss <b>${frame ? fieldText(lossNow("d")) : "–"}</b>`);
    section.dataset.loss = s.loss;
    const norm = (who, value) => (Number.isFinite(value) ? `into ${who}: ‖∇‖ <b>${fieldText(value, 2)}</b>` : "");
    write(label("normG"), norm("G", frame?.g_norm));
    write(label("normD"), norm("D", frame?.d_norm));
    if (open || !note.dataset.was) explain();
  }

  const percentOf = (share) => (Number.isFinite(share) ? Math.round(100 * share) + " %" : "–");

  const EXPLAIN = {
    z: (s) => `<b>Noise z</b> is all that G is fed: here ${scene ? scene.noise.length / +s.noise.at(-1) : 256} draws from a ${NOISE[s.noise]} distribution. They stay the same, so that you can follow each fake.`,
    G: () => "<b>The generator</b> turns each z into a point. Its picture is a grid of noise after it went through the network: darker where G puts many points. Point here to watch the grid become it.",
    fakes: () => "<b>Fakes</b> are G(z) for the noise at the left. Training shall make them lie like the real points.",
    reals: () => "<b>Real data x</b>: 450 of the 12,000 points that training draws its batches from.",
    D: (s) => `<b>The ${s.loss.startsWith("wgan") ? "critic" : "discriminator"}</b> says for each place how real a point there looks: blue real, pink fake; on the line it cannot tell. It sees points only, never where they come from.`,
    judged: (s) => {
      const right = frame ? shownRight(frame, s.loss) : {};
      return `<b>D’s verdicts</b> on real points (left, dots) and fakes (right, diamonds): the higher, the more real. Of those shown it judges ${percentOf(right.real)} of real points and ${percentOf(right.fake)} of fakes rightly; when G is perfect, D can only guess.`;
    },
    pull: () => `<b>Gradients at the fakes</b>: G’s loss goes back through D to each fake and says where it should move; mean length ${fieldText(frame?.arrow_length, 2)}. From there it goes on into G’s weights.`,
    gloss: (s) => lossText(s, "G", "It is low when D takes fakes for real."),
    dloss: (s) => lossText(s, "D", s.loss.startsWith("wgan") ? "It is low when real points score above fakes." : "It is low when D tells real from fake."),
  };

  function lossText(s, who, meaning) {
    const [formula, even] = GRAPH_LOSSES[s.loss][who];
    const smooth = s.smoothing && who === "D" && ["non_saturating", "minimax"].includes(s.loss) ? ` Real points count as ${+(1 - s.smoothing).toFixed(2)} (label smoothing).` : "";
    const clip = s.loss === "wgan" && who === "D" ? ` After each update D’s weights are clipped to ±${s.clip}.` : "";
    const penalty = s.loss === "wgan_gp" && who === "D" ? ` The penalty, ${s.gp} · mean (‖∇<i>D</i>‖ − 1)², is not in the number.` : "";
    return `<b>${who}’s loss</b>, ${LOSS[s.loss]}: <span class="formula">${formula}</span>. ${meaning}${smooth}${clip}${penalty}` +
      (frame && !Number.isFinite(frame[who.toLowerCase() + "_loss"]) ? " Until the first update: that of the points shown." : "") +
      (even === null ? "" : ` The mark is where it stands when D can only guess: ${fieldText(even, 3)}.`);
  }

  function explain() {
    const s = settings();
    if (!s) return;
    write(note, open ? EXPLAIN[open](s) : "<span class=hint>Point at a part, or tap it, to see what it does; at G to watch noise become points. The eyes switch the layers of the plot.</span>");
  }

  function openPart(name, leave = false) {
    if (leave && open !== name) return;
    open = leave ? null : name;
    section.dataset.open = open ?? "";
    for (const [each, node] of Object.entries(parts)) node.toggleAttribute("data-open", each === open);
    explain();
  }

  for (const [name, node] of Object.entries(parts)) {
    const button = node.querySelector(".ggraph-open");
    const come = () => {
      openPart(name);
      if (name === "G") play();
    };
    node.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && come());
    node.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && document.activeElement !== button && openPart(name, true));
    button.addEventListener("focus", () => open !== name && come());
    button.addEventListener("blur", () => openPart(name, true));
    button.addEventListener("click", () => {
      openPart(name);
      if (name === "G" && !replay) play();
    });
    button.addEventListener("keydown", (event) => event.key === "Escape" && openPart(name, true));
    const eye = node.querySelector(".ggraph-eye");
    eye?.addEventListener("click", () => layers.set(eye.dataset.layer));
  }

  function tellLayers() {
    for (const eye of section.querySelectorAll(".ggraph-eye")) eye.setAttribute("aria-pressed", String(layers.on[eye.dataset.layer]));
  }
  layers.heard(tellLayers);
  tellLayers();

  // ---- Listening ----------------------------------------------------------------------------------------------------------------

  function renew() {
    frame = lab.frame() ?? null;
    scene = lab.scenes[lab.selected] ?? null;
    if (scene !== shownScene) {
      shownScene = scene;
      mass = null;
    }
    if (frame?.cy && mass && mass.length !== frame.cx * frame.cy) mass = null;
    all = true;
  }
  lab.on("frame", come);
  for (const name of ["desk", "scene", "select", "slow"]) lab.on(name, () => (renew(), plan()));
  lab.on("restart", () => {
    for (const key in ranges) delete ranges[key];
    pullFactor = 0;
  });
  lab.on("theme", () => {
    ink = fieldInk(section);
    for (const name in stills) delete stills[name];
    redraw();
  });
  lab.on("layout", layout);
  let laid = 0;
  new ResizeObserver(() => section.clientWidth !== laid && ((laid = section.clientWidth), layout())).observe(section);
  new IntersectionObserver((entries) => {
    seen = entries.at(-1).isIntersecting;
    if (seen) redraw();
  }, { rootMargin: "100px" }).observe(section);
  renew();
  layout();

  return {
    play,
    /** Only these parts and edges in full strength, the edges moving; null for all. */
    emphasise(parts_, edges) {
      emphasis = parts_ && { parts: parts_, edges };
      for (const [name, node] of Object.entries(parts)) node.toggleAttribute("data-dim", Boolean(emphasis) && !emphasis.parts.includes(name));
      for (const node of section.querySelectorAll(".ggraph-label")) node.toggleAttribute("data-dim", Boolean(emphasis) && !edges.some((edge) => edge.startsWith(node.dataset.label === "normG" ? "gradG3" : "gradD")));
      section.dataset.active = edges?.join(" ") ?? "";
      redraw();
    },
  };
}
