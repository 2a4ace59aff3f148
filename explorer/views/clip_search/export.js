// The results as a file: CSV for a table, JSON for a program; the query as a script; and the link to what is on the screen.

const CSV_FIELDS = [
  "rank",
  "id",
  "score",
  "percentile",
  "z",
  "sure",
  "path",
  "title",
  "caption",
  "width",
  "height",
  "mtime",
  "group",
];

/** A value of a table: quoted where it must be, and never read as a formula. */
function csvValue(value) {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && !Number.isFinite(+text) ? "'" + text : text;
  return /[",\n\r]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
}

function csvOf(hits, first) {
  const factors = [...new Set(hits.flatMap((hit) => Object.keys(hit.attributes ?? {})))];
  const rows = hits.map((hit, i) => [
    ...CSV_FIELDS.map((name) => (name === "rank" ? first + i + 1 : hit[name])),
    ...factors.map((name) => hit.attributes?.[name]),
  ]);
  return [[...CSV_FIELDS, ...factors], ...rows].map((row) => row.map(csvValue).join(",")).join("\r\n") + "\r\n";
}

function makeExport(desk) {
  const name = (suffix) =>
    "clip-" +
    (queryWords(desk.query)
      .replace(/[^\w]+/g, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 40)
      .toLowerCase() || "results") +
    suffix;
  const first = () => desk.query.page * SEARCH_SIZE;
  const close = () => (menu.open = false);

  function json() {
    const asked = requestOf(desk.query, desk.model, desk.template(), SEARCH_SIZE);
    const { equation, hits, total, matched, nothing, unknown, background } = desk.answer;
    return JSON.stringify({ asked, equation, total, matched, nothing, unknown, background, hits }, null, 1);
  }

  async function script() {
    try {
      const asked = requestOf(desk.query, desk.model, desk.template(), SEARCH_SIZE);
      handOver(new Blob([(await desk.wire.post("script", asked)).script], { type: "text/x-python" }), name(".py"));
    } catch (error) {
      desk.fail(error);
    }
  }

  const copyLink = () => {
    const own = desk.query.terms.some(
      (term) => term.kind === "image" && (term.ref.picture !== undefined || term.ref.collection === "mine"),
    );
    setTimeout(
      () =>
        window.explorer.copy(
          location.href,
          own
            ? "The link is copied, without your own pictures: they are on this page alone."
            : "The link is copied. It opens this search.",
        ),
      300,
    );
  };
  const item = (words, title, press, what) =>
    piece("button", { type: "button", class: "menu-item", title, "data-export": what, onclick: () => (close(), press()) }, words);
  const menu = floating(
    piece(
      "details",
      { class: "menu" },
      piece("summary", { class: "button" }, iconOf("save"), piece("span", {}, "Export")),
      piece(
        "div",
        { class: "menu-list" },
        item(
          "Table (CSV)",
          "The results of this page as a table",
          () => handOver(new Blob(["﻿" + csvOf(desk.hits, first())], { type: "text/csv" }), name(".csv")),
          "csv",
        ),
        item(
          "JSON",
          "The query and the results of this page for a program",
          () => handOver(new Blob([json()], { type: "application/json" }), name(".json")),
          "json",
        ),
        item(
          "Python",
          "A script that searches a folder of yours by the same query, with open_clip and numpy alone",
          script,
          "py",
        ),
        item("Copy the link", "A link to this search", copyLink, "link"),
      ),
    ),
  );
  return menu;
}
