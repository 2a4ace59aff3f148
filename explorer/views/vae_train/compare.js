// All trainings of this page side by side: their maps, what they were asked for, what they reached.

/** makeCompare({choose(run), remove(run)}): `.node`, `.show(runs, films, shown)`. */
function makeCompare({ choose, remove }) {
  const head = ["Map", "Pictures", "β", "Latent", "Layers", "σ", "Steps", "Reconstruction", "KL", "Sum", "Time", ""];
  const body = piece("tbody");
  const table = piece("div", { class: "train-scroll", tabindex: 0, role: "region", "aria-label": "Trainings of this page side by side" },
    piece("table", { class: "train-table" },
      piece("caption", { class: "unseen" }, "Trainings of this page; losses are held out, in nats per picture"),
      piece("thead", {}, piece("tr", {}, head.map((words) => piece("th", { scope: "col" }, words)))), body));
  const node = piece("section", { class: "card train-compare", "aria-label": "Compare" },
    piece("h4", {}, "Compare"),
    piece("p", { class: "aside" }, "Held-out losses in nats per picture: reconstruction without its constant, so only runs of the same pictures, size and σ are comparable. “Sum” is reconstruction + KL, the negative ELBO, whatever β was."), table,
    piece("p", { class: "aside" }, "Trainings go when this page is closed or reloaded. “Save model” keeps one; “Open a saved model” brings it back."));
  const rows = new Map();

  function rowOf(run) {
    if (rows.has(run)) return rows.get(run);
    const canvas = piece("canvas", { class: "train-thumb" });
    const cells = head.slice(1, -1).map(() => piece("td"));
    const bin = buttonOf({ words: "Delete", title: "Delete this training", press: () => remove(run) });
    const row = piece("tr", { "data-run": run }, piece("td", {}, piece("button", { type: "button", class: "train-pick", "aria-label": "Show this training", onclick: () => choose(run) }, canvas)), cells, piece("td", {}, bin));
    const made = { row, canvas, cells, bin };
    rows.set(run, made);
    return made;
  }

  function show(runs, films, shown) {
    for (const name of rows.keys()) if (!runs.some(({ run }) => run === name)) rows.delete(name);
    const wanted = runs.map(({ run }) => rowOf(run).row);
    if (wanted.length !== body.children.length || wanted.some((row, i) => row !== body.children[i])) body.replaceChildren(...wanted);
    for (const run of runs) {
      const { row, canvas, cells, bin } = rowOf(run.run), film = films.filmOf(run.run), last = film.moments.at(-1), s = run.settings;
      row.toggleAttribute("data-shown", run.run === shown);
      bin.hidden = run.run === "own-example";
      const found = last?.losses ?? {};
      const values = [trainTitle(run), betaText(s.beta), s.dims, s.widths.join("–"), s.sigma, wholeText(run.step) + (run.state === "done" ? "" : " of " + wholeText(run.goal)),
        fixedText(found.held_reconstruction ?? NaN, 1), fixedText(found.held_kl ?? NaN, 1), fixedText(last ? found.held_reconstruction + found.held_kl : NaN, 1), last ? last.seconds.toFixed(1) + " s" : "–"];
      values.forEach((value, i) => tellText(cells[i], String(value)));
      const stamp = last ? last.number + String(film.facts !== null) : "";
      if (last && canvas.dataset.stamp !== stamp) {
        canvas.dataset.stamp = stamp;
        drawMap(canvas, { places: last.places, labels: labelsOf(film, 0), values: [], reach: mapReach(last.scale), axes: ["", ""], small: true });
      }
    }
  }

  return { node, show };
}

const betaText = (beta) => (beta === "kl" ? "KL only" : String(beta));
const trainTitle = (run) => run.title.split(",")[0] + (run.run === "own-example" ? " (the example)" : "");
/** The labels of a film's points by one factor, null where none are known. */
const labelsOf = (film, factor) => (film.facts?.labels[0]?.length ? film.facts.labels.map((row) => row[factor]) : null);
