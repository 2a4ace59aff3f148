// The keyboard: the film, a run, another seed, more or less guidance. Fields, menus and sliders keep the keys that are theirs.

const KEYS_OF_FIELDS = "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true], dialog[open]";

function makeKeys(desk) {
  const { player } = desk;
  const bend = (way) => desk.film && desk.weigh(Math.min(20, Math.max(0, Math.round((desk.guidance() + way) * 4) / 4)));
  const actions = {
    " ": player.toggle,
    ArrowLeft: () => player.goto(player.position - 1),
    ArrowRight: () => player.goto(player.position + 1),
    Home: () => player.goto(0),
    End: () => player.goto(player.last),
    r: () => desk.run(),
    s: () => (desk.change({ seed: diceSeed() }), desk.run()),
    "[": () => bend(-0.5),
    "]": () => bend(0.5),
    Escape: () => desk.live() && desk.stop(),
  };
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || desk.part !== "steps") return;
    if (!desk.root.isConnected || desk.root.offsetParent === null || !(event.key in actions)) return;
    if (target !== document.body && !desk.root.contains(target)) return;
    if (event.key !== "Escape" && target.closest?.(KEYS_OF_FIELDS)) return;
    if (event.key === " " && target.matches?.("button, summary")) return;
    if (/^(Arrow|Home|End)/.test(event.key) && (target.matches?.("input[type=range]") || target.closest?.("[role=radiogroup]"))) return;
    event.preventDefault();
    actions[event.key]();
  });
}
