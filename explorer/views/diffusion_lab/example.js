// One training example after another: the picture, a time step from the dice, noise from the dice, the guess, the loss.

function makeExample(lab, cells, ask) {
  const drawn = []; // losses so far
  const maps = {
    eps: heatMap("The noise that was drawn", "3. noise, the target", cells),
    guess: heatMap("The network's guess", "5. the network's guess", cells),
  };
  const shot = pictureBox("The noisy picture", "4. the two mixed: x_t");
  const words = piece("p", { class: "reading", "data-fact": "example" }, "Nothing drawn yet.");
  const trouble = troublePlace();
  const go = button("Draw a training example", draw, { "data-do": "example", class: "button strong" });
  const shots = piece("div", { class: "shots", hidden: true }, shot.node, maps.eps.node, maps.guess.node);
  const node = piece("div", { class: "card" },
    piece("h4", {}, "One training example"),
    piece("p", { class: "aside" }, "This is all that training does, millions of times: 1. take a picture, 2. draw a time step, 3. draw noise, 4. mix them, 5. let the network guess the noise, 6. move its weights so that the loss falls. Step 6 is left out here; the weights stay."),
    piece("div", { class: "tools" }, go), trouble.node, shots, words);

  async function draw() {
    go.disabled = true;
    trouble.clear();
    try {
      const question = { ...ask.question(), seed: Math.floor(Math.random() * 2 ** 31) };
      const [told, film] = await Promise.all([lab.wire.get("forward/example", question), lab.wire.sprite("forward/example.png", question)]);
      const best = told.told ?? told.untold;
      shots.hidden = false;
      drawFrame(shot.canvas, film, 0);
      maps.eps.draw(told.eps);
      maps.guess.draw(best.eps);
      drawn.push(best.loss);
      const middle = drawn.reduce((a, b) => a + b, 0) / drawn.length;
      words.replaceChildren(formula("2. ", ["i", "t"], " = " + told.t + ". 6. Loss = ", ["b", fixedText(best.loss, 4)], told.told ? " with the caption" : " without a caption",
        ". Mean of " + drawn.length + " example" + (drawn.length === 1 ? "" : "s") + ": " + fixedText(middle, 4) + "."));
      node.dataset.drawn = drawn.length;
      ask.drawn(told.t, best.loss);
    } catch (error) {
      trouble.show(error, draw);
    }
    go.disabled = false;
  }

  function forget() {
    drawn.length = 0;
    node.dataset.drawn = 0;
  }

  return { node, draw, forget };
}
