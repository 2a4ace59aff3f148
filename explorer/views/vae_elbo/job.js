// A long run on the server: begun with a body, followed until it is over, stopped when it is left. Knows no view.

const NEWS_MS = 250;

/** `news(told)` at every answer; `node()` carries data-run: none, running, done, stopped, failed. `after()`: what is here already. */
function makeJob(lab, { node, path, news, unit = "draw", began = () => {}, after = () => 0 }) {
  const { part } = lab;
  const progress = piece("progress", { max: 1, value: 0, "aria-label": "How far it is", hidden: true });
  const words = piece("span", { class: "muted" });
  const stop = buttonOf({ words: "Stop", title: "What is drawn so far stays", press: halt, hidden: true, "data-do": "stop" });
  const again = buttonOf({ words: "Begin again", title: "The same draws once more", press: () => begin(last), hidden: true, "data-do": "rerun" });
  const bar = piece("span", { class: "tools job" }, progress, words, stop, again);
  let stamp = 0, run = "", last = null;

  async function begin(body) {
    const mine = ++stamp;
    last = body;
    state("running");
    try {
      const told = await part.wire.post(path, body);
      if (mine !== stamp) return void part.wire.post("elbo/stop", { run: told.run }).catch(() => {});
      run = told.run;
      began(told);
      await follow(mine);
    } catch (error) {
      if (mine !== stamp) return;
      state("failed");
      window.explorer.toast(error.message);
    }
  }

  async function follow(mine) {
    for (;;) {
      const told = await part.wire.get("elbo/news", { run, after: after() });
      if (mine !== stamp) return;
      progress.value = told.done / told.total;
      tellText(words, told.state === "done" ? countText(told.done, unit) : `${wholeText(told.done)} of ${countText(told.total, unit)}`);
      news(told);
      if (told.state !== "running") {
        if (told.error) window.explorer.toast(told.error);
        return state(told.state);
      }
      await new Promise((resolve) => setTimeout(resolve, NEWS_MS));
    }
  }

  function state(name) {
    node().dataset.run = name;
    progress.hidden = stop.hidden = name !== "running";
    again.hidden = !["stopped", "failed"].includes(name);
  }

  /** The hand has seen enough, or looks elsewhere. */
  function halt() {
    if (node().dataset.run !== "running") return;
    stamp++;
    if (run) part.wire.post("elbo/stop", { run }).catch(() => {});
    state("stopped");
  }

  return { bar, begin, halt };
}
