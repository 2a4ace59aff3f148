// One latent map: a ground layer that is drawn when something changes, and a layer for what moves. Knows no requests.

/** makeMap({title, hover(z), rest(z), tap(z), step}) -> {node, set({...}), ground(), over()}
 *  hover: the pointer is at z; rest: it has come to rest there; tap: a click or a tap at z. */
function makeMap({ label, hover, rest, tap }) {
  const ground = piece("canvas", { class: "map-ground", "aria-hidden": "true" });
  const over = piece("canvas", { class: "map-over", "aria-hidden": "true" });
  const node = piece("div", {
    class: "map", tabindex: 0, role: "application", "aria-roledescription": "map of codes", "aria-label": label,
    onpointerdown: down, onpointermove: move, onpointerup: up, onpointercancel: () => (pressed = null), onkeydown: keyed, onpointerleave: gone,
  }, ground, over);
  const shown = { cloud: null, mu: null, values: null, names: null, half: 3.5, near: 0.15, holes: false, pointer: null, picked: null, hovered: null, draws: [], rect: null, bare: false };
  let plane = planeOf(shown.half, 300), pressed = null, timer = 0, holesKept = null, inks = null;

  const observer = new ResizeObserver(() => {
    if (node.clientWidth && Math.abs(node.clientWidth - plane.width) >= 1) paintAll();
  });
  observer.observe(node);

  function set(changes) {
    Object.assign(shown, changes);
  }

  const paintAll = () => (paintGround(), paintOver());

  function paintGround() {
    const width = node.clientWidth;
    if (!width) return;
    plane = planeOf(shown.half, width);
    inks = inksOf(node);
    node.dataset.scale = plane.scale.toFixed(4);
    node.dataset.half = shown.half;
    const context = freshContext(ground, width, plane.height);
    paintAxes(context, plane, inks, shown.bare);
    if (!shown.cloud) return;
    if (shown.holes) {
      const key = [shown.half, shown.near, inks.strong].join(" ");
      if (holesKept?.key !== key || holesKept.cloud !== shown.cloud) {
        holesKept = { key, cloud: shown.cloud, picture: holePicture(shown.cloud, shown.half, shown.near, inks.strong) };
      }
      context.globalAlpha = 0.45;
      context.imageSmoothingEnabled = false;
      context.drawImage(holesKept.picture, plane.left, plane.top, plane.side, plane.side);
      context.globalAlpha = 1;
    }
    const mu = shown.mu ?? shown.cloud.mu;
    paintCloud(context, plane, mu, shown.values, plane.side > 260 ? 3 : 2);
    paintRings(context, plane, inks);
    if (shown.names && mu === shown.cloud.mu) paintNames(context, plane, shown.cloud, shown.values, shown.names, inks);
  }

  function ellipse(context, mu, sigma, times) {
    context.beginPath();
    context.ellipse(plane.x(mu[0]), plane.y(mu[1]), times * sigma[0] * plane.scale, times * sigma[1] * plane.scale, 0, 0, 2 * Math.PI);
    context.stroke();
  }

  function paintCode(context, { mu, sigma }, strong) {
    context.strokeStyle = inks.sigma;
    context.lineWidth = strong ? 2 : 1.25;
    for (const times of [1, 2]) ellipse(context, mu, sigma, times);
    context.fillStyle = inks.mu;
    context.strokeStyle = inks.panel;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(plane.x(mu[0]), plane.y(mu[1]), strong ? 5 : 3.5, 0, 2 * Math.PI);
    context.fill(), context.stroke();
  }

  function paintOver() {
    if (!inks) return;
    const context = freshContext(over, plane.width, plane.height);
    context.save();
    context.beginPath();
    context.rect(plane.left, plane.top, plane.side, plane.side);
    context.clip();
    if (shown.rect) {
      const [x0, x1, y0, y1] = shown.rect;
      context.strokeStyle = inks.ink;
      context.lineWidth = 1.5;
      context.setLineDash([5, 4]);
      context.strokeRect(plane.x(x0), plane.y(y1), plane.x(x1) - plane.x(x0), plane.y(y0) - plane.y(y1));
      context.setLineDash([]);
    }
    shown.draws.forEach((z, i) => {
      const x = plane.x(z[0]), y = plane.y(z[1]);
      context.fillStyle = inks.prior;
      context.beginPath();
      const r = plane.scale < 25 ? 4 : 8; // where they crowd, without their numbers
      context.moveTo(x, y - r), context.lineTo(x + r, y), context.lineTo(x, y + r), context.lineTo(x - r, y);
      context.fill();
      if (r < 8) return;
      context.fillStyle = inks.panel;
      context.font = "700 10px system-ui, sans-serif";
      context.textAlign = "center", context.textBaseline = "middle";
      context.fillText(i + 1, x, y + 0.5);
    });
    if (shown.hovered) paintCode(context, shown.hovered, false);
    if (shown.picked) paintCode(context, shown.picked, true);
    if (shown.pointer) {
      const x = Math.min(plane.left + plane.side - 4, Math.max(plane.left + 4, plane.x(shown.pointer[0])));
      const y = Math.min(plane.top + plane.side - 4, Math.max(plane.top + 4, plane.y(shown.pointer[1])));
      for (const [width, colour] of [[5, inks.panel], [2.5, inks.z]]) {
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.beginPath();
        context.arc(x, y, 8, 0, 2 * Math.PI);
        context.moveTo(x - 13, y), context.lineTo(x - 4, y), context.moveTo(x + 4, y), context.lineTo(x + 13, y);
        context.moveTo(x, y - 13), context.lineTo(x, y - 4), context.moveTo(x, y + 4), context.lineTo(x, y + 13);
        context.stroke();
      }
    }
    context.restore();
  }

  function at(event) {
    const box = node.getBoundingClientRect();
    const clamp = (v) => Math.min(shown.half, Math.max(-shown.half, v));
    return plane.z(event.clientX - box.left, event.clientY - box.top).map(clamp);
  }

  function settle(z) {
    clearTimeout(timer);
    timer = setTimeout(() => rest(z), 140);
  }

  function down(event) {
    if (event.button > 0) return;
    node.setPointerCapture(event.pointerId);
    pressed = { x: event.clientX, y: event.clientY, moved: false };
    if (event.pointerType !== "touch") return;
    hover(at(event));
  }

  function move(event) {
    if (event.pointerType === "touch" && !pressed) return;
    if (pressed && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > 5) pressed.moved = true;
    const z = at(event);
    hover(z);
    settle(z);
  }

  function up(event) {
    if (!pressed) return;
    const { moved } = pressed, z = at(event);
    pressed = null;
    clearTimeout(timer);
    hover(z);
    rest(z);
    if (!moved) tap(z);
  }

  function gone() {
    if (!pressed) set({ hovered: null });
  }

  function keyed(event) {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const from = shown.pointer ?? [0, 0];
    if (way) {
      event.preventDefault();
      const step = (shown.half / 40) * (event.shiftKey ? 5 : 1);
      const z = from.map((v, d) => Math.min(shown.half, Math.max(-shown.half, v + way[d] * step)));
      hover(z);
      settle(z);
    } else if (event.key === "Enter") (event.preventDefault(), tap(from));
    else if (event.key === "Home") (event.preventDefault(), hover([0, 0]), settle([0, 0]));
  }

  return {
    node, set, shown, paint: paintAll, over: paintOver,
    get plane() { return plane; },
    /** Both layers as one picture, for a file. */
    picture() {
      const canvas = piece("canvas", { width: ground.width, height: ground.height }), context = canvas.getContext("2d");
      context.drawImage(ground, 0, 0);
      context.drawImage(over, 0, 0);
      return canvas;
    },
  };
}
