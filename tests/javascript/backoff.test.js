// How long a lost connection waits for its next try.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pauseMs, wasSteady } from "../../components/browser/shared/backoff.js";

const AVERAGE = 0.5;

test("each pause is twice the one before, up to the limit", () => {
  const pauses = [1, 2, 3, 4].map((tries) => pauseMs(tries, 1000, 4000, AVERAGE));
  assert.deepEqual(pauses, [1000, 2000, 4000, 4000]);
});

test("chance makes a pause up to a quarter shorter or longer", () => {
  assert.deepEqual(
    [0, 1].map((chance) => pauseMs(2, 500, Infinity, chance)),
    [750, 1250],
  );
});

test("no two callers need to wait equally long", () => {
  const pauses = new Set(Array.from({ length: 20 }, () => pauseMs(1, 1000)));
  assert.ok(pauses.size > 1);
});

test("only a connection that held for ten seconds was a good one", () => {
  assert.deepEqual([9999, 10_001, Infinity].map(wasSteady), [false, true, true]);
});
