// A direction of one's own, from a few pictures that have something and a few that have not.

function makeOwn(part, desk) {
  const sides = { after: [], before: [] };
  let side = "after";
  const chooser = makeChooser(part, { label: "Pictures to pick", pick: (name) => add(name) });
  const pick = segmented("Put the next picture", [["after", "with it"], ["before", "without it"]], (value) => (side = value));
  const strips = { after: piece("div", { class: "picked", role: "group", "aria-label": "With it" }), before: piece("div", { class: "picked", role: "group", "aria-label": "Without it" }) };
  const use = buttonOf({ words: "Make it an edit", name: "strong", title: "Adds the direction to the edits", press: () => make(), "data-do": "own" });
  const clear = buttonOf({ words: "Clear", title: "Begin again", press: () => ((sides.after = []), (sides.before = []), show()) });
  const told = piece("p", { class: "muted" });
  const node = piece("details", { class: "card own" },
    piece("summary", {}, piece("h3", {}, "An attribute of your own"), piece("span", { class: "muted" }, `Pick up to five ${nounOf(part.model)}s with it and five without; one of each is enough to begin.`)),
    piece("div", { class: "own-body" }, piece("div", { class: "tools" }, pick, told), chooser.node,
      piece("div", { class: "pair" }, piece("div", {}, piece("h4", {}, "With it"), strips.after), piece("div", {}, piece("h4", {}, "Without it"), strips.before)),
      piece("div", { class: "tools" }, use, clear)));
  let loaded = null;
  node.addEventListener("toggle", () => node.open && load());

  async function load() {
    if (loaded === part.model.name + part.model.version) return;
    loaded = part.model.name + part.model.version;
    await chooser.load(desk.known.pool).catch((error) => ((loaded = null), window.explorer.toast(error.message)));
    show();
  }

  function add(name) {
    const where = sides[side];
    if (where.includes(name)) return window.explorer.toast("This picture is there already.", "note");
    if (where.length >= desk.known.picked) return window.explorer.toast(`${desk.known.picked} pictures on a side are enough.`, "note");
    where.push(name);
    if (sides[side].length === 5 && sides[side === "after" ? "before" : "after"].length < 5) pick.querySelector(`[data-value=${side === "after" ? "before" : "after"}]`).click();
    show();
  }

  function show() {
    for (const [which, place] of Object.entries(strips)) {
      place.replaceChildren(...sides[which].map((name) => piece("button", { type: "button", class: "thumb", "data-picture": name, title: "Take it away", "aria-label": "Take away " + name,
        onclick: () => ((sides[which] = sides[which].filter((one) => one !== name)), show()) }, chooser.canvas(name))));
    }
    use.disabled = !sides.after.length || !sides.before.length;
    tellText(told, `${sides.after.length} with, ${sides.before.length} without`);
  }

  function make() {
    desk.put({ factor: "own", before: sides.before.join("+"), after: sides.after.join("+"), method: "mean", keep: [], how: "", amount: 1, absolute: false });
  }

  function renew() {
    loaded = null;
    Object.assign(sides, { after: [], before: [] });
    show();
    if (node.open) load();
  }

  show();
  return { node, renew };
}
