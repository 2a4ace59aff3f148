// A choice as a row of buttons. Knows no view.

/** One of several, as a row of buttons that arrows walk through. choices: [[value, words, title]]. */
function segments(name, choices, value, pick) {
  const nodes = choices.map(([one, words, title]) =>
    piece("button", { type: "button", class: "button", role: "radio", "data-value": one, title, onclick: () => choose(one) }, words));
  const node = piece("span", { class: "seg", role: "radiogroup", "aria-label": name, onkeydown: walk }, nodes);

  function show(wanted) {
    value = wanted;
    choices.forEach(([one], i) => {
      nodes[i].setAttribute("aria-checked", String(one === wanted));
      nodes[i].tabIndex = one === wanted ? 0 : -1;
    });
  }

  function choose(wanted) {
    if (wanted === value) return;
    show(wanted);
    pick(wanted);
  }

  function walk(event) {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (choices.findIndex(([one]) => one === value) + way + choices.length) % choices.length;
    nodes[next].focus();
    choose(choices[next][0]);
  }

  show(value);
  return { node, show, get value() { return value; } };
}
