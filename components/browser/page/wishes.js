// What a visitor has set on this page, and where it is kept. It shows nothing.
//
// Rule: a wish is only what differs from the app's own settings. Links may ask for anything; what
// the page has no field for is named, and what it says is judged by the app. No key is ever kept.

const NAME = "realtime-voice-settings";

// Of the settings in `names`, those that a link's query asks for, and the names that nobody knows.
export function fromLink(query, names) {
  const found = {};
  const unknown = [];
  for (const [name, value] of new URLSearchParams(query)) {
    if (names.includes(name)) found[name] = value;
    else if (!name.startsWith("__")) unknown.push(name.slice(0, 40)); // Gradio's own
  }
  return { found, unknown };
}

// One sentence for a link with names that nobody knows; empty without.
export function complaintOf(unknown) {
  if (unknown.length === 0) return "";
  const named = unknown.slice(0, 3).join(", ");
  return `The link asks for settings that this page does not have: ${named}.`;
}

export function linkTo(address, wishes) {
  const url = new URL(address);
  url.search = new URLSearchParams(wishes).toString();
  url.hash = "";
  return url.href;
}

// As lines of a `.env` file, for what has a variable.
const VARIABLES = {
  model: "REALTIME_MODEL",
  voice: "REALTIME_VOICE",
  instructions: "REALTIME_INSTRUCTIONS",
  turn_detection: "REALTIME_TURN_DETECTION",
  transcription_model: "REALTIME_TRANSCRIPTION_MODEL",
};

export function envOf(values) {
  return Object.entries(VARIABLES)
    .filter(([name]) => name in values)
    .map(([name, variable]) => `${variable}=${quoted(values[name] || "off")}\n`)
    .join("");
}

function quoted(text) {
  if (/^[\w./:-]+$/.test(text)) return text;
  return `"${String(text).replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n")}"`;
}

// Of what was kept, only texts under known names.
export function recall(storage, names) {
  try {
    const kept = Object(JSON.parse(storage.getItem(NAME)));
    const known = names.filter((name) => typeof kept[name] === "string");
    return Object.fromEntries(known.map((name) => [name, kept[name]]));
  } catch {
    return {}; // blocked, or not ours
  }
}

export function keep(storage, wishes) {
  try {
    storage.setItem(NAME, JSON.stringify(wishes));
  } catch {
    // They are forgotten with the page.
  }
}
