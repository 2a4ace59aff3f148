// Which picture a part speaks of: the model's gallery as a strip of thumbs, and one of the visitor's own.

const KEPT_PICTURES = 8;

/** makePicker(part, {label, change(picture)}): `.node`, `.load()` for another model, `.set(picture)` marks one.
 *  The choice is everybody's unless `change` is given: then nothing is told to other parts. */
function makePicker(part, { label = "Pictures to choose from", change = (picture) => document.vae.look(picture) } = {}) {
  const strip = piece("div", { class: "picker-strip", role: "group", "aria-label": label });
  const input = piece("input", { type: "file", accept: "image/*", class: "unseen", "aria-label": "Use a picture", onchange: () => (bring(input.files[0]), (input.value = "")) });
  const upload = piece("label", { class: "button upload", title: "Choose one, paste one, or drop one on the strip" }, "Use a picture", input);
  const node = piece("div", { class: "picker", ondragover: (event) => event.preventDefault(), ondrop: dropped }, strip, upload);
  let chosen = "", thumbs = new Map();

  async function bring(file) {
    if (!file) return;
    node.dataset.state = "busy";
    try {
      const { picture, note } = await part.wire.send("picture", file);
      if (note) window.explorer.toast(note + ".", "note");
      const canvas = piece("canvas", { width: 64, height: 64 });
      const image = await createImageBitmap(file).catch(() => null); // a kind that only the server reads
      if (image) {
        const side = Math.min(image.width, image.height);
        canvas.getContext("2d").drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, 64, 64);
      }
      strip.prepend(thumb(picture, "your picture", canvas));
      const own = [...thumbs].filter(([name]) => name.startsWith("upload:"));
      for (const [name, button] of own.slice(0, -KEPT_PICTURES)) (button.remove(), thumbs.delete(name)); // the server keeps no more
      change(picture);
      mark(picture);
    } catch (error) {
      window.explorer.toast(error.message);
    }
    node.dataset.state = "ready";
  }

  function dropped(event) {
    event.preventDefault();
    event.stopPropagation();
    bring(event.dataTransfer.files[0]);
  }

  function thumb(picture, words, canvas) {
    const button = piece("button", { type: "button", class: "thumb", title: words, "aria-label": words, "data-picture": picture,
      onclick: () => ((mark(picture), change(picture))) }, canvas);
    thumbs.set(picture, button);
    return button;
  }

  function mark(picture) {
    chosen = picture;
    node.dataset.picture = picture;
    for (const [name, button] of thumbs) button.setAttribute("aria-pressed", String(name === picture));
  }

  /** The gallery of the part's model. */
  async function load() {
    const sprite = await part.wire.sprite("gallery", part.query());
    const own = [...thumbs].filter(([name]) => name.startsWith("upload:"));
    thumbs = new Map(own);
    const faces = part.model.captions.map((caption, i) => {
      const canvas = piece("canvas");
      paintFrame(canvas, sprite, i);
      return thumb("gallery:" + i, caption, canvas);
    });
    strip.replaceChildren(...own.map(([, button]) => button), ...faces);
    mark(chosen);
    node.dataset.ready = "true";
  }

  part.root.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (file) bring(file);
  });

  return { node, load, set: mark, get picture() { return chosen; } };
}
