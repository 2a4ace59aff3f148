// The schedules as curves: what is left of the picture, and signal against noise, with the time step marked.

const SCHEDULE_COLOURS = { linear: "sym-mu", scaled_linear: "sym-x", cosine: "sym-z", zero_snr: "sym-sigma" };
const SCHEDULE_DASHES = { linear: "6 3", scaled_linear: "", cosine: "2 3", zero_snr: "9 3 2 3" };

function levelCharts(schedules, pick) {
  const [left, right] = [chartPlace({ height: 13, pick }), chartPlace({ height: 13, pick })];
  const node = piece("div", { class: "pair" }, left.node, right.node);

  function show(name, t) {
    const curves = (what) => schedules.map((one) => ({
      name: one.title, colour: SCHEDULE_COLOURS[one.name], dash: SCHEDULE_DASHES[one.name], strong: one.name === name,
      points: one.abar.map((a, i) => [i, what(a)]).filter((_, i) => i % 10 === 0 || i === one.abar.length - 1 || i === t),
    }));
    const x = { label: "time step t", min: 0, max: 999 };
    left.show({ series: curves((a) => a), x, y: { label: "ᾱ: the picture's share of the variance", min: 0, max: 1 }, at: t,
      words: "Alpha bar over time for four schedules" });
    right.show({ series: curves((a) => (a > 0 ? a / (1 - a) : NaN)), x, y: { label: "SNR = ᾱ / (1 − ᾱ), logarithmic", log: true, min: 1e-5, max: 1e5 }, at: t,
      words: "Signal-to-noise ratio over time for four schedules" });
  }

  return { node, show };
}
