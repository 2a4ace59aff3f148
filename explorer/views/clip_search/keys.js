// The keys of the search. Those of a field being typed in stay its own.

function makeKeys(desk) {
  const onScreen = () => desk.root.isConnected && desk.root.offsetParent !== null && !document.querySelector("dialog[open]");
  const writing = (node) =>
    node.matches?.("textarea, select, [contenteditable], input:not([type=range]):not([type=checkbox]):not([type=radio])");

  function deed(key) {
    const hit = desk.results.current();
    if (!hit) return null;
    return {
      "+": () => desk.add(imageTerm(desk, hit)),
      "=": () => desk.add(imageTerm(desk, hit)),
      "-": () => desk.add(imageTerm(desk, hit, -1)),
      y: () => desk.rate("likes", hit.id),
      n: () => desk.rate("dislikes", hit.id),
      s: () => desk.only({ terms: [imageTerm(desk, hit)] }),
      c: () => desk.use("classify", desk.refOf(hit.id), nameOf({ id: hit.id, hit })),
    }[key];
  }

  // The page's help lists the keys of what is shown.
  const { keys } = desk.root.dataset;
  const list = () => (desk.root.dataset.keys = desk.part === "search" ? keys : "");
  desk.on("part", list);
  list();

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && desk.at("detail").contains(event.target) && !event.defaultPrevented) return escape();
    if (event.defaultPrevented || event.altKey || desk.part !== "search" || !desk.start || !onScreen() || writing(event.target))
      return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      const move = { z: event.shiftKey ? desk.forward : desk.back, y: desk.forward }[key];
      if (!move) return;
      event.preventDefault();
      return move();
    }
    const ranged = event.target.matches?.("input, [role=radio], summary");
    if (/^Arrow/.test(key)) {
      const inside = desk.results.grid.contains(event.target) || (desk.detail && !ranged);
      if (!inside) return;
      event.preventDefault();
      return desk.results.step(key);
    }
    const action = { "/": desk.field.focus, f: () => desk.filters.toggle(), r: desk.random, Escape: escape }[key] ?? deed(key);
    if (!action || (event.repeat && key !== "Escape")) return;
    if (action() !== false) event.preventDefault();
  });

  function escape() {
    if (desk.detail) {
      const tile = desk.results.grid.querySelector('.tile[data-id="' + desk.detail.id + '"] .tile-pick');
      desk.close();
      tile?.focus({ preventScroll: true });
    } else if (desk.tray.kind) desk.tray.toggle(null);
    else if (desk.root.dataset.filters === "true") desk.filters.toggle(false);
    else return false;
  }
}
