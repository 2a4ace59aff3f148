// What a run is asked with, how a link says it, and what a wrong number becomes.

// Setting -> its name in a link and what it is.
const SETTINGS = {
  prompt: ["prompt", "text"],
  negative: ["negative", "text"],
  seed: ["seed", "whole"],
  steps: ["steps", "whole"],
  scheduler: ["scheduler", "name"],
  eta: ["eta", "number"],
  guidance_scale: ["guidance", "number"],
  strength: ["strength", "number"],
  mode: ["mode", "name"],
  labels: ["labels", "labels"],
  size: ["size", "size"],
};
const SEED_MOST = 2 ** 31 - 1;

const diceSeed = () => Math.floor(Math.random() * 10_000);

/** A value as the server takes it, or the fallback. */
function settingOf(name, value, start, fallback) {
  const kind = SETTINGS[name][1];
  if (kind === "text") return typeof value === "string" ? value : fallback;
  if (kind === "size") return start.model.sizes?.includes(Number(value)) ? Number(value) : null;
  if (name === "scheduler") return start.schedulers.some((one) => one.name === value) ? value : fallback;
  if (kind === "labels") return typeof value === "string" ? labelsFrom(value, start.words) : (value ?? fallback);
  if (name === "mode") return start.model.labels && ["text", "labels", "none"].includes(value) ? value : fallback;
  const number = value === "" || value === null ? NaN : Number(value);
  if (!Number.isFinite(number)) return fallback;
  const [least, most] = limitsOf(name, start);
  const kept = Math.min(most, Math.max(least, number));
  return kind === "whole" ? Math.round(kept) : kept;
}

function limitsOf(name, start) {
  if (name === "steps") return start.limits.steps ?? [1, 100];
  if (name === "guidance_scale") return start.limits.guidance ?? [0, 20];
  if (name === "seed") return [0, SEED_MOST];
  return [0, 1];
}

/** The settings of a link: what it does not say is as usual. */
function settingsFrom(get, usual, start) {
  const found = { ...usual };
  for (const [name, [key]] of Object.entries(SETTINGS)) {
    const said = get(key);
    if (said !== null) found[name] = settingOf(name, said, start, usual[name]);
  }
  return found;
}

/** What a link says: what differs from the usual. */
function linkOf(settings, usual) {
  return Object.fromEntries(
    Object.entries(SETTINGS).map(([name, [key]]) => [key, sameValue(settings[name], usual[name]) ? null : saidValue(settings[name])]),
  );
}

const saidValue = (value) => (value && typeof value === "object" ? Object.entries(value).map((pair) => pair.join(":")).join(",") : String(value));
const sameValue = (a, b) => a === b || (a !== null && b !== null && saidValue(a) === saidValue(b));

/** {"hair colour": "red"} from "hair colour:red,shirt:blue", as far as there are such words. */
function labelsFrom(text, words) {
  const pairs = text.split(",").map((pair) => pair.split(":"));
  return Object.fromEntries(pairs.filter(([factor, value]) => words[factor]?.includes(value)));
}

/** What the network was told, in words. */
function toldOf({ mode, prompt, labels }) {
  if (mode === "none") return "told nothing";
  if (mode !== "labels") return "“" + (prompt || "no prompt") + "”";
  const values = Object.entries(labels ?? {}).map(([factor, value]) => factor + " " + value);
  return values.length ? "labels " + values.join(", ") : "no labels";
}

const sameSettings = (a, b) => Object.keys(SETTINGS).every((name) => sameValue(a?.[name] ?? null, b?.[name] ?? null));

/** In words: how one run's settings differ from another's. */
function changesOf(settings, before, start) {
  const said = [];
  const title = (name) => start.schedulers.find((one) => one.name === name)?.title ?? name;
  if (!before || toldOf(settings) !== toldOf(before)) said.push(toldOf(settings));
  if (settings.negative && settings.negative !== before?.negative) said.push("not “" + settings.negative + "”");
  if (before?.negative && !settings.negative) said.push("no negative prompt");
  if (!before || settings.guidance_scale !== before.guidance_scale) said.push("guidance " + settingText(settings.guidance_scale));
  if (!before || settings.seed !== before.seed) said.push("seed " + settings.seed);
  if (!before || settings.scheduler !== before.scheduler) said.push(title(settings.scheduler));
  if (!before || settings.steps !== before.steps) said.push(countText(settings.steps, "step"));
  const sideOf = (one) => one?.size ?? start.model.image[0];
  if (sideOf(settings) !== sideOf(before)) said.push(sideOf(settings) + " pixels");
  if (before && settings.eta !== before.eta) said.push("η " + settingText(settings.eta));
  if (before && settings.strength !== before.strength) said.push("strength " + settingText(settings.strength));
  return said.length ? said : ["the same settings"];
}
