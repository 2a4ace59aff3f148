// One row per latent dimension: end pictures, a track in units of the prior's sigma, value, reset. Knows no server.

const REACH = 3; // the track's half-width, in sigmas of the prior, where the KL keeps the codes
const END = 5 / 6; // of the reach: where the end pictures are taken
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

/** The row of dimension `dim`. `on` holds hover(dim), touch(dim, anew), ahead(dim, value), move(dim, value), release(dim), reset(dim). */
function makeRow(dim, axis, on, reach = REACH) {
  const name = "z" + dim;
  const end = rounded(END * reach, 2);
  const row = document.createElement("div");
  row.className = "row";
  row.dataset.dim = dim;
  row.innerHTML = `
    <button type="button" class="end" aria-label="Set ${name} to −${end}"><canvas width="64" height="64"></canvas></button>
    <div class="middle">
      <div class="head">
        <span class="name"><i>z</i><sub>${dim}</sub></span><span class="effect"></span>
        <button type="button" class="reset" aria-label="Reset ${name}" title="Back to where it began">
          <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 3v3.5h3.5M4.2 6.5a4.5 4.5 0 1 1-.6 3.4"/></svg>
        </button>
        <output class="value"></output>
      </div>
      <div class="track"><input type="range" min="-${reach}" max="${reach}" step="0.01" value="0"></div>
    </div>
    <button type="button" class="end" aria-label="Set ${name} to ${end}"><canvas width="64" height="64"></canvas></button>`;

  const part = (selector) => row.querySelector(selector);
  const slider = part("input");
  const [low, high] = row.querySelectorAll(".end");
  slider.setAttribute("aria-label", axis.effect ? name + ", changes " + axis.effect : name);
  part(".effect").textContent = axis.effect || "";
  const hint = axis.kl.toFixed(2) + " nats of information (mean KL over held-out pictures)";
  row.title = axis.effect
    ? hint + "; moving it from −2 to 2 changes " + axis.effect + " in " + Math.round(100 * axis.share) + " % of faces"
    : hint;

  const marks = svgPiece("svg", { class: "marks", viewBox: `${-reach} 0 ${2 * reach} 1`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const bell = Array.from({ length: 61 }, (_, i) => -REACH + i / 10)
    .map((v) => v.toFixed(1) + " " + (1 - 0.92 * Math.exp((-v * v) / 2)).toFixed(3))
    .join(" L ");
  marks.append(svgPiece("path", { class: "prior", d: "M -3 1 L " + bell + " L 3 1 Z" }));
  const spread = svgPiece("rect", { class: "spread", y: 0.22, height: 0.78 });
  const mean = svgPiece("line", { class: "mean", y1: 0, y2: 0.22, "vector-effect": "non-scaling-stroke" });
  marks.append(spread, mean);
  part(".track").prepend(marks);

  slider.addEventListener("pointerenter", () => on.hover(dim));
  slider.addEventListener("pointerdown", () => on.touch(dim, true));
  slider.addEventListener("focus", () => on.touch(dim, false));
  slider.addEventListener("input", () => on.move(dim, +slider.value));
  slider.addEventListener("change", () => on.release(dim));

  // A browser hands out a mouse's moves once a frame, but tells of them at once (where it can: Chromium, on a secure page).
  // That is up to a frame gained for a picture that has to be fetched. Not for a finger, which may turn out to be scrolling.
  let held = null; // {left, span} in pixels: where the slider's value begins and how far it goes
  slider.addEventListener("pointerdown", ({ pointerType }) => {
    const { left, width } = slider.getBoundingClientRect();
    const thumb = parseFloat(getComputedStyle(slider).getPropertyValue("--thumb")) * rem();
    held = pointerType === "mouse" ? { left: left + thumb / 2, span: width - thumb } : null;
    if (held) addEventListener("pointerup", () => (held = null), { once: true });
  });
  slider.addEventListener("pointerrawupdate", ({ clientX }) => {
    if (held) on.ahead(dim, rounded(clamp(((clientX - held.left) / held.span) * 2 * reach - reach, -reach, reach), 2));
  });

  for (const [button, value] of [[low, -end], [high, end]]) {
    button.addEventListener("pointerenter", () => on.hover(dim));
    button.addEventListener("click", () => (on.touch(dim, true), on.move(dim, value), on.release(dim)));
  }
  part(".reset").addEventListener("click", () => on.reset(dim));

  /** Shows a value; `base` is the value the face began with. */
  function value(z, base) {
    if (+slider.value !== rounded(z, 2)) slider.value = z;
    slider.setAttribute("aria-valuetext", text(z) + " sigma");
    part(".value").textContent = text(z);
    row.toggleAttribute("data-moved", Math.abs(z - base) > 1e-6);
    row.toggleAttribute("data-beyond", Math.abs(z) > reach);
  }

  /** Draws the posterior on the track, or takes it away where no picture was encoded. */
  function posterior(mu, sigma) {
    row.toggleAttribute("data-encoded", mu !== null);
    if (mu === null) return;
    const from = clamp(mu - sigma, -reach, reach);
    spread.setAttribute("x", from);
    spread.setAttribute("width", Math.max(reach / 150, clamp(mu + sigma, -reach, reach) - from));
    mean.setAttribute("x1", clamp(mu, -reach, reach));
    mean.setAttribute("x2", clamp(mu, -reach, reach));
  }

  function ends(images) {
    paint(low.firstChild, images[0]);
    paint(high.firstChild, images[1]);
  }

  return { element: row, slider, value, posterior, ends };
}
