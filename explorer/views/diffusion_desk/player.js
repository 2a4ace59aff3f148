// Plays a film: which frame is shown, and when the next one comes. Knows no run; `moved(position)` is told of each change.

const FILM_SECONDS = 2.4; // a film of any length takes about this long
const FPS = [5, 24]; // but no step is shorter or longer than this allows

function makePlayer(moved) {
  const player = { position: 0, last: 0, playing: false, speed: 1, play, pause, goto, toggle, extent };
  let [phase, clock] = [0, 0];

  function tick(now) {
    if (!player.playing) return;
    const fps = Math.min(FPS[1], Math.max(FPS[0], player.last / FILM_SECONDS)) * player.speed;
    phase += (Math.min(250, Math.max(0, now - clock)) / 1000) * fps; // a page in the background does not catch up
    clock = now;
    if (phase >= player.last) [phase, player.playing] = [player.last, false];
    const position = Math.floor(phase);
    if (position !== player.position || !player.playing) {
      player.position = position;
      moved(position);
    }
    if (player.playing) requestAnimationFrame(tick);
  }

  function play() {
    if (player.playing || player.last < 1) return;
    if (player.position >= player.last) player.position = 0;
    player.playing = true;
    [phase, clock] = [player.position, performance.now()];
    moved(player.position);
    requestAnimationFrame(tick);
  }

  function pause() {
    if (!player.playing) return;
    player.playing = false;
    moved(player.position);
  }

  function toggle() {
    if (player.playing) pause();
    else play();
  }

  /** Shows position i and stays there. Out of range is the nearest end. */
  function goto(i) {
    if (!Number.isFinite(i)) return;
    player.playing = false;
    player.position = Math.min(player.last, Math.max(0, Math.round(i)));
    moved(player.position);
  }

  /** How long the film is; what is shown stays where it can. */
  function extent(last) {
    player.last = Math.max(0, last);
    if (player.position > player.last) player.position = player.last;
  }

  return player;
}
