// All pictures of a collection sorted into the values of an attribute (or its folders), against what they truly are.

const WORST_MOST = 4; // mistakes that are named

function makeConfusion(desk, labels) {
  const by = piece("select", { "aria-label": "Truth", onchange: () => drawWords() });
  const run = buttonOf({ words: "Sort them all", name: "strong", press: () => go(), "data-do": "confusion" });
  const said = piece("p", { class: "confusion-said", role: "status" });
  const worst = piece("p", { class: "confusion-worst", hidden: true });
  const table = scrolling("confusion-table", null, { tabindex: 0, role: "region", "aria-label": "Confusion matrix" });
  const words = piece("details", { class: "confusion-words" }, piece("summary", {}, "Words for each value"));
  const wordList = piece("div", { class: "word-list" });
  words.append(wordList);
  const node = piece(
    "section",
    { class: "card confusion", "aria-label": "Confusion matrix" },
    piece("h3", {}, "How often is it right?"),
    piece(
      "p",
      { class: "muted" },
      "Sorts every picture of the collection by the words alone, and counts against what is true. Click a cell to see its pictures.",
    ),
    piece("div", { class: "row" }, piece("label", { class: "tool" }, piece("span", {}, "Truth"), by), run),
    words,
    said,
    worst,
    table,
  );
  let facets = null;
  const ask = newestOf((signal, body) => desk.wire.post("confusion", body, signal));
  const askCell = newestOf((signal, body) => desk.wire.post("confusion", body, signal));
  let asked = null; // what the table answers

  async function load() {
    try {
      facets = await desk.wire.json("facets", { collection: desk.query.collection, model: desk.model });
    } catch (error) {
      return tellText(said, error.message);
    }
    const choices = [
      ...Object.keys(facets.attributes ?? {}).map((factor) => ["attr." + factor, factor]),
      ...((facets.folders?.length ?? 0) > 1 ? [["folder", "folder names"]] : []),
    ];
    const before = by.value;
    by.replaceChildren(...choices.map(([value, name]) => piece("option", { value }, name)));
    by.value = choices.some(([value]) => value === before)
      ? before
      : choices.some(([value]) => value === "attr.hair colour")
        ? "attr.hair colour"
        : (choices[0]?.[0] ?? "");
    by.disabled = run.disabled = !choices.length;
    tellText(said, choices.length ? "" : "These pictures have neither attributes nor folders to be measured against.");
    table.replaceChildren();
    worst.hidden = true;
    drawWords();
  }

  function drawWords() {
    const factor = by.value.replace("attr.", "");
    const values =
      by.value === "folder"
        ? (facets?.folders ?? [])
            .map((one) => one.path)
            .filter(Boolean)
            .slice(0, 50)
        : (desk.start.factors?.[factor] ?? Object.keys(facets?.attributes?.[factor] ?? {}));
    words.hidden = !values.length;
    wordList.replaceChildren(
      ...values.map((value) =>
        piece(
          "label",
          {},
          piece("span", {}, value),
          piece("input", {
            type: "text",
            "data-value": value,
            maxlength: 120,
            value: by.value === "folder" ? value.split("/").pop().replace(/[_-]+/g, " ") : labelPhrase(factor, value),
          }),
        ),
      ),
    );
  }

  async function go() {
    const prompts = Object.fromEntries(
      [...wordList.querySelectorAll("input")]
        .filter((one) => one.value.trim())
        .map((one) => [one.dataset.value, one.value.trim()]),
    );
    run.disabled = true;
    node.dataset.state = "busy";
    tellText(said, "Sorting");
    try {
      const body = {
        model: desk.model,
        collection: desk.query.collection,
        by: by.value,
        labels: prompts,
        templates: labels.templates(),
      };
      const told = await ask(body);
      if (!told) return;
      asked = body;
      draw(told);
      node.dataset.state = "done";
    } catch (error) {
      node.dataset.state = "error";
      table.replaceChildren();
      worst.hidden = true;
      tellText(said, error.message);
    } finally {
      run.disabled = false;
    }
  }

  function draw({ labels: columns, values, matrix, accuracy, per_label: each, n }) {
    const chance = 1 / columns.length;
    said.replaceChildren(
      piece("b", {}, shareText(accuracy, 1)),
      " of " + countText(n, "picture") + " are right; by chance it would be " + shareText(chance) + ".",
    );
    drawWorst(values, columns, matrix);
    table.replaceChildren(
      piece(
        "table",
        {},
        piece(
          "thead",
          {},
          piece(
            "tr",
            {},
            piece("th", {}, piece("span", { class: "corner" }, "true ↓ · said →")),
            columns.map((label) => piece("th", { scope: "col" }, label)),
            piece("th", { scope: "col" }, "right"),
          ),
        ),
        piece(
          "tbody",
          {},
          values.map((value, i) => {
            const sum = matrix[i].reduce((a, b) => a + b, 0);
            return piece(
              "tr",
              {},
              piece("th", { scope: "row" }, value),
              matrix[i].map((count, j) => {
                const share = sum ? count / sum : 0;
                const same = i === j;
                return piece(
                  "td",
                  {
                    class: (same ? "same" : "") + (share > 0.45 ? " full" : ""),
                    style: "--share:" + Math.round(share * 100) + "%",
                  },
                  count
                    ? piece(
                        "button",
                        {
                          type: "button",
                          title:
                            countText(count, "picture") + " " + cellWords(values[i], values[j], columns[j], count),
                          onclick: () => look(values, columns[j], i, j),
                        },
                        wholeText(count),
                      )
                    : piece("span", { class: "zero" }, "0"),
                );
              }),
              piece("td", { class: "right" }, shareText(sum ? each[i] : NaN)),
            );
          }),
        ),
      ),
    );
  }

  /** The mistakes that are made most often, each a way to its pictures. */
  function drawWorst(values, columns, matrix) {
    const cells = matrix.flatMap((row, i) => row.map((count, j) => ({ count, i, j })));
    const most = cells.filter(({ count, i, j }) => i !== j && count > 0).sort((a, b) => b.count - a.count);
    worst.hidden = !most.length;
    const chip = ({ count, i, j }) =>
      piece(
        "button",
        { type: "button", class: "chip", onclick: () => look(values, columns[j], i, j) },
        values[i] + " said to be " + columns[j] + ": " + wholeText(count),
      );
    worst.replaceChildren(piece("span", { class: "muted" }, "Most often mistaken"), ...most.slice(0, WORST_MOST).map(chip));
  }

  /** Exactly the pictures of a cell, nearest to what was said of them first. */
  async function look(values, said, i, j) {
    try {
      const told = await askCell({ ...asked, cell: [i, j] });
      if (!told) return;
      const { ids, matrix } = told;
      const some = ids.length < matrix[i][j] ? " (the first " + ids.length + " of " + wholeText(matrix[i][j]) + ")" : "";
      desk.step();
      desk.go({
        ...NOTHING_ASKED,
        collection: asked.collection,
        text: said,
        cell: { ids, words: cellWords(values[i], values[j], said, ids.length) + some },
      });
      desk.show("search", false, true);
      desk.results.top();
    } catch (error) {
      desk.fail(error);
    }
  }

  desk.matrix = () => {
    desk.show("classify");
    (table.hasChildNodes() ? table : node).scrollIntoView({ block: "center" });
  };

  return { node, load };
}

/** What the pictures of a cell are: "that are short and were said to be curly"; words of one's own stand as they are. */
function cellWords(truth, guess, label, count) {
  const [is, said] = [truth, guess].map((value) => value.split("/").pop());
  const [be, were] = count === 1 ? ["is", "was"] : ["are", "were"];
  const own = label.toLowerCase().includes(said.replace(/[_-]+/g, " ").toLowerCase()) ? said : "“" + label + "”";
  return "that " + be + " " + is + " and " + were + " said to be " + own;
}
