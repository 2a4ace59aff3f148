// One training example after another: the picture, a time step from the dice, noise from the dice, the guess, the loss. Who
// likes to guesses before the network does: of three noises one is in the picture.

const DECOYS = 2;

/** Standard normal numbers (Box and Muller). */
function normals(count) {
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
}

function makeExample(lab, cells, ask) {
  const drawn = []; // losses so far
  const score = { you: 0, network: 0, rounds: 0 };
  const maps = {
    x: heatMap("The noisy latent", ["4. the two mixed: ", piece("i", {}, "x"), piece("sub", {}, "t")], cells),
    eps: heatMap("The noise that was drawn", "3. the noise, which is the target", cells),
    guess: heatMap("The network's guess", "5. the network's guess", cells),
  };
  const shot = pictureBox("The noisy picture of the example", [piece("i", {}, "x"), piece("sub", {}, "t"), " decoded"]);
  const words = piece("p", { class: "reading", "data-fact": "example" }, "Nothing drawn yet.");
  const trouble = troublePlace();
  const go = button("Draw a training example", () => draw(false), { "data-do": "example", class: "button strong" });
  const quiz = button("Draw one and let me guess first", () => draw(true), { "data-do": "quiz" });
  const options = piece("div", { class: "shots options", hidden: true });
  const shots = piece("div", { class: "shots", hidden: true }, maps.x.node, shot.node, maps.eps.node, maps.guess.node);
  const node = piece("div", { class: "card", "data-card": "example", "data-drawn": 0 },
    piece("h4", {}, "One training example"),
    piece("p", { class: "aside" }, "This is all that training does, millions of times: 1. take a picture, 2. draw a time step, 3. draw noise, 4. mix them, 5. let the network guess the noise, 6. move its weights so that the loss falls. Step 6 is left out here; the weights stay."),
    piece("div", { class: "tools" }, go, quiz), trouble.node, shots, options, words);
  let now = null;

  async function draw(guessing) {
    go.disabled = quiz.disabled = true;
    trouble.clear();
    try {
      const question = { ...ask.question(), seed: Math.floor(Math.random() * 1e9) };
      const [told, film] = await Promise.all([lab.wire.get("forward/example", question), lab.wire.sprite("forward/example.png", question)]);
      now = { ...told, best: told.told ?? told.untold };
      shots.hidden = false;
      drawFrame(shot.canvas, film, 0);
      maps.x.draw(told.x);
      if (guessing) offer();
      else reveal("");
    } catch (error) {
      trouble.show(error, () => draw(guessing));
    }
    go.disabled = quiz.disabled = false;
  }

  /** Three noises of which one is the true one. */
  function offer() {
    maps.eps.node.hidden = maps.guess.node.hidden = true;
    const noises = Array.from({ length: DECOYS }, () => normals(256));
    const place = Math.floor(Math.random() * (DECOYS + 1));
    noises.splice(place, 0, now.eps);
    const far = noises.map((noise) => noise.reduce((sum, v, k) => sum + (v - now.best.eps[k]) ** 2, 0) / 256);
    options.replaceChildren(...noises.map((noise, i) => {
      const letter = "ABC"[i];
      const map = heatMap("Noise " + letter, "", cells);
      map.draw(noise);
      return piece("div", { class: "option" }, map.node, button("It is " + letter, () => answer(i), { "data-option": i, "data-true": i === place }));
    }));
    options.hidden = false;
    delete node.dataset.answer;
    words.replaceChildren(formula(["i", "t"], " = " + now.t + ". ", ["b", "Which of these noises is in the picture above?"], " Compare with ", ["i", "x"], ["sub", "t"], ", and with the latent of the picture at the top: what noise is small, the picture hides."));
    words.scrollIntoView({ block: "nearest" });

    function answer(i) {
      const theirs = far.indexOf(Math.min(...far));
      score.rounds++;
      score.you += i === place;
      score.network += theirs === place;
      node.dataset.answer = i === place ? "right" : "wrong";
      options.hidden = true;
      reveal((i === place ? "Right. " : "It was " + "ABC"[place] + ". ") + "The network's guess is nearest to " + "ABC"[theirs] + ", by mean square " + far.map((v) => fixedText(v, 3)).join(", ") +
        " for A, B, C. So far: you " + score.you + " of " + score.rounds + ", the network " + score.network + " of " + score.rounds + ". ");
    }
  }

  function reveal(before) {
    options.hidden = true;
    maps.eps.node.hidden = maps.guess.node.hidden = false;
    maps.eps.draw(now.eps);
    maps.guess.draw(now.best.eps);
    drawn.push(now.best.loss);
    const middle = drawn.reduce((a, b) => a + b, 0) / drawn.length;
    words.replaceChildren(before, formula("2. ", ["i", "t"], " = " + now.t + ". 6. Loss = ", ["b", fixedText(now.best.loss, 4)], now.told ? " with the caption" : " without a caption",
      ". Mean of " + drawn.length + " example" + (drawn.length === 1 ? "" : "s") + ": " + fixedText(middle, 4) + "."));
    node.dataset.drawn = drawn.length;
    ask.drawn(now.t, now.best.loss);
  }

  function forget() {
    drawn.length = 0;
    node.dataset.drawn = 0;
  }

  return { node, draw: () => draw(false), forget };
}
