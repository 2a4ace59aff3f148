// Mean and spread of all dimensions at once, most informative first. Knows nothing of sliders.

const ACTIVE = 0.1; // nats: below this a dimension carries nothing that can be seen

/** `order` lists the dimensions from left to right; pick(dim) is called when one is tapped. */
function makeChart(holder, order, axes, pick, reach) {
  const wide = order.length;
  const unit = 3 / reach; // of the chart, for a sigma of the prior
  const chart = svgPiece("svg", { viewBox: `0 0 ${wide} 8`, preserveAspectRatio: "none", role: "img" });
  chart.setAttribute("aria-label", "Mean and spread of every dimension, and where this picture is");
  for (const sigmas of [3, 2, 1]) {
    chart.append(svgPiece("rect", { class: "band", x: 0, width: wide, y: 4 - sigmas * unit, height: 2 * sigmas * unit }));
  }
  chart.append(svgPiece("line", { class: "zero", x1: 0, x2: wide, y1: 4, y2: 4 }));
  holder.replaceChildren(chart);

  const columns = order.map((dim, i) => {
    const x = i + 0.5;
    const column = svgPiece("g", { class: axes[dim].kl < ACTIVE ? "column dead" : "column" });
    const title = svgPiece("title", {});
    title.textContent = "z" + dim + (axes[dim].effect ? " · " + axes[dim].effect : "") + " · " + axes[dim].kl.toFixed(2) + " nats";
    // Zero-length strokes with round caps stay round dots although the chart is stretched.
    const whisker = svgPiece("line", { class: "whisker", x1: x, x2: x });
    const mu = svgPiece("line", { class: "mu", x1: x, x2: x });
    const z = svgPiece("line", { class: "z", x1: x, x2: x });
    column.append(title, svgPiece("rect", { class: "hit", x: i, width: 1, y: 0, height: 8 }), z, whisker, mu);
    column.addEventListener("click", () => pick(dim));
    chart.append(column);
    return { column, dim, whisker, mu, z };
  });

  const up = (v) => 4 - clamp(v * unit, -3.8, 3.8);
  const place = (line, from, to) => (line.setAttribute("y1", from), line.setAttribute("y2", to));

  let shown = { z: [], code: undefined, touched: undefined };

  /** `code` is {mu, sigma} or null where no picture was encoded. Touches only what has changed since the last time. */
  return function show(z, code, touched) {
    for (const { column, dim, ...line } of columns) {
      if (code !== shown.code) {
        column.toggleAttribute("data-encoded", Boolean(code));
        if (code) {
          place(line.whisker, up(code.mu[dim] - code.sigma[dim]), up(code.mu[dim] + code.sigma[dim]));
          place(line.mu, up(code.mu[dim]), up(code.mu[dim]));
        }
      }
      if (touched !== shown.touched) column.toggleAttribute("data-touched", dim === touched);
      if (z[dim] !== shown.z[dim]) place(line.z, up(z[dim]), up(z[dim]));
    }
    shown = { z: Array.from(z), code, touched };
  };
}
