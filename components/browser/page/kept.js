// What a kept recording says of its call beside sound and words: who spoke when, its settings, what
// it has used. It draws nothing.
//
// Rule: it comes from a file that anybody may have written, so every value becomes a short text or a
// number here, or is left out.

const VOICE_DBFS = -45; // the app finds the beginnings of voices by the same level
const PAUSE_S = 0.3; // words of one sentence are closer to each other
const MOST_ROWS = 40;
const MOST_LETTERS = 300; // of one value

// The periods of speaking of both sides, for the plot: { side, from, to } in ms.
export function spellsOf({ period_s: period, ...levels }) {
  return ["user", "assistant"].flatMap((side) => {
    const spells = [];
    levels[side].forEach((level, index) => {
      if (!(Number(level) >= VOICE_DBFS)) return;
      const [from, to] = [index, index + 1].map((at) => Math.round(at * period * 1000));
      const last = spells[spells.length - 1];
      if (last && from - last.to < PAUSE_S * 1000) last.to = to;
      else spells.push({ side, from, to });
    });
    return spells;
  });
}

// [name, value] of each setting that the recording names and that is anything.
export function settingRows(settings) {
  return Object.entries(Object(settings))
    .map(([name, value]) => [nameOf(name), worded(value)])
    .filter(([, value]) => value)
    .slice(0, MOST_ROWS);
}

// [name, value] of what the call has used.
export function usageRows(cost) {
  const { dollars, unknown, prices_as_of: date, usage } = Object(cost);
  const price = Number(dollars).toFixed(4);
  const known = typeof dollars === "number" && Number.isFinite(dollars);
  const money = known ? `${unknown ? "at least " : ""}$${price}` : "no price known";
  const when = known && date ? ` (prices of ${worded(date)})` : "";
  const counts = Object.entries(Object(usage))
    .filter(([, count]) => typeof count === "number" && count > 0)
    .slice(0, MOST_ROWS)
    .map(([name, count]) => [nameOf(name), count.toLocaleString("en")]);
  return [["cost", money + when], ...counts];
}

// A unit at the end of a name stands apart from it.
const nameOf = (name) => worded(name).replace(/ (ms|s)$/, ", in $1");

const worded = (value) => flatText(value).replaceAll("_", " ").slice(0, MOST_LETTERS);

// Of what has parts, those that are anything: `off: world_clock`.
function flatText(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map(flatText).filter(Boolean).join(", ");
  return Object.entries(value)
    .map(([name, part]) => [name, flatText(part)])
    .filter(([, text]) => text)
    .map((pair) => pair.join(": "))
    .join(", ");
}
