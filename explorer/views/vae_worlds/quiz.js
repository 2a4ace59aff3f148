// Predict, then reveal: the worlds lose their names and change places; which was trained without the KL, which with it alone?

const QUIZ = [
  ["0", "Which world was trained without the KL?", "Its codes are far apart and beyond the rings: nothing calls them to the prior."],
  ["kl", "Which world was trained with the KL alone?", "Every code lies on the prior's middle with σ = 1, and every picture is the mean of all."],
];

/** makeQuiz({worlds(), place, changed()}) -> {node, stop()}: `place` is where the cards are; `changed` when names went or came. */
function makeQuiz({ worlds, place, changed }) {
  const words = piece("b", { "aria-live": "polite" }), choices = piece("span", { class: "tools" });
  const begin = buttonOf({ words: "Quiz", title: "Hide the names and guess", press: () => (asked === null ? start() : stop()), "data-do": "quiz" });
  const node = piece("div", { class: "tools quiz" }, begin, words, choices);
  let asked = null;

  function start() {
    asked = Math.floor(Math.random() * QUIZ.length);
    const three = worlds().filter(({ model }) => model.world);
    const order = three.map((world) => [Math.random(), world]).sort((a, b) => a[0] - b[0]).map(([, world]) => world);
    order.forEach((world, i) => {
      world.node.style.order = i;
      world.hide("ABC"[i]);
    });
    tellText(words, QUIZ[asked][1]);
    tellParts(choices, order.map((world, i) => buttonOf({ words: "World " + "ABC"[i], press: () => guess(world), "data-guess": world.model.stop })));
    tellText(begin.firstChild, "End the quiz");
    place.dataset.quiz = QUIZ[asked][0];
    changed();
  }

  function guess(world) {
    const [stop, , why] = QUIZ[asked], right = world.model.stop === stop;
    show();
    tellText(words, (right ? "Right. " : `No, that is “${world.title}”. `) + why);
    place.dataset.quiz = right ? "right" : "wrong";
  }

  function show() {
    for (const world of worlds()) world.hide("");
    tellParts(choices, []);
    changed();
  }

  function stop() {
    asked = null;
    show();
    for (const world of worlds()) world.node.style.order = "";
    tellText(words, "");
    tellText(begin.firstChild, "Quiz");
    delete place.dataset.quiz;
  }

  return { node, stop };
}
