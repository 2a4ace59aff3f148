// Under the stage: play, one step back and forth, and a slider over the whole film.

function makeTransport(place, desk) {
  const { player } = desk;
  const button = (icon, title, press, name) => buttonOf({ icon, title, name: "bare", press, "data-do": name });
  const play = button("play", "Play", player.toggle, "play");
  const slider = piece("input", {
    type: "range", class: "scrub", min: 0, max: 1, step: 1, value: 0, "aria-label": "Step",
    oninput: () => player.goto(Number(slider.value)),
  });
  const speed = piece(
    "select",
    { class: "speed", "aria-label": "Speed", onchange: () => (player.speed = Number(speed.value)) },
    [[0.25, "¼ ×"], [0.5, "½ ×"], [1, "1 ×"], [2, "2 ×"]].map(([value, words]) => piece("option", { value, selected: value === 1 }, words)),
  );
  const count = piece("span", { class: "count" });
  const end = piece("span", { class: "scrub-end" }, "picture");
  place.className = "transport";
  place.append(
    button("left", "One step back", () => player.goto(player.position - 1), "back"),
    play,
    button("right", "One step forth", () => player.goto(player.position + 1), "forth"),
    piece("span", { class: "scrub-end" }, "noise"),
    slider,
    end,
    count,
    speed,
  );
  let icon = "play";

  function show() {
    const wanted = player.playing ? "pause" : "play";
    if (wanted !== icon) {
      play.replaceChildren(iconOf((icon = wanted)));
      play.title = player.playing ? "Pause" : "Play";
      play.setAttribute("aria-label", play.title);
    }
    slider.max = Math.max(1, player.last);
    slider.value = player.position;
    slider.disabled = player.last < 1;
    slider.style.setProperty("--at", (100 * player.position) / Math.max(1, player.last) + "%");
    const words = desk.atPicture() ? "picture" : "step " + (player.position + 1);
    slider.setAttribute("aria-valuetext", words);
    tellText(count, desk.film?.steps.length ? (desk.atPicture() ? (desk.film.state === "done" ? "picture" : "stopped") : player.position + 1 + " / " + desk.film.total) : "");
    end.style.visibility = desk.atPicture() ? "hidden" : ""; // the count says it there
  }

  for (const name of ["position", "film", "news", "frames"]) desk.on(name, show);
}
