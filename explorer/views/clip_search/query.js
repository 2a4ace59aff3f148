// A query as a value: what is asked, as words, as a request and as a link. Knows no page and no server.

const NOTHING_ASKED = {
  text: "",
  weight: 1,
  terms: [],
  balanced: true,
  likes: [],
  dislikes: [],
  strategy: "mean",
  least: false,
  where: [],
  template: null,
  duplicates: null,
  random: null,
  page: 0,
  collection: "faces",
  cell: null,
}; // terms: [{kind: "text", text, weight} | {kind: "image", ref, weight, label}], beside the words of the field
// cell: {ids, words}, the pictures of a cell of the confusion matrix and what they are, to which the search is kept

/** Whether anything is asked for at all; where not, one looks around at random. */
const asksSomething = (query) => Boolean(query.text.trim() || query.terms.length || query.likes.length || query.dislikes.length);

/** All terms in the order of the equation: the field's words first. */
function termsOf(query) {
  const words = query.text.trim();
  const own = words ? [{ kind: "text", text: words, weight: query.weight, field: true }] : [];
  return [...own, ...query.terms];
}

/** The query as the route takes it. */
function requestOf(query, model, template, size) {
  const { balanced, likes, dislikes, strategy, least, where, duplicates, page, collection, cell } = query;
  const terms = termsOf(query).map(({ kind, text, ref, weight }) =>
    kind === "text" ? { kind, text, weight } : { kind, ref, weight },
  );
  const random = query.random ?? (asksSomething(query) ? null : 1);
  return {
    model,
    collection,
    terms,
    balanced,
    likes,
    dislikes,
    strategy,
    least,
    where,
    only: cell?.ids ?? null,
    template,
    duplicates,
    random,
    page,
    size,
  };
}

/** "red hair + glasses - beard" -> [["+", "red hair"], ["+", "glasses"], ["-", "beard"]] */
function splitSigns(text) {
  const parts = text.split(/\s+([+\-−–])\s+/);
  const found = [["+", parts[0].trim()]];
  for (let i = 1; i < parts.length; i += 2) found.push([parts[i] === "+" ? "+" : "-", parts[i + 1].trim()]);
  return found.filter(([, words]) => words);
}

/** The words that a picture's heat map is about: those that the query asks for. */
const wordsOf = (query) =>
  termsOf(query)
    .filter((term) => term.kind === "text" && term.weight > 0)
    .map((term) => term.text)
    .join(", ");

/** What the query is made of, and so what unrelated ones of its kind are called: "texts", "pictures" or "queries". */
function kindOf(query) {
  const kinds = new Set(termsOf(query).map((term) => term.kind));
  if (query.likes.length || query.dislikes.length) kinds.add("image");
  return kinds.size !== 1 ? "queries" : kinds.has("text") ? "texts" : "pictures";
}

/** The query in a few words, for lists and files. */
function queryWords(query) {
  const terms = termsOf(query).map(
    (term, i) => (term.weight < 0 ? "− " : i ? "+ " : "") + (term.kind === "text" ? term.text : term.label || "a picture"),
  );
  const rated = [
    [query.likes, "liked"],
    [query.dislikes, "disliked"],
  ]
    .filter(([ids]) => ids.length)
    .map(([ids, word]) => ids.length + " " + word);
  return [terms.join(" "), ...rated].filter(Boolean).join(", ") || "random pictures";
}

/** One condition in words: ["attr.shirt", "in", ["red"]] -> "shirt: red". */
function conditionWords([field, op, value]) {
  const listed = [].concat(value).join(" or ");
  if (field === "folder") return "in " + (value || "the top folder");
  if (op === "has") return (field === "name" ? "name has " : "caption has ") + "“" + listed + "”";
  if (field === "mtime") return (op === ">=" ? "since " : "until ") + dayText(value);
  if (field === "bytes") return (op === ">=" ? "at least " : "at most ") + bytesText(value);
  if (field === "width") return (op === ">=" ? "at least " : "at most ") + wholeText(value) + " px wide";
  return field.replace("attr.", "") + ": " + listed;
}

/** Replaces the condition on a field (and operator, where a field can have two); null takes it away. */
function withCondition(where, field, op, value) {
  const rest = where.filter(([f, o]) => !(f === field && (o === op || !["mtime", "bytes", "width"].includes(field))));
  return value === null || value === "" || (Array.isArray(value) && !value.length) ? rest : [...rest, [field, op, value]];
}

// ---- The link ----------------------------------------------------------------------------------------------------------

/** A query as pairs for the address; null where it is as usual. A visitor's own pictures are on no other page, so they stay out.
 * The page is "p": Gradio reads "page" itself. */
function linkOf(query, usual) {
  const shared = query.terms.filter(
    (term) => term.kind === "text" || (term.ref.picture === undefined && term.ref.collection !== "mine"),
  );
  const terms = shared.map((term) =>
    term.kind === "text"
      ? ["t", term.text, term.weight]
      : term.ref.face !== undefined
        ? ["f", term.ref.face, term.weight]
        : ["i", term.ref.item, term.weight, term.ref.collection],
  );
  const beside = terms.length || query.likes.length || query.dislikes.length || query.random !== null;
  return {
    q: query.text === usual.text && !beside ? null : query.text,
    qw: query.weight === 1 ? null : query.weight,
    terms: terms.length ? JSON.stringify(terms) : null,
    like: query.likes.join(".") || null,
    dislike: query.dislikes.join(".") || null,
    strategy: query.strategy === "mean" ? null : query.strategy,
    least: query.least ? "1" : null,
    where: query.where.length ? JSON.stringify(query.where) : null,
    template: query.template,
    near: query.duplicates,
    random: query.random,
    only: query.cell?.ids.join(".") ?? null,
    cell: query.cell?.words ?? null,
    p: query.page || null,
    collection: query.collection === usual.collection ? null : query.collection,
    plain: query.balanced ? null : "1",
  };
}

/** Whether a picture of the visitor's is part of the query: no link holds it. */
const holdsOwn = (query) => query.terms.some(({ ref }) => ref && (ref.picture !== undefined || ref.collection === "mine"));

/** The query of an address; what cannot be read is left as usual. */
function queryFrom(get, usual) {
  const list = (key) => {
    try {
      const found = JSON.parse(get(key) ?? "[]");
      return Array.isArray(found) ? found.filter(Array.isArray) : [];
    } catch {
      return [];
    }
  };
  const number = (key, otherwise) => (get(key) !== null && Number.isFinite(+get(key)) ? +get(key) : otherwise);
  const ids = (key) =>
    (get(key) ?? "")
      .split(".")
      .filter((text) => /^\d+$/.test(text))
      .map(Number);
  const terms = list("terms")
    .map(([kind, what, weight, collection]) => {
      if (!Number.isFinite(weight)) return null;
      if (kind === "t") return typeof what === "string" ? { kind: "text", text: what, weight } : null;
      if (!Number.isInteger(what)) return null;
      const ref = kind === "f" ? { face: what } : { item: what, collection: String(collection ?? usual.collection) };
      return { kind: "image", ref, weight, label: "a picture" };
    })
    .filter(Boolean);
  return {
    ...usual,
    text: get("q") ?? usual.text,
    weight: number("qw", 1),
    terms,
    likes: ids("like"),
    dislikes: ids("dislike"),
    strategy: get("strategy") === "best" ? "best" : "mean",
    least: get("least") === "1",
    where: list("where").filter((one) => one.length === 3 && one.slice(0, 2).every((part) => typeof part === "string")),
    template: get("template"),
    duplicates: number("near", null),
    random: number("random", null),
    page: Math.max(0, Math.floor(number("p", 0))),
    collection: get("collection") ?? usual.collection,
    cell: get("only") === null ? null : { ids: ids("only"), words: get("cell") ?? "" },
    balanced: get("plain") !== "1",
  };
}
