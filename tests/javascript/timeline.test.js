// What the plot of both voices keeps, and where it puts it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Timeline } from "../../components/browser/page/timeline.js";

const level = (t) => ({ user: -30, assistant: -40, t });

test("the fastest message tells how the clocks differ, and a late one is put where it belongs", () => {
  const timeline = new Timeline(10);
  timeline.add(level(0), 1000);
  timeline.add(level(50), 1200); // 150 ms late
  timeline.add(level(100), 1090); // 10 ms sooner than the first
  assert.deepEqual(
    timeline.points.map(({ at }) => at),
    [1000, 1050, 1090],
  );
  assert.equal(timeline.end, 1090);
});

test("after a reconnection the handler's clock may begin anew", () => {
  const timeline = new Timeline(10);
  timeline.add(level(5000), 6000);
  timeline.resume();
  timeline.add(level(0), 8000);
  assert.equal(timeline.end, 8000);
});

test("what is older than the plot is forgotten, but not a voice that still speaks", () => {
  const timeline = new Timeline(10);
  timeline.add(level(0), 0);
  timeline.speak("user", true, 0);
  timeline.speak("user", false, 500);
  timeline.speak("assistant", true, 600);
  timeline.add(level(20_000), 20_000);
  assert.deepEqual(timeline.points, [{ at: 20_000, user: -30, assistant: -40 }]);
  assert.deepEqual(timeline.spells, [{ side: "assistant", from: 600, to: null }]);
});

test("a side that is said to speak twice speaks once, and at the end of the call no more", () => {
  const timeline = new Timeline(10);
  timeline.speak("user", true, 100);
  timeline.speak("user", true, 200);
  timeline.stop(300);
  timeline.speak("user", false, 400);
  assert.deepEqual(timeline.spells, [{ side: "user", from: 100, to: 300 }]);
});

test("a plot without points has no end", () => {
  assert.equal(new Timeline(10).end, null);
});
