// A film's transport: play, one frame back and forth, and the slider. Moves through frames that are already here.

/** `turn(i)` draws frame i. The slider says a frame in the words of `words(i)`. */
function transport(name, { count, at = 0, words, turn, fact, pace = 90 }) {
  let timer = 0;
  const track = slider(name, { min: 0, max: count - 1, step: 1, value: at, words, change: (i) => (pause(), turn(i)), fact });
  const playing = button(iconOf("play"), () => (timer ? pause() : play()), { "aria-label": "Play", "data-do": "play", class: "button square" });
  const node = piece("div", { class: "transport" },
    playing, button(iconOf("back"), () => go(track.value - 1), { "aria-label": "One frame back", class: "button square" }),
    button(iconOf("forth"), () => go(track.value + 1), { "aria-label": "One frame forth", class: "button square" }), track.node);

  function play() {
    timer = setInterval(() => node.isConnected && node.offsetParent ? show((track.value + 1) % (+track.input.max + 1)) : pause(), pace);
    playing.replaceChildren(iconOf("pause"));
    playing.setAttribute("aria-label", "Pause");
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    playing.replaceChildren(iconOf("play"));
    playing.setAttribute("aria-label", "Play");
  }

  function show(i) {
    track.show(i);
    turn(track.value);
  }

  const go = (i) => (pause(), show(within(i, 0, +track.input.max)));
  return {
    node, go, pause, show: track.show, toggle: () => (timer ? pause() : play()),
    length(frames) {
      track.input.max = frames - 1;
      track.show(Math.min(track.value, frames - 1));
    },
    get at() { return track.value; },
  };
}
