// What can be taken along: numbers as CSV and JSON, pictures as PNG, the Python that computes the same.

function makeTake(lab, view) {
  const { part } = lab;
  const node = piece("div", { class: "tools take" },
    buttonOf({ words: "CSV", title: "The numbers of this view as a table", press: () => table((told) => handOver(told.csv, told.name + ".csv")), "data-do": "csv" }),
    buttonOf({ words: "JSON", title: "The numbers of this view with all settings", press: () => table((told) => handOver(JSON.stringify(told.json, null, 1), told.name + ".json")), "data-do": "json" }),
    buttonOf({ words: "PNG", title: "The pictures of this view", press: png, "data-do": "png" }),
    buttonOf({ words: "Copy Python", title: "A script that computes what is shown", press: () => window.explorer.copy(script(), "The script is on the clipboard; run it in the repository’s root."), "data-do": "python" }));
  node.script = script;
  const table = (give) => lab.own && give(view().table());

  /** The view's canvases in a row, named; charts as they are drawn. */
  async function png() {
    const sheet = view().sheet?.();
    const name = sheet?.name ?? "elbo";
    const tiles = sheet?.canvases ?? [];
    const charts = [...part.root.querySelectorAll(".stage .plot svg[role=img]")];
    const side = 256, gap = 16, rowHigh = tiles.length ? side + 40 : 0;
    const pictures = await Promise.all(charts.map(chartImage));
    const wide = Math.max(tiles.length * (side + gap) + gap, ...pictures.map((one) => one.width + 2 * gap), 320);
    const high = rowHigh + gap + pictures.reduce((sum, one) => sum + one.height + gap + 24, 0);
    const canvas = piece("canvas", { width: wide, height: high }), context = canvas.getContext("2d");
    const style = getComputedStyle(part.root);
    context.fillStyle = style.getPropertyValue("--panel") || "#fff";
    context.fillRect(0, 0, wide, high);
    context.fillStyle = style.getPropertyValue("--ink") || "#000";
    context.font = "16px system-ui, sans-serif";
    context.imageSmoothingEnabled = false;
    tiles.forEach(([tile, words], i) => {
      context.drawImage(tile, gap + i * (side + gap), gap, side, side);
      context.fillText(words, gap + i * (side + gap), gap + side + 20, side);
    });
    let top = rowHigh + gap;
    pictures.forEach((one, i) => {
      context.fillText(charts[i].closest(".plot").querySelector(".plot-head")?.textContent ?? "", gap, top + 14, wide - 2 * gap);
      context.drawImage(one, gap, top + 24);
      top += one.height + gap + 24;
    });
    canvas.toBlob((blob) => handOver(blob, name + ".png"), "image/png");
  }

  /** An SVG chart as an image: its styles are written into a copy. */
  async function chartImage(svg) {
    const copy = svg.cloneNode(true), from = [...svg.querySelectorAll("*")], to = [...copy.querySelectorAll("*")];
    from.forEach((one, i) => {
      const style = getComputedStyle(one);
      for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-family", "font-weight", "opacity"]) to[i].style.setProperty(name, style.getPropertyValue(name));
    });
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    const image = new Image();
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(copy));
    await image.decode();
    return image;
  }

  function script() {
    const name = part.root.dataset.view, settings = view().settings?.() ?? {};
    return pythonOf(lab, name, settings);
  }

  return { node };
}

/** The bill's table: what is on the screen, in nats and unrounded. */
function billTable(lab) {
  const { part, own, q, facts } = lab;
  const yours = lab.yours ?? own, mean = (bill) => meanOf(bill.squared);
  const kl = lab.edited ? q.mu.map((mu, d) => klOf(mu, q.sigma[d])) : own.kl;
  const lines = [["constant", own.constant, own.constant], ["squared errors", -mean(own), -mean(yours)], ...own.kl.map((v, d) => [`KL ${lab.named(d)}`, -v, -kl[d]])];
  lines.push(["ELBO", sumOf(lines.map((line) => line[1])), sumOf(lines.map((line) => line[2]))]);
  const csv = ["line,encoder_nats,yours_nats", ...lines.map(([name, a, b]) => [name.replaceAll(",", " "), a, b].join(","))].join("\n") + "\n";
  return { name: "elbo-bill", csv, json: { model: part.model.name, version: part.model.version, picture: part.picture, unit: "nats", samples: lab.samples, seed: lab.seed, values: facts.values, sigmas: facts.sigmas, encoder: own, yours: lab.edited ? { ...yours, kl } : null } };
}
