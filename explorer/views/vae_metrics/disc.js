// The disc: codes in the plane of two numbers, with the prior's rings to scale. Turning it is turning the code.

const DISC_SHOWN = 1500;
const DISC_RINGS = [1, 2, 3];

/** turned(degrees) while it is dragged, rested() after. draw({x, y, n, kinds, names, degrees, own, free}). */
function makeDisc({ turned, rested }) {
  const canvas = piece("canvas", {
    class: "disc", tabindex: 0, role: "slider", "aria-label": "Turn the code in this plane, in degrees", "aria-valuemin": 0, "aria-valuemax": 90,
    onpointerdown: begin, onpointermove: move, onpointerup: end, onpointercancel: end, onkeydown: walk,
  });
  const context = canvas.getContext("2d");
  let shown = null, grip = null, side = 0, ratio = 1, waiting = 0;
  new ResizeObserver(fit).observe(canvas);
  new MutationObserver(ask).observe(document.body, { attributeFilter: ["class"] });

  function fit() {
    if (!canvas.clientWidth) return;
    side = canvas.clientWidth;
    ratio = Math.min(2, window.devicePixelRatio || 1);
    canvas.width = canvas.height = Math.round(side * ratio);
    ask();
  }

  function ask() {
    waiting ||= requestAnimationFrame(() => ((waiting = 0), shown && side && paint()));
  }

  const angle = (event) => {
    const box = canvas.getBoundingClientRect();
    return (Math.atan2(box.top + box.height / 2 - event.clientY, event.clientX - box.left - box.width / 2) * 180) / Math.PI;
  };

  function begin(event) {
    if (!shown?.free || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    grip = { from: angle(event), degrees: shown.degrees };
  }

  function move(event) {
    if (!grip) return;
    let degrees = grip.degrees + angle(event) - grip.from;
    degrees = ((((degrees + 180) % 360) + 360) % 360) - 180;
    turned(Math.round(Math.min(90, Math.max(0, degrees))));
  }

  function end() {
    if (grip) rested();
    grip = null;
  }

  function walk(event) {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 15, PageDown: -15, Home: -90, End: 90 }[event.key];
    if (!way || !shown?.free) return;
    event.preventDefault();
    event.stopPropagation();
    turned(Math.min(90, Math.max(0, shown.degrees + way)));
    rested();
  }

  function draw(next) {
    shown = next;
    canvas.style.touchAction = next.free ? "none" : "auto";
    canvas.setAttribute("aria-valuenow", Math.round(next.degrees));
    canvas.setAttribute("aria-valuetext", Math.round(next.degrees) + " degrees");
    ask();
  }

  function paint() {
    const style = getComputedStyle(canvas), colour = (name) => style.getPropertyValue("--" + name).trim();
    const { x, y, n, kinds, names, own, degrees, free } = shown;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize), middle = side / 2;
    const far = Math.max(3.2, farthest(x, y, n)), unit = (middle - 1.6 * rem) / far;
    const to = (a, b) => [middle + a * unit, middle - b * unit];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, side, side);
    context.lineWidth = 1;
    context.strokeStyle = colour("sym-prior");
    context.fillStyle = colour("sym-prior");
    context.font = `${0.7 * rem}px system-ui, sans-serif`;
    for (const ring of DISC_RINGS) {
      context.globalAlpha = 0.75;
      context.setLineDash([3, 4]);
      context.beginPath();
      context.arc(middle, middle, ring * unit, 0, 7);
      context.stroke();
      context.setLineDash([]);
      context.globalAlpha = 1;
      if (unit * ring > 14) context.fillText(ring + "σ", middle + ring * unit * 0.707 + 2, middle + ring * unit * 0.707 + 0.6 * rem);
    }
    context.strokeStyle = colour("line-strong");
    line(to(-far, 0), to(far, 0));
    line(to(0, -far), to(0, far));
    // Where the straight axes are by now.
    if (degrees) {
      const a = (degrees * Math.PI) / 180;
      context.setLineDash([6, 5]);
      context.strokeStyle = colour("muted");
      line(to(-far * Math.cos(a), -far * Math.sin(a)), to(far * Math.cos(a), far * Math.sin(a)));
      line(to(far * Math.sin(a), -far * Math.cos(a)), to(-far * Math.sin(a), far * Math.cos(a)));
      context.setLineDash([]);
    }
    const step = Math.max(1, Math.floor(n / DISC_SHOWN)), r = Math.max(1.6, 0.13 * rem);
    context.globalAlpha = 0.8;
    for (let i = 0; i < n; i += step) {
      const kind = kinds ? kinds[i] : KIND_NONE;
      context.fillStyle = kindColour(kind);
      markKind(context, kind, ...to(x[i], y[i]), r);
    }
    context.globalAlpha = 1;
    if (own) {
      context.strokeStyle = colour("ink");
      context.lineWidth = 2.5;
      context.beginPath();
      context.arc(...to(...own), 0.45 * rem, 0, 7);
      context.stroke();
    }
    context.fillStyle = colour("ink");
    context.font = `600 ${0.8 * rem}px system-ui, sans-serif`;
    context.textAlign = "right";
    context.fillText(names[0], side - 2, middle - 0.35 * rem);
    context.textAlign = "left";
    context.fillText(names[1], middle + 0.35 * rem, 0.9 * rem);
    canvas.style.cursor = free ? "grab" : "default";
    canvas.dataset.degrees = degrees;
  }

  function line(a, b) {
    context.beginPath();
    context.moveTo(...a);
    context.lineTo(...b);
    context.stroke();
  }

  return { node: canvas, draw };
}

/** The largest distance from the middle but for one in a hundred, so that it stays when the code is turned. */
function farthest(x, y, n) {
  const step = Math.max(1, Math.floor(n / 1000)), found = [];
  for (let i = 0; i < n; i += step) found.push(Math.hypot(x[i], y[i]));
  return found.sort((a, b) => a - b)[Math.floor(found.length * 0.99)] ?? 3;
}
