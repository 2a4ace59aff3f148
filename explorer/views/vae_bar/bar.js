// Which part is shown and which model it speaks of: said in the link, told by events, kept in `document.vae`.

const VAE_PARTS = [
  ["explore", "Explore", "Sliders and morphs: a face from a few numbers", true],
  ["worlds", "Three worlds", "Reconstruction only, KL only, both; and the dial of beta", false],
  ["elbo", "ELBO", "The bill of your own picture, term by term", true],
  ["attributes", "Attributes", "Directions that mean something, and what else they move", true],
  ["paths", "Paths", "Lines, arcs and geodesics, a board of corners, sampling", true],
  ["metrics", "Metrics", "Which number holds what, measured; maps of the codes", true],
  ["train", "Train", "Train one here, on your own pictures", false],
];
const FACES = "faces";

const bar = element.querySelector(".bar");
const { get, set, route, ask } = window.explorer;
const known = (part) => VAE_PARTS.some(([name]) => name === part);

const buttons = VAE_PARTS.map(([name, words, title]) =>
  piece("button", { type: "button", class: "part-button", "data-to": name, title, onclick: () => open(name) }, words));
const nav = piece("nav", { class: "part-nav", "aria-label": "Parts of this tab" }, buttons);
const select = piece("select", { "data-pick": "model", "aria-label": "Model", onchange: () => choose(select.value) });
const label = piece("label", { class: "bar-model", hidden: true }, piece("span", {}, "Model"), select);
bar.append(nav, label);

const tell = (name, detail) => document.dispatchEvent(new CustomEvent("vae:" + name, { detail }));

// The link is read again whenever the view is mounted: a tab that is left and opened again keeps its settings there.
const state = {
  part: known(get("part")) ? get("part") : "explore",
  model: get("model") || FACES,
  picture: get("picture") || "gallery:0",
  models: [],
  open, choose, look, renew,
};
document.vae = state;

function open(part) {
  if (!known(part)) return;
  state.part = part;
  set({ part: part === "explore" ? null : part });
  show();
  tell("part", { part });
}

function choose(model) {
  state.model = model;
  state.picture = "gallery:0"; // another model may have another gallery
  set({ model: model === FACES ? null : model, picture: null });
  show();
  tell("model", { model });
}

/** The picture that parts speak of: "gallery:3", or "upload:..." for the visitor's own, which no link can hold. */
function look(picture) {
  state.picture = picture;
  set({ picture: picture.startsWith("gallery:") && picture !== "gallery:0" ? picture : null });
  tell("picture", { picture });
}

/** Asks again which models there are: one was trained or let go. */
async function renew() {
  try {
    state.models = (await (await ask(route(props.routes + "/models"))).json()).models;
  } catch (error) {
    if (!state.models.length) state.models = [{ name: FACES, title: "Faces", own: false }];
    window.explorer.toast(error.message);
  }
  if (!state.models.some(({ name }) => name === state.model)) {
    window.explorer.toast("The model of this link is not here, so these are the faces.", "note");
    choose(FACES);
  }
  const groups = [["Shipped", false], ["Trained on this page", true]].map(([title, own]) => {
    const mine = state.models.filter((one) => one.own === own);
    return mine.length ? piece("optgroup", { label: title }, mine.map(({ name, title }) => piece("option", { value: name }, title))) : null;
  });
  select.replaceChildren(...groups.filter(Boolean));
  show();
  bar.dataset.ready = "true";
  tell("models", { models: state.models });
}

function show() {
  bar.dataset.part = state.part;
  bar.dataset.model = state.model;
  for (const button of buttons) {
    const on = button.dataset.to === state.part;
    if (on) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
    if (on && nav.scrollWidth > nav.clientWidth) nav.scrollTo({ left: button.offsetLeft - nav.clientWidth / 3 });
  }
  select.value = state.model;
  label.hidden = !VAE_PARTS.find(([name]) => name === state.part)[3] || !state.models.length;
  for (const id of ["vae-desk", "vae-morph"]) {
    const view = document.getElementById(id);
    if (view) view.hidden = state.part !== "explore";
  }
}

show();
// The other views of the tab are mounted in the same moment, in any order: those before this one learn only now what is open.
requestAnimationFrame(show);
tell("part", { part: state.part });
renew();
