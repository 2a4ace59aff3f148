// The drawer of filters: folder, name, words of the caption, shape, dates, size, and every attribute with its counts.

function makeFilters(place, desk) {
  const body = piece("div", { class: "filter-body" });
  place.className = "filters";
  place.append(
    piece(
      "header",
      { class: "panel-head" },
      piece("h3", {}, "Filters"),
      buttonOf({ words: "Clear all", name: "small ghost", press: () => desk.go({ where: [] }) }),
      buttonOf({ icon: "close", title: "Close the filters (F)", name: "bare", press: () => toggle(false) }),
    ),
    body,
  );
  let [known, fresh] = ["", []]; // whose facets stand here; what brings each control up to date
  const open = new Set(["hair colour", "folders"]);

  function toggle(on = place.hidden) {
    place.hidden = !on;
    desk.facts({ filters: String(on) });
    desk.root.querySelector('[data-do="filters"]').setAttribute("aria-expanded", on);
    if (on) load();
    window.dispatchEvent(new Event("resize"));
  }

  async function load(again = false) {
    const { collection } = desk.query;
    const whose = collection + " " + desk.model;
    if (place.hidden || (known === whose && !again)) return;
    known = whose;
    body.replaceChildren(piece("p", { class: "muted" }, "Counting"));
    try {
      const facets = await desk.wire.json("facets", { collection, model: desk.model });
      if (known === whose) draw(facets);
    } catch (error) {
      known = "";
      body.replaceChildren(piece("p", { class: "trouble" }, error.message));
    }
  }

  const valueOf = (field, op) => desk.query.where.find(([f, o]) => f === field && (!op || o === op))?.[2] ?? null;
  const put = (field, op, value, burst = null) => desk.go({ where: withCondition(desk.query.where, field, op, value) }, burst);

  /** Words that a field must have. */
  function wordsField(field, words, hint) {
    const input = piece("input", {
      type: "text",
      placeholder: hint,
      "aria-label": words,
      maxlength: 200,
      oninput: () => put(field, "has", input.value.trim(), "filter-" + field),
    });
    fresh.push(() => document.activeElement === input || (input.value = valueOf(field, "has") ?? ""));
    return piece("label", { class: "filter-field" }, piece("span", {}, words), input);
  }

  /** Values with their counts; several are an "or". */
  function choices(field, counts, name, single = false) {
    const entries = Object.entries(counts)
      .filter(([, count]) => count)
      .sort((a, b) => b[1] - a[1]);
    if (entries.length < 2) return null;
    const op = single ? "prefix" : "in";
    const most = Math.max(...entries.map(([, count]) => count));
    const boxes = entries.map(([value, count]) => {
      const box = piece("input", {
        type: single ? "radio" : "checkbox",
        name: single ? "clip-" + field : null,
        value,
        onchange: () => {
          const chosen = boxes.filter(([one]) => one.checked).map(([one]) => one.value);
          put(field, op, single ? value : chosen);
        },
      });
      return [
        box,
        piece(
          "label",
          { class: "facet", style: "--share:" + (count / most) * 100 + "%" },
          box,
          piece("span", { class: "facet-name", title: value }, value || "top folder"),
          piece("span", { class: "facet-count" }, wholeText(count)),
        ),
      ];
    });
    const words = name[0].toUpperCase() + name.slice(1);
    const title = piece("summary", {}, words);
    const group = piece(
      "details",
      { class: "facets", open: open.has(name), ontoggle: () => (group.open ? open.add(name) : open.delete(name)) },
      title,
      piece(
        "div",
        { class: "facet-list" },
        boxes.map(([, label]) => label),
      ),
    );
    fresh.push(() => {
      const now = [].concat(valueOf(field) ?? []);
      for (const [box] of boxes) box.checked = now.includes(box.value);
      tellText(title, words + (now.length ? " (" + now.length + ")" : ""));
    });
    return group;
  }

  /** From and to of a number; `read` and `write` between what one types and what is stored. */
  function range(field, name, [low, high], type, read, write) {
    if (!(high > low)) return null;
    const one = (op, word) => {
      const input = piece("input", {
        type,
        "aria-label": name + " " + word,
        placeholder: write(op === ">=" ? low : high),
        onchange: () => put(field, op, input.value === "" ? null : read(input.value, op)),
      });
      fresh.push(
        () => document.activeElement === input || (input.value = valueOf(field, op) === null ? "" : write(valueOf(field, op))),
      );
      return piece("label", {}, piece("span", {}, word), input);
    };
    return piece("fieldset", { class: "filter-range" }, piece("legend", {}, name), one(">=", "from"), one("<=", "to"));
  }

  function draw(facets) {
    fresh = [];
    const folders = Object.fromEntries((facets.folders ?? []).map(({ path, count }) => [path, count]));
    const own = [
      wordsField("caption", "Words of the caption", "such as: no beard"),
      wordsField("name", "File name has", "part of a name"),
      choices("folder", folders, "folders", true),
      choices("orientation", facets.orientation ?? {}, "shape"),
      range(
        "mtime",
        "Date",
        facets.mtime ?? [],
        "date",
        (text, op) => Date.parse(text) / 1000 + (op === "<=" ? 86399 : 0),
        dayText,
      ),
      range("width", "Width in pixels", facets.width ?? [], "number", Number, String),
      range(
        "bytes",
        "File size in kB",
        facets.bytes ?? [],
        "number",
        (text) => Number(text) * 1000,
        (bytes) => String(Math.round(bytes / 1000)),
      ),
      ...Object.entries(facets.attributes ?? {}).map(([factor, counts]) => choices("attr." + factor, counts, factor)),
    ].filter(Boolean);
    body.replaceChildren(...own);
    show();
  }

  function show() {
    for (const refresh of fresh) refresh();
  }

  desk.on("query", (moved) => (moved ? load() : show()));
  desk.on("start", () => load());
  desk.on("job", () => load(true));
  desk.filters = { toggle };
}
