// A picture of the visitor's to start from: chosen, dropped or pasted; and how much of it is overwritten.

function makeOwn(place, desk) {
  const file = piece("input", {
    type: "file", accept: "image/*,.heic,.heif,.avif", class: "unseen", tabindex: -1, "aria-label": "A picture to start from",
    onchange: () => (take(file.files[0]), (file.value = "")),
  });
  const shown = piece("img", { class: "own-picture", alt: "The picture to start from", hidden: true });
  const choose = buttonOf({ icon: "picture", words: "Start from a picture", name: "small", press: () => file.click(), "data-do": "picture" });
  const face = buttonOf({ icon: "dice", words: "A face of the data set", title: "Start from a face of the data set, drawn at random", name: "small", press: drawn, "data-do": "face" });
  const drop = buttonOf({ icon: "close", title: "Start from noise again", name: "small ghost", press: () => (desk.usePicture(null), desk.run()), hidden: true });
  const strength = knobOf({
    name: "strength", words: "Strength", desk, least: 0.05, most: 1, step: 0.05,
    title: "How much of the picture is overwritten: 1 is pure noise, so nothing of it is left",
  });
  const tells = piece("p", { class: "muted small-text" });
  place.append(piece("div", { class: "row own-row" }, shown, choose, face, drop), file, strength, tells);

  async function take(blob) {
    if (!blob) return;
    try {
      const told = await desk.wire.send("upload", {}, blob);
      if (told.note) window.explorer.toast(told.note, "note");
      desk.usePicture({ id: told.picture, url: URL.createObjectURL(blob) });
      if (desk.settings.strength >= 1) desk.change({ strength: 0.6 });
      desk.run();
    } catch (error) {
      desk.fail(error);
    }
  }

  const facePicture = (number) => desk.usePicture({ face: number, url: desk.wire.url("picture", { face: number }) });

  function drawn() {
    facePicture(diceSeed());
    if (desk.settings.strength >= 1) desk.change({ strength: 0.6 });
    desk.run();
  }

  function show() {
    const there = desk.picture !== null;
    shown.hidden = drop.hidden = strength.hidden = tells.hidden = !there;
    if (there && shown.src !== desk.picture.url) shown.src = desk.picture.url;
    tellText(choose.lastChild, there ? "Another picture" : "Start from a picture");
    if (!there) return;
    const { steps, strength: share } = desk.settings;
    const left = Math.min(steps, Math.max(1, Math.floor(steps * share)));
    tellText(tells, "Noise is added for " + left + " of " + steps + " steps; these are run.");
  }

  const sheet = desk.root.querySelector(".drop-here");
  let depth = 0;
  const mine = () => desk.part === "steps" && desk.root.isConnected && desk.root.offsetParent !== null;
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragenter", (event) => mine() && carries(event) && (sheet.hidden = ++depth < 1));
  document.addEventListener("dragleave", (event) => mine() && carries(event) && (sheet.hidden = --depth < 1));
  document.addEventListener("dragover", (event) => mine() && carries(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    depth = 0;
    sheet.hidden = true;
    if (!mine() || !carries(event)) return;
    event.preventDefault();
    take(pictureIn(event.dataTransfer));
  });
  document.addEventListener("paste", (event) => {
    const found = mine() && pictureIn(event.clipboardData);
    if (found) take(found);
  });

  for (const name of ["picture", "settings", "start"]) desk.on(name, show);
  window.addEventListener("explorer:link", () => {
    if (mine() && desk.picture?.id) window.explorer.toast("Your picture is not part of the link.", "note");
  });
  const linked = window.explorer.get("face");
  if (/^\d{1,9}$/.test(linked ?? "")) facePicture(Number(linked));
}
