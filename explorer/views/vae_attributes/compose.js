// What the edit in hand is: attribute, from which value to which, by which method, and whether its slider adds or goes to.

function makeComposer(part, desk) {
  const names = desk.known.factors;
  const factor = piece("select", { "aria-label": "Attribute", "data-pick": "factor", onchange: () => retarget(factor.value) },
    Object.keys(names).map((name) => piece("option", { value: name }, name)));
  const before = piece("select", { "aria-label": "From", "data-pick": "from", onchange: () => desk.alter({ before: before.value, ...other(before, after) }) });
  const after = piece("select", { "aria-label": "To", "data-pick": "to", onchange: () => desk.alter({ after: after.value, ...other(after, before) }) });
  const method = segmented("Direction found by", Object.entries(desk.known.methods).map(([name, words]) => [name, words]), (name) => desk.alter({ method: name }), "methods");
  const place = segmented("The slider", [["add", "adds doses", "Relative: z = μ + a d"], ["to", "goes to a distance", "Absolute: the code ends at this distance from the plane between the two values, 0 on the plane"]],
    (name) => desk.alter({ absolute: name === "to" }), "place");
  const words = piece("p", { class: "muted own-words" });
  const choice = piece("div", { class: "tools" }, piece("label", { class: "named" }, "Attribute", factor), piece("label", { class: "named" }, "from", before), piece("label", { class: "named" }, "to", after));
  const node = piece("div", { class: "composer" }, choice, words, piece("div", { class: "tools" }, method, place));

  /** Choosing what the other side shows swaps the two. */
  function other(mine, theirs) {
    if (mine.value !== theirs.value) return {};
    const edit = desk.edits[desk.active];
    const side = mine === before ? "after" : "before";
    const was = side === "after" ? edit.before : edit.after;
    return { [side]: was === "rest" ? names[edit.factor].find((value) => value !== mine.value) : was };
  }

  function retarget(name) {
    const usual = desk.known.usual.map((text) => editsFrom(text)[0]).find((edit) => edit.factor === name);
    desk.alter({ factor: name, before: usual?.before ?? names[name][0], after: usual?.after ?? names[name][1], keep: [], how: "" });
  }

  function show() {
    const edit = desk.edits[desk.active];
    node.hidden = !edit;
    if (!edit) return;
    const own = isOwn(edit);
    choice.hidden = own || !Object.keys(names).length;
    method.hidden = own;
    words.hidden = !own;
    if (own) tellText(words, "A direction of your own: from the mean of the pictures without it to the mean of those with it.");
    if (!own) {
      factor.value = edit.factor;
      before.replaceChildren(...["rest", ...names[edit.factor]].map((value) => piece("option", { value }, value === "rest" ? "any other" : value)));
      after.replaceChildren(...names[edit.factor].map((value) => piece("option", { value }, value)));
      before.value = edit.before;
      after.value = edit.after;
      method.set(edit.method);
    }
    place.set(edit.absolute ? "to" : "add");
  }

  return { node, show };
}
