// When all of an ended call's transcript has been shown.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.window = new EventTarget();
await import("../../components/browser/page/snapshots.js");
const { snapshots } = window.realtimeVoice;

async function isSettled() {
  let done = false;
  const settled = snapshots.settled().then(() => (done = true));
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  return { now: done, settled };
}

test("without an event under way there is nothing to wait for", async () => {
  assert.equal((await isSettled()).now, true);
});

test("an event under way is waited for, however often the app has news meanwhile", async () => {
  snapshots.begin(() => {});
  snapshots.begin(() => {});
  const waiting = await isSettled();
  assert.equal(waiting.now, false);
  snapshots.end();
  await waiting.settled;
  assert.equal((await isSettled()).now, true);
});

test("an event that never ends is not waited for any longer than two seconds", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  snapshots.begin(() => {});
  const waiting = await isSettled();
  assert.equal(waiting.now, false);
  t.mock.timers.tick(2000);
  await waiting.settled;
});

test("an event that has ended is asked for again, by who wanted it last, after a second or so", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [];
  snapshots.begin(() => asked.push("first"));
  snapshots.begin(() => asked.push("second"));
  snapshots.end();
  t.mock.timers.tick(749);
  assert.deepEqual(asked, []);
  t.mock.timers.tick(501);
  assert.deepEqual(asked, ["second"]);
});

test("an event that has begun again meanwhile is not asked for twice", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [];
  snapshots.begin(() => asked.push("again"));
  snapshots.end();
  snapshots.begin(() => asked.push("again"));
  t.mock.timers.tick(60_000);
  assert.deepEqual(asked, []);
  snapshots.end();
});

test("an event that always ends at once is asked for more and more seldom", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let times = 0;
  let goesOn = true;
  const ask = () => {
    if (!goesOn) return;
    times += 1;
    snapshots.begin(ask);
    snapshots.end();
  };
  snapshots.begin(ask);
  snapshots.end();
  for (let second = 0; second < 600; second += 1) t.mock.timers.tick(1000);
  goesOn = false;
  assert.ok(times > 15, times);
  assert.ok(times < 30, times);
});
