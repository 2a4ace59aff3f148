// The pairs of the matrix, editable in place: captions to type in, chips to select, to drag and to drop on one another.

/**
 * on.type(i, text) while somebody types, on.typed(i) when they leave; on.select(i) toggles; on.swap(i, j) where a caption was
 * dropped on another.
 */
function makePairs(holder, on) {
  const node = piece("div", { class: "pairs", role: "group", "aria-label": "Captions, editable" });
  holder.append(node);
  let rows = [];
  let dragged = null;

  function build(count) {
    node.style.setProperty("--n", count);
    rows = Array.from({ length: count }, (_, i) => {
      const chip = piece("button", {
        type: "button", class: "chip", "data-chip": i, "aria-pressed": "false", title: "Select this pair, or drag its caption to another",
        onclick: () => chip.dataset.dragged || on.select(i),
        onpointerdown: (event) => begin(event, i),
      }, "T" + (i + 1));
      const text = piece("textarea", {
        rows: 1, "aria-label": "Caption " + (i + 1), "data-caption": i, maxlength: 300, spellcheck: "false",
        oninput: () => on.type(i, text.value), onchange: () => on.typed(i),
        onkeydown: (event) => event.key === "Enter" && (event.preventDefault(), text.blur()),
      });
      const row = piece("div", { class: "pair", "data-pair-row": i }, chip, text);
      return { row, chip, text };
    });
    node.replaceChildren(piece("p", { class: "pairs-head" }, "Captions"), ...rows.map(({ row }) => row));
  }

  // Pointer events serve mouse, pen and finger alike; a click without a way is a selection.
  function begin(event, i) {
    if (event.button) return;
    const { chip } = rows[i];
    const from = event.clientY;
    let over = null;
    delete chip.dataset.dragged;
    const move = (next) => {
      if (dragged === null && Math.abs(next.clientY - from) < 8) return;
      dragged = i;
      chip.dataset.dragged = "true";
      node.dataset.dragging = i;
      const hit = document.elementFromPoint(next.clientX, next.clientY)?.closest?.("[data-pair-row]");
      over = hit && node.contains(hit) ? +hit.dataset.pairRow : null;
      rows.forEach(({ row }, k) => row.toggleAttribute("data-over", k === over && k !== i));
    };
    const end = (last) => {
      chip.removeEventListener("pointermove", move);
      const [was, target] = [dragged, over];
      dragged = null;
      delete node.dataset.dragging;
      rows.forEach(({ row }) => row.removeAttribute("data-over"));
      if (was !== null && target !== null && target !== was && last.type === "pointerup") on.swap(was, target);
      setTimeout(() => delete chip.dataset.dragged);
    };
    chip.setPointerCapture(event.pointerId);
    chip.addEventListener("pointermove", move);
    chip.addEventListener("pointerup", end, { once: true });
    chip.addEventListener("pointercancel", end, { once: true });
  }

  function show({ pairs, selected, failed }) {
    if (pairs.length !== rows.length) build(pairs.length);
    pairs.forEach(({ caption, word }, i) => {
      const { row, chip, text } = rows[i];
      if (text.value !== caption) text.value = caption;
      text.title = caption;
      chip.setAttribute("aria-pressed", String(selected.has(i)));
      row.dataset.mark = word ?? "";
      text.setAttribute("aria-invalid", String(failed.has(i)));
    });
  }

  return { node, show };
}
