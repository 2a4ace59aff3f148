// A Gaussian over the prior's, to scale, whose middle and width a finger moves. Knows no request.

const PRIOR = { mu: 0, sigma: 1 };
const density = (z, { mu, sigma }) => Math.exp(-0.5 * ((z - mu) / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI));

/** What of the axis a board shows: the prior's four sigmas, and the posterior with room to move. */
const rangeOf = (mu, sigma, far) => [Math.max(-far, Math.min(-4, mu - Math.max(1, 6 * sigma))), Math.min(far, Math.max(4, mu + Math.max(1, 6 * sigma)))];

/** What the curves are, in words. */
const bellKeys = (ghost) => piece("p", { class: "bell-keys" }, [["prior", "prior N(0, 1)"], ["q", ghost ? "your q" : "q(z|x)"], ghost && ["ghost", "the encoder’s"]].filter(Boolean)
  .map(([name, words]) => piece("span", {}, svgPiece("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, svgPiece("line", { x1: 1, x2: 23, y1: 4, y2: 4, class: "bell " + name })), words)));

/**
 * moved({mu, sigma, z}) is called with what a hand has changed; done() when it lets go.
 * show({range, q, ghost, z, words}): ghost is another Gaussian, thin; z a marker, or null.
 */
function gaussPlace({ moved, done = () => {}, height = 12, handles = ["mu", "sigma"], limits }) {
  const holder = piece("div", { class: "gauss", "data-surface": "gauss" });
  let shown = null, scale = null, held = "";
  new ResizeObserver(() => shown && draw()).observe(holder);

  const at = (event) => scale.back(event.clientX - holder.getBoundingClientRect().left);
  holder.addEventListener("pointerdown", (event) => {
    if (!shown || event.button > 0) return;
    event.preventDefault();
    const left = event.clientX - holder.getBoundingClientRect().left;
    const top = event.clientY - holder.getBoundingClientRect().top;
    const near = handles.map((name) => [Math.hypot(scale.places[name][0] - left, scale.places[name][1] - top), name]).sort((a, b) => a[0] - b[0]);
    held = near[0][0] < 3 * scale.rem ? near[0][1] : handles.includes("z") ? "z" : "mu";
    holder.setPointerCapture(event.pointerId);
    holder.querySelector(`[data-handle="${held}"]`)?.focus({ preventScroll: true });
    move(event);
  });
  const move = (event) => held && send(held, held === "sigma" ? Math.abs(at(event) - shown.q.mu) : at(event));
  holder.addEventListener("pointermove", move);
  for (const over of ["pointerup", "pointercancel"]) holder.addEventListener(over, () => held && ((held = ""), done()));

  function send(name, value) {
    const [low, high] = name === "sigma" ? limits.sigma : [-limits.far, limits.far];
    moved({ [name]: clampTo(value, low, high) });
  }

  function keyed(event, name) {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const big = event.shiftKey ? 10 : 1;
    const now = name === "sigma" ? shown.q.sigma : name === "z" ? shown.z : shown.q.mu;
    send(name, name === "sigma" ? now * 1.05 ** (way * big) : now + way * big * 0.02);
    done();
  }

  function draw() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const wide = holder.clientWidth, high = height * rem;
    if (!wide) return;
    const { range: [low, top], q, ghost = null, z = null, words } = shown;
    const left = 1.25 * rem, right = wide - 1.25 * rem, floor = high - 2.75 * rem, roof = 1.5 * rem;
    const px = (v) => left + ((clampTo(v, low, top) - low) / (top - low)) * (right - left);
    const peak = Math.max(density(q.mu, q), density(0, PRIOR));
    const py = (v) => floor - Math.min(3, v / peak) * (floor - roof); // a taller one leaves at the top
    const places = { mu: [px(q.mu), floor], sigma: [px(q.mu + q.sigma), py(density(q.mu + q.sigma, q))], z: [px(z ?? 0), floor + 1.2 * rem] };
    scale = { rem, places, back: (x) => low + ((x - left) / (right - left)) * (top - low) };
    const curve = (g) => {
      const grid = new Set([...Array.from({ length: 121 }, (_, i) => low + ((top - low) * i) / 120), ...Array.from({ length: 81 }, (_, i) => g.mu + g.sigma * (i / 10 - 4))]);
      return [...grid].filter((v) => v >= low && v <= top).sort((a, b) => a - b).map((v) => px(v).toFixed(1) + "," + py(density(v, g)).toFixed(1)).join(" ");
    };
    const keep = document.activeElement?.dataset?.handle && holder.contains(document.activeElement) ? document.activeElement.dataset.handle : "";
    const svg = svgPiece("svg", { viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, role: "group", "aria-label": words });
    svg.append(svgPiece("line", { x1: left, x2: right, y1: floor, y2: floor, class: "axis-line" }));
    for (const v of roundTicks(low, top, wide < 26 * rem ? 4 : 8)) {
      const text = svgPiece("text", { x: px(v), y: floor + 1.1 * rem, class: "tick", "text-anchor": "middle" });
      text.textContent = tickWords(v);
      svg.append(svgPiece("line", { x1: px(v), x2: px(v), y1: floor, y2: floor + 4, class: "axis-line" }), text);
    }
    svg.append(svgPiece("polyline", { points: curve(PRIOR), class: "bell prior" }));
    if (ghost) svg.append(svgPiece("polyline", { points: curve(ghost), class: "bell ghost" }));
    svg.append(svgPiece("polygon", { points: `${px(Math.max(low, q.mu - 4 * q.sigma))},${floor} ${curve(q)} ${px(Math.min(top, q.mu + 4 * q.sigma))},${floor}`, class: "bell-fill" }));
    svg.append(svgPiece("polyline", { points: curve(q), class: "bell q" }));
    svg.append(svgPiece("line", { x1: places.mu[0], x2: places.sigma[0], y1: places.sigma[1], y2: places.sigma[1], class: "span" }));
    const taller = density(q.mu, q) / density(0, PRIOR);
    if (taller > 8) {
      const end = places.mu[0] > (left + right) / 2;
      const text = svgPiece("text", { x: places.mu[0] + (end ? -0.8 : 0.8) * rem, y: roof + 0.5 * rem, class: "tick", "text-anchor": end ? "end" : "start" });
      text.textContent = `${Math.round(taller)} times as tall as the prior`;
      svg.append(text);
    }
    if (z !== null) svg.append(svgPiece("line", { x1: places.z[0], x2: places.z[0], y1: roof, y2: places.z[1], class: "z-line" }));
    const kinds = { mu: ["middle μ", q.mu], sigma: ["width σ", q.sigma], z: ["draw z", z] };
    for (const name of handles) {
      const [hx, hy] = places[name];
      svg.append(svgPiece("g", { class: "handle " + name, tabindex: 0, role: "slider", "data-handle": name, "aria-label": kinds[name][0],
        "aria-valuenow": kinds[name][1].toFixed(3), "aria-valuemin": low.toFixed(1), "aria-valuemax": top.toFixed(1), onkeydown: (event) => keyed(event, name) },
        svgPiece("circle", { cx: hx, cy: hy, r: 0.55 * rem })));
    }
    holder.replaceChildren(svg);
    if (keep) holder.querySelector(`[data-handle="${keep}"]`)?.focus({ preventScroll: true });
  }

  let frame = 0;
  return { node: holder, show(what) { shown = what; frame ||= requestAnimationFrame(() => ((frame = 0), draw())); } };
}
