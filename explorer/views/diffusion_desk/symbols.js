// What the tensors of a step are called: their symbol, their words and their colour, the same in strips, stage and equations.

const VIEWS = {
  x: { sign: "x_t", words: "the noisy latent", brief: "noisy latent", tone: "--sym-x", picture: true },
  x0: { sign: "x̂_0", words: "the picture it expects", brief: "expected picture", tone: "--sym-xhat", picture: true },
  eps_uncond: { sign: "ε_∅", words: "the noise it sees without the prompt", brief: "without prompt", tone: "--sym-eps" },
  eps_cond: { sign: "ε_c", words: "the noise it sees with the prompt", brief: "with prompt", tone: "--sym-mu" },
  difference: { sign: "ε_c − ε_∅", words: "what the prompt changes", brief: "the prompt’s pull", tone: "--sym-z" },
  eps: { sign: "ε̂", words: "the guided noise, which the step takes out", brief: "guided noise", tone: "--ink" },
};

const LOW = { "₀": "0", "₁": "1", "₂": "2", "₃": "3", "ₜ": "t", "₋": "−" };

/** "x_t" or "xₜ" or "sqrt" signs as nodes: what follows an underscore is a subscript, letters are set in italics. Never markup. */
function signOf(text, tone = null) {
  const node = piece("span", { class: "sign", style: tone ? "color: var(" + tone + ")" : null });
  text = text.replace(/[₀₁₂₃ₜ₋]+/gu, (low) => "_{" + low.replace(/./gu, (one) => LOW[one]).replace(/(?<=.)−/, ",−") + "}");
  const pattern = /_\{([^}]*)\}|_(\S)|\^\{([^}]*)\}|([^_^]+)/gu;
  for (const found of text.matchAll(pattern)) {
    const low = found[1] ?? found[2];
    if (low !== undefined) node.append(piece("sub", {}, low));
    else if (found[3] !== undefined) node.append(piece("sup", {}, found[3]));
    else node.append(piece("i", {}, found[4]));
  }
  return node;
}

/** A sentence whose formulas stand between $, as nodes. */
const mixedOf = (text) => text.split("$").map((one, i) => (i % 2 ? signOf(one) : one));

/** A colour of the page, as it is now. */
const toneOf = (node, name) => getComputedStyle(node).getPropertyValue(name).trim();
