// One result: its picture, its score, where it stands in the collection, and how sure we are, in words and as a bar.

const SURE_WORDS = { sure: "sure", maybe: "perhaps", no: "hardly" };
const TOP_SHARES = 1000; // pictures from which on a place is told as a share
const SURE_FULL = 4; // standard deviations above what unrelated queries score at which the bar is full, at least

/** 1 -> "1st", 12 -> "12th", 123 -> "123rd" */
function ordinalText(n) {
  const ending = n % 100 >= 11 && n % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return wholeText(n) + ending;
}

const topAmong = (answer) => answer?.among ?? answer?.total ?? 0; // pictures that a percentile is of

/** "top 0.1 %": the share of `among` pictures in which it is; "1st of 12" where a share would say less. */
function topText(percentile, among) {
  if (!Number.isFinite(percentile) || !among) return "";
  if (among < TOP_SHARES) return ordinalText(Math.round(((100 - percentile) / 100) * among) + 1) + " of " + wholeText(among);
  const top = Math.max(100 - percentile, 100 / among);
  return top < 0.1 ? "top 0.1 %" : top < 10 ? "top " + top.toFixed(1) + " %" : "top " + Math.round(top) + " %";
}

/** The same as a sentence. */
function placeText(percentile, among) {
  const pictures = among === 1 ? " picture" : " pictures";
  const top = topText(percentile, among);
  return among < TOP_SHARES ? top + pictures : "In the " + top + " of " + wholeText(among) + pictures;
}

/** How sure a score is, in a sentence; the query was made of `kind`, such as "texts". */
function sureSentence(hit, kind) {
  if (hit.sure === null || hit.sure === undefined) return "";
  const z = Number.isFinite(hit.z)
    ? fixedText(Math.abs(hit.z), 1) +
      " standard deviations " +
      (hit.z < 0 ? "below" : "above") +
      " what unrelated " +
      kind +
      " score on it"
    : "";
  const word = { sure: "It matches", maybe: "It may match", no: "It hardly matches" }[hit.sure];
  return z ? word + ": " + z + "." : word + ".";
}

/** A bar as long as z, with a mark at each threshold: from the first on it is "perhaps", from the second "sure". */
function sureBar(hit, desk) {
  if (!SURE_WORDS[hit.sure]) return null;
  const { sure, maybe } = desk.answer?.background ?? {};
  const full = Math.max(SURE_FULL, 1.25 * (sure ?? 0));
  const part = Math.max(0.02, Math.min(1, (hit.z ?? 0) / full));
  const marks = [maybe, sure].filter(Number.isFinite).map((z) => piece("i", { style: "left:" + (z / full) * 100 + "%" }));
  return piece(
    "span",
    { class: "sure", "data-sure": hit.sure, title: sureSentence(hit, kindOf(desk.query)) },
    piece("span", { class: "sure-bar", "aria-hidden": "true", style: "--part:" + part * 100 + "%" }, marks),
    piece("span", { class: "sure-word" }, SURE_WORDS[hit.sure]),
  );
}

/** The sentence that a screen reader says of a result. */
function tileName(hit, rank, among) {
  return [
    rank + 1 + ".",
    hit.caption || hit.title || "picture " + hit.id,
    Number.isFinite(hit.score) && "score " + fixedText(hit.score, 3),
    topText(hit.percentile, among),
    SURE_WORDS[hit.sure],
  ]
    .filter(Boolean)
    .join(", ");
}

function tileOf(hit, rank, desk) {
  const ref = desk.refOf(hit.id);
  const deeds = [
    ["plus", "Add it to the query (+)", () => desk.add(imageTerm(desk, hit))],
    ["minus", "Subtract it from the query (−)", () => desk.add(imageTerm(desk, hit, -1))],
    ["like", "Like it (Y)", () => desk.rate("likes", hit.id)],
    ["dislike", "Dislike it (N)", () => desk.rate("dislikes", hit.id)],
  ].map(([icon, title, press]) => buttonOf({ icon, title, press, name: "small tile-deed", tabindex: -1, "data-deed": icon }));
  const image = piece("img", {
    src: desk.image(ref, 256),
    alt: "",
    loading: rank < 24 ? "eager" : "lazy",
    decoding: "async",
    draggable: "false",
  });
  image.addEventListener("error", () => image.parentElement?.classList.add("gone"), { once: true });
  const pick = piece(
    "button",
    {
      type: "button",
      class: "tile-pick",
      "aria-label": tileName(hit, rank, topAmong(desk.answer)),
      tabindex: rank ? -1 : 0,
      draggable: "true",
      onclick: () => desk.open(hit.id),
      ondragstart: (event) => (event.dataTransfer.setData("text/clip-item", String(hit.id)), setTimeout(desk.dragging)),
    },
    piece("span", { class: "tile-picture" }, image),
    Number.isFinite(hit.score) &&
      piece(
        "span",
        { class: "tile-numbers" },
        piece("b", { title: "Cosine between query and picture" }, fixedText(hit.score, 3)),
        piece("span", {}, topText(hit.percentile, topAmong(desk.answer))),
      ),
    sureBar(hit, desk),
    piece("span", { class: "tile-caption", title: hit.caption || hit.title }, hit.caption || hit.title || ""),
  );
  const tile = piece(
    "div",
    { class: "tile", role: "listitem", "data-id": hit.id },
    pick,
    piece("span", { class: "tile-deeds" }, deeds),
    hit.group ? groupOf(hit, desk) : null,
  );
  return tile;
}

/** "3 more like this": near-duplicates that stand behind a result. */
function groupOf(hit, desk) {
  const inside = piece("div", { class: "group", hidden: true });
  const words = countText(hit.group, "more like this", "more like this");
  const button = piece(
    "button",
    {
      type: "button",
      class: "group-open",
      "aria-expanded": "false",
      onclick: () => {
        inside.hidden = !inside.hidden;
        button.setAttribute("aria-expanded", !inside.hidden);
        if (!inside.children.length)
          inside.append(
            ...(hit.hidden ?? []).map((id) =>
              piece(
                "button",
                { type: "button", class: "group-one", "aria-label": "Picture " + id, onclick: () => desk.open(id) },
                piece("img", { src: desk.image(desk.refOf(id), 96), alt: "", loading: "lazy" }),
              ),
            ),
          );
      },
    },
    words,
  );
  return piece("div", { class: "group-box" }, button, inside);
}
