// Files of the visitor's own: pictures as a ZIP, or several that become one here, so that the server knows one form only;
// and a model that was saved.

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function checksum(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Files as one ZIP without compression, which pictures have already. Their names stay here. */
async function zipOf(files) {
  const pieces = [], directory = [], name = (i) => new TextEncoder().encode(String(i).padStart(5, "0"));
  let at = 0;
  for (const [i, file] of [...files].entries()) {
    const bytes = new Uint8Array(await file.arrayBuffer()), label = name(i), crc = checksum(bytes);
    const header = (central) => {
      const view = new DataView(new ArrayBuffer(central ? 46 : 30)), put = (offset, value, long) => (long ? view.setUint32(offset, value, true) : view.setUint16(offset, value, true));
      const base = central ? 6 : 4;
      put(0, central ? 0x02014b50 : 0x04034b50, true);
      if (central) put(4, 20);
      put(base, 20);
      put(base + 10, crc, true);
      put(base + 14, bytes.length, true);
      put(base + 18, bytes.length, true);
      put(base + 22, label.length);
      if (central) put(42, at, true);
      return new Uint8Array(view.buffer);
    };
    directory.push(header(true), label);
    pieces.push(header(false), label, bytes);
    at += 30 + label.length + bytes.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0), end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, at, true);
  return new Blob([...pieces, ...directory, new Uint8Array(end.buffer)], { type: "application/zip" });
}

/** The row for one's own pictures: choose or drop; how far the server has read them. */
function makeUpload(part, films) {
  const bring = async (files) => {
    if (!files.length) return;
    if (files.reduce((sum, { size }) => sum + size, 0) > 20e6) return window.explorer.toast("These files have more than 20 MB; fewer or smaller pictures will do.");
    node.dataset.state = "sending";
    tellText(words, "Sending …");
    try {
      const zipped = files.length === 1 && /zip/.test(files[0].type + files[0].name.slice(-4).toLowerCase());
      const { upload } = await part.wire.send("train/zip", zipped ? files[0] : await zipOf(files));
      show(upload);
      films.refresh();
    } catch (error) {
      show(films.state.upload);
      window.explorer.toast(error.message);
    }
  };
  const input = piece("input", { type: "file", class: "unseen", accept: ".zip,application/zip,image/*", multiple: true, "aria-label": "A ZIP of pictures, or several pictures",
    onchange: () => (bring([...input.files]), (input.value = "")) });
  const words = piece("span", { class: "train-told", role: "status" });
  const bar = piece("progress", { max: 1, value: 0, hidden: true, "aria-label": "Pictures read" });
  const stop = buttonOf({ words: "Stop", press: async () => films.take(await part.wire.post("train/do", { do: "drop" })), hidden: true });
  const node = piece("div", { class: "tools", ondragover: (event) => event.preventDefault(), ondrop: (event) => (event.preventDefault(), event.stopPropagation(), bring([...event.dataTransfer.files])) },
    piece("label", { class: "button upload" }, "Choose a ZIP or pictures", input), bar, words, stop);

  function show(upload) {
    const reading = upload?.state === "reading";
    node.dataset.state = upload?.state ?? "none";
    bar.hidden = stop.hidden = !reading;
    bar.max = upload?.total || 1;
    bar.value = upload?.done || 0;
    tellText(words, reading ? `Reading ${wholeText(upload.done)} of ${wholeText(upload.total)} files` : upload?.note || "A ZIP of up to 20 MB and 10,000 pictures; they are made 32 px squares, stay on this host, and go when the page is closed.");
  }

  show(null);
  return { node, show };
}

/** The button that brings a saved model back: `opened(answer)` hears what the page has then. */
function makeOpener(part, opened) {
  const bring = async (file) => {
    if (!file) return;
    if (file.size > 20e6) return window.explorer.toast("This file has more than 20 MB; no model of this page is so large.");
    label.toggleAttribute("data-busy", true);
    try {
      opened(await part.wire.send("train/open", file));
    } catch (error) {
      window.explorer.toast(error.message);
    }
    label.removeAttribute("data-busy");
  };
  const input = piece("input", { type: "file", class: "unseen", accept: ".zip,application/zip", "aria-label": "A model that was saved here",
    onchange: () => (bring(input.files[0]), (input.value = "")) });
  const label = piece("label", { class: "button upload train-open", title: "The ZIP that “Save model” gave: today’s model in tomorrow’s lecture" }, "Open a saved model", input);
  return { node: label, disable: (full) => ((input.disabled = full), label.toggleAttribute("data-off", full)) };
}
