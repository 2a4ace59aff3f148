// Pictures of the visitor's as a collection for as long as the page is open: sent one by one, each with its state.

function makeUpload(desk, changed) {
  const file = piece("input", {
    type: "file",
    multiple: true,
    accept: "image/*,.heic,.heif,.avif",
    class: "unseen",
    tabindex: -1,
    "aria-label": "Pictures to search",
    onchange: () => (take(file.files), (file.value = "")),
  });
  const most = () => desk.start.limits?.uploads ?? 200;
  const bar = piece("progress", { class: "job-bar", max: 1, value: 0, hidden: true, "aria-label": "Progress" });
  const line = piece("p", { class: "job-line", role: "status" });
  const files = piece("ol", { class: "upload-files", "aria-label": "Files" });
  const stop = buttonOf({ words: "Stop", name: "small", press: () => (queue = []), hidden: true });
  const search = buttonOf({
    words: "Search them",
    name: "small strong",
    press: () => (desk.only({ collection: "mine", where: [], text: desk.query.text || desk.usual.text }), desk.show("search")),
    hidden: true,
    "data-do": "search-mine",
  });
  const forget = buttonOf({ words: "Forget my pictures", name: "small", press: forgetAll, hidden: true, "data-do": "forget" });
  const limit = piece("span", {});
  const node = piece(
    "section",
    { class: "card", "aria-label": "Your own pictures" },
    piece("h3", {}, "Your own pictures, for now"),
    piece(
      "button",
      { type: "button", class: "drop", onclick: () => file.click(), "data-do": "choose-files" },
      iconOf("upload"),
      piece("b", {}, "Choose pictures"),
      limit,
    ),
    file,
    piece(
      "p",
      { class: "muted small-text" },
      "They go to this app's server, only you can search them, and they are deleted when you close the page or forget them here.",
    ),
    bar,
    line,
    files,
    piece("div", { class: "row" }, search, stop, forget),
  );
  let [queue, working, done, failed, all] = [[], false, 0, 0, 0];

  function take(chosen) {
    const list = [...chosen];
    const mine = desk.start.collections.find((one) => one.id === "mine");
    const room = most() - (mine?.count ?? 0) - queue.length;
    if (list.length > room)
      window.explorer.toast(
        "A visitor can keep " + most() + " pictures here: the first " + Math.max(0, room) + " of these are taken.",
        "note",
      );
    const fresh = list.slice(0, Math.max(0, room));
    if (!working) (([done, failed, all] = [0, 0, 0]), files.replaceChildren());
    all += fresh.length;
    queue.push(
      ...fresh.map((one) => {
        const state = piece("span", { class: "upload-state" }, "waits");
        files.append(
          piece("li", { "data-state": "waits" }, piece("span", { class: "upload-name", title: one.name }, one.name), state),
        );
        return { one, state };
      }),
    );
    if (!working) work();
  }

  async function work() {
    working = true;
    tell();
    while (queue.length) {
      const { one, state } = queue.shift();
      const row = state.parentElement;
      row.dataset.state = "sent";
      tellText(state, "sending");
      try {
        const before = lastErrors;
        const job = await desk.wire.send("upload", { name: one.name, model: desk.model }, one);
        lastErrors = job?.errors ?? 0;
        if (lastErrors > before) throw new Error(job.say || "It could not be read.");
        done++;
        row.dataset.state = "done";
        tellText(state, "searchable");
      } catch (error) {
        failed++;
        row.dataset.state = "failed";
        tellText(state, error.message);
        if (error.offline) queue = [];
      }
      row.scrollIntoView?.({ block: "nearest" });
      tell();
    }
    working = false;
    for (const row of files.querySelectorAll('[data-state="waits"]')) row.remove();
    tell();
    await changed();
  }
  let lastErrors = 0;

  function tell() {
    bar.hidden = !working;
    bar.value = all ? (done + failed) / all : 0;
    stop.hidden = !working;
    const parts = all ? [wholeText(done) + " of " + wholeText(all) + " ready", failed ? wholeText(failed) + " failed" : ""] : [];
    tellText(line, parts.filter(Boolean).join(" · "));
  }

  async function forgetAll() {
    queue = [];
    try {
      await desk.wire.post("forget", {});
      desk.wire.renumbered();
      files.replaceChildren();
      [done, failed, all, lastErrors] = [0, 0, 0, 0];
      tellText(line, "Your pictures are forgotten.");
      if (desk.query.collection === "mine") desk.go({ ...desk.usual });
      await changed();
    } catch (error) {
      desk.fail(error);
    }
  }

  function show() {
    const mine = desk.start.collections.find((one) => one.id === "mine");
    search.hidden = forget.hidden = !mine?.count && !done;
    tellText(limit, "up to " + most() + ", or drop them here · " + (desk.start.formats ?? ""));
  }

  desk.uploads = { take };
  return { node, show };
}
