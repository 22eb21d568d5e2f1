// What a kept recording says of its call, made safe to show.
import assert from "node:assert/strict";
import { test } from "node:test";
import { settingRows, spellsOf, usageRows } from "../../components/browser/page/kept.js";

test("who spoke when is found by the levels, over the pauses between words", () => {
  const user = [-90, -20, -90, -90, -30, -90, -90, -90, -20];
  const assistant = [-90, -90, -60, "x", -90, -90, -90, -10, -12];
  assert.deepEqual(spellsOf({ period_s: 0.1, user, assistant }), [
    { side: "user", from: 100, to: 500 },
    { side: "user", from: 800, to: 900 },
    { side: "assistant", from: 700, to: 900 },
  ]);
});

test("settings are short texts, and what has no value is left out", () => {
  const rows = settingRows({
    voice: "marin",
    noise_reduction: null,
    tools: { off: ["world_clock", "dice"], servers: [] },
    vad_silence_ms: 500,
  });
  assert.deepEqual(rows, [
    ["voice", "marin"],
    ["tools", "off: world clock, dice"],
    ["vad silence, in ms", "500"],
  ]);
  assert.deepEqual(settingRows({ tools: { off: [], servers: [] } }), []);
  const [[, long]] = settingRows({ instructions: "x".repeat(10_000) });
  assert.equal(long.length, 300);
  assert.deepEqual(settingRows(null), []);
});

test("what was used is told with its price, or without one", () => {
  const usage = { input_text: 1234, output_audio: 0, input_audio: "9", transcription_s: 1.5 };
  assert.deepEqual(usageRows({ dollars: 0.5, unknown: 1, prices_as_of: "2026-11-01", usage }), [
    ["cost", "at least $0.5000 (prices of 2026-11-01)"],
    ["input text", "1,234"],
    ["transcription, in s", "1.5"],
  ]);
  assert.deepEqual(usageRows({ dollars: null, prices_as_of: "2026-11-01" }), [
    ["cost", "no price known"],
  ]);
  assert.deepEqual(usageRows(undefined), [["cost", "no price known"]]);
});
