// The folders that the host named, to choose one to be searched.

function makeBrowse(desk, started) {
  const roots = piece("select", { "aria-label": "Folder of the host", onchange: () => go("") });
  const crumbs = piece("nav", { class: "crumbs", "aria-label": "Where one is" });
  const list = piece("div", { class: "folders", role: "list" });
  const here = piece("p", { class: "muted" });
  const index = buttonOf({
    icon: "folder",
    words: "Index this folder and all below",
    name: "strong",
    press: build,
    "data-do": "index-folder",
  });
  const none = piece(
    "div",
    { class: "browse-none" },
    piece("p", {}, "The host of this app named no folder. Whoever starts it can:"),
    piece("pre", {}, piece("code", {}, "python app.py --image-roots ~/Pictures")),
    piece("p", { class: "muted" }, "Only what lies below such folders can be seen or indexed from this page."),
  );
  const box = piece(
    "div",
    { class: "browse" },
    piece("div", { class: "row" }, roots, crumbs),
    list,
    piece("div", { class: "row" }, here, index),
  );
  const node = piece(
    "section",
    { class: "card", "aria-label": "Pictures of the host" },
    piece("h3", {}, "Pictures on the host"),
    box,
    none,
  );
  let path = "";

  async function go(next) {
    list.dataset.state = "busy";
    try {
      const told = await desk.wire.json("browse", { root: roots.value, path: next });
      path = next;
      const parts = path ? path.split("/") : [];
      const label = roots.selectedOptions[0]?.textContent ?? "";
      crumbs.replaceChildren(
        ...[label, ...parts].flatMap((name, i) => [
          i ? " / " : "",
          piece(
            "button",
            { type: "button", class: "crumb", disabled: i === parts.length, onclick: () => go(parts.slice(0, i).join("/")) },
            name,
          ),
        ]),
      );
      list.replaceChildren(
        ...told.folders.map((one) =>
          piece(
            "button",
            { type: "button", class: "folder", role: "listitem", title: one.name, onclick: () => go(one.path) },
            iconOf("folder"),
            piece("span", {}, one.name),
          ),
        ),
      );
      if (!told.folders.length) list.append(piece("p", { class: "muted" }, "No folders below this one."));
      tellText(
        here,
        told.pictures
          ? wholeText(told.pictures) +
              (told.more ? " or more" : "") +
              (told.pictures === 1 ? " picture here." : " pictures here.")
          : "No pictures directly in this folder.",
      );
    } catch (error) {
      desk.fail(error);
    } finally {
      list.dataset.state = "idle";
    }
  }

  async function build() {
    index.disabled = true;
    try {
      started(await desk.wire.post("index", { action: "build", root: roots.value, path, model: desk.model }));
    } catch (error) {
      desk.fail(error);
    } finally {
      index.disabled = false;
    }
  }

  function show() {
    const all = desk.start.roots ?? [];
    none.hidden = all.length > 0;
    box.hidden = !all.length;
    if (!all.length || roots.options.length) return;
    roots.replaceChildren(...all.map((one) => piece("option", { value: one.id }, one.label)));
    go("");
  }

  return { node, show };
}
