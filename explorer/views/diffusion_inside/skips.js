// Skip connections: switches in the map, and what the step would have made of the picture without one of them.

function makeSkips(toggle) {
  const node = piece("div", { class: "card skips" });

  /** A connection as a button between both sides of the map. */
  function wire(skip, told, off) {
    const variant = told.variants.find((one) => one.off.length === 1 && one.off[0] === skip.number);
    return piece("button", { type: "button", class: "wire", "data-skip": skip.number, "aria-pressed": String(skip.number === off), title: "Switch this skip connection off", onclick: () => toggle(skip.number) },
      piece("span", {}, skipName(skip)), piece("small", {}, shapeText(skip.shape) + (variant ? `; without it ε̂ changes by ${percentText(variant.change)}` : "")));
  }

  function draw(told, off) {
    const count = told.variants.length;
    const singles = told.variants.map((variant, i) => ({ ...variant, i }));
    const shown = off === null ? singles : singles.filter((one) => one.off.length === 0 || (one.off.length === 1 && one.off[0] === off));
    node.replaceChildren(
      piece("h4", {}, off === null ? "Without a skip connection" : `Without the skip from ${skipName(told.skips[off])}`),
      piece("p", { class: "note" }, "Skips carry what the way down has seen straight to the way up. Off means: the way up reads zeros there. Above: the estimate x̂₀ that this step would give; below: its noise ε̂, as colours. The change is ‖ε̂ − ε̂ without‖ / ‖ε̂‖."),
      piece("div", { class: "variants" }, shown.map(({ off: gone, change, i }) => {
        const name = gone.length === 0 ? "all connected" : gone.length === 1 ? "without " + skipName(told.skips[gone[0]]) : "without any";
        return piece("figure", { "data-variant": gone.join() }, bitmapCanvas(told.frames[i], "x̂₀ " + name), bitmapCanvas(told.frames[count + i], "ε̂ " + name, "cells"),
          piece("figcaption", {}, name, piece("br"), piece("b", {}, gone.length ? percentText(change) : "as it was")));
      })));
  }

  return { node, wire, draw };
}

const skipName = ({ source, block }) => (source === "conv_in" ? "the first convolution" : source.includes("downsamplers") ? block + ", halved" : `${block}, ${["a", "b", "c", "d"][+source.split(".").at(-1)] ?? ""}`.replace(/, a$/, ""));
