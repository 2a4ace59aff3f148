// What views are made of: controls, numbers as text. Stands before a view's own scripts. Knows no view.

/** A button with a drawing, words, or both. `title` is its name where it has no words. */
function buttonOf({ icon, words, title, name = "", press, ...more }) {
  return piece(
    "button",
    {
      type: "button",
      class: ("button " + name + (words ? "" : " icon")).trim(),
      title,
      "aria-label": words ? null : title,
      onclick: press,
      ...more,
    },
    icon && iconOf(icon),
    words && piece("span", {}, words),
  );
}

/** A choice of a few: options [[value, words, title?]], change(value). `.set(value)` shows another one. */
function segmented(label, options, change, name = "") {
  const buttons = options.map(([value, words, title]) =>
    piece(
      "button",
      {
        type: "button",
        class: "button",
        role: "radio",
        title,
        "data-value": value,
        onclick: () => (node.set(value), change(value)),
      },
      words,
    ),
  );
  const node = piece("span", { class: "seg " + name, role: "radiogroup", "aria-label": label, onkeydown: walkSegments }, buttons);
  node.set = (value) => {
    for (const button of buttons) {
      const on = button.dataset.value === String(value);
      button.setAttribute("aria-checked", on);
      button.tabIndex = on || (value === null && button === buttons[0]) ? 0 : -1;
    }
  };
  node.set(options[0][0]);
  return node;
}

function walkSegments(event) {
  const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!way) return;
  event.preventDefault();
  event.stopPropagation();
  const all = [...event.currentTarget.children].filter((node) => !node.disabled);
  const next = all[(all.indexOf(document.activeElement) + way + all.length) % all.length];
  next?.focus();
  next?.click();
}

/** A switch with words: change(on). `.set(on)` shows the other. */
function switchOf(words, title, change, name = "") {
  const box = piece("input", { type: "checkbox", role: "switch", onchange: () => change(box.checked) });
  const node = piece("label", { class: "switch " + name, title }, box, piece("span", {}, words));
  node.set = (on) => (box.checked = on);
  return node;
}

/** A slider; input(value) while it moves. `.set(value)` moves it. */
function sliderOf({ label, min, max, step, value, input, ...more }) {
  const node = piece("input", {
    type: "range",
    min,
    max,
    step,
    value,
    "aria-label": label,
    ...more,
    oninput: () => (node.fill(), input(+node.value)),
  });
  node.fill = () => node.style.setProperty("--at", ((+node.value - min) / (max - min)) * 100 + "%");
  node.set = (next) => {
    if (document.activeElement !== node || +node.value !== next) node.value = next;
    node.fill();
  };
  node.fill();
  return node;
}

const wholeText = (value) => new Intl.NumberFormat("en", { maximumFractionDigits: 0 }).format(value);
const countText = (count, word, many = word + "s") => wholeText(count) + " " + (count === 1 ? word : many);
const minusText = (text) => text.replace("-", "−");
const fixedText = (value, digits = 2) => (Number.isFinite(value) ? minusText(value.toFixed(digits)) : "–");
