// A job that builds an index, as it goes: how far, how fast, how long still, what changed, and what failed.

const JOB_EVERY = 900; // ms between looks while it works
const JOB_WORKS = new Set(["scanning", "running"]);
const JOB_STATES = {
  scanning: "Looking for pictures",
  running: "Indexing",
  paused: "Paused",
  done: "Done",
  cancelled: "Cancelled",
  failed: "Failed",
};

/** The state of a collection's job in `card`, looked at while it works; done(job) when it has ended. */
function jobPanel(desk, id, done) {
  const bar = piece("progress", { class: "job-bar", max: 1, hidden: true, "aria-label": "Progress" });
  const line = piece("p", { class: "job-line", role: "status" });
  const counts = piece("p", { class: "job-counts muted small-text" });
  const errors = piece("div", { class: "job-errors", hidden: true });
  const node = piece("div", { class: "job" }, bar, line, counts, errors);
  let [timer, page, works, failing] = [0, 0, false, 0];

  function show(job) {
    if (!job?.state) return;
    node.dataset.state = job.state;
    const worked = works;
    works = JOB_WORKS.has(job.state);
    bar.hidden = job.state === "done" && !job.errors;
    if (job.found) bar.value = job.done / job.found;
    else bar.removeAttribute("value");
    const nothing = job.state === "done" && !job.found && !job.say; // nothing ever had to be done
    const pieces = nothing ? [] : [JOB_STATES[job.state] ?? job.state];
    if (job.state !== "scanning" && job.found) pieces.push(wholeText(job.done) + " of " + wholeText(job.found));
    else if (job.found) pieces.push(countText(job.found, "picture") + " found");
    if (works && job.rate) pieces.push((job.rate < 10 ? job.rate.toFixed(1) : wholeText(job.rate)) + " a second");
    if (works && job.left !== null && job.left !== undefined) pieces.push(ticksText(job.left) + " left");
    if (job.shard) pieces.push("part " + job.shard);
    line.replaceChildren(pieces.join(" · "), ...(job.say ? [piece("span", { class: "job-say" }, " " + job.say)] : []));
    const parts = [
      ["new", "new"],
      ["changed", "changed"],
      ["moved", "moved"],
      ["deleted", "gone"],
      ["errors", "unreadable"],
    ].filter(([key]) => job[key] && !(key === "new" && job.new === job.found)); // where all are new, none need be told so
    tellText(counts, parts.map(([key, word]) => wholeText(job[key]) + " " + word).join(" · "));
    if ((job.errors ?? 0) !== failing) showErrors((failing = job.errors ?? 0));
    desk.emit("job", { ...job, id });
    clearTimeout(timer);
    if (works) timer = setTimeout(look, JOB_EVERY);
    else if (worked) done(job);
  }

  /** Asks how far it is; with `all`, also for failures of earlier times. */
  async function look(all = false) {
    if (all === true) showErrors(1);
    try {
      show(await desk.wire.json("job", { collection: id, model: desk.model }));
    } catch (error) {
      tellText(line, error.message);
      if (works && node.isConnected) timer = setTimeout(look, 4 * JOB_EVERY);
    }
  }

  async function showErrors(count) {
    if (!count) return void (errors.hidden = true);
    const told = await desk.wire.json("errors", { collection: id, page, model: desk.model }).catch(() => null);
    errors.hidden = !told?.total;
    if (errors.hidden) return;
    const most = Math.ceil(told.total / Math.max(1, told.errors.length || 1));
    errors.replaceChildren(
      piece(
        "details",
        { class: "error-box", open: errors.querySelector("details")?.open ?? false },
        piece("summary", {}, countText(told.total, "picture") + " could not be read"),
        piece(
          "div",
          { class: "error-table" },
          piece(
            "table",
            {},
            piece("thead", {}, piece("tr", {}, piece("th", {}, "File"), piece("th", {}, "Reason"))),
            piece(
              "tbody",
              {},
              told.errors.map((one) =>
                piece("tr", {}, piece("td", { class: "error-path" }, one.path), piece("td", {}, one.reason)),
              ),
            ),
          ),
        ),
        piece(
          "div",
          { class: "row" },
          told.errors.some((one) => one.retry !== false)
            ? buttonOf({ words: "Try these again", name: "small", press: () => act("retry"), "data-act": "retry" })
            : null,
          page > 0 ? buttonOf({ words: "Before", name: "small", press: () => (page--, showErrors(count)) }) : null,
          told.total > (page + 1) * told.errors.length && most > 1
            ? buttonOf({ words: "More", name: "small", press: () => (page++, showErrors(count)) })
            : null,
        ),
      ),
    );
  }

  async function act(action, more = {}) {
    try {
      const job = await desk.wire.post("index", { action, collection: id, model: desk.model, ...more });
      show(job);
      return job;
    } catch (error) {
      desk.fail(error);
      return null;
    }
  }

  return { node, show, look, act, stop: () => clearTimeout(timer) };
}
