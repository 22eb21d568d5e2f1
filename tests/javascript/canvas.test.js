// How many pixels a canvas gets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { prepareCanvas } from "../../components/browser/shared/canvas.js";

test("a canvas has the screen's pixels and is drawn in those of the page", () => {
  const calls = [];
  const context = {
    setTransform: (...args) => calls.push(args),
    clearRect: (...args) => calls.push(args),
  };
  const canvas = {
    clientWidth: 101,
    clientHeight: 50,
    width: 0,
    height: 0,
    getContext: () => context,
  };
  const { width, height } = prepareCanvas(canvas, 1.5);
  assert.deepEqual([width, height, canvas.width, canvas.height], [101, 50, 152, 75]);
  assert.deepEqual(calls, [
    [1.5, 0, 0, 1.5, 0, 0],
    [0, 0, 101, 50],
  ]);
});
