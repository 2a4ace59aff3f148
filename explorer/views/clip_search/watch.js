// A collection that is still being indexed: says how far it is, and asks again when more can be found.

const WATCH_EVERY = 1200; // ms

function makeWatch(place, desk) {
  const bar = piece("progress", { class: "job-bar", max: 1, "aria-label": "Indexing" });
  const line = piece("span", {});
  place.className = "watch";
  place.append(line, bar);
  let timer = 0;
  let whose = "";

  /** A first search may wait for the index; then one sees why. */
  function busy() {
    if (!desk.answer && !timer) [whose, timer] = [desk.query.collection, setTimeout(look, WATCH_EVERY)];
  }

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
    if (asked !== whose || timer) return; // ended, or begun anew, meanwhile
    if (asked !== desk.query.collection) return end();
    if (JOB_WORKS.has(job?.state)) {
      show(job);
    } else if (desk.answer) {
      end();
      await desk.reload().catch(() => {});
      if (job?.state === "done") desk.emit("job", { ...job, id: asked }); // filters count anew
      const more = asked === desk.query.collection && job?.state === "done" && desk.answer.total !== desk.collection()?.count;
      if (more) desk.search();
      return;
    } else {
      place.hidden = true; // indexed, and now it is being searched
    }
    timer = setTimeout(look, WATCH_EVERY);
  }

  function show(job) {
    place.hidden = false;
    const far = job.found ? wholeText(job.done) + " of " + wholeText(job.found) : "looking for pictures";
    const left = job.left ? ", " + ticksText(job.left) + " left" : "";
    const already = desk.answer ? " What is there already can be searched." : "";
    tellText(line, "This collection is being indexed: " + far + left + "." + already);
    bar.value = job.found ? job.done / job.found : 0;
  }

  function end() {
    clearTimeout(timer);
    [timer, whose] = [0, ""];
    place.hidden = true;
  }

  desk.on("busy", busy);
  desk.on("answer", answered);
  desk.on("error", end);
}
