// What is to be said about an answer besides its hits: that nothing matches, that words are unknown, and the server's own notes.

const SPELLED_MOST = 24; // letters of a word that are spelled out
const KNOWN_MOST = 400; // words of a vocabulary that can be listed

/** How a model reads a word that it never learnt. */
function spelledText(word) {
  const letters = [...word];
  const named = "“" + letters.slice(0, SPELLED_MOST).join("") + (letters.length > SPELLED_MOST ? "…" : "") + "”";
  if (letters.length < 2 || letters.length > SPELLED_MOST) return named;
  return /^[a-z]+$/i.test(word) ? named + " is spelled " + letters.join("-") : named + " is read byte by byte";
}

function unknownNotice(words, known) {
  const one = words.length === 1;
  const blame =
    ": this model never saw " + (one ? "the word, so expect little of it." : "these words, so expect little of them.");
  const list = known.length > 0 && known.length < KNOWN_MOST;
  return noticeOf(
    "unknown",
    words.map(spelledText).join(", ") + blame,
    list && piece("details", {}, piece("summary", {}, "The " + known.length + " words it knows"), known.join(" · ")),
  );
}

function noticeOf(kind, ...content) {
  return piece("div", { class: "notice", "data-kind": kind }, ...content);
}

/** The notices of an answer, the weightiest first. */
function noticesOf(told, model) {
  const said = [];
  if (told.nothing && told.hits.length) said.push(noticeOf("nothing", told.nothing));
  if (told.unknown?.length) said.push(unknownNotice(told.unknown, model?.words ?? []));
  // What the notice above says in full is not said again.
  const notes = (told.notes ?? []).filter((one) => !told.unknown?.length || !/never learnt/.test(one));
  return [...said, ...notes.map((sentence) => noticeOf("note", sentence))];
}
