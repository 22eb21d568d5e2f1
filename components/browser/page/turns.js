// The timing of a call's turns, as the app tells it. It draws nothing.
//
// Rule: a bar's parts follow each other from the last sound of the question to the first of the
// answer; a step that nobody saw has no part. Times are seconds since the turn began.

export const STEPS = [
  ["detected", "end of your voice noticed"],
  ["committed", "turn taken"],
  ["created", "response begun"],
  ["token", "first word"],
  ["audio", "first sound here"],
  ["sent", "on its way to you"],
  ["heard", "in your ear"],
];
const KINDS = { spoken: "spoken", held: "talk button", typed: "typed" };

// Takes what is new of a list of turns; the same number takes its own place.
export function merge(turns, fresh, most = 500) {
  const known = new Map(turns.map((turn) => [turn.number, turn]));
  fresh.forEach((turn) => known.set(turn.number, turn));
  return [...known.values()].slice(-most);
}

// The parts of a turn's bar: { step, name, from, to }, in order.
export function partsOf({ steps }) {
  let from = 0;
  const parts = [];
  STEPS.forEach(([step, name]) => {
    if (typeof steps[step] !== "number") return;
    parts.push({ step, name, from, to: steps[step] });
    from = steps[step];
  });
  return parts;
}

// How long a part took.
export function millisecondsOf({ from, to }) {
  return `${Math.round(1000 * (to - from))} ms`;
}

// The longest time that a bar of these turns has to hold.
export function spanOf(turns) {
  const ends = turns.flatMap((turn) => partsOf(turn).map(({ to }) => to));
  return Math.max(0.5, ...ends);
}

// A turn in words, for its head.
export function titleOf({ number, kind, felt_s: felt }) {
  const waited = typeof felt === "number" ? `${felt.toFixed(2)} s` : "no answer yet";
  return `Turn ${number}, ${KINDS[kind] || kind}: ${waited}`;
}

export function secondsOf(value) {
  return typeof value === "number" ? `${value.toFixed(2)} s` : "–";
}
