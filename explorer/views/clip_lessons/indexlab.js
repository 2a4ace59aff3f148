// The index laboratory: the same queries put to several kinds of index; one row at a time, so that it can be watched and stopped.

const INDEX_KINDS = [
  ["exact", "Exact", "Compares the query with every vector: slow to grow, never wrong."],
  ["SQfp16", "Exact, 16 bits", "The same scan with half the bytes a number."],
  ["SQ8", "8 bits", "Every number in one byte: a quarter of the memory for a small loss."],
  ["IVF", "IVF", "Sorts vectors into cells and looks into a few of them only (nprobe)."],
  ["HNSW", "HNSW", "Walks a graph of neighbours towards the query (efSearch)."],
  ["PQ", "PQ", "Stores each vector as a few codes from small dictionaries: smallest, and the roughest."],
  ["binary", "Binary", "Keeps one bit a number, its sign."],
];
const INDEX_GLYPHS = { exact: "square", SQfp16: "square", SQ8: "square", IVF: "circle", HNSW: "diamond", PQ: "circle", binary: "diamond" };
const INDEX_COLOURS = { exact: "ink", SQfp16: "sym-eps", SQ8: "sym-prior", IVF: "sym-x", HNSW: "sym-mu", PQ: "sym-z", binary: "sym-sigma" };
const INDEX_SIZES = [1000, 5000, 10000, 20000, 50000].map((v) => [String(v), wholeText(v)]);
const INDEX_FILTERS = [["", "none"], ["0.5", "50 % pass"], ["0.1", "10 % pass"], ["0.03", "3 % pass"], ["0.01", "1 % passes"]];

const mbText = (v) => fixedText(v, v < 0.1 ? 3 : v < 1 ? 2 : 1) + " MB";
const msText = (v) => fixedText(v, v < 0.1 ? 3 : 2);
const INDEX_AGAIN = 700; // ms, while somebody else's measurement runs

async function makeIndexLab(section, lab) {
  const link = lab.link("index");
  const from = (name, choices, usual) => (choices.some(([v]) => v === link.get(name)) ? link.get(name) : usual);
  const state = {
    n: from("n", INDEX_SIZES, "10000"), dim: from("dim", [["64"], ["128"], ["256"], ["512"]], "128"), filter: from("filter", INDEX_FILTERS, ""),
    queries: from("queries", [["image"], ["text"]], "image"), source: from("source", [["synthetic"], ["faces"]], "synthetic"),
    kinds: new Set((link.get("kinds") ?? "exact,SQ8,IVF,HNSW,PQ").split(",").filter((kind) => INDEX_KINDS.some(([one]) => one === kind))),
  };
  if (!state.kinds.size) state.kinds.add("exact");
  let rows = [];
  let ran = null; // the settings that the rows belong to
  let ticket = 0;

  const set = (changes) => {
    Object.assign(state, changes);
    const { n, dim, filter, queries, source } = state;
    link.set({ n: n === "10000" ? null : n, dim: dim === "128" ? null : dim, filter: filter || null, queries: queries === "image" ? null : queries, source: source === "synthetic" ? null : source, kinds: [...state.kinds].join(",") });
    if (ran) tellText(see, "The settings have changed; press Run to measure again.");
  };
  const size = choice("Vectors", INDEX_SIZES, state.n, (n) => set({ n }), { "data-do": "index-n" });
  const dim = choice("Dimensions", ["64", "128", "256", "512"].map((v) => [v, v]), state.dim, (v) => set({ dim: v }), { "data-do": "index-dim" });
  const filter = choice("Filter", INDEX_FILTERS, state.filter, (v) => set({ filter: v }), { "data-do": "index-filter" });
  const queries = choice("Queries", [["image", "images"], ["text", "texts"]], state.queries, (v) => set({ queries: v }), { "data-do": "index-queries" });
  const source = choice("Vectors are", [["synthetic", "synthetic clusters"], ["faces", "faces, this model"]], state.source, (v) => set({ source: v }), { "data-do": "index-source" });
  const kinds = piece("div", { class: "kinds", role: "group", "aria-label": "Kinds of index" }, INDEX_KINDS.map(([kind, name, how]) => {
    const node = button(name, () => {
      if (!state.kinds.delete(kind)) state.kinds.add(kind);
      node.setAttribute("aria-pressed", String(state.kinds.has(kind)));
      set({});
    }, { class: "button small", "aria-pressed": String(state.kinds.has(kind)), "data-kind": kind, title: how });
    return node;
  }));
  const start = button("Run", () => run(), { class: "button strong", "data-do": "index-run" });
  const cancel = button("Cancel", () => (ticket++, idle("Cancelled; the rows so far are measured.")), { "data-do": "index-cancel", hidden: true });
  const bar = piece("progress", { max: 1, value: 0, hidden: true, "aria-label": "Progress" });
  const trouble = troublePlace();
  const see = piece("p", { class: "see", role: "status" });
  const table = piece("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Results", "data-place": "table" });
  const holder = piece("div");
  const chart = chartIn(holder, { height: 16 });
  let plot = "filtered";
  const plots = segments("Plot", [["all", "all vectors"], ["filtered", "with the filter"]], plot, (v) => ((plot = v), drawChart()));
  plots.node.hidden = true;
  const how = piece("dl", { class: "how" });
  section.append(
    lab.head("Index laboratory", "Exact search reads every vector; other indexes skip most of them. Run the same queries on each, then turn the filter on and see who still returns ten results."),
    piece("div", { class: "tools" }, size.node, dim.node, source.node, queries.node, filter.node),
    piece("div", { class: "tools" }, kinds, start, cancel, bar),
    trouble.node, see,
    piece("div", { class: "index" }, piece("div", { class: "card" }, table), piece("div", { class: "card" }, plots.node, holder, how)),
    piece("div", { class: "tools" }, button("Save CSV", () => handOverTable([["index", "recall@10", "ms", "MB", "build s", "returned", "recall filtered", "ms filtered"], ...rows.map((row) => [row.name, row.recall, row.ms, row.mb, row.build_s, row.returned, row.recall_filtered, row.ms_filtered])], "indexes.csv"), { class: "button small", "data-do": "index-csv" })));

  function idle(sentence) {
    start.disabled = false;
    cancel.hidden = bar.hidden = true;
    section.dataset.running = "false";
    tellText(see, sentence);
  }

  async function run() {
    const mine = ++ticket;
    const wanted = INDEX_KINDS.map(([kind]) => kind).filter((kind) => state.kinds.has(kind));
    trouble.clear();
    if (!wanted.length) return trouble.show(new Error("Choose at least one kind of index."));
    rows = [];
    ran = { ...state, filter: state.filter ? +state.filter : null };
    start.disabled = true;
    cancel.hidden = bar.hidden = false;
    section.dataset.running = "true";
    draw();
    let note = "";
    const asked = { model: lab.model.name, n: +ran.n, dim: +ran.dim, filter: ran.filter, queries: ran.queries, source: ran.source };
    try {
      for (const [i, kind] of wanted.entries()) {
        bar.value = i / wanted.length;
        const doing = `Building and asking ${INDEX_KINDS.find(([one]) => one === kind)[1]} (${i + 1} of ${wanted.length}) …`;
        tellText(see, doing);
        let told;
        // One at a time on a host, and nobody's request waits there: it is asked again until it is its turn.
        while ((told = await lab.wire.post("indexlab", { ...asked, kinds: [kind] })).busy && mine === ticket) {
          tellText(see, told.say);
          await new Promise((done) => setTimeout(done, INDEX_AGAIN));
          if (mine !== ticket) return;
        }
        if (mine !== ticket) return;
        rows.push(...told.rows);
        Object.assign(ran, { n: told.n, dim: told.dim, asked: told.queries, k: told.k });
        note = told.note ?? note;
        draw();
      }
    } catch (error) {
      if (mine !== ticket) return;
      trouble.show(error, run);
    }
    idle(rows.length ? whatOneSees(note) : "");
    section.dataset.runs = +(section.dataset.runs ?? 0) + 1;
  }

  function whatOneSees(note) {
    const exact = rows.find((row) => row.exact);
    const fast = rows.filter((row) => !row.exact && row.recall >= 0.95).sort((a, b) => a.ms - b.ms)[0];
    const small = rows.toSorted((a, b) => a.mb - b.mb)[0];
    const parts = [];
    if (exact && fast) {
      parts.push(fast.ms < exact.ms
        ? `${fast.name} keeps ${percentText(fast.recall)} of the true neighbours and is ${fixedText(exact.ms / fast.ms, 1)} times as fast as the exact scan.`
        : `No other index with a recall of 95 % is faster than the exact scan here: at ${wholeText(ran.n)} vectors there is too little to skip.`);
    } else if (exact) {
      parts.push(`The exact scan takes ${fixedText(exact.ms, 2)} ms a query over ${wholeText(ran.n)} vectors${rows.length > 1 ? "; none of the others reaches a recall of 95 %" : ""}.`);
    }
    if (rows.length > 1) parts.push(`The smallest is ${small.name} with ${mbText(small.mb)}${exact && exact !== small ? `, ${fixedText(exact.mb / small.mb, 1)} times less than exact` : ""}.`);
    const short = rows.filter((row) => row.returned !== null && row.returned < 0.95);
    if (ran.filter) {
      parts.push(short.length
        ? `Under a filter that ${percentText(ran.filter)} pass, ${short.map((row) => `${row.name} (${fixedText(row.returned * ran.k, 1)} of ${ran.k})`).join(", ")} cannot fill the list.`
        : `Under a filter that ${percentText(ran.filter)} pass, all return their full list.`);
    }
    return parts.concat(note || []).join(" ");
  }

  function draw() {
    const filtered = ran.filter !== null;
    const widest = Math.max(...rows.map((row) => row.mb), 0.001);
    const heads = ["Index", "Recall@10", "ms a query", "Memory", "Build", ...(filtered ? ["Returned", "Recall, filtered", "ms, filtered"] : [])];
    table.replaceChildren(piece("table", { class: "index-table" },
      piece("thead", {}, piece("tr", {}, heads.map((name) => piece("th", { scope: "col" }, name)))),
      piece("tbody", {}, rows.map((row) => piece("tr", { "data-kind": row.kind },
        piece("th", { scope: "row" }, piece("span", { class: "swatch", style: "--series: var(--" + INDEX_COLOURS[row.kind] + ")", "data-glyph": INDEX_GLYPHS[row.kind] }), row.name),
        piece("td", {}, piece("b", {}, fixedText(row.recall, 3))), piece("td", {}, msText(row.ms)),
        piece("td", {}, piece("span", { class: "memory" }, piece("span", { class: "memory-bar", style: "--part:" + row.mb / widest }), mbText(row.mb))),
        piece("td", {}, fixedText(row.build_s, 2) + " s"),
        ...(filtered ? [piece("td", { "data-short": row.returned < 0.95 ? "true" : null }, percentText(row.returned) + (row.returned < 0.95 ? " !" : "")), piece("td", {}, row.recall_filtered === null ? "–" : fixedText(row.recall_filtered, 3)), piece("td", {}, row.ms_filtered === null ? "–" : msText(row.ms_filtered))] : []))))));
    if (!rows.length) table.append(piece("p", { class: "empty" }, "Rows appear as they are measured."));
    drawChart();
    const byKind = Map.groupBy(rows, (row) => row.kind);
    how.replaceChildren(...[...byKind].flatMap(([kind, list]) => [
      piece("dt", {}, INDEX_KINDS.find(([one]) => one === kind)?.[1] ?? kind),
      piece("dd", {}, [list[0].how, list[0].filter_how].filter(Boolean).join(" ")),
    ]));
    section.dataset.rows = rows.length;
  }

  function drawChart() {
    plots.node.hidden = ran.filter === null;
    const filtered = ran.filter !== null && plot === "filtered";
    const point = (row) => (filtered ? [row.ms_filtered, row.recall_filtered] : [row.ms, row.recall]);
    const byKind = Map.groupBy(rows.filter((row) => point(row).every((v) => v !== null)), (row) => row.kind);
    chart.show({
      series: [...byKind].map(([kind, list]) => ({
        name: INDEX_KINDS.find(([one]) => one === kind)?.[1] ?? kind, colour: INDEX_COLOURS[kind] ?? "ink", glyph: INDEX_GLYPHS[kind], dots: true, line: list.length > 1,
        points: list.map(point), titles: list.map((row) => row.name),
      })),
      x: { label: "ms a query (log)", log: true }, y: { label: filtered ? "Recall@10 with the filter" : "Recall@10", min: 0, max: 1 }, legend: true, words: "Recall against time a query",
    });
    section.dataset.plot = filtered ? "filtered" : "all";
  }

  run(); // the first measurement is not waited for: its rows come one by one
  return {};
}
