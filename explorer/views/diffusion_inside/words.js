// The words of the prompt as buttons, with the pieces that the tokenizer cuts them into.

/** buttons.draw(words, chosen): words as attention.json tells them; pick(number). */
function makeWords(name, pick, can = (word) => word.spoken) {
  const node = piece("div", { class: "words", role: "radiogroup", "aria-label": name, onkeydown: walk });
  let [nodes, list] = [[], []];

  function draw(words, chosen) {
    list = words;
    nodes = words.map((word, i) => {
      const inner = word.pieces.length > 1 ? word.pieces.flatMap((part, k) => [k > 0 && piece("i", { class: "cut", "aria-hidden": "true" }), part]) : [word.text];
      if (!can(word, i)) return piece("span", { class: "word still", "aria-hidden": "true" }, inner);
      const title = word.pieces.length > 1 ? `“${word.text}” is ${word.pieces.length} pieces: ${word.pieces.join(" + ")}` : null;
      return piece("button", { type: "button", class: "word", role: "radio", "aria-label": word.text, title, "data-word": i, onclick: () => pick(i) }, inner);
    });
    node.replaceChildren(...nodes);
    show(chosen);
  }

  function show(chosen) {
    const first = nodes.find((one) => one.dataset.word !== undefined);
    nodes.forEach((one, i) => {
      if (one.dataset.word === undefined) return;
      one.setAttribute("aria-checked", String(i === chosen));
      one.tabIndex = i === chosen || (chosen === null && one === first) ? 0 : -1;
    });
  }

  function walk(event) {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const open = nodes.filter((one) => one.dataset.word !== undefined);
    const next = open[(open.indexOf(document.activeElement) + way + open.length) % open.length];
    next?.focus();
    next?.click();
  }

  return { node, draw, show, get list() { return list; } };
}
