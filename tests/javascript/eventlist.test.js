// Which events are listed, and how.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clockOf, EventList, sizeOf, windowOf } from "../../components/browser/page/eventlist.js";

const row = (number, type = "response.done", direction = "received") => ({
  number,
  type,
  direction,
  at: 0,
  count: 1,
  bytes: 10,
  event: { type },
});
const numbers = (rows) => rows.map(({ number }) => number);

test("a row that comes again takes its own place", () => {
  const list = new EventList();
  list.take([row(1), row(2), row(3)]);
  list.take([{ ...row(2), count: 7 }, row(4)]);
  assert.deepEqual(numbers(list.rows), [1, 2, 3, 4]);
  assert.equal(list.rows[1].count, 7);
});

test("a row that changed late takes its place among those before it", () => {
  const list = new EventList();
  list.take([row(1), row(4), row(5)]);
  list.take([row(6), row(2)]);
  assert.deepEqual(numbers(list.rows), [1, 2, 4, 5, 6]);
  assert.equal(list.find(2), 1);
});

test("only the newest rows are kept", () => {
  const list = new EventList(3);
  list.take([row(1), row(2)]);
  list.take([row(3), row(4), row(5)]);
  assert.deepEqual(numbers(list.rows), [3, 4, 5]);
  assert.equal(list.find(1), -1);
});

test("rows are filtered by their type and their direction", () => {
  const list = new EventList();
  list.take([row(1, "session.update", "sent"), row(2, "session.updated"), row(3, "error")]);
  list.text = " Session ";
  assert.deepEqual(numbers(list.shown), [1, 2]);
  list.direction = "sent";
  assert.deepEqual(numbers(list.shown), [1]);
  list.text = "";
  list.direction = "received";
  assert.deepEqual(numbers(list.shown), [2, 3]);
});

test("while it is paused what comes is kept and not shown", () => {
  const list = new EventList();
  list.take([row(1)]);
  list.pause(true);
  list.take([row(2)]);
  assert.deepEqual(numbers(list.shown), [1]);
  list.pause(false);
  assert.deepEqual(numbers(list.shown), [1, 2]);
});

test("a new call begins with an empty list, paused or not", () => {
  const list = new EventList();
  list.take([row(1)]);
  list.pause(true);
  list.clear();
  assert.deepEqual(list.shown, []);
  list.pause(false);
  assert.deepEqual(list.shown, []);
});

test("a download has a line for each row", () => {
  const list = new EventList();
  list.take([row(1), row(2, "a\nb")]);
  const lines = list.jsonl.trimEnd().split("\n").map(JSON.parse);
  assert.deepEqual(lines, [row(1), row(2, "a\nb")]);
});

test("the window holds the rows in view and a few beside them", () => {
  assert.deepEqual(windowOf(0, 260, 26, 2000), [0, 18]);
  assert.deepEqual(windowOf(2600, 260, 26, 2000), [92, 118]);
  assert.deepEqual(windowOf(2600, 260, 26, 5), [5, 5]);
  assert.deepEqual(windowOf(0, 0, 26, 0), [0, 0]);
});

test("sizes and times are for people", () => {
  assert.deepEqual([999, 1000, 1_234_567].map(sizeOf), ["999 B", "1.0 kB", "1.2 MB"]);
  assert.match(clockOf(1_700_000_000.0456), /^\d\d:\d\d:20\.04[56]$/);
});
