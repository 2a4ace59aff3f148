// Chooses a picture: one of some faces, a face's number, or a file of one's own. One dialog for all lessons.

const PICKER_FACES = 16;
const PICKER_LAST = 100_000; // faces of the split "test" that one can ask for by number

function pickerOf(lab) {
  const title = piece("h4", { id: "lessons-picker-title" });
  const shelf = piece("div", { class: "picker-shelf", role: "group", "aria-label": "Faces" });
  const trouble = troublePlace();
  const file = piece("input", { type: "file", class: "unseen", accept: "image/*", "aria-label": "A picture of your own", onchange: upload });
  const number = numberField("Face number", { min: 0, max: PICKER_LAST, value: "", pick: (face) => answer({ ref: { face } }) });
  const dialog = piece("dialog", { class: "picker", "aria-labelledby": "lessons-picker-title", onclick: (event) => event.target === dialog && dialog.close(), onpaste: paste },
    piece("div", { class: "picker-head" }, title, button("Close", () => dialog.close(), { class: "button small" })),
    shelf,
    piece("div", { class: "tools" },
      button("Other faces", () => fill(Math.floor(Math.random() * 5000)), { "data-do": "other-faces" }),
      piece("label", { class: "button upload", title: "Choose one, or paste one while this is open" }, "Upload a picture", file),
      number.node),
    trouble.node);
  lab.root.append(dialog);
  let deliver = null;

  function fill(from) {
    shelf.replaceChildren(...Array.from({ length: PICKER_FACES }, (_, i) => {
      const ref = { face: from + i };
      return piece("button", { type: "button", class: "face-button", "data-face": ref.face, title: "Face " + ref.face, onclick: () => answer({ ref }) },
        pictureOf(lab.wire, ref, "Face " + ref.face));
    }));
  }

  function answer(chosen) {
    const told = deliver;
    deliver = null;
    dialog.close();
    told?.(chosen);
  }

  async function upload() {
    const [chosen] = file.files;
    file.value = "";
    if (chosen) await take(chosen);
  }

  function paste(event) {
    const chosen = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (chosen) take(chosen);
  }

  async function take(chosen) {
    dialog.dataset.state = "busy";
    try {
      const { picture, note } = await lab.wire.send("picture", chosen);
      if (note) window.explorer.toast(note, "note");
      answer({ ref: { picture } });
    } catch (error) {
      trouble.show(error);
    }
    dialog.dataset.state = "";
  }

  /** Opens the dialog; then({ref}) is called with what is chosen, and not at all where it is closed. */
  return function pick(words, from, then) {
    tellText(title, words);
    trouble.clear();
    deliver = then;
    number.show("");
    fill(from);
    dialog.showModal();
  };
}
