// What the lessons of the twin share: a panel that asks, waits and fails in one place, and small scatter plots. Knows no lesson.

/** A lesson in `place`. `draw(told)` gets the server's answer; `ask()` what to send beside the settings. */
function makePanel(place, twin, { name, title, lead, build, ask = () => ({}), route = "lesson", ready = () => null }) {
  const see = piece("p", { class: "see", "aria-live": "polite" });
  const trouble = troublePlace();
  const body = piece("div", { class: "rows" });
  place.append(piece("header", { class: "lesson-head" }, piece("h4", {}, title), piece("p", { class: "todo" }, lead)), see, trouble.node, body);
  const draw = build(body, see);
  let [shown, asking] = [null, null];

  async function show() {
    const sent = { settings: twin.body(), ...(route === "lesson" ? { lesson: name } : {}), ...ask() };
    const key = JSON.stringify(sent);
    if (key === shown) return;
    asking?.abort();
    const mine = (asking = new AbortController());
    const cannot = ready();
    if (cannot) {
      trouble.show(new Error(cannot));
      body.hidden = true;
      tellText(see, "");
      shown = null;
      return twin.facts({ state: "failed" });
    }
    twin.facts({ state: "busy" });
    place.dataset.ready = "false";
    try {
      const told = await twin.wire.post(route, sent, mine.signal);
      if (mine.signal.aborted) return;
      trouble.clear();
      body.hidden = false;
      tellText(see, draw(told) ?? "");
      shown = key;
      place.dataset.ready = "true";
      twin.facts({ state: "ready" });
    } catch (error) {
      if (mine.signal.aborted) return;
      shown = null;
      body.hidden = true;
      tellText(see, "");
      trouble.show(error, error.status === 400 ? null : show);
      twin.facts({ state: "failed" });
    }
  }

  return { show };
}

/** A small scatter plot: {title, note, points, behind: points | null, reach}. */
function scatterFigure({ title, note = "", points, behind = null, hue = "sym-xhat", reach = 3 }) {
  const canvas = piece("canvas", { class: "mini", width: 320, height: 320, role: "img", "aria-label": title + ". " + note });
  const paint = () => {
    const ink = inkOf(document.querySelector(".twin")), style = getComputedStyle(document.querySelector(".twin"));
    const context = canvas.getContext("2d");
    const to = (v) => [160 + (v[0] / reach) * 154, 160 - (v[1] / reach) * 154];
    context.clearRect(0, 0, 320, 320);
    context.strokeStyle = ink.line;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(160, 4);
    context.lineTo(160, 316);
    context.moveTo(4, 160);
    context.lineTo(316, 160);
    context.stroke();
    context.fillStyle = ink.data;
    for (const point of behind ?? []) markAt(context, "diamond", ...to(point), 4);
    context.fillStyle = style.getPropertyValue("--" + hue).trim();
    context.globalAlpha = 0.8;
    for (const point of points) markAt(context, "dot", ...to(point), 3);
    context.globalAlpha = 1;
  };
  paint();
  new MutationObserver(paint).observe(document.body, { attributeFilter: ["class"] });
  return piece("figure", { class: "mini-figure" }, canvas, piece("figcaption", {}, piece("b", {}, title), note && piece("span", {}, note)));
}

/** Rows of cells as a table, the first row its head. */
function tableOf(rows, name) {
  const [head, ...rest] = rows;
  return piece("div", { class: "scroll" }, piece("table", { class: "numbers", "aria-label": name },
    piece("thead", {}, piece("tr", {}, head.map((one) => piece("th", { scope: "col" }, one)))),
    piece("tbody", {}, rest.map((row) => piece("tr", {}, row.map((one, i) => piece(i ? "td" : "th", i ? {} : { scope: "row" }, one)))))));
}
