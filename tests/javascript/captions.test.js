import assert from "node:assert/strict";
import { test } from "node:test";
import {
  captionAt,
  captionsOf,
  eventsOf,
  pointsAround,
  timingOf,
} from "../../components/browser/page/captions.js";

const VTT = `WEBVTT

00:00:01.500 --> 00:00:02.000
<v You>Is 1 &lt; 2?

01:00:03.000 --> 01:00:04.000
<v Assistant>Yes &amp;amp; no.
`;

test("captions are read as the app writes them", () => {
  assert.deepEqual(captionsOf(VTT), [
    { since: 1.5, until: 2, speaker: "You", words: "Is 1 < 2?" },
    { since: 3603, until: 3604, speaker: "Assistant", words: "Yes &amp; no." },
  ]);
  assert.deepEqual(captionsOf("nothing"), []);
});

test("the words at a moment are those that began last", () => {
  const captions = captionsOf(VTT);
  assert.equal(captionAt(captions, 1), null);
  assert.equal(captionAt(captions, 2.5).speaker, "You");
  assert.equal(captionAt(captions, 3603).speaker, "Assistant");
});

test("the plot gets the points before a moment", () => {
  const levels = { period_s: 0.5, user: [-1, -2, -3, -4], assistant: [-5, -6, -7, "x"] };
  assert.deepEqual(pointsAround(levels, 1.5, 1), [
    { at: 500, user: -2, assistant: -6 },
    { at: 1000, user: -3, assistant: -7 },
  ]);
});

test("of events and turns each value has its type", () => {
  const [row] = eventsOf('{"number":"1","at":2,"direction":{},"type":["a"],"event":3}\n');
  assert.equal(row.number, 1);
  assert.equal(row.direction, "received");
  assert.equal(row.type, "a");
  const { turns } = timingOf({ turns: [{ number: 1, kind: "typed", steps: null }] });
  assert.deepEqual(turns[0].steps, {});
  assert.throws(() => timingOf({ turns: 5 }));
  assert.throws(() => eventsOf("no JSON"));
});
