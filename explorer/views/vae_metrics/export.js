// What one takes home from a view: tables, pictures, the film, and the Python that computes the same.

const csvOf = (rows) => rows.map((row) => row.map((cell) => (/[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell)).join(",")).join("\n") + "\n";

/** Below the dial: all of it speaks of the code as it is turned now. */
function dialExports(hub, dial) {
  const { part } = hub, name = () => `${hub.source === "model" ? part.model.name : hub.source}-metrics`;
  const table = () => [["number", ...Object.keys(hub.names)], ...dial.now().shares.map((row, d) => [d, ...row.map((share) => share.toFixed(5))])];

  function json() {
    const now = dial.now(), turn = dial.turn();
    const told = { model: hub.source === "model" ? part.model.name : null, toy: hub.source === "model" ? null : hub.source, turn: turnText(turn), n: now.n, bins: hub.start.bins, mig: now.mig, factor_vae: now.factor().score,
      factors: Object.keys(hub.names), information: now.table.map((row) => row.map((nats) => +nats.toFixed(6))), entropies: now.entropies, computed_beforehand: hub.source === "model" ? hub.start.report : hub.start.toys.toys?.[hub.source] };
    return JSON.stringify(told, null, 1);
  }

  function png() {
    const shares = dial.now().shares, names = Object.keys(hub.names), cell = 36, left = 60, top = 120;
    const canvas = piece("canvas", { width: left + names.length * cell + 80, height: top + shares.length * cell + 16 }), context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.font = "14px system-ui, sans-serif";
    context.textBaseline = "middle";
    names.forEach((factor, k) => {
      context.save();
      context.translate(left + (k + 0.5) * cell, top - 8);
      context.rotate(-Math.PI / 3);
      context.fillStyle = "#1c1e23";
      context.fillText(factor, 0, 0);
      context.restore();
    });
    const rows = hub.live.factors ? dial.heat.order : [];
    rows.forEach((d, r) => {
      context.fillStyle = "#1c1e23";
      context.fillText(numberName(d), 12, top + (r + 0.5) * cell);
      shares[d].forEach((share, k) => {
        context.fillStyle = `color-mix(in srgb, #0a7355 ${100 * Math.min(1, share)}%, #fff)`;
        context.fillRect(left + k * cell, top + r * cell, cell - 2, cell - 2);
        context.fillStyle = share > 0.45 ? "#fff" : "#1c1e23";
        context.fillText(share.toFixed(2).replace(/^0/, ""), left + k * cell + 5, top + (r + 0.5) * cell);
      });
    });
    canvas.toBlob((blob) => handOver(blob, name() + ".png"));
  }

  function python() {
    const turn = turnText(dial.turn());
    const lines = hub.source === "model"
      ? ["from explorer.tabs.vae import metric_codes, metric_scores, models", "from explorer.tabs.vae.metric_rotation import Turn", "", `vae = models.get("${part.model.name}")`,
        "codes = metric_codes.all_of(vae)  # encodes all its pictures: seconds", "z, v = codes.z, codes.v"]
      : ["from explorer.tabs.vae import metric_scores, metric_toys", "from explorer.tabs.vae.metric_rotation import Turn", "", `z, v, z_test, v_test = metric_toys.pair("${hub.source}")`];
    return [...lines, `z = z @ Turn.read("${turn}").matrix(z.shape[1]).T`, "known = metric_scores.information(z, v) / metric_scores.entropies(v)  # (numbers, factors): the heat map",
      "print(known.round(2))", 'print("MIG", metric_scores.mig(z, v))', ""].join("\n");
  }

  const film = buttonOf({ words: "Film as GIF", press: () => dial.axis.given?.filmed && part.wire.file("metrics/film", dial.axis.query({ format: "gif", pingpong: 1 })).catch((error) => window.explorer.toast(error.message)), "data-do": "gif" });
  hub.filmed = (on) => (film.hidden = !on);
  return exportRow([
    buttonOf({ words: "Heat map as PNG", press: png, "data-do": "png" }), buttonOf({ words: "as CSV", press: () => handOver(csvOf(table()), name() + ".csv"), "data-do": "csv" }),
    buttonOf({ words: "All as JSON", press: () => handOver(json(), name() + ".json"), "data-do": "json" }), film], python, part);
}

function sheetExports(hub, node) {
  const rows = () => [...node.querySelectorAll("table:first-of-type tr")].map((row) => [...row.cells].map((cell) => (cell.querySelector("b") ?? cell).textContent.trim()));
  const python = () => ["import numpy as np", "", "from explorer.tabs.vae import metric_scores, metric_toys", "", "for toy in metric_toys.TOYS:", "    z, v, z_test, v_test = metric_toys.pair(toy)",
    "    rng = np.random.RandomState(2)", "    spread = metric_toys.code(toy, rng, metric_toys.factors(rng, 5000)).var(0, ddof=1)",
    "    votes = metric_scores.factor_score(metric_toys.draw(toy), 3, spread, rng, train=2000, test=1000)",
    '    print(toy, "MIG", metric_scores.mig(z, v), "SAP", metric_scores.sap(z, v, z_test, v_test), "FactorVAE", votes[0])', "    # metric_scores.dci(z, v, z_test, v_test) takes up to a minute", ""].join("\n");
  return exportRow([buttonOf({ words: "Table as CSV", press: () => handOver(csvOf(rows()), `${hub.part.model.name}-all-metrics.csv`), "data-do": "csv" })], python, hub.part);
}

function mapsExports(hub, maps) {
  function csv() {
    const ready = maps.panels.filter((one) => one.node.dataset.state === "ready"), count = ready[0]?.points().length / 2 || 0;
    const rows = Array.from({ length: count }, (_, i) => [i, ...ready.flatMap((one) => one.points().slice(2 * i, 2 * i + 2))]);
    handOver(csvOf([["picture", ...ready.flatMap((one) => [one.title + " x", one.title + " y"])], ...rows]), `maps-${maps.settings().data}.csv`);
  }

  function png() {
    const ready = maps.panels.filter((one) => one.node.dataset.state === "ready"), side = 420;
    const canvas = piece("canvas", { width: side * ready.length, height: side + 40 }), context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(maps.node).getPropertyValue("--panel");
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = getComputedStyle(maps.node).getPropertyValue("--ink");
    context.font = "600 20px system-ui, sans-serif";
    ready.forEach((one, i) => (context.fillText(one.title, i * side + 14, 27), context.drawImage(one.plot.node, i * side + 10, 40, side - 20, side - 20)));
    canvas.toBlob((blob) => handOver(blob, `maps-${maps.settings().data}.png`));
  }

  const python = () => {
    const { data, perplexity } = maps.settings();
    return ["from explorer.tabs.vae import projection_maps as maps", "", 'for kind in ("pca", "tsne", "ae", "vae"):', `    places = maps.points("${data}", kind, ${perplexity})`, `    if places is None:  # no layout ships for these pictures: half a minute`,
      `        places = maps.tsne("${data}", ${perplexity})`, `    print(maps.KINDS[kind], places.shape, maps.worth("${data}", kind, ${perplexity})["trust"])`, `picture = maps.decode("${data}", "vae", places[:1])  # (1, size, size, 3)`, ""].join("\n");
  };
  return exportRow([buttonOf({ words: "Maps as PNG", press: png, "data-do": "png" }), buttonOf({ words: "Points as CSV", press: csv, "data-do": "csv" })], python, hub.part);
}

function exportRow(buttons, python, part) {
  const code = buttonOf({ words: "Copy Python", press: async () => {
    part.root.dataset.python = python();
    await window.explorer.copy(python(), "Python copied.");
  }, "data-do": "python" });
  const link = buttonOf({ words: "Copy link", press: () => window.explorer.copy(location.href, "Link copied."), "data-do": "link" });
  return piece("div", { class: "tools exports" }, buttons, code, link);
}
