// What goes on: how far a run is and how long it still takes; that it was stopped; what went wrong; what the prompt says that
// the model does not know.

function makeProgress(place, desk) {
  const bar = piece("progress", { class: "run-bar", max: 1, value: 0, "aria-label": "Progress of the run" });
  const line = piece("p", { class: "run-line" });
  const again = buttonOf({ words: "Try again", name: "small", press: () => desk.run(), hidden: true, "data-do": "again" });
  const warnings = piece("div", { class: "warnings" });
  place.className = "progress";
  place.append(bar, piece("div", { class: "row run-row" }, line, again), warnings);

  function show() {
    const film = desk.film;
    const live = desk.live();
    bar.hidden = !live;
    again.hidden = !desk.error;
    line.classList.toggle("trouble", Boolean(desk.error));
    place.dataset.state = desk.error ? "error" : live ? "live" : film?.state ?? "none";
    if (desk.error) tellText(line, desk.error.message);
    else if (live) {
      const done = desk.running.steps?.length ?? 0;
      const total = desk.running.total ?? desk.settings.steps;
      bar.value = done / Math.max(1, total);
      const left = Number.isFinite(desk.running.left) && desk.running.left !== null ? ", " + secondsText(desk.running.left) + " left" : "";
      tellText(line, done ? "Step " + done + " of " + total + left : desk.running.waiting ? "Others are running; yours is next in line" : "Waiting for the first step");
    } else if (film?.state === "stopped") tellText(line, "Stopped after " + countText(film.steps.length, "step") + " of " + film.settings.steps + ".");
    else if (film?.state === "done") {
      tellText(line, callsOf(film) + " in " + secondsText(film.seconds ?? 0) + ", seed " + film.settings.seed + ", guidance " + settingText(film.settings.guidance_scale));
    } else tellText(line, "");
    desk.facts({ stale: desk.stale });
    const said = desk.stale ? ["What is shown is the run before: " + clipped(toldOf(film.settings)) + ", seed " + film.settings.seed + "."] : warningsOf(film);
    if (warnings.dataset.said !== said.join("|")) {
      warnings.dataset.said = said.join("|");
      warnings.replaceChildren(...said.map((sentence) => piece("p", { class: "warning" }, sentence)));
    }
  }

  /** PNDM takes one step twice. */
  const callsOf = (film) => countText(film.total, "step") + (film.settings.scheduler === "pndm" && film.total > 2 ? " (PNDM makes one call more)" : "");

  function warningsOf(film) {
    const said = [...(film?.warnings ?? [])];
    const same = film?.steps.length && film.steps.every((step) => step.delta < 1e-3); // rounding
    if (same) said.push((film.settings.mode === "text" && !film.settings.prompt.trim() ? "Without a prompt" : "Here") + " both noises are the same, so guidance has nothing to add: w changes nothing.");
    return said;
  }

  for (const name of ["busy", "news", "film", "start"]) desk.on(name, show);
}

const clipped = (text) => (text.length > 70 ? text.slice(0, 69) + "…" : text);
