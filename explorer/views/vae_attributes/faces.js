// Pictures to choose from: the gallery, random held-out ones, the visitor's own. One chooser serves whoever asks for one.

/** makeChooser(part, {pick(name)}): `.node`, `.load()` for another model, `.canvas(name)` a picture by its name, once it is there. */
function makeChooser(part, { label, pick, extra = [] }) {
  const gallery = piece("div", { class: "picker-strip", role: "group", "aria-label": label + ": the gallery" });
  const random = piece("div", { class: "picker-strip", role: "group", "aria-label": label + ": held-out pictures" });
  const input = piece("input", { type: "file", accept: "image/*", class: "unseen", "aria-label": label + ": a picture of yours", onchange: () => (bring(input.files[0]), (input.value = "")) });
  const upload = piece("label", { class: "button upload" }, "Use a picture", input);
  const more = buttonOf({ words: "Others", title: "Other held-out pictures", press: () => others(), "data-do": "others" });
  const node = piece("div", { class: "chooser" },
    piece("div", { class: "chooser-row" }, gallery, upload, extra), piece("div", { class: "chooser-row" }, random, more));
  let from = 0, size = 0;

  async function bring(file) {
    if (!file) return;
    try {
      const { picture } = await part.wire.send("picture", file);
      const canvas = piece("canvas", { width: 64, height: 64 });
      const image = await createImageBitmap(file).catch(() => null);
      if (image) {
        const side = Math.min(image.width, image.height);
        canvas.getContext("2d").drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, 64, 64);
      }
      gallery.prepend(thumb(picture, "your picture", canvas));
      pick(picture);
    } catch (error) {
      window.explorer.toast(error.message);
    }
  }

  const thumb = (picture, words, canvas) =>
    piece("button", { type: "button", class: "thumb", title: words, "aria-label": words, "data-picture": picture, onclick: () => pick(picture) }, canvas);

  async function others(start = Math.floor(Math.random() * size)) {
    from = start;
    const sprite = await part.wire.sprite("attributes/faces", part.query({ from, v: part.model.version }));
    random.replaceChildren(...Array.from({ length: sprite.count }, (_, i) => {
      const canvas = piece("canvas");
      paintFrame(canvas, sprite, i);
      const number = (from + i) % size;
      return thumb("random:" + number, "picture " + number, canvas);
    }));
  }

  async function load(count) {
    size = count;
    const sprite = await part.wire.sprite("gallery", part.query());
    const own = [...gallery.children].filter((one) => one.dataset.picture.startsWith("upload:"));
    gallery.replaceChildren(...own, ...part.model.captions.map((caption, i) => {
      const canvas = piece("canvas");
      paintFrame(canvas, sprite, i);
      return thumb("gallery:" + i, caption, canvas);
    }));
    await others(0);
  }

  /** A small copy of a picture: at once where it is on a strip, else asked for. */
  function canvas(name) {
    const copy = piece("canvas", { width: 64, height: 64 });
    const there = [...gallery.children, ...random.children].find((one) => one.dataset.picture === name)?.firstChild;
    const [kind, number] = name.split(":");
    if (there) copy.getContext("2d").drawImage(there, 0, 0, 64, 64);
    else if (kind === "random") {
      part.wire.sprite("attributes/faces", part.query({ from: number, v: part.model.version })).then((sprite) => paintFrame(copy, sprite, 0), () => {});
    }
    return copy;
  }

  return { node, load, canvas };
}
