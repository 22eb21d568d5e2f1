import assert from "node:assert/strict";
import { test } from "node:test";
import { NOT_OURS, recordingIn, tooLarge } from "../../components/browser/page/unzip.js";

const OURS = {
  "recording.json": '{"format":"realtime-voice-recording"}',
  "sound.ogg": "OggS",
  "levels.json": "{}",
  "transcript.vtt": "WEBVTT",
};

// A ZIP with these files; `method` 0 is stored, 8 deflated.
function zip(files, method = 0) {
  const parts = [];
  const entries = [];
  let at = 0;
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.concat([Buffer.from(name), Buffer.from(text)]);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(Buffer.byteLength(text), 20);
    entry.writeUInt16LE(Buffer.byteLength(name), 28);
    entry.writeUInt32LE(at, 42);
    parts.push(local, content);
    entries.push(entry, Buffer.from(name));
    at += local.length + content.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(at, 16);
  return new Uint8Array(Buffer.concat([...parts, ...entries, end])).buffer;
}

const refused = (buffer) => assert.throws(() => recordingIn(buffer), { message: NOT_OURS });

test("a recording of the app is read", () => {
  const files = recordingIn(zip(OURS));
  assert.equal(new TextDecoder().decode(files["sound.ogg"]), "OggS");
});

test("names that are not ours, such as ../, are not looked at", () => {
  const files = recordingIn(zip({ ...OURS, "../../etc/passwd": "x", __proto__: "y" }));
  assert.deepEqual(Object.keys(files).sort(), Object.keys(OURS).sort());
});

test("what is no recording of this app is refused with a sentence", () => {
  refused(new ArrayBuffer(0));
  refused(new ArrayBuffer(100));
  refused(zip({}));
  refused(zip({ ...OURS, "recording.json": '{"format":"other"}' }));
  refused(zip({ ...OURS, "recording.json": "null" }));
  refused(zip({ "recording.json": OURS["recording.json"] }));
});

test("what is compressed, as a bomb is, is not unpacked", () => refused(zip(OURS, 8)));

test("what is cut off, or points outside, is refused", () => {
  const whole = zip(OURS);
  refused(whole.slice(0, 200));
  const wrong = zip(OURS);
  new DataView(wrong).setUint32(wrong.byteLength - 6, 0xffffff, true);
  refused(wrong);
});

test("too many files, and too many bytes, are too much", () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`${n}`, ""]));
  refused(zip({ ...OURS, ...many }));
  assert.ok(tooLarge(65 * 1024 * 1024));
  assert.ok(!tooLarge(20 * 1024 * 1024));
});
