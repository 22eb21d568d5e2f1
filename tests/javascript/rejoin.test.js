// When a lost call is tried again, and when it is given up.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

globalThis.window = new EventTarget();
await import("../../components/browser/page/rejoin.js");

let told;
let rejoin;

// Chance is taken away, so that pauses are exact.
function begin(t) {
  t.after(() => rejoin.stop());
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(Math, "random", () => 0.5);
  rejoin = window.realtimeVoice.rejoin.create(
    () => told.push("try"),
    () => told.push("give up"),
  );
}

beforeEach(() => (told = []));

test("the first try is made at once, the others after longer and longer", (t) => {
  begin(t);
  for (const [tries, pauseMs] of [
    [1, 0],
    [2, 1000],
    [3, 2000],
    [4, 4000],
    [5, 4000],
  ]) {
    assert.equal(rejoin.again(), tries);
    if (pauseMs) t.mock.timers.tick(pauseMs - 1);
    assert.equal(told.length, tries - 1);
    t.mock.timers.tick(1);
    assert.equal(told.length, tries);
  }
});

test("a call that does not come back within twenty seconds is given up", (t) => {
  begin(t);
  rejoin.again();
  t.mock.timers.tick(19_999);
  assert.deepEqual(told, ["try"]);
  t.mock.timers.tick(1);
  assert.deepEqual(told, ["try", "give up"]);
});

test("a call that came back is not given up", (t) => {
  begin(t);
  rejoin.again();
  rejoin.back();
  t.mock.timers.tick(30_000);
  assert.deepEqual(told, ["try"]);
});

test("a call that came back only just now is not tried at once when it is lost again", (t) => {
  begin(t);
  rejoin.again();
  t.mock.timers.tick(1);
  rejoin.back();
  assert.equal(rejoin.again(), 2);
});

test("a network that comes back ends the pause", (t) => {
  begin(t);
  rejoin.again();
  t.mock.timers.tick(1);
  rejoin.again();
  window.dispatchEvent(new Event("online"));
  assert.deepEqual(told, ["try", "try"]);
  t.mock.timers.tick(1000);
  assert.deepEqual(told, ["try", "try"]);
});

test("a call that has ended is neither tried nor given up", (t) => {
  begin(t);
  rejoin.again();
  rejoin.stop();
  window.dispatchEvent(new Event("online"));
  t.mock.timers.tick(30_000);
  assert.deepEqual(told, []);
});
