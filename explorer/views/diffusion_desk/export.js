// Take it along: the film, the strip, the picture, the tensors, the Python that makes the same; and the link.

const EXPORTS = [
  ["gif", "GIF", "the film"],
  ["strip", "PNG strip", "all steps"],
  ["png", "PNG", "the picture"],
  ["tensors", "Tensors", "safetensors"],
  ["python", "Python", "diffusers"],
];

function makeExport(place, desk) {
  const buttons = EXPORTS.map(([kind, title, hint]) =>
    piece("button", { type: "button", class: "button export", "data-export": kind, onclick: () => take(kind) }, piece("b", {}, title), piece("small", {}, hint)),
  );
  const link = piece("button", { type: "button", class: "button export", "data-ge": "copy-link" }, piece("b", {}, "Copy link"), piece("small", {}, "all settings"));
  const status = piece("p", { class: "small-text muted", role: "status" });
  place.append(piece("h3", {}, "Take it along"), piece("div", { class: "row" }, ...buttons, link), status);

  async function take(kind) {
    const film = desk.film;
    if (!film) return;
    const button = buttons.find((one) => one.dataset.export === kind);
    button.disabled = true;
    tellText(status, "Being made");
    try {
      const reply = await desk.wire.ask("export", { run: film.id, kind, decoder: desk.decoder });
      const named = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "");
      const endings = { gif: ".gif", strip: ".png", png: ".png", tensors: ".safetensors", python: ".py" };
      const name = named?.[1] ?? "diffusion-" + film.settings.seed + endings[kind];
      handOver(await reply.blob(), name);
      tellText(status, name + " is saved.");
      place.dataset.taken = kind;
    } catch (error) {
      tellText(status, error.message);
    } finally {
      show();
    }
  }

  function show() {
    for (const button of buttons) button.disabled = !desk.film?.steps.length || desk.film.live();
  }

  for (const name of ["film", "busy", "frames"]) desk.on(name, show);
}
