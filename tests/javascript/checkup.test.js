import assert from "node:assert/strict";
import test from "node:test";

globalThis.window = { fetch: () => {} };
globalThis.document = { addEventListener: () => {} };
const { checkupFindings } = await import("../../components/browser/page/checkup.js");

const STUN = "stun:stun.example:3478";
const TURN = "turn:turn.example:3478";
const WELL = {
  problem: "",
  name: "Desk",
  microphones: 2,
  level: -30,
  urls: [],
  kinds: [],
  rtt: 12,
};

const verdicts = (seen) =>
  Object.fromEntries(
    checkupFindings({ ...WELL, ...seen }).map(([check, verdict]) => [check, verdict]),
  );

test("a browser in which a call would work is well", () => {
  assert.deepEqual(checkupFindings(WELL), [
    ["Microphone", "ok", "Allowed: Desk, of 2."],
    ["Level", "ok", "-30 dBFS at the loudest."],
    ["Ways", "ok", "No STUN or TURN server is needed on this machine."],
    ["Round trip", "ok", "12 ms to the app."],
  ]);
});

test("without a microphone its problem is told, and nothing of its level", () => {
  const found = checkupFindings({ ...WELL, problem: "No microphone was found." });
  assert.deepEqual(found[0], ["Microphone", "failed", "No microphone was found."]);
  assert.equal(found.length, 3);
});

test("a microphone that hears nothing is told", () => {
  assert.equal(verdicts({ level: -100 }).Level, "warning");
  assert.equal(verdicts({ level: Number.NEGATIVE_INFINITY }).Level, "warning");
});

for (const [urls, kinds, verdict] of [
  [[STUN, TURN], ["host", "srflx", "relay"], "ok"],
  [[STUN, TURN], ["host", "srflx"], "failed"],
  [[STUN], ["host", "srflx"], "warning"],
  [[STUN], ["host"], "failed"],
]) {
  test(`ways: of ${urls} came ${kinds}`, () => {
    assert.equal(verdicts({ urls, kinds }).Ways, verdict);
  });
}

test("the round trip is told, and an app that does not answer", () => {
  assert.equal(verdicts({ rtt: 450 })["Round trip"], "warning");
  assert.equal(verdicts({ rtt: null })["Round trip"], "failed");
});
