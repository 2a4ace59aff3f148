// Where pictures of the visitor's come in: a tray below the field for upload, webcam and drawing; pasting and dropping anywhere.

function makeTray(place, desk) {
  let [kind, how, drawn] = [null, "only", 0];
  const words = segmented(
    "What the picture does",
    [
      ["only", "instead of the query"],
      ["add", "add to it"],
      ["subtract", "subtract from it"],
    ],
    (value) => (how = value),
    "tray-how",
  );
  const body = piece("div", { class: "tray-body" });
  const trouble = piece("p", { class: "trouble", role: "alert", hidden: true });
  const say = (sentence) => (tellText(trouble, sentence), (trouble.hidden = !sentence));
  const camera = cameraOf(say);
  const file = piece("input", {
    type: "file",
    accept: "image/*,.heic,.heif,.avif",
    class: "unseen",
    tabindex: -1,
    "aria-label": "A picture from this device",
    onchange: () => (give(file.files[0]), (file.value = "")),
  });
  const sketch = sketchOf(settled(async () => desk.take(await sketch.shot(), "your drawing", "add", "drawing-" + drawn), 150));
  place.className = "tray";
  place.append(
    piece(
      "header",
      { class: "tray-head" },
      words,
      buttonOf({ icon: "close", title: "Close", name: "bare", press: () => toggle(null) }),
    ),
    body,
    trouble,
  );

  async function give(blob) {
    if (!blob) return;
    say("");
    place.dataset.busy = "true";
    const ref = await desk.take(blob, "", how);
    place.dataset.busy = "false";
    if (ref && kind === "upload") toggle(null);
  }

  const faces = {
    upload: () => [
      piece(
        "button",
        { type: "button", class: "drop", onclick: () => file.click(), "data-do": "choose-file" },
        iconOf("upload"),
        piece("b", {}, "Choose a picture"),
        piece("span", {}, "or drop it anywhere on this page, or paste it (Ctrl+V)"),
        piece("small", {}, desk.start.formats ?? ""),
        piece("small", {}, "It goes to this app's server, is kept while the page is open, and is seen by nobody else."),
      ),
      file,
    ],
    camera: () => [
      piece(
        "div",
        { class: "tray-camera" },
        camera.node,
        piece(
          "div",
          { class: "tray-side" },
          piece("p", {}, "The shot is the middle square of the picture."),
          buttonOf({
            icon: "camera",
            words: "Take it",
            name: "strong",
            press: async () => give(await camera.shot()),
            "data-do": "shot",
          }),
        ),
      ),
    ],
    draw: () => [
      piece(
        "div",
        { class: "tray-draw" },
        sketch.node,
        piece(
          "div",
          { class: "tray-side" },
          piece("p", {}, "Draw; the results follow each stroke. A face of a few colours is enough."),
          sketch.tools,
          buttonOf({ words: "Draw over the chosen picture", name: "small", press: overChosen, "data-do": "over" }),
        ),
      ),
    ],
  };

  function overChosen() {
    const chosen = desk.detail ?? (desk.hits[0] && { ref: desk.refOf(desk.hits[0].id) });
    if (!chosen) return;
    const image = new Image();
    image.onload = () => sketch.over(image);
    image.src = desk.image(chosen.ref, 256);
  }

  function toggle(next, mode = "only") {
    next = next === kind ? null : next;
    if (kind === "camera") camera.stop();
    kind = next;
    place.hidden = !kind;
    place.dataset.kind = kind ?? "";
    for (const button of desk.root.querySelectorAll("[data-tray]"))
      button.setAttribute("aria-expanded", button.dataset.tray === kind);
    say("");
    if (!kind) return;
    how = mode;
    words.set(mode);
    words.parentElement.classList.toggle("slim", kind === "draw");
    words.hidden = kind === "draw"; // a drawing is one term that changes while one draws
    if (kind === "draw") {
      drawn++;
      if (mode === "only") desk.only({ text: "" });
    }
    body.replaceChildren(...faces[kind]());
    if (kind === "camera") camera.start();
  }

  // ---- Pasting and dropping ------------------------------------------------------------------------------------------------

  const here = () => desk.root.isConnected && desk.root.offsetParent !== null;
  const cover = desk.root.querySelector(".drop-here");

  document.addEventListener("paste", (event) => {
    const blob = pictureIn(event.clipboardData);
    if (!blob || !here() || !desk.takes()) return;
    event.preventDefault();
    desk.takes()(blob, kind ? how : "only");
  });
  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFile(event) || !here() || !desk.takes()) return;
    event.preventDefault();
    cover.hidden = false;
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || (cover.hidden = true));
  document.addEventListener("drop", (event) => {
    if (!carriesFile(event) || !here() || !desk.takes()) return;
    event.preventDefault();
    cover.hidden = true;
    const blob = pictureIn(event.dataTransfer);
    if (blob) desk.takes()(blob, kind ? how : "only", event.dataTransfer.files);
  });

  /** Who takes a picture that is dropped or pasted now: the part that is shown, or nobody. */
  desk.takes = () =>
    desk.part === "search"
      ? (blob, mode) => desk.take(blob, "", mode)
      : desk.part === "classify"
        ? (blob) => desk.classify?.take(blob)
        : desk.part === "collections"
          ? (blob, mode, files) => desk.uploads?.take(files ?? [blob])
          : null;

  desk.tray = {
    toggle,
    get kind() {
      return kind;
    },
  };
}
