// The wish: a few attributes as chips, ready-made wishes, and one more from a menu.

const WISHES = [
  { "hair colour": "red", glasses: "sunglasses", shirt: "blue" },
  { hair: "afro", "hair colour": "pink", beard: "full" },
  { "hair colour": "pink", shirt: "green" }, // a pair that no training face shows
  { skin: "dark", "hair colour": "silver", glasses: "round", background: "purple" },
];

/** "hair colour:red,shirt:blue" <-> {…}; what the model does not know is left out. */
const wishText = (wish) => Object.entries(wish).map((pair) => pair.join(":")).join(",");
function wishFrom(text, factors) {
  const pairs = (text ?? "").split(",").map((pair) => pair.split(":"));
  return Object.fromEntries(pairs.filter(([factor, value]) => factors[factor]?.some(([one]) => one === value)));
}

function wishChooser(factors, wish, changed) {
  const words = (factor, value) => factors[factor].find(([one]) => one === value)[1];
  const chips = piece("div", { class: "chips", role: "group", "aria-label": "The wish" });
  const more = piece("select", { "aria-label": "Add an attribute", onchange: add },
    piece("option", { value: "" }, "Add …"),
    Object.entries(factors).map(([factor, values]) => piece("optgroup", { label: factor }, values.map(([value, said]) => piece("option", { value: factor + ":" + value }, said)))));
  const ready = piece("div", { class: "chips", role: "group", "aria-label": "Ready-made wishes" },
    WISHES.map((one, i) => button(Object.entries(one).map(([factor, value]) => words(factor, value)).join(", "), () => set({ ...one }), { class: "chip light", "data-wish": i })));
  const node = piece("div", { class: "wish" }, piece("div", { class: "tools" }, piece("b", {}, "The wish"), chips, more), piece("div", { class: "tools" }, piece("span", { class: "muted" }, "or"), ready));

  function add() {
    const [factor, value] = more.value.split(":");
    more.value = "";
    if (factor) set({ ...wish, [factor]: value });
  }

  function set(next) {
    wish = Object.fromEntries(Object.keys(factors).filter((factor) => factor in next).map((factor) => [factor, next[factor]]));
    show();
    changed(wish);
  }

  function drop(factor) {
    if (Object.keys(wish).length < 2) return window.explorer.toast("One attribute must stay: without a wish there is nothing to guide to.", "note");
    const { [factor]: _, ...rest } = wish;
    return set(rest);
  }

  function show() {
    chips.replaceChildren(...Object.entries(wish).map(([factor, value]) =>
      piece("button", { type: "button", class: "chip", "aria-label": "Take out " + words(factor, value), "data-factor": factor, onclick: () => drop(factor) }, words(factor, value), piece("span", { "aria-hidden": "true" }, "×"))));
  }

  show();
  return { node, words, get wish() { return wish; } };
}
