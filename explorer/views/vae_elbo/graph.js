// The computation as a graph: values forward, the gradient backward, with the trick and without.

function makeGraph() {
  let trick = true, shown = null, tall = false;
  const pick = segmented("Graph", [["with", "with the trick", "z is computed from mu, sigma and noise"], ["without", "without", "z is drawn from q: a draw has no slope"]], (value) => ((trick = value === "with"), draw()));
  const holder = piece("div", { class: "graph" });
  const words = piece("p", { class: "aside", "aria-live": "polite" });
  const node = piece("div", { class: "graph-place" }, piece("div", { class: "tools" }, pick), holder, words);

  const box = (x, y, letter, kind, text, wide = 7.4) => svgPiece("g", { class: "graph-box c-" + kind },
    svgPiece("rect", { x: x - wide / 2, y: y - 1.6, width: wide, height: 3.2, rx: 0.6 }),
    svgText(x, y - 0.25, letter, "graph-letter"), svgText(x, y + 1.1, text, "graph-value"));
  const svgText = (x, y, text, name, anchor = "middle") => {
    const one = svgPiece("text", { x, y, class: name, "text-anchor": anchor });
    one.textContent = text;
    return one;
  };
  const arrow = (x1, y1, x2, y2, name) => svgPiece("line", { x1, y1, x2, y2, class: "arrow " + name, "marker-end": `url(#elbo-${name.split(" ")[0]})` });
  const head = (name) => svgPiece("marker", { id: "elbo-" + name, viewBox: "0 0 10 10", refX: 8, refY: 5, markerWidth: 5, markerHeight: 5, orient: "auto-start-reverse" }, svgPiece("path", { d: "M0 0L10 5L0 10z", class: "head " + name }));

  new ResizeObserver(() => {
    const now = holder.clientWidth > 0 && holder.clientWidth < 36 * parseFloat(getComputedStyle(document.documentElement).fontSize);
    if (now !== tall) ((tall = now), draw());
  }).observe(holder);

  /** From left to right, where there is room. */
  function wideGraph(at, slope, d) {
    const svg = svgPiece("svg", { viewBox: "0 0 62 21", role: "img", "aria-label": trick ? "The gradient reaches mu and sigma through z" : "The gradient stops at the draw of z" }, svgPiece("defs", {}, ["forward", "back", "blocked"].map(head)));
    svg.append(
      arrow(7.2, 9.4, 11.4, 5.6, "forward"), arrow(7.2, 11.4, 11.4, 15.4, "forward"),
      box(4.2, 10.4, "x", "x", "picture", 6), box(15.4, 4.4, "μ", "mu", fixedText(at.mu, 3)), box(15.4, 16.4, "σ", "sigma", at.sigma.toFixed(3)),
      arrow(19.3, 5.2, 27.1, 8.8, "forward"), arrow(19.3, 15.6, 27.1, 12, "forward"));
    if (trick) svg.append(box(31, 18.9, "ε ~ N(0, 1)", "eps", fixedText(at.eps, 3), 8.4), arrow(31, 17.1, 31, 12.4, "forward"));
    svg.append(box(31, 10.4, trick ? "z = μ + σ ε" : "z ~ N(μ, σ²)", "z", fixedText(at.z, 3), 8.4), arrow(35.4, 10.4, 44, 10.4, "forward"), box(52.4, 10.4, "f = log p(x|z)", "loss", slope ? fixedText(slope.f, 1) : "…", 16));
    svg.append(arrow(44, 8.9, 35.6, 8.9, "back"), svgText(39.8, 8, "∂f/∂z", "graph-note"), svgText(39.8, 13, slope ? shortText(d) : "…", "graph-note strong"));
    if (trick) {
      svg.append(arrow(27.3, 7.4, 19.6, 3.9, "back"), svgText(24, 3.6, `∂f/∂μ = ∂f/∂z · 1 = ${slope ? shortText(d) : "…"}`, "graph-note strong", "start"));
      svg.append(arrow(27.3, 13.5, 19.6, 17, "back"), svgText(36.6, 16.6, `∂f/∂σ = ∂f/∂z · ε = ${slope ? shortText(d * at.eps) : "…"}`, "graph-note strong", "start"));
    } else svg.append(arrow(27, 7.2, 24.2, 5.9, "blocked"), svgText(22.8, 5.8, "✕", "graph-cross"), arrow(27, 13.7, 24.2, 15, "blocked"), svgText(22.8, 16.4, "✕", "graph-cross"));
    return svg;
  }

  /** From top to bottom, so that a phone reads it without scrolling aside. */
  function tallGraph(at, slope, d) {
    const svg = svgPiece("svg", { class: "tall", viewBox: `0 0 30 ${trick ? 29 : 25}`, role: "img", "aria-label": trick ? "The gradient reaches mu and sigma through z" : "The gradient stops at the draw of z" }, svgPiece("defs", {}, ["forward", "back", "blocked"].map(head)));
    svg.append(
      arrow(12.6, 3.8, 8.2, 6.2, "forward"), arrow(17.4, 3.8, 21.8, 6.2, "forward"),
      box(15, 2, "x", "x", "picture", 6), box(6, 8, "μ", "mu", fixedText(at.mu, 3)), box(24, 8, "σ", "sigma", at.sigma.toFixed(3)),
      arrow(8.4, 9.8, 12.8, 13.2, "forward"), arrow(21.6, 9.8, 17.2, 13.2, "forward"));
    if (trick) svg.append(box(4.4, 15, "ε ~ N(0, 1)", "eps", fixedText(at.eps, 3), 8.4), arrow(8.7, 15, 10.6, 15, "forward"));
    svg.append(box(15, 15, trick ? "z = μ + σ ε" : "z ~ N(μ, σ²)", "z", fixedText(at.z, 3), 8.4), arrow(14, 16.8, 14, 20.6, "forward"), box(15, 22.4, "f = log p(x|z)", "loss", slope ? fixedText(slope.f, 1) : "…", 16));
    svg.append(arrow(16, 20.6, 16, 16.9, "back"), svgText(16.8, 19.1, `∂f/∂z = ${slope ? shortText(d) : "…"}`, "graph-note strong", "start"));
    if (trick) svg.append(arrow(11, 13.2, 6.6, 9.8, "back"), svgText(7.8, 12.4, "∂f/∂μ", "graph-note", "end"), arrow(19, 13.2, 23.4, 9.8, "back"), svgText(22.2, 12.4, "∂f/∂σ", "graph-note", "start"),
      svgText(15, 26.2, `∂f/∂μ = ∂f/∂z · 1 = ${slope ? shortText(d) : "…"}`, "graph-note strong"), svgText(15, 28, `∂f/∂σ = ∂f/∂z · ε = ${slope ? shortText(d * at.eps) : "…"}`, "graph-note strong"));
    else svg.append(arrow(11, 13.2, 8.8, 11.5, "blocked"), svgText(7.8, 11.8, "✕", "graph-cross"), arrow(19, 13.2, 21.2, 11.5, "blocked"), svgText(22.2, 11.8, "✕", "graph-cross"));
    return svg;
  }

  function draw() {
    if (!shown) return;
    const [at, slope] = shown;
    holder.replaceChildren((tall ? tallGraph : wideGraph)(at, slope, slope ? slope.slope : NaN));
    node.dataset.trick = String(trick);
    tellText(words, trick ? "The noise ε is an input, not a parameter. z is then an ordinary function of μ and σ, and one draw’s slope of f reaches both."
      : "Drawing z is no operation with a slope: the gradient stops at z. The score function goes round it: it never asks for ∂f/∂z, and weighs ∂ log q(z) by f itself, at the price measured below.");
  }

  return { node, show: (at, slope) => ((shown = [at, slope]), draw()) };
}
