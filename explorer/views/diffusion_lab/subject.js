// Which picture drowns: a face of the gallery, a file of one's own, or the picture of the steps part.

/** `pick(name)` is called with "face:12", "upload:..." or "run:...". */
function subjectChooser(lab, start, { picture, pick }) {
  let first = picture.startsWith("face:") ? Math.max(0, +picture.slice(5) - 2) : 0;
  const shelf = piece("div", { class: "shelf", role: "group", "aria-label": "Faces that no model has seen" });
  const file = piece("input", { type: "file", class: "unseen", accept: "image/*", "aria-label": "A picture of your own", onchange: upload });
  const run = button("The picture of the steps part", () => choose("run:" + document.diffusion.run), { "data-do": "of-run", hidden: true });
  const node = piece("div", { class: "card" },
    piece("h4", {}, "The picture"), shelf,
    piece("div", { class: "tools" },
      button("Other faces", () => fill(Math.floor(Math.random() * (start.faces - start.gallery))), { "data-do": "other-faces" }),
      piece("label", { class: "button upload", title: "PNG, JPEG, WebP and others; also by pasting" }, "Your own picture", file), run));
  lab.root.addEventListener("paste", (event) => {
    const chosen = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (chosen && lab.root.dataset.part === "forward") take(chosen);
  });
  document.addEventListener("diffusion:run", offer);

  function offer() {
    run.hidden = !document.diffusion?.run || !!document.diffusion.model;
  }

  function mark(name) {
    picture = name;
    for (const one of shelf.children) one.setAttribute("aria-pressed", String(one.dataset.picture === name));
  }

  function choose(name) {
    mark(name);
    pick(name);
  }

  async function fill(from) {
    first = from;
    const film = await lab.wire.sprite("forward/faces", { from });
    shelf.replaceChildren(...Array.from({ length: film.count }, (_, i) => {
      const canvas = piece("canvas", { width: 64, height: 64, class: "picture" });
      drawFrame(canvas, film, i);
      const name = "face:" + (from + i);
      return piece("button", { type: "button", class: "face-button", "data-picture": name, "aria-label": "Face " + (from + i), onclick: () => choose(name) }, canvas);
    }));
    mark(picture);
  }

  async function upload() {
    const [chosen] = file.files;
    file.value = "";
    if (chosen) await take(chosen);
  }

  async function take(chosen) {
    try {
      const { picture, note } = await lab.wire.send("forward/upload", chosen);
      window.explorer.toast((note ? note + " " : "") + "Its middle square is shown with 64 × 64 pixels.", "note");
      choose(picture);
    } catch (error) {
      window.explorer.toast(error.message);
    }
  }

  return { node, fill: () => fill(first), offer };
}
