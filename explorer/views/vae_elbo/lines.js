// Every dimension's KL as a line of the bill: sorted, active or dead; a click chooses the dimension.

function makeLines(lab) {
  const list = piece("div", { class: "lines", role: "listbox", "aria-label": "Dimensions by KL; arrows choose", onkeydown: walkLines });
  const about = piece("p", { class: "aside" });
  const node = piece("section", { class: "card" }, piece("h4", {}, "KL of each dimension"), about, list);
  let made = [], order = [];

  function build() {
    order = lab.own.kl.map((_, d) => d).sort((a, b) => lab.own.kl[b] - lab.own.kl[a]);
    made = order.map((d) => {
      const bar = piece("span", { class: "line-bar" }), mark = piece("span", { class: "line-mark" }), value = piece("span", { class: "line-value" });
      const row = piece("button", { type: "button", class: "line", role: "option", "data-line-dim": d, "data-dead": String(lab.dead(d)), onclick: () => lab.choose(d) },
        piece("span", { class: "line-name" }, lab.named(d), lab.dead(d) ? piece("small", {}, " dead") : ""), piece("span", { class: "line-track" }, bar, mark), value);
      return { d, row, bar, mark, value };
    });
    list.replaceChildren(...made.map((one) => one.row));
  }

  function walkLines(event) {
    const way = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const next = order[(order.indexOf(lab.dim) + way + order.length) % order.length];
    lab.choose(next);
    made.find((one) => one.d === next).row.focus();
  }

  function paint(own, yours, kl) {
    if (made.length !== lab.own.kl.length || list.kl !== lab.own) (build(), (list.kl = lab.own));
    const top = Math.max(...lab.own.kl, ...kl, 1e-3);
    for (const { d, row, bar, mark, value } of made) {
      bar.style.width = (Math.max(0, kl[d]) / top) * 100 + "%";
      mark.style.left = (Math.max(0, lab.own.kl[d]) / top) * 100 + "%";
      mark.hidden = !lab.edited || sameLine(kl[d], lab.own.kl[d]);
      tellText(value, digitsText(yours.lines[d], yours.digits));
      row.setAttribute("aria-selected", String(d === lab.dim));
      row.tabIndex = d === lab.dim ? 0 : -1;
    }
    const dead = made.filter((one) => lab.dead(one.d)).length;
    tellText(about, `${countText(made.length - dead, "dimension")} active, ${dead} dead: dead means that the KL is below ${lab.facts.dead} nats on average over held-out pictures. `
      + `The lines sum to ${digitsText(yours.kl, yours.digits)} ${UNITS[lab.unit].words}${lab.edited ? "; a tick marks the encoder’s" : ""}. KL = ½ (μ² + σ² − 1) − ln σ. Choose one to move it.`);
  }

  return { node, paint };
}
