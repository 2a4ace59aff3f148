// The query as an equation: every term with its sign, its weight, and a way out; below it what was liked and disliked.
// Words are orange, pictures blue, as everywhere in this tab. A result can be dragged here.

function makeEquation(place, desk) {
  const chips = piece("div", { class: "terms", role: "list" });
  const more = piece("input", {
    type: "text",
    class: "more-words",
    placeholder: "more words",
    "aria-label": "More words for the equation",
    maxlength: 200,
    onkeydown: (event) => event.key === "Escape" && event.target.blur(),
  });
  const moreForm = piece(
    "form",
    { class: "more", onsubmit: (event) => (event.preventDefault(), addWords(1)) },
    more,
    buttonOf({ icon: "plus", title: "Add these words", name: "small", press: () => addWords(1), "data-do": "add-words" }),
    buttonOf({
      icon: "minus",
      title: "Subtract these words",
      name: "small",
      press: () => addWords(-1),
      "data-do": "subtract-words",
    }),
  );
  const addPicture = buttonOf({
    icon: "picture",
    words: "Add a picture",
    name: "small ghost add-picture",
    press: () => desk.tray.toggle("upload", "add"),
    "data-do": "add-picture",
  });
  const balanced = switchOf("Balanced", "", (on) => desk.go({ balanced: on }));
  const explain = piece("p", { class: "equation-note" });
  const rated = piece("div", { class: "rated", hidden: true });
  const drops = piece(
    "div",
    { class: "term-drops", hidden: true },
    ["+ add", "− subtract"].map((words, i) =>
      piece(
        "span",
        {
          class: "term-drop",
          "data-sign": i ? "-" : "+",
          ondragover: (event) => event.preventDefault(),
          ondrop: (event) => dropped(event, i ? -1 : 1),
        },
        words,
      ),
    ),
  );
  place.className = "equation";
  place.append(
    piece(
      "div",
      { class: "equation-row" },
      piece("span", { class: "equation-q", title: "q: what every picture is compared with" }, "q ="),
      chips,
      drops,
      moreForm,
      addPicture,
      balanced,
    ),
    explain,
    rated,
  );

  function addWords(sign) {
    const parts = splitSigns(more.value);
    if (!parts.length) return more.focus();
    const terms = parts.map(([own, text]) => ({ kind: "text", text, weight: sign * (own === "-" ? -1 : 1) }));
    more.value = "";
    if (!termsOf(desk.query).length && terms[0].weight > 0) desk.go({ text: terms[0].text, terms: terms.slice(1) });
    else if (terms.length === 1) desk.add(terms[0]);
    else desk.go({ terms: [...desk.query.terms, ...terms] });
  }

  function dropped(event, weight) {
    event.preventDefault();
    drops.hidden = true;
    const id = +event.dataTransfer.getData("text/clip-item");
    const hit = desk.hits.find((one) => one.id === id);
    if (hit) desk.add(imageTerm(desk, hit, weight));
  }

  function change(term, changes, kind) {
    if (term.field)
      return desk.go(
        { ...("weight" in changes ? { weight: changes.weight } : {}), ...("text" in changes ? { text: changes.text } : {}) },
        kind,
      );
    desk.go({ terms: desk.query.terms.map((one) => (one === term.own ? { ...one, ...changes } : one)) }, kind);
  }

  function remove(term) {
    if (term.field) desk.go({ text: "", weight: 1 });
    else desk.go({ terms: desk.query.terms.filter((one) => one !== term.own) });
  }

  /** A chip is kept while its place and kind stay, so that a drag on its slider is not cut off. */
  function chipOf(index) {
    const chip = piece("span", { class: "term", role: "listitem" });
    let term = null;
    const sign = piece("button", {
      type: "button",
      class: "term-sign",
      onclick: () => change(term, { weight: -term.weight || 1 }, null),
    });
    const face = piece("span", { class: "term-face" });
    const number = piece("input", {
      type: "number",
      class: "term-number",
      min: 0,
      max: 5,
      step: 0.1,
      "aria-label": "Weight",
      onchange: () =>
        Number.isFinite(+number.value) &&
        change(term, { weight: Math.sign(term.weight || 1) * Math.min(5, Math.abs(+number.value)) }),
    });
    const slider = sliderOf({
      label: "Weight",
      min: 0,
      max: 2,
      step: 0.05,
      value: 1,
      input: (value) =>
        change(term, { weight: (term.weight < 0 || Object.is(term.weight, -0) ? -1 : 1) * value }, "weight-" + index),
    });
    const length = piece("small", { class: "term-length", title: "The length that the model gives this term" });
    chip.append(
      sign,
      face,
      slider,
      number,
      length,
      buttonOf({ icon: "close", title: "Take this term out", name: "bare small", press: () => remove(term) }),
    );
    chip.length = (value) => tellText(length, value ? "· " + fixedText(value) : "");
    chip.show = (next) => {
      term = next;
      const minus = next.weight < 0 || Object.is(next.weight, -0);
      chip.dataset.kind = next.kind;
      chip.dataset.sign = minus ? "-" : "+";
      tellText(sign, minus ? "−" : "+");
      sign.title = minus ? "Subtracted; click to add" : "Added; click to subtract";
      sign.setAttribute("aria-label", (minus ? "minus " : "plus ") + (next.text ?? next.label) + ", click to change the sign");
      const key = next.kind + (next.text ?? JSON.stringify(next.ref));
      if (face.dataset.key !== key) {
        face.dataset.key = key;
        face.replaceChildren(
          next.kind === "text"
            ? piece("span", { class: "term-words", title: next.text }, next.text)
            : piece("img", { src: desk.image(next.ref, 96), alt: next.label ?? "a picture", title: next.label }),
        );
      }
      slider.set(Math.abs(next.weight));
      if (document.activeElement !== number) number.value = +Math.abs(next.weight).toFixed(2);
    };
    return chip;
  }

  function draw() {
    const terms = [...termsOf(desk.query).filter((term) => term.field), ...desk.query.terms.map((own) => ({ ...own, own }))];
    while (chips.children.length > terms.length) chips.lastChild.remove();
    while (chips.children.length < terms.length) chips.append(chipOf(chips.children.length));
    terms.forEach((term, i) => chips.children[i].show(term));
    chips.dataset.empty = String(!terms.length);
    balanced.set(desk.query.balanced);
    balanced.hidden = terms.length < 2;
    explain.hidden = terms.length < 2;
    tellText(
      explain,
      desk.query.balanced
        ? "Balanced: every term is brought to length 1 before its weight counts."
        : "Not balanced: every term counts as long as the model makes it, and the longer ones win.",
    );
    drawRated();
  }

  function drawRated() {
    const { likes, dislikes, strategy } = desk.query;
    rated.hidden = !likes.length && !dislikes.length;
    if (rated.hidden) return rated.replaceChildren();
    const row = (list, ids, words) =>
      ids.length
        ? piece(
            "span",
            { class: "rated-row", "data-list": list },
            iconOf(list === "likes" ? "like" : "dislike"),
            piece("b", {}, words),
            ids.map((id) =>
              piece(
                "button",
                {
                  type: "button",
                  class: "rated-one",
                  title: "Take back",
                  "aria-label": "Take back picture " + id,
                  onclick: () => desk.rate(list, id),
                },
                piece("img", { src: desk.image(desk.refOf(id), 96), alt: "" }),
              ),
            ),
          )
        : null;
    const how = segmented(
      "How likes count",
      [
        ["mean", "their mean", "The mean of what you like, less the mean of what you dislike, joins the query"],
        ["best", "the nearest one", "Each picture is judged by the nearest one you liked, less the nearest one you disliked"],
      ],
      (value) => desk.go({ strategy: value }),
    );
    how.set(strategy);
    rated.replaceChildren(
      ...[
        row("likes", likes, "Liked"),
        row("dislikes", dislikes, "Disliked"),
        piece("span", { class: "rated-how" }, "by", how),
        buttonOf({ words: "Forget all", name: "small ghost", press: () => desk.go({ likes: [], dislikes: [] }) }),
      ].filter(Boolean),
    );
  }

  /** How long each term is, where that counts. Terms of weight 0 are in no equation. */
  function showLengths(told) {
    const counted = [...chips.children].filter((chip) => +chip.querySelector("input").value > 0);
    for (const chip of chips.children) chip.length(null);
    if (!desk.query.balanced) counted.forEach((chip, i) => chip.length(told.equation[i]?.length));
  }

  document.addEventListener("dragend", () => (drops.hidden = true));
  desk.dragging = () => (drops.hidden = false);
  desk.on("query", draw);
  desk.on("start", draw);
  desk.on("answer", showLengths);
}

/** A result as a term of the equation. */
function imageTerm(desk, hit, weight = 1) {
  return { kind: "image", ref: desk.refOf(hit.id), weight, label: hit.caption || hit.title || "picture " + hit.id };
}
