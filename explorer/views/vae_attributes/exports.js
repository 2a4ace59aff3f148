// What is on the screen as files and as Python.

function makeExports(part, desk) {
  const stem = () => `attributes-${part.model.name}`;
  const film = (format) => async () => {
    if (!desk.edits.length) return window.explorer.toast("Add an edit first: a film runs through its dose.", "note");
    const edits = desk.edits.map((edit, i) => (i === desk.active ? { ...edit, amount: 0 } : edit));
    await part.wire.file("attributes/film", part.query({ picture: part.picture, stack: editsText(edits), which: desk.active, format, pingpong: 1 }));
  };
  const guarded = (work) => async () => {
    try {
      await work();
    } catch (error) {
      window.explorer.toast(error.message);
    }
  };

  /** Both pictures and the equation's sum beside each other, enlarged without smoothing. */
  async function png() {
    const pictures = [desk.stack.before, desk.stack.after, ...(desk.equation.last ? [desk.equation.result] : [])], side = 384;
    const canvas = piece("canvas", { width: side * pictures.length, height: side });
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    pictures.forEach((one, i) => context.drawImage(one, i * side, 0, side, side));
    handOver(await new Promise((done) => canvas.toBlob(done)), stem() + ".png");
  }

  const quoted = (value) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const csv = (rows, name) => handOver(rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n", name);

  function matrix() {
    const rows = desk.matrix?.rows ?? [], factors = Object.keys(desk.known.factors);
    const kept = desk.keeper?.result ? Object.values(desk.keeper.result.found) : [];
    if (!rows.length && !kept.length) return window.explorer.toast("The matrix is not there yet.", "note");
    csv([["factor", "from", "to", "method", "keep", "how", "dose", "faces", "arrives", ...factors.map((name) => "moved " + name), ...factors.map((name) => "reads differently " + name)],
      ...[...rows, ...kept].filter((row) => !row.error).map((row) => [...row.edit.split(","), row.faces, row.hit ?? "", ...factors.map((name) => row.moved[name]), ...factors.map((name) => row.changed[name])])], stem() + "-matrix.csv");
  }

  function directions() {
    const found = desk.found;
    if (!found) return window.explorer.toast("Add an edit first: its directions are what is written.", "note");
    const rows = Object.entries(found.methods).filter(([, one]) => one.step);
    csv([["edit", "method", "told apart", "dose", ...Array.from({ length: part.model.dims }, (_, i) => "d" + (i + 1))],
      ...rows.map(([name, one]) => [found.text, name, one.accuracy ?? "", one.dose, ...one.step])], stem() + "-directions.csv");
  }

  function script() {
    const name = (picture) => (picture.startsWith("upload:") ? "gallery:0" : picture);
    const edits = desk.edits.filter((edit) => !(isOwn(edit) && (edit.after + edit.before).includes("upload:")));
    const notes = [];
    if (part.picture.startsWith("upload:") || edits.length < desk.edits.length || desk.equation.terms.some((one) => one.picture.startsWith("upload:"))) notes.push("# Your own pictures live on the page alone; the gallery's first stands for them here.");
    if (part.model.name.startsWith("own-")) notes.push("# This model lives on its page alone; put another one here.");
    const terms = desk.equation.terms.map(({ picture, weight }) => `(${JSON.stringify(name(picture))}, ${amountText(weight)})`).join(", ");
    return `# Run from the repository's root.
${notes.length ? notes.join("\n") + "\n" : ""}from PIL import Image

from explorer.tabs.vae import attribute_directions, attribute_equation, attribute_pool, attribute_stack, models

vae = models.get(${JSON.stringify(part.model.name.startsWith("own-") ? "faces" : part.model.name)})
edits = attribute_stack.parse(${JSON.stringify(editsText(edits))})
applied = attribute_stack.apply(vae, "", ${JSON.stringify(name(part.picture))}, edits)  # z = mu + sum of doses * directions
edited = vae.decode(attribute_stack.reach(vae, applied.z)[None])[0]
Image.fromarray(edited).resize((512, 512)).save("edited.png")
print("doses", applied.doses, "cosines", attribute_directions.cosines([d.step for d in applied.directions]) if edits else [])

pool = attribute_pool.of(vae)
for edit, found in zip(edits, applied.directions):
    if edit.factor != "own":
        print(edit.text, "told apart", found.accuracy(*attribute_stack.groups(pool, edit.bare, held=True)))

told = attribute_equation.solve(vae, "", [${terms}], edits, ${JSON.stringify(name(part.picture))})
Image.fromarray(told["pictures"][-2]).resize((512, 512)).save("sum.png")
print("as they should be", told["right"], "of", len(told["wanted"]) - told["open"], "nearest", told["nearest"])
`;
  }

  const button = (words, work, name) => buttonOf({ words, press: guarded(work), "data-do": name });
  const node = piece("section", { class: "card", "aria-label": "Take it with you" }, piece("h3", {}, "Take it with you"), piece("div", { class: "tools" },
    button("Film as GIF", film("gif"), "gif"), button("Film as strip", film("strip"), "strip"), button("Pictures as PNG", png, "png"),
    button("Matrix as CSV", matrix, "matrix-csv"), button("Directions as CSV", directions, "directions-csv"),
    button("Copy Python", () => window.explorer.copy(script(), "The script is copied."), "python")));
  return { node, script };
}
