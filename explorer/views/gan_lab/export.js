// What one takes along: the run as a film, as numbers, as a program, as a file to go on with; and back again from a file.

const EXPORT_KINDS = {
  gif: ["GIF", "the run as a film; plays everywhere"],
  mp4: ["MP4", "the run as a film; for slides and phones"],
  csv: ["CSV", "all curves as a table"],
  script: ["PyTorch script", "plain PyTorch that does the same, round by round"],
  save: ["Save to a file", "the weights and settings, to go on later"],
};

function makeExport(section, lab) {
  const note = piece("p", { class: "export-note", role: "status" });
  const file = piece("input", { type: "file", class: "unseen", accept: ".safetensors,application/octet-stream",
    "aria-label": "Load a saved run", onchange: () => (load(file.files[0]), (file.value = "")) });
  const offered = (lab.start.exports ?? []).filter((kind) => kind in EXPORT_KINDS);
  const buttons = new Map(offered.map((kind) => {
    const [title, hint] = EXPORT_KINDS[kind];
    return [kind, piece("button", { type: "button", class: "button export-kind", "data-kind": kind,
      onclick: () => (kind === "script" ? view() : fetchFile(kind)) },
      piece("span", { class: "export-title" }, title), piece("small", {}, hint))];
  }));
  const grid = piece("div", { class: "export-grid" }, [...buttons.values()],
    piece("label", { class: "button export-kind" }, piece("span", { class: "export-title" }, "Load from a file"),
      piece("small", {}, "choose it, or drop it anywhere here"), file),
    piece("button", { type: "button", class: "button export-kind", "data-ge": "copy-link" },
      piece("span", { class: "export-title" }, "Copy the link"), piece("small", {}, "these settings and seed, for others")));

  const code = piece("pre", { class: "export-code", tabindex: 0, "aria-label": "The script" });
  const dialog = piece("dialog", { class: "export-dialog", "aria-label": "PyTorch script",
    onclick: (event) => event.target === dialog && dialog.close() },
    piece("header", {}, piece("b", {}, "This run as plain PyTorch"), piece("span", { class: "wall-gap" }),
      piece("button", { type: "button", class: "button small strong",
        onclick: () => window.explorer.copy(code.textContent, "The script is copied.") }, "Copy"),
      piece("button", { type: "button", class: "button small",
        onclick: () => handOver(new Blob([code.textContent], { type: "text/x-python" }), scriptName) }, "Download"),
      piece("button", { type: "button", class: "button small", onclick: () => dialog.close() }, "Close")),
    piece("p", {}, "It needs torch and numpy only, and repeats this run from its first round with the same seed."), code);
  let scriptName = "gan.py";

  section.append(piece("header", { class: "part-head" }, piece("h3", {}, "Take it along"),
    piece("span", { class: "export-of" })), grid, note, dialog);

  let busy = "";
  function mark(kind, sentence = "", bad = false) {
    busy = kind;
    section.dataset.busy = kind;
    for (const [name, button] of buttons) {
      button.disabled = Boolean(kind);
      button.toggleAttribute("data-busy", name === kind);
      tellText(button.lastChild, name === kind ? "being made …" : EXPORT_KINDS[name][1]);
    }
    tellText(note, sentence);
    note.toggleAttribute("data-bad", bad);
  }

  async function ask(kind) {
    const reply = await lab.fetch("export", { kind, lane: lab.selected });
    const named = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "");
    return { blob: await reply.blob(), name: named?.[1] ?? "gan-run." + kind };
  }

  async function fetchFile(kind) {
    if (busy) return;
    mark(kind);
    try {
      const { blob, name } = await ask(kind);
      handOver(blob, name);
      section.dataset.done = kind;
      mark("", name + " is ready, " + sizeText(blob.size) + ".");
    } catch (error) {
      mark("", error.message, true);
    }
  }

  async function view() {
    if (busy) return;
    mark("script");
    try {
      const { blob, name } = await ask("script");
      scriptName = name;
      code.textContent = await blob.text();
      mark("");
      dialog.showModal();
      section.dataset.done = "script";
    } catch (error) {
      mark("", error.message, true);
    }
  }

  const sizeText = (bytes) => (bytes < 1e6 ? Math.max(1, Math.round(bytes / 1e3)) + " kB" : (bytes / 1e6).toFixed(1) + " MB");

  async function load(chosen) {
    if (!chosen || busy) return;
    if (chosen.size > 20e6) return mark("",
      "This file is too large to be a saved run; those end in .safetensors and have a few kilobytes.", true);
    mark("load", "Reading " + chosen.name + ".");
    try {
      const desk = await (await lab.fetch("load", {}, { method: "POST", body: chosen })).json();
      lab.take(desk, true);
      section.dataset.done = "load";
      mark("", "Loaded " + chosen.name + ": round " + roundsText(lab.desk.lanes[0].step) + ". Undo brings back what was here.");
    } catch (error) {
      mark("", error.message, true);
    }
  }

  section.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    section.toggleAttribute("data-drop", true);
  });
  section.addEventListener("dragleave", (event) => section.contains(event.relatedTarget)
    || section.toggleAttribute("data-drop", false));
  section.addEventListener("drop", (event) => {
    section.toggleAttribute("data-drop", false);
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    load(event.dataTransfer.files[0]);
  });

  function draw() {
    const many = (lab.desk?.lanes.length ?? 1) > 1;
    tellText(section.querySelector(".export-of"), many ? "run " + letterOf(lab.selected) : "");
  }
  lab.on("desk", draw);
  lab.on("select", draw);
  draw();
}
