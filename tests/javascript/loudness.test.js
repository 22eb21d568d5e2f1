// How loud a direct call's voices are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { levelDbfs } from "../../components/browser/page/loudness.js";

test("a full square wave is as loud as it gets, a tenth of it 20 dB softer", () => {
  assert.equal(levelDbfs(new Float32Array([1, -1, 1, -1])), 0);
  assert.ok(Math.abs(levelDbfs(new Float32Array([0.1, -0.1])) + 20) < 0.01);
});

test("silence has a level", () => {
  assert.equal(levelDbfs(new Float32Array(8)), -100);
});
