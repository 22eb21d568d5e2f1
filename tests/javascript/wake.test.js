// The screen stays on as long as a call, and no longer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { stayAwake } from "../../components/browser/shared/wake.js";

function screen() {
  const lock = { released: 0, release: () => (lock.released += 1) };
  return { lock, request: async () => lock };
}

test("the screen may go off again after the call", async () => {
  const { lock, request } = screen();
  const sleep = stayAwake({ request });
  assert.equal(lock.released, 0);
  await sleep();
  assert.equal(lock.released, 1);
});

test("a call that ends while the browser is asked lets the screen go off as well", async () => {
  const { lock, request } = screen();
  let allow;
  const asked = new Promise((resolve) => (allow = resolve));
  const sleep = stayAwake({ request: () => asked.then(request) });
  const asleep = sleep();
  allow();
  await asleep;
  assert.equal(lock.released, 1);
});

test("a browser that refuses, or knows of no such thing, is no failure", async () => {
  const refuse = async () => {
    throw new Error("battery");
  };
  for (const wakeLock of [{ request: refuse }, null]) await stayAwake(wakeLock)();
});
