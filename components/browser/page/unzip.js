// Reads a recording out of a ZIP, in the browser.
//
// Rule: what is no recording of this app is refused with a sentence before anything of it is used.
// The app compresses nothing, so nothing is unpacked here, and no file can become larger than it
// is; files with other names are not looked at.

const MOST_BYTES = 64 * 1024 * 1024;
const MOST_FILES = 32;
const ZIP_END = 0x06054b50;
const ZIP_ENTRY = 0x02014b50;
const ZIP_LOCAL = 0x04034b50;
const FORMAT = "realtime-voice-recording";
const OUR_FILES = [
  ...["recording.json", "sound.ogg", "levels.json", "transcript.vtt"],
  ...["timing.json", "events.jsonl", "settings.json", "cost.json"],
];
const NEEDED = OUR_FILES.slice(0, 4);

export const NOT_OURS = "This is no recording of this app, or it is damaged.";
export const TOO_LARGE = "This file is too large: a recording of this app has 64 MB at most.";

export const tooLarge = (bytes) => bytes > MOST_BYTES;

// `buffer` is an ArrayBuffer. Returns { name: Uint8Array }; throws an Error with a sentence.
export function recordingIn(buffer) {
  let files;
  try {
    files = filesOf(new DataView(buffer));
    if (!NEEDED.every((name) => files[name])) throw new Error();
    if (JSON.parse(utf8Of(files["recording.json"])).format !== FORMAT) throw new Error();
  } catch {
    throw new Error(NOT_OURS);
  }
  return files;
}

export const utf8Of = (bytes) => new TextDecoder().decode(bytes);

// A DataView throws for what lies outside it.
function filesOf(view) {
  const end = view.byteLength - 22; // our ZIPs end without a comment
  const count = view.getUint16(end + 10, true);
  if (view.getUint32(end, true) !== ZIP_END || count > MOST_FILES) throw new Error();
  const files = {};
  let at = view.getUint32(end + 16, true);
  for (let number = 0; number < count; number += 1) {
    if (view.getUint32(at, true) !== ZIP_ENTRY) throw new Error();
    const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const title = utf8Of(new Uint8Array(view.buffer, at + 46, name));
    if (OUR_FILES.includes(title)) files[title] = contentOf(view, at);
    at += 46 + name + extra + comment;
  }
  return files;
}

function contentOf(view, entry) {
  const size = view.getUint32(entry + 20, true);
  const local = view.getUint32(entry + 42, true);
  const stored = view.getUint16(entry + 10, true) === 0;
  if (!stored || view.getUint32(local, true) !== ZIP_LOCAL) throw new Error();
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  return new Uint8Array(view.buffer, start, size);
}
