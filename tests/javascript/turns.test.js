// How the timing of turns is shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  merge,
  millisecondsOf,
  partsOf,
  secondsOf,
  spanOf,
  titleOf,
} from "../../components/browser/page/turns.js";

const turn = (number, steps = {}, felt = null) => ({
  number,
  kind: "spoken",
  felt_s: felt,
  reason: "",
  steps,
  functions_s: 0,
});

test("a turn that comes again takes its own place, and the newest are kept", () => {
  const turns = merge([turn(1), turn(2)], [turn(2, {}, 0.5), turn(3)], 2);
  assert.deepEqual(
    turns.map(({ number, felt_s }) => [number, felt_s]),
    [
      [2, 0.5],
      [3, null],
    ],
  );
});

test("the parts of a bar follow each other, without those that nobody saw", () => {
  const parts = partsOf(turn(1, { detected: 0.5, token: 0.9, heard: 1.1 }));
  assert.deepEqual(
    parts.map(({ step, from, to }) => [step, from, to]),
    [
      ["detected", 0, 0.5],
      ["token", 0.5, 0.9],
      ["heard", 0.9, 1.1],
    ],
  );
});

test("a part's length is told in milliseconds", () => {
  assert.equal(millisecondsOf({ from: 0.5, to: 0.9 }), "400 ms");
  assert.equal(millisecondsOf({ from: 1, to: 1.0004 }), "0 ms");
});

test("all bars have room for the longest", () => {
  assert.equal(spanOf([]), 0.5);
  assert.equal(spanOf([turn(1, { sent: 0.9 }), turn(2, { heard: 2.5 })]), 2.5);
});

test("a turn is named by its number, its kind and how long one waited", () => {
  assert.equal(titleOf(turn(3, {}, 0.987)), "Turn 3, spoken: 0.99 s");
  assert.equal(titleOf({ ...turn(4), kind: "held" }), "Turn 4, talk button: no answer yet");
  assert.equal(secondsOf(null), "–");
  assert.equal(secondsOf(1), "1.00 s");
});
