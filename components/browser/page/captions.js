// What a kept recording says, made safe to show: its captions, levels, turns and events.
//
// Rule: it comes from a file that anybody may have written, so each value has its type here or is
// left out. Nothing here draws.

const MOST_EVENTS = 2000;
const MOST_TURNS = 500;
const CUE = /^(\d+):(\d\d):(\d\d\.\d+) --> (\d+):(\d\d):(\d\d\.\d+)\n<v ([^>]*)>(.*)$/gm;
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

// Of the WebVTT that the app writes: { since, until, speaker, words }, in seconds.
export function captionsOf(text) {
  return [...text.matchAll(CUE)].map(([, ...found]) => {
    const [since, until] = [found.slice(0, 3), found.slice(3, 6)].map(secondsIn);
    const words = found[7].replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]);
    return { since, until, speaker: found[6], words };
  });
}

const secondsIn = ([hours, minutes, seconds]) =>
  3600 * Number(hours) + 60 * Number(minutes) + Number(seconds);

// The words at a moment: those that began last, whether they have ended or not.
export function captionAt(captions, seconds) {
  return captions.reduce((found, each) => (each.since <= seconds ? each : found), null);
}

// Points for the plot around a moment: { at, user, assistant }, `at` in ms.
export function pointsAround({ period_s: period, user, assistant }, seconds, span) {
  const first = Math.max(0, Math.floor((seconds - span) / period));
  const last = Math.min(user.length, assistant.length, Math.ceil(seconds / period));
  const points = [];
  for (let at = first; at < last; at += 1) {
    points.push({
      at: at * period * 1000,
      user: Number(user[at]),
      assistant: Number(assistant[at]),
    });
  }
  return points;
}

export function eventsOf(lines) {
  const rows = lines.split("\n").filter(Boolean).slice(-MOST_EVENTS);
  return rows.map((line) => {
    const { number, at, direction, type, count, bytes, event } = JSON.parse(line);
    return {
      ...{ number: Number(number), at: Number(at), count: Number(count), bytes: Number(bytes) },
      ...{ direction: direction === "sent" ? "sent" : "received", type: String(type), event },
    };
  });
}

export function timingOf({ turns, p50_s, p95_s }) {
  const known = turns.slice(-MOST_TURNS).map(({ number, kind, felt_s, reason, steps }) => ({
    ...{ number: Number(number), kind: String(kind), reason: String(reason || "") },
    ...{ felt_s, steps: Object(steps) },
  }));
  return { turns: known, p50_s, p95_s };
}
