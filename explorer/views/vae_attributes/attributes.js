// Directions that mean something, their strength, what else they move, and arithmetic with pictures. Here the parts meet.

makePart(element, props, { name: "attributes", prefix: "a", keys: "U: undo; M: the next method; , and .: less and more of the edit in hand", models: true, build: buildAttributes });

async function buildAttributes(place, part) {
  const desk = { edits: [], active: 0, past: [], known: null, fine: () => part.fine(), trouble: (error) => part.trouble(error, () => (part.fine(), part.facts({ state: "ready" }), desk.stack?.refresh())) };
  const picker = makePicker(part);
  const wait = waitingFor(part, "Encoding pictures of which everything is known");

  /** The desk anew for a model: what is known of it decides what there is. */
  async function meet() {
    place.replaceChildren(wait.node);
    const known = await wait.ask("attributes/start", part.query());
    if (!known) throw new Error("The pictures of this model are still being encoded.");
    Object.assign(desk, { known, past: [], seen: null, found: null, drift: null });
    const named = Object.keys(known.factors).length > 0;
    desk.adder = buttonOf({ words: "+ Another edit", title: "One more direction, with a slider of its own", press: another, "data-do": "add" });
    const composer = makeComposer(part, desk);
    desk.composer = composer.node;
    desk.compose = composer;
    desk.stack = makeStack(part, desk);
    desk.ways = makeWays(part, desk);
    desk.own = makeOwn(part, desk);
    desk.matrix = known.reader ? makeMatrix(part, desk) : null;
    desk.keeper = known.reader ? makeKeep(part, desk) : null;
    desk.equation = makeEquation(part, desk);
    desk.exports = makeExports(part, desk);
    desk.looked = (found) => {
      desk.seenText = desk.edits.map(editText);
      desk.ways.looked(found);
      desk.stack.equation();
    };
    const lead = piece("p", { class: "aside" }, named
      ? `An attribute is a direction in the space of codes: from the average of the pictures with one value to the average of those with another. Move the slider; ${known.reader}, who knows no codes, says what it sees.`
      : "Nothing is known of this model's pictures, so no attribute has a name and nobody reads along. Pick pictures for an attribute of your own below, or add and subtract some.");
    place.replaceChildren(lead, picker.node, desk.stack.node, desk.ways.node, desk.own.node, desk.matrix?.node ?? "", desk.keeper?.node ?? "", desk.equation.node, desk.exports.node);
    picker.load().then(() => picker.set(part.picture), (error) => window.explorer.toast(error.message));
    begin();
  }

  /** What the link says, where this model has it; else the usual edit. */
  function begin() {
    const known = desk.known, told = part.get("edits");
    const fits = (edit) => (isOwn(edit) || (known.factors[edit.factor]?.includes(edit.after) && (edit.before === "rest" || known.factors[edit.factor].includes(edit.before)))) &&
      edit.method in known.methods && edit.keep.every((name) => name in known.factors) && Math.abs(edit.amount) <= 4;
    const linked = told === null ? null : editsFrom(told).filter(fits).slice(0, known.most);
    const first = usualEdit();
    desk.edits = linked ?? (first ? editsFrom(first) : []);
    desk.active = Math.min(Math.max(0, desk.edits.length - 1), Math.max(0, part.number("on", 0, 0, 9) | 0));
    renew();
    desk.equation.set(termsFrom(part.get("eq")).length ? termsFrom(part.get("eq")) : known.equation);
    desk.matrix?.load(part.get("m") in known.methods ? part.get("m") : "mean");
  }

  /** What a page opens with: glasses on a face; of digits a 3, as the gallery begins with a 0. */
  const usualEdit = () => desk.known.usual.find((one) => one.startsWith("glasses")) ?? desk.known.usual[3] ?? desk.known.usual[0];

  const remember = () => {
    desk.past.push([editsText(desk.edits), desk.active]);
    if (desk.past.length > 50) desk.past.shift();
  };
  let settled = "";

  function save() {
    settled = editsText(desk.edits);
    const usual = usualEdit() ?? "";
    const open = desk.edits.some((edit) => isOwn(edit) && (edit.after + edit.before).includes("upload:"));
    part.set({ edits: open || settled === usual ? null : settled, on: desk.active ? String(desk.active) : null });
    part.facts({ edits: settled, active: desk.active });
  }

  function renew() {
    save();
    desk.compose.show();
    desk.stack.show();
    desk.ways.show();
    desk.keeper?.show();
    desk.adder.disabled = desk.edits.length >= desk.known.most || !Object.keys(desk.known.factors).length;
    desk.equation.again();
  }

  /** A slider has come to rest. */
  desk.moved = () => {
    if (editsText(desk.edits) === settled) return;
    desk.past.push([settled, desk.active]);
    save();
    desk.stack.equation();
    desk.compose.show();
    desk.equation.again();
  };
  desk.change = (edits, active) => (remember(), (desk.edits = edits), (desk.active = Math.max(0, Math.min(active, edits.length - 1))), renew());
  desk.alter = (changes) => desk.edits.length && desk.change(desk.edits.map((edit, i) => {
    if (i !== desk.active) return edit;
    const next = { ...edit, ...changes };
    if ("absolute" in changes) next.amount = changes.absolute ? 0.5 : 1;
    return next;
  }), desk.active);
  desk.put = (edit) => {
    if (desk.edits.length >= desk.known.most) return window.explorer.toast(`A stack holds ${desk.known.most} edits; take one away first.`, "note");
    desk.change([...desk.edits, edit], desk.edits.length);
    desk.stack.node.scrollIntoView({ block: "nearest" });
  };
  desk.take = (edit) => {
    desk.change(desk.edits.length ? desk.edits.map((one, i) => (i === desk.active ? { ...edit } : one)) : [{ ...edit }], desk.active);
    desk.stack.node.scrollIntoView({ block: "nearest" });
  };
  desk.keep = (edit, name) => (desk.change(desk.edits.length ? desk.edits.map((one, i) => (i === desk.active ? { ...edit } : one)) : [{ ...edit }], desk.active), desk.keeper.from(name));
  desk.remove = (index) => desk.change(desk.edits.filter((_, i) => i !== index), desk.active - (index < desk.active ? 1 : 0));
  desk.choose = (index) => {
    desk.active = index;
    save();
    desk.compose.show();
    for (const [i, chip] of [...place.querySelectorAll(".chip")].entries()) {
      chip.dataset.on = i === index;
      chip.querySelector(".chip-name").setAttribute("aria-pressed", String(i === index));
    }
    desk.stack.hand();
    desk.ways.show();
    desk.keeper?.show();
  };
  desk.undo = () => {
    const last = desk.past.pop();
    if (!last) return;
    desk.edits = editsFrom(last[0]);
    desk.active = Math.max(0, Math.min(last[1], desk.edits.length - 1));
    renew();
  };

  function another() {
    const used = new Set(desk.edits.map((edit) => edit.factor));
    const next = desk.known.usual.find((text) => !used.has(text.split(",")[0])) ?? desk.known.usual[0];
    desk.change([...desk.edits, ...editsFrom(next)], desk.edits.length);
  }

  const nudge = (by) => {
    const edit = desk.edits[desk.active];
    if (edit) desk.change(desk.edits.map((one, i) => (i === desk.active ? { ...one, amount: Math.max(-EDIT_REACH, Math.min(EDIT_REACH, Math.round((one.amount + by) * 20) / 20)) } : one)), desk.active);
  };
  const nextMethod = () => {
    const names = Object.keys(desk.known.methods), edit = desk.edits[desk.active];
    if (edit && !isOwn(edit)) desk.alter({ method: names[(names.indexOf(edit.method) + 1) % names.length] });
  };

  await meet();
  return {
    model: meet,
    picture: (picture) => {
      picker.set(picture);
      desk.seen = null;
      desk.stack.refresh();
      desk.ways.show();
      desk.equation.again();
    },
    show: () => {
      if (!desk.known) return;
      picker.set(part.picture);
      desk.stack.refresh();
      if (desk.matrix?.node.dataset.state === "busy") desk.matrix.load(part.get("m") in desk.known.methods ? part.get("m") : "mean");
    },
    rest: () => (desk.matrix?.rest(), desk.keeper?.rest(), wait.drop()),
    keys: { u: () => desk.undo(), m: nextMethod, ",": () => nudge(-0.25), ".": () => nudge(0.25) },
  };
}
