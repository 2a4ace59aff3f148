// Faces that a tool works on: slots with a picture each, one of them chosen, and one picker that fills the chosen one.

/** Codes of faces by name, each asked once for a model. */
function faceBook(part) {
  let model = "", known = new Map();

  /** Names -> [{name, title, z: Float32Array, norm}], in their order. */
  async function meet(names) {
    if (model !== part.model.name) (model = part.model.name, known = new Map());
    const mine = known;
    const wanted = [...new Set(names)].filter((name) => !mine.has(name));
    if (wanted.length) {
      const { faces } = await part.wire.get("paths/ends", part.query({ faces: wanted.join("|"), v: part.model.version }));
      for (const face of faces) mine.set(face.name, { ...face, z: Float32Array.from(face.z) });
    }
    return names.map((name) => mine.get(name));
  }

  /** The face of a code, exactly decoded, onto a canvas. */
  async function paint(canvas, z, signal) {
    const numbers = Array.from(z, (v) => +v.toFixed(4)).join(",");
    const reply = await window.explorer.ask(part.wire.url("decode", part.query({ z: numbers, v: part.model.version })), { signal });
    const side = part.model.size, bytes = new Uint8Array(await reply.arrayBuffer());
    const image = new ImageData(side, side);
    for (let i = 0, j = 0; i < image.data.length; i += 4, j += 3) {
      image.data[i] = bytes[j]; image.data[i + 1] = bytes[j + 1]; image.data[i + 2] = bytes[j + 2]; image.data[i + 3] = 255;
    }
    if (canvas.width !== side || canvas.height !== side) Object.assign(canvas, { width: side, height: side });
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  return { meet, paint };
}

const randomSeed = () => Math.floor(Math.random() * 1e6);
const randomFace = (source = "aggregate") => `draw:${source}:${randomSeed()}:0:1:1`;

/** faceSlots(lab, {letters, locks, change(index, name)}): `.node` the slots and the picker, `.show(names)` paints them. */
function faceSlots(lab, { letters, locks = false, change, extra = [] }) {
  const { part, book } = lab;
  const row = piece("div", { class: "slots", role: "group", "aria-label": "Faces; choose which one to change" });
  const words = piece("p", { class: "aside slots-words" });
  const fill = (name) => chosen < slots.length && change(chosen, name);
  const picker = makePicker(part, { label: "Pictures to choose from", change: fill });
  const random = buttonOf({ words: "Random", title: "A random face, from where pictures really are", press: () => fill(randomFace()) });
  const random2 = buttonOf({ words: "From the prior", title: "A random face, from N(0, I)", press: () => fill(randomFace("prior")) });
  const node = piece("section", { class: "card slots-card" }, piece("div", { class: "slots-row" }, row, piece("div", { class: "tools" }, random, random2, extra)), words, picker.node);
  let slots = [], chosen = 0;

  function make(count) {
    slots = Array.from({ length: count }, (_, i) => {
      const canvas = piece("canvas", { class: "picture", role: "img" });
      const title = piece("span", { class: "slot-title" });
      const button = piece("button", { type: "button", class: "slot", "data-slot": letters[i], onclick: () => choose(i) },
        canvas, piece("span", { class: "slot-letter" }, letters[i]), title);
      const lock = locks && piece("button", { type: "button", class: "slot-lock", "aria-pressed": "false", title: "Keep this one when faces are shuffled",
        onclick: () => lock.setAttribute("aria-pressed", String(lock.getAttribute("aria-pressed") !== "true")) }, "Lock");
      return { canvas, title, button, lock, name: "" };
    });
    row.replaceChildren(...slots.map(({ button, lock }) => piece("div", { class: "slot-place" }, button, lock)));
    chosen = Math.min(chosen, count - 1);
    choose(chosen);
  }

  function choose(index) {
    chosen = index;
    slots.forEach(({ button }, i) => button.setAttribute("aria-pressed", String(i === index)));
    tellText(words, "Choose a picture for " + letters[index] + (slots.length > 1 ? "; click another letter to change that one." : "."));
    picker.set(slots[index]?.name ?? "");
  }

  /** The faces as the model decodes them; [{name, title, z}]. */
  function show(faces) {
    if (slots.length !== faces.length) make(faces.length);
    return Promise.all(faces.map(async (face, i) => {
      const slot = slots[i];
      tellText(slot.title, face.title);
      slot.button.setAttribute("aria-label", `${letters[i]}: ${face.title}. Choose it to change it`);
      if (slot.name === face.name && slot.model === part.model.name) return;
      Object.assign(slot, { name: face.name, model: part.model.name });
      if (i === chosen) picker.set(face.name);
      await book.paint(slot.canvas, face.z);
    }));
  }

  return { node, show, choose, load: picker.load, locked: (i) => slots[i]?.lock?.getAttribute("aria-pressed") === "true", get chosen() { return chosen; } };
}
