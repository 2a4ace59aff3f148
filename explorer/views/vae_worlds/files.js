// What leaves the page: pictures of the maps, codes as a table, films, the program. Knows how to ask for each.

/** The maps side by side with their titles, as one PNG. */
async function mapsPicture(worlds, node) {
  const maps = worlds.map(({ map, title }) => ({ title, canvas: map.picture() })), inks = inksOf(node);
  const gap = 24, head = 56, width = maps.reduce((sum, { canvas }) => sum + canvas.width + gap, gap), height = Math.max(...maps.map(({ canvas }) => canvas.height)) + head + gap;
  const sheet = piece("canvas", { width, height }), context = sheet.getContext("2d");
  context.fillStyle = inks.panel;
  context.fillRect(0, 0, width, height);
  context.fillStyle = inks.ink;
  context.font = "700 26px system-ui, sans-serif";
  context.textBaseline = "middle";
  let x = gap;
  for (const { title, canvas } of maps) {
    context.fillText(title, x + 30, head / 2);
    context.drawImage(canvas, x, head);
    x += canvas.width + gap;
  }
  return new Promise((done) => sheet.toBlob(done, "image/png"));
}

/** makeFiles([[name, words, title, work, meanwhile]]) -> the last row of the part. `work` gives a promise; until then its button is off and says `meanwhile`. */
function makeFiles(works) {
  const button = ([name, words, title, work, meanwhile = words]) => {
    const busy = (on) => {
      node.disabled = on;
      node.setAttribute("aria-busy", String(on));
      tellText(node.firstChild, on ? meanwhile : words);
    };
    const node = buttonOf({ words, title, "data-do": name, press: async () => {
      busy(true);
      try {
        await work();
      } catch (error) {
        window.explorer.toast(error.message);
      }
      busy(false);
    } });
    return node;
  };
  return piece("section", { class: "card", "aria-label": "Take it with you" }, piece("h3", {}, "Take it with you"),
    piece("div", { class: "tools" }, works.map(button)));
}
