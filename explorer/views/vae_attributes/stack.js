// The edited picture, one chip per edit with a slider each, and what is read along the dose of the one in hand.

/** makeStack(part, desk): desk holds {edits, active, known}; `.node`, `.show()` after a change, `.refresh()` for another picture. */
function makeStack(part, desk) {
  const before = piece("canvas", { class: "picture", role: "img", "aria-label": "The picture as the model gives it back" });
  const after = piece("canvas", { class: "picture", role: "img", "aria-label": "The edited picture" });
  const beforeWords = piece("figcaption"), afterWords = piece("figcaption");
  const chips = piece("div", { class: "chips", role: "group", "aria-label": "Edits" });
  const formula = piece("p", { class: "formula stack-formula" });
  const verdict = piece("p", { class: "verdict", "aria-live": "polite" });
  const curve = shareChart({ axis: "dose", low: -EDIT_REACH, high: EDIT_REACH, seek: (x, over) => (over ? settle() : move(desk.active, Math.round(x * 20) / 20)) });
  const undoButton = buttonOf({ words: "Undo", title: "Back to the edits before this one (U)", press: () => desk.undo(), "data-do": "undo" });
  const clear = buttonOf({ words: "Reset", title: "No edits", press: () => desk.change([], 0), "data-do": "reset" });
  const films = new Map();
  let film = null, filmKey = "", sliders = [], values = [], turn = 0, drawn = 0;

  const node = piece("div", { class: "stack" },
    piece("div", { class: "stack-left" },
      piece("div", { class: "faces" }, piece("figure", { class: "shot" }, before, beforeWords), piece("figure", { class: "shot" }, after, afterWords)), formula, verdict),
    piece("div", { class: "stack-right" }, desk.composer, chips, curve.node, piece("div", { class: "tools" }, desk.adder, undoButton, clear)));

  const key = (index) => {
    const edits = desk.edits.map((edit, i) => (i === index ? { ...edit, amount: 0 } : edit));
    return JSON.stringify([part.model.name, part.model.version, part.picture, editsText(edits), index]);
  };

  /** The film of the chip in hand: fetched once, then scrubbed here. */
  const fetchFilm = latest(async () => {
    if (!desk.edits.length) return;
    const wanted = key(desk.active), index = desk.active;
    if (!films.has(wanted)) {
      const query = part.query({ picture: part.picture, stack: JSON.parse(wanted)[3], which: index, v: part.model.version });
      try {
        const [sprite, reading] = await Promise.all([part.wire.sprite("attributes/film", query), part.wire.get("attributes/reading", query)]);
        films.set(wanted, { sprite, reading });
        while (films.size > 8) films.delete(films.keys().next().value);
        desk.fine();
      } catch (error) {
        if (key(desk.active) === wanted) desk.trouble(error);
        return;
      }
    }
    if (wanted !== key(desk.active)) return;
    film = films.get(wanted);
    filmKey = wanted;
    told();
    paint();
    part.facts({ film: "ready" });
  });

  /** The exact picture after a hand has let go, and what is read from it. */
  const decode = latest(async () => {
    const mine = (turn += 1), text = editsText(desk.edits), picture = part.picture;
    try {
      const found = await part.wire.post("attributes/look", { model: part.query().model, picture, stack: text });
      if (mine !== turn || text !== editsText(desk.edits) || picture !== part.picture) return;
      const [plain, edited] = picturesFrom(found.pixels, found.size);
      paintImage(before, plain);
      paintImage(after, edited);
      desk.seen = found;
      part.facts({ read: (found.read[1] ?? []).map((one) => one.value).join("|"), shown: text });
      captions(found);
      desk.looked?.(found);
      desk.fine();
    } catch (error) {
      if (mine === turn) desk.trouble(error);
    }
  });

  function captions({ read }) {
    const changes = (read[1] ?? []).filter((one, i) => one.value !== read[0][i].value);
    tellText(beforeWords, "decoded from its own code μ");
    tellText(afterWords, !desk.edits.length ? "no edit yet" : changes.length ? "now read: " + changes.map((one) => `${one.factor} ${one.value}`).join(", ") : read[1]?.length ? "nothing reads differently" : "edited");
  }

  /** One draw per animation frame. */
  function paint() {
    if (drawn) return;
    drawn = requestAnimationFrame(() => {
      drawn = 0;
      const edit = desk.edits[desk.active];
      curve.at(edit ? edit.amount : null);
      if (!edit || !film || filmKey !== key(desk.active)) return;
      const share = (edit.amount + EDIT_REACH) / (2 * EDIT_REACH);
      const frame = Math.min(film.sprite.count - 1, Math.max(0, Math.round(share * (film.sprite.count - 1))));
      paintFrame(after, film.sprite, frame);
      part.facts({ frame });
    });
  }

  function move(index, amount) {
    if (!desk.edits[index]) return;
    if (desk.active !== index) desk.choose(index);
    desk.edits[index].amount = amount;
    sliders[index]?.set(amount);
    if (values[index]) tellText(values[index], amountWords(desk.edits[index]));
    turn += 1; // what is under way speaks of another dose
    if (filmKey !== key(index)) fetchFilm();
    paint();
    equation();
  }

  function settle() {
    desk.moved();
    decode();
  }

  const amountWords = (edit) => (edit.absolute ? "at " + doseText(edit.amount) : doseText(edit.amount));

  function chip(edit, index) {
    const value = piece("output", { class: "chip-value" }, amountWords(edit));
    const slider = sliderOf({ label: `Doses of ${editWords(edit)}`, min: -EDIT_REACH, max: EDIT_REACH, step: 0.05, value: edit.amount, "data-edit": index,
      input: (amount) => move(index, amount), onchange: settle, onfocus: () => desk.active !== index && desk.choose(index) });
    sliders[index] = slider;
    values[index] = value;
    return piece("div", { class: "chip", "data-on": index === desk.active },
      piece("button", { type: "button", class: "chip-name", "aria-pressed": String(index === desk.active), onclick: () => desk.choose(index) },
        piece("b", {}, editWords(edit)), piece("span", { class: "muted" }, [desk.known.methods[edit.method], keptWords(edit)].filter(Boolean).join(", "))),
      buttonOf({ words: "×", title: "Remove " + editWords(edit), press: () => desk.remove(index), name: "chip-off" }), slider, value);
  }

  const symbol = (text, name) => piece("i", { class: name }, text);
  function equation() {
    const terms = desk.edits.flatMap((edit, i) => {
      const dose = desk.seen?.doses?.[i];
      const amount = edit.absolute ? (desk.seen && desk.edits.length === desk.seen.doses.length && editText(edit) === desk.seenText?.[i] ? dose : null) : edit.amount;
      return [amount === null ? " + a" : (amount < 0 ? " − " : " + ") + fixedText(Math.abs(amount), 2), " ", symbol("d"), piece("sub", {}, String(i + 1))];
    });
    formula.replaceChildren(symbol("z", "c-z"), " = ", symbol("μ", "c-mu"), ...terms);
  }

  function told() {
    const edit = desk.edits[desk.active], reading = film?.reading;
    if (!edit || !reading || filmKey !== key(desk.active)) {
      curve.show({ lines: [], marks: [], words: "No edit" });
      curve.node.hidden = !edit || !desk.known.reader; // no axes without a line to come
      return tellText(verdict, "");
    }
    const lines = reading.wanted ? [{ name: `how surely ${desk.known.reader} reads ${edit.factor} ${edit.after}`, hue: "sym-z", points: reading.doses.map((x, k) => [x, reading.wanted[k]]) }] : [];
    if (reading.sure) lines.push({ name: "how sure it is of all attributes", hue: "muted", dash: "4 3", points: reading.doses.map((x, k) => [x, reading.sure[k]]) });
    const marks = reading.side.map((one) => ({ x: one.dose, hue: "warn" }));
    const parts = [];
    if (reading.wanted) parts.push(reading.flip === null ? `Never read as ${edit.after} up to +2 doses.` : reading.start ? `Reads ${edit.after} from the start.` : `Turns to ${edit.after} at ${doseText(reading.flip)} doses.`);
    for (const one of [...reading.side].sort((a, b) => Math.abs(a.dose) - Math.abs(b.dose))) parts.push(`Breaks at ${doseText(one.dose)} (${one.factor}: ${one.from} → ${one.to}).`);
    if (reading.values && !reading.side.length && Object.keys(reading.values).some((name) => name !== edit.factor)) parts.push("No other attribute turns within two doses either way.");
    if (!reading.values) parts.push("Nothing is known of this model's pictures, so nobody reads along; look for yourself.");
    tellText(verdict, parts.join(" "));
    curve.show({ lines, marks, words: verdict.textContent });
    curve.node.hidden = !lines.length;
    part.facts({ flip: reading.flip ?? "", breaks: reading.side.map((one) => one.dose).join(" ") });
  }

  /** After edits were added, changed or taken away. */
  function show() {
    sliders = [];
    values = [];
    chips.replaceChildren(...desk.edits.map(chip));
    undoButton.disabled = !desk.past.length;
    clear.disabled = !desk.edits.length;
    equation();
    if (filmKey !== (desk.edits.length ? key(desk.active) : "")) film = null;
    told();
    fetchFilm();
    decode();
    paint();
  }

  /** Another chip is in hand. */
  function hand() {
    if (filmKey !== key(desk.active)) film = null;
    told();
    fetchFilm();
    paint();
  }

  return { node, show, hand, refresh: show, equation, before, after };
}
