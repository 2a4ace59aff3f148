// The chosen picture: large, with the heat map that says why it was found, the words that carry its score, its facts, and what
// one can do with it.

/** What the chosen picture is called elsewhere. */
const nameOf = ({ id, hit }) => hit?.caption || hit?.title || "Picture " + id;

const WHY_METHODS = {
  attention: ["Gradient × attention", "Where attention and the score's gradient agree. Follows the words."],
  occlusion: ["Occlusion", "Covers patch after patch and watches the score fall. Slower, and works with every model."],
  rollout: [
    "Attention rollout",
    "Where attention flows through all layers. Shows what the tower looks at and ignores the words.",
  ],
  last: ["Last layer", "Where the class token looks in the last layer. Ignores the words."],
};

function makeDetail(place, desk) {
  const heat = heatOf();
  const bars = wordBars();
  const title = piece("h3", {});
  const method = piece("select", { "aria-label": "How the heat map is made", onchange: () => why() });
  const methodNote = piece("p", { class: "muted small-text" });
  const opacity = sliderOf({ label: "Strength of the heat map", min: 0, max: 1, step: 0.05, value: 0.65, input: heat.opacity });
  const look = segmented(
    "Look of the map",
    [
      ["light", "Light", "Darkens what does not count: good on every colour"],
      ["heat", "Heat", "Paints what counts"],
    ],
    heat.look,
  );
  const words = piece("input", {
    type: "text",
    "aria-label": "Words that the heat map explains",
    maxlength: 300,
    placeholder: "words to look for in it",
    oninput: () => whySoon(),
  });
  const score = piece("p", { class: "why-score" });
  const trouble = piece("p", { class: "trouble", role: "alert", hidden: true });
  const scores = piece("div", { class: "detail-scores" });
  const facts = piece("dl", { class: "facts" });
  const deeds = piece("div", { class: "deeds" });
  heat.opacity(0.65);
  place.className = "detail";
  place.append(
    piece(
      "header",
      { class: "panel-head" },
      title,
      buttonOf({ icon: "left", title: "The result before (←)", name: "bare", press: () => step(-1) }),
      buttonOf({ icon: "right", title: "The result after (→)", name: "bare", press: () => step(1) }),
      buttonOf({ icon: "close", title: "Close (Esc)", name: "bare", press: desk.close, "data-do": "close-detail" }),
    ),
    piece(
      "div",
      { class: "detail-body" },
      piece(
        "div",
        { class: "detail-picture" },
        heat.node,
        piece(
          "div",
          { class: "heat-tools" },
          look,
          piece("label", { class: "heat-strength" }, piece("span", {}, "Strength"), opacity),
        ),
      ),
      deeds,
      piece(
        "section",
        { class: "why" },
        piece("h4", {}, "Why this one"),
        piece("label", { class: "why-words" }, piece("span", {}, "for the words"), words),
        trouble,
        score,
        bars.node,
        piece("label", { class: "why-method" }, piece("span", {}, "Map"), method),
        methodNote,
      ),
      scores,
      piece("section", {}, piece("h4", {}, "Facts"), facts),
    ),
  );

  let [shown, auto] = [null, ""]; // whose picture stands here; the words that the query put there
  const ask = newestOf((signal, body) => desk.wire.post("why", body, signal));
  const whySoon = settled(why, 350);

  function step(way) {
    const at = desk.hits.findIndex((hit) => hit.id === desk.detail.id);
    const next = desk.hits[at + way];
    if (next) desk.open(next.id);
  }

  function show() {
    const { detail } = desk;
    const opens = detail && place.hidden;
    place.hidden = !detail;
    desk.facts({ open: String(Boolean(detail)) });
    if (opens) requestAnimationFrame(bringIntoSight);
    if (!detail) return void (shown = null);
    const { ref, hit } = detail;
    const caption = hit?.caption || hit?.title || "Picture " + detail.id;
    tellText(title, desk.hits.includes(hit) ? "Result " + (desk.query.page * SEARCH_SIZE + desk.hits.indexOf(hit) + 1) : "Picture " + detail.id);
    heat.picture(desk.image(ref, 512), caption);
    drawScores(hit);
    drawDeeds(detail, caption);
    drawFacts(hit, caption);
    const key = JSON.stringify(ref);
    const wanted = wordsOf(desk.query) || (asksSomething(desk.query) ? "" : (hit?.caption ?? "")); // a look around asks nothing
    if (shown !== key || (wanted !== auto && words.value === auto)) {
      const moved = shown !== key;
      if (moved) [shown, place.querySelector(".detail-body").scrollTop] = [key, 0];
      if (words.value === auto || moved) words.value = wanted;
      auto = wanted;
      if (moved) {
        heat.show(null, 0);
        bars.show([]);
        tellText(score, "");
      }
      why();
    }
  }

  async function why() {
    whySoon.stop();
    if (!desk.detail) return;
    tellText(methodNote, WHY_METHODS[method.value]?.[1] ?? "");
    const text = words.value.trim();
    trouble.hidden = true;
    if (!text) {
      heat.show(null, 0);
      bars.show([]);
      const only = kindOf(desk.query) === "pictures" ? "The query is a picture; write words to see where they are." : null;
      return tellText(score, only ?? "Write words, and the map shows where they are in the picture.");
    }
    place.dataset.why = "busy";
    try {
      const told = await ask({
        model: desk.model,
        collection: desk.query.collection,
        ref: desk.detail.ref,
        text,
        method: method.value,
        template: desk.template(),
      });
      if (!told) return;
      heat.show(told.map, told.side, told.sees);
      bars.show(told.words ?? []);
      tellText(
        score,
        "Score of these words: " +
          fixedText(told.score, 3) +
          (told.words?.length > 1 ? ". Each bar: what it loses without the word." : "."),
      );
      const cut = heat.cut ? "This model sees the middle square of a picture alone." : "";
      tellText(methodNote, [told.note || WHY_METHODS[method.value][1], cut].filter(Boolean).join(" "));
      place.dataset.why = "done";
    } catch (error) {
      place.dataset.why = "error";
      heat.show(null, 0);
      bars.show([]);
      tellText(score, "");
      tellText(trouble, error.message);
      trouble.hidden = false;
    }
  }

  function drawScores(hit) {
    scores.hidden = !Number.isFinite(hit?.score);
    if (scores.hidden) return;
    scores.replaceChildren(
      ...[
        piece("p", {}, piece("b", { class: "big-score" }, fixedText(hit.score, 3)), " is its cosine with the query"),
        Number.isFinite(hit.percentile)
          ? piece("p", {}, placeText(hit.percentile, topAmong(desk.answer)))
          : null,
        hit.sure
          ? piece("p", {}, sureBar(hit, desk), " ", piece("span", { class: "muted" }, sureSentence(hit, kindOf(desk.query))))
          : null,
      ].filter(Boolean),
    );
  }

  function drawDeeds(detail, caption) {
    const { likes, dislikes } = desk.query;
    const hit = detail.hit ?? { id: detail.id, caption };
    const item = detail.ref.item !== undefined;
    const text = wordsOf(desk.query) || detail.hit?.caption || "";
    const list = [
      ["plus", "Add", "Add it to the query (+)", () => desk.add(imageTerm(desk, hit)), {}],
      ["minus", "Subtract", "Subtract it from the query (−)", () => desk.add(imageTerm(desk, hit, -1)), {}],
      [
        "like",
        "Like",
        "Results should be nearer to it (Y)",
        () => desk.rate("likes", detail.id),
        { "aria-pressed": likes.includes(detail.id) },
      ],
      [
        "dislike",
        "Dislike",
        "Results should be farther from it (N)",
        () => desk.rate("dislikes", detail.id),
        { "aria-pressed": dislikes.includes(detail.id) },
      ],
      ["similar", "More like this", "Search by this picture alone (S)", () => desk.only({ terms: [imageTerm(desk, hit)] }), {}],
      ["classify", "Classify", "Sort it into labels of your own (C)", () => desk.use("classify", detail.ref, nameOf(detail)), {}],
      ["tokens", "Tokens", "See it as the model does, patch by patch", () => desk.use("tokens", detail.ref, text), {}],
    ];
    deeds.hidden = !item;
    deeds.replaceChildren(
      ...list.map(([icon, words, title, press, more]) =>
        buttonOf({ icon, words, title, press, name: "small", "data-deed": icon, ...more }),
      ),
    );
  }

  function drawFacts(hit, caption) {
    const rows = hit
      ? [
          ["Caption", hit.caption],
          ["File", hit.path],
          ["Size", hit.width && hit.width + " × " + hit.height + " pixels" + (hit.bytes ? ", " + bytesText(hit.bytes) : "")],
          ["Date", hit.mtime && dayText(hit.mtime)],
          ...Object.entries(hit.attributes ?? {}),
          ["Note", hit.note],
        ].filter(([, value]) => value)
      : [["Picture", caption]];
    facts.replaceChildren(...rows.flatMap(([name, value]) => [piece("dt", {}, name), piece("dd", {}, String(value))]));
  }

  function showMethods() {
    const usable = Object.entries(WHY_METHODS).filter(
      ([name]) => desk.start.model?.has_attention !== false || name === "occlusion",
    );
    const before = method.value;
    method.replaceChildren(...usable.map(([value, [words]]) => piece("option", { value }, words)));
    if (usable.some(([name]) => name === before)) method.value = before;
    shown = null;
    if (desk.detail) show();
  }

  desk.on("start", showMethods);
  desk.on("detail", show);
  desk.on("query", () => desk.detail && drawDeeds(desk.detail, desk.detail.hit?.caption ?? ""));
  desk.on("answer", () => {
    if (!desk.detail) return;
    desk.detail.hit = desk.hits.find((hit) => hit.id === desk.detail.id) ?? desk.detail.hit;
    show();
  });

  // A column beside the results; where there is no room, a sheet over them that a tap beside it closes.
  const narrow = matchMedia("(max-width: 61.99rem)");
  document.addEventListener("click", (event) => {
    const beside =
      desk.root.contains(event.target) && !place.contains(event.target) && !event.target.closest(".tile, .tools, .ask");
    if (desk.detail && narrow.matches && beside && event.target.isConnected) desk.close();
  });

  /** When it opens, as much of the page moves as brings all of it into sight. */
  function bringIntoSight() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!narrow.matches) place.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }
}
