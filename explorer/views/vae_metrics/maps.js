// PCA, t-SNE, UMAP, an autoencoder and a VAE on the same pictures: one point is marked in all, and decoded where a map can.

const MAPS_DATA = [["digits", "Digits"], ["avatars", "Faces"]];
const MAPS_POLL = 1500;
const MAPS_WHY = {
  pca: "The two directions of pixel space along which pictures differ most: straight, and the way back is a sum of two pictures.",
  tsne: "Keeps neighbours together and nothing else: sizes of groups and distances between them mean little.",
  umap: "Neighbours too, from a graph of them.",
  ae: "Two numbers that a network needs to paint the picture again. Nothing says where they should lie.",
  vae: "The same network with β = 1: each picture is a little cloud, and the clouds must share the prior's room.",
};

function makeMaps({ part }) {
  let data = part.get("data") === "avatars" ? "avatars" : "digits", perplexity = [5, 30, 100].includes(+part.get("perp")) ? +part.get("perp") : 30;
  let known = null, colour = 0, panels = [], faces = null, marked = -1, run = 0;
  const which = segmented("Pictures", MAPS_DATA, (value) => ((data = value), (colour = 0), part.set({ data: value === "digits" ? null : value, colour: null }), load()));
  const paints = piece("select", { "aria-label": "Coloured by", onchange: () => ((colour = +paints.value), part.set({ colour: colour || null }), recolour()) });
  const perps = segmented("Perplexity of t-SNE", [5, 30, 100].map((p) => [p, String(p)]), (value) => ((perplexity = +value), part.set({ perp: value === 30 ? null : value }), panels.filter((one) => one.perplexity).forEach((one) => one.load())));
  const legend = piece("div", {}), grid = piece("div", { class: "maps-grid" }), lacks = piece("p", { class: "muted" });
  const picture = piece("canvas", { class: "picture", width: 32, height: 32, role: "img", "aria-label": "The marked picture" }), told = piece("p", { class: "muted", role: "status" });
  const node = piece("section", { class: "maps", "aria-label": "Maps of the same pictures" },
    piece("div", { class: "tools" }, which, piece("label", { class: "named" }, "Coloured by", paints), piece("span", { class: "named" }, "t-SNE's perplexity", perps)),
    piece("div", { class: "maps-head" }, piece("figure", { class: "shot maps-point" }, picture), piece("div", { class: "maps-said" }, told, legend)), grid, lacks);
  which.set(data);
  perps.set(perplexity);

  function point(i) {
    if (i === marked || i < 0 || !known) return;
    marked = i;
    panels.forEach((one) => one.plot.mark(i));
    if (faces) paintFrame(picture, faces, i);
    const names = Object.entries(known.factors).map(([factor, values], k) => `${factor} ${values[known.labels[k][i]]}`);
    tellText(told, `Picture ${i + 1}: ${names.join(", ")}. The same picture is ringed in every map.`);
    part.facts({ marked: i });
  }

  function recolour() {
    const names = Object.values(known.factors)[colour];
    legend.replaceChildren(kindLegend(names));
    for (const one of panels) {
      one.plot.draw({ kinds: known.labels[colour], names });
      one.worth();
    }
  }

  async function load() {
    const mine = ++run;
    part.facts({ maps: "busy" });
    try {
      const found = await part.wire.get("metrics/maps/start", { data });
      if (mine !== run) return;
      known = found;
      marked = -1;
      faces = null;
      colour = Math.min(colour || (part.number("colour", 0, 0, 20) | 0), Object.keys(known.factors).length - 1);
      paints.replaceChildren(...Object.keys(known.factors).map((factor, k) => piece("option", { value: k }, factor)));
      paints.value = colour;
      const missing = known.kinds.filter((one) => one.missing);
      lacks.hidden = !missing.length;
      tellText(lacks, missing.map((one) => one.missing).join(" "));
      panels = known.kinds.filter((one) => !one.missing).map((kind) => makePanel(kind, () => mine === run));
      grid.replaceChildren(...panels.map((one) => one.node));
      tellText(told, `${wholeText(known.count)} pictures. Point at one.`);
      recolour();
      part.wire.sprite("metrics/maps/faces", { data }).then((sprite) => mine === run && ((faces = sprite), paintFrame(picture, faces, Math.max(0, marked)), part.facts({ faces: data })));
      await Promise.all(panels.map((one) => one.load()));
      if (mine === run) part.facts({ maps: data });
    } catch (error) {
      if (mine === run) part.trouble(error, load);
    }
  }

  function makePanel(kind, live) {
    const status = piece("p", { class: "map-status muted", role: "status" }, "Asking …"), facts = piece("p", { class: "map-facts" }), decoded = piece("canvas", { class: "picture map-decoded", width: 32, height: 32, role: "img", "aria-label": "Decoded at the cross" });
    const place = piece("p", { class: "muted map-place" }, kind.decodes ? "Drag over the map: what its decoder paints there." : "");
    let asked = 0, frame = null, board = null, value = null, fetching = false;
    const exact = latest(async ([x, y]) => live() && (await paintRaw(part, decoded, "metrics/maps/decode", { data, kind: kind.kind, at: `${x.toPrecision(6)},${y.toPrecision(6)}` }), (figure.dataset.exact = `${x.toFixed(3)},${y.toFixed(3)}`)));
    const plot = makeMapPlot({ words: kind.title, on: { point, place: seek } });
    const figure = piece("figure", { class: "card map", "data-kind": kind.kind }, piece("h4", {}, kind.title), plot.node, status, piece("div", { class: "map-foot" }, kind.decodes ? decoded : null, piece("div", {}, facts, place)), piece("figcaption", { class: "muted" }, MAPS_WHY[kind.kind]));

    async function loadPoints(again = false) {
      const mine = again ? asked : ++asked;
      try {
        const query = { data, kind: kind.kind, ...(kind.perplexity ? { perplexity } : {}) };
        const found = await part.wire.get("metrics/maps/points", query);
        if (mine !== asked || !live()) return;
        if (found.busy) {
          tellText(status, `${kind.title} is being computed once for everybody; this takes up to a minute …`);
          setTimeout(() => mine === asked && live() && loadPoints(true), MAPS_POLL);
          return;
        }
        frame = found.frame;
        plot.draw({ points: found.points, frame, kinds: known.labels[colour], names: Object.values(known.factors)[colour] });
        plot.mark(marked);
        figure.dataset.state = "ready";
        status.hidden = true;
        value = null;
        part.wire.get("metrics/maps/worth", query).then((got) => mine === asked && live() && ((value = got), worth()), () => {});
      } catch (error) {
        if (mine !== asked || !live()) return;
        tellText(status, error.message);
        plot.node.hidden = figure.querySelector(".map-foot").hidden = true;
        figure.dataset.state = "none";
      }
    }

    function worth() {
      if (!value) return void tellText(facts, "");
      const factor = Object.keys(known.factors)[colour], knn = value.knn[factor];
      tellText(facts, `Trustworthiness ${figureOf(value.trust, 2)}. The ${known.neighbours} neighbours on the map name the ${factor} in ${Math.round(100 * knn.accuracy)} % (the commonest value: ${Math.round(100 * knn.usual)} %).` +
        (value.variance ? ` The two components hold ${Math.round(100 * (value.variance[0] + value.variance[1]))} % of the variance of pixels.` : ""));
      figure.dataset.worth = data;
    }

    /** The board's nearest picture at once; the exact one after release. */
    async function seek(x, y, final) {
      for (const one of panels) if (one.plot !== plot) one.plot.uncross();
      if (!kind.decodes) return void (final && (tellText(place, kind.why), (figure.dataset.told = "none")));
      tellText(place, `At (${fixedText(x)}, ${fixedText(y)}).`);
      if (final) return exact([x, y]);
      if (!board && !fetching) {
        fetching = true;
        part.wire.sprite("metrics/maps/board", { data, kind: kind.kind }).then((sprite) => ((board = sprite), (figure.dataset.board = "ready")), () => (fetching = false));
      }
      if (!board) return;
      const [[left, right], [bottom, top]] = frame, N = known.board - 1;
      paintFrame(decoded, board, Math.round(((top - y) / (top - bottom)) * N) * known.board + Math.round(((x - left) / (right - left)) * N));
    }

    return { node: figure, plot, points: () => plot.points, load: loadPoints, worth, perplexity: kind.perplexity, title: kind.title };
  }

  return { node, show: () => known || load(), get panels() { return panels; }, settings: () => ({ data, perplexity, factor: known && Object.keys(known.factors)[colour] }) };
}
