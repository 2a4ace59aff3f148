// How a value of a factor is said in a prompt, as the captions say it that the model learnt from.

const SAID = {
  hair: { bun: "hair in a bun", bob: "a bob", afro: "an afro", dreadlocks: "dreadlocks", headband: "hair with a headband", flowers: "hair with flowers" },
  mouth: { smile: "a smile", tongue: "tongue out", grimace: "a grimace" },
  glasses: { none: "no glasses", sunglasses: "sunglasses" },
  beard: { none: "no beard", moustache: "a moustache", full: "a beard" },
};
const SAID_ELSE = {
  hair: (value) => value + " hair",
  "hair colour": (value) => value + " hair",
  mouth: (value) => "a " + value + " mouth",
  glasses: (value) => value + " glasses",
  shirt: (value) => "a " + value + " shirt",
  background: (value) => "on a " + value + " background",
};

const saidOf = (factor, value) => SAID[factor]?.[value] ?? SAID_ELSE[factor]?.(value) ?? value + " " + factor;

/** Where a phrase stands in a prompt as whole words, or -1. */
function placeOf(prompt, phrase) {
  const at = (" " + prompt.toLowerCase() + " ").search(new RegExp("[^\\p{L}]" + escapedText(phrase) + "(?=[^\\p{L}])", "u"));
  return at;
}
const escapedText = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The prompt with this value: in the place of another one of its factor, or at its end. A second time takes it out. */
function promptWith(prompt, factor, value, values) {
  const phrase = saidOf(factor, value);
  const there = placeOf(prompt, phrase);
  if (there >= 0) return tidyPrompt(prompt.slice(0, there) + prompt.slice(there + phrase.length));
  // The longest first: "sunglasses" is not a kind of "glasses".
  const others = values.map((other) => saidOf(factor, other)).sort((a, b) => b.length - a.length);
  for (const other of others) {
    const at = placeOf(prompt, other);
    if (at >= 0) return prompt.slice(0, at) + phrase + prompt.slice(at + other.length);
  }
  const bare = tidyPrompt(prompt);
  if (!bare) return "a face with " + phrase.replace(/^on a/, "a");
  return bare + (phrase.startsWith("on ") ? " " : ", ") + phrase;
}

/** What is left when a phrase was taken out: no "with and", no comma before nothing. */
function tidyPrompt(prompt) {
  return prompt
    .replace(/\s+/g, " ")
    .replace(/\b(with|wearing|and)\s*(?=,|$)/g, "")
    .replace(/\b(with|wearing) and\b/g, "$1")
    .replace(/,\s*(,\s*)+/g, ", ")
    .replace(/\s+,/g, ",")
    .replace(/^[\s,]+|[\s,]+$/g, "")
    .trim();
}
