// Rate against distortion: the six stops as points, and the line of equal objective through the one that is chosen.

const CURVE = { width: 460, height: 320, left: 52, right: 18, top: 16, bottom: 44 };

const LABEL = { high: 15, letter: 7.9 }; // of the stops' names, in units of the drawing

/** Where names stand beside their points [{x, y, words}]: each [{x, y, box, far}], no two on each other, none outside `room`, few on a `dot`. */
function placeNames(points, dots, room) {
  const hits = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  const taken = [];
  return points.map(({ x, y, words }) => {
    const wide = words.length * LABEL.letter, tries = [];
    // Above and below first, then beside; farther out where it is crowded.
    for (const reach of [12, 27, 42, 57, 72]) {
      for (const [dx, dy] of [[0, -1], [0, 1], [1, 0], [-1, 0], [0.7, -1], [-0.7, -1], [0.7, 1], [-0.7, 1]]) {
        const cx = x + dx * (wide / 2 + reach), cy = y + dy * (LABEL.high / 2 + reach);
        const box = [cx - wide / 2, cy - LABEL.high / 2, cx + wide / 2, cy + LABEL.high / 2];
        const out = box[0] < room[0] || box[1] < room[1] || box[2] > room[2] || box[3] > room[3];
        const covered = dots.filter((dot) => hits(box, [dot.x - 5, dot.y - 5, dot.x + 5, dot.y + 5])).length;
        tries.push({ x: cx, y: cy, box, far: reach > 12, cost: reach + 40 * covered + (out ? 1000 : 0) + (taken.some((other) => hits(box, other)) ? 1000 : 0) });
      }
    }
    const best = tries.reduce((a, b) => (b.cost < a.cost ? b : a));
    taken.push(best.box);
    return best;
  });
}

/** stops: [{stop, card: {rate, distortion, train?}}] -> {node, set(i), between(i, j, t)} */
function makeCurve(stops) {
  const { width, height, left, right, top, bottom } = CURVE;
  const pairs = stops.flatMap(({ card }) => [card, card.train]).filter(Boolean);
  const spanOf = (values) => {
    const low = Math.min(...values), high = Math.max(...values), pad = 0.08 * (high - low || 1);
    return [low - pad, high + pad];
  };
  const [r0, r1] = spanOf(pairs.map((one) => one.rate)), [d0, d1] = spanOf(pairs.map((one) => one.distortion));
  const x = (rate) => left + ((rate - r0) / (r1 - r0)) * (width - left - right);
  const y = (distortion) => top + ((d1 - distortion) / (d1 - d0)) * (height - top - bottom);
  const line = (of, more) => svgPiece("polyline", { points: stops.map((stop) => of(stop)).filter(Boolean).map((one) => `${x(one.rate)},${y(one.distortion)}`).join(" "), fill: "none", ...more });
  const dot = (one, more) => svgPiece("circle", { cx: x(one.rate), cy: y(one.distortion), r: 4.5, ...more });
  const axis = [];
  for (const [low, high, place, side] of [[r0, r1, x, "x"], [d0, d1, y, "y"]]) {
    const step = tickStep(high - low, 6);
    for (let v = Math.ceil(Math.max(0, low) / step) * step; v <= high; v += step) {
      const at = place(v), text = String(+v.toFixed(4));
      axis.push(side === "x"
        ? [svgPiece("line", { x1: at, x2: at, y1: top, y2: height - bottom, class: "grid" }), svgPiece("text", { x: at, y: height - bottom + 17, "text-anchor": "middle" }, text)]
        : [svgPiece("line", { x1: left, x2: width - right, y1: at, y2: at, class: "grid" }), svgPiece("text", { x: left - 7, y: at + 4, "text-anchor": "end" }, text)]);
    }
  }
  const equal = svgPiece("line", { class: "equal", "clip-path": "url(#curve-box)" });
  const here = svgPiece("circle", { r: 9, class: "here" });
  const dots = pairs.map((one) => ({ x: x(one.rate), y: y(one.distortion) }));
  const points = stops.map(({ stop, card }) => ({ x: x(card.rate), y: y(card.distortion), words: stop === "kl" ? "KL only" : "β = " + stop }));
  const names = placeNames(points, dots, [left + 2, 2, width - 2, height - bottom - 2]);
  const leaders = names.map((name, i) => name.far && svgPiece("line", { x1: points[i].x, y1: points[i].y, x2: name.x, y2: name.y, class: "leader" })).filter(Boolean);
  const labels = names.map((name, i) => svgPiece("text", { x: name.x, y: name.y + 4.5, "text-anchor": "middle", class: "stop-name" }, points[i].words));
  const node = svgPiece("svg", { viewBox: `0 0 ${width} ${height}`, class: "curve", role: "img", "aria-label": "Rate against distortion of the six stops" },
    svgPiece("clipPath", { id: "curve-box" }, svgPiece("rect", { x: left, y: top, width: width - left - right, height: height - top - bottom })),
    axis.flat(), equal, leaders,
    line(({ card }) => card.train, { class: "seen" }), stops.map(({ card }) => card.train && dot(card.train, { class: "seen-dot" })),
    line(({ card }) => card, { class: "held" }), stops.map(({ card, stop }) => dot(card, { class: "held-dot", "data-stop": stop })), here, labels,
    svgPiece("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, "rate: KL in nats a picture"),
    svgPiece("text", { transform: `translate(13 ${(top + height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, "distortion in nats a picture"));

  function put(rate, distortion) {
    here.setAttribute("cx", x(rate)), here.setAttribute("cy", y(distortion));
    Object.assign(node.dataset, { rate: rate.toFixed(3), distortion: distortion.toFixed(3) });
  }
  /** D + beta R = what it is at the point: its slope is -beta; for an endless beta it stands upright. */
  function set(i) {
    const { card, beta } = stops[i];
    put(card.rate, card.distortion);
    const ends = beta === "kl" ? [[card.rate, d0], [card.rate, d1]] : [[r0, card.distortion + beta * (card.rate - r0)], [r1, card.distortion - beta * (r1 - card.rate)]];
    ends.forEach(([rate, distortion], n) => (equal.setAttribute("x" + (n + 1), x(rate)), equal.setAttribute("y" + (n + 1), y(distortion))));
  }
  function between(i, j, t) {
    const a = stops[i].card, b = stops[j].card;
    put(a.rate + t * (b.rate - a.rate), a.distortion + t * (b.distortion - a.distortion));
  }
  return { node, set, between };
}
