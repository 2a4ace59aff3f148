// A collection that is still being indexed: says how far it is, and asks again when more can be found.

const WATCH_EVERY = 1200; // ms

function makeWatch(place, desk) {
  const bar = piece("progress", { class: "job-bar", max: 1, "aria-label": "Indexing" });
  const line = piece("span", {});
  place.className = "watch";
  place.append(line, bar);
  let timer = 0;
  let whose = "";

  function answered(told) {
    const one = desk.collection();
    const partial = one && (one.building || told.total < one.count);
    if (!partial) return end();
    whose = desk.query.collection;
    if (!timer) look();
  }

  async function look() {
    timer = 0;
    const asked = whose;
    const job = await desk.wire.json("job", { collection: asked, model: desk.model }).catch(() => null);
    if (asked !== desk.query.collection || !job?.state) return end();
    const works = JOB_WORKS.has(job.state);
    if (!works) {
      end();
      await desk.reload().catch(() => {});
      if (asked === desk.query.collection && job.state === "done" && desk.answer?.total !== desk.collection()?.count)
        desk.search();
      return;
    }
    place.hidden = false;
    const left = job.left ? ", " + ticksText(job.left) + " left" : "";
    tellText(
      line,
      "This collection is being indexed: " +
        (job.found ? wholeText(job.done) + " of " + wholeText(job.found) : "looking for pictures") +
        left +
        ". What is there already can be searched.",
    );
    bar.value = job.found ? job.done / job.found : 0;
    timer = setTimeout(look, WATCH_EVERY);
  }

  function end() {
    clearTimeout(timer);
    [timer, whose] = [0, ""];
    place.hidden = true;
  }

  desk.on("answer", answered);
}
