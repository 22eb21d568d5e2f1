// What the plot of both voices draws.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { CALM, DETAILED, drawPlot } from "../../components/browser/page/plot.js";
import { Timeline } from "../../components/browser/page/timeline.js";

const COLOURS = { user: "blue", assistant: "orange", grid: "grey", text: "black", dash: [] };
globalThis.window = {};
let drawn;

// A context that keeps the lines of each colour and the texts.
function canvasOf() {
  const context = {
    lines: 0,
    beginPath: () => (context.lines = 0),
    lineTo: () => (context.lines += 1),
    stroke: () => drawn.lines.push([context.strokeStyle, context.lines]),
    fillText: (text) => drawn.texts.push(text),
    fillRect: () => drawn.shades.push(context.fillStyle),
  };
  for (const name of ["setTransform", "clearRect", "moveTo", "save", "rect", "clip", "restore"]) {
    context[name] = () => {};
  }
  context.setLineDash = () => {};
  return { clientWidth: 300, clientHeight: 90, getContext: () => context };
}

const linesOf = (side) => drawn.lines.find(([colour]) => colour === COLOURS[side])[1];

beforeEach(() => (drawn = { lines: [], texts: [], shades: [] }));

function timelineOf(...levels) {
  const timeline = new Timeline(60);
  levels.forEach(([user, assistant], index) =>
    timeline.add({ user, assistant, t: 50 * index }, 50 * index),
  );
  return timeline;
}

test("nothing is drawn where there is silence", () => {
  drawPlot(canvasOf(), timelineOf([-60, -90], [-70, -90], [-60, -90]), 100, CALM, COLOURS);
  assert.deepEqual([linesOf("user"), linesOf("assistant")], [0, 0]);
});

test("a voice is drawn, and again after a pause", () => {
  const timeline = timelineOf([-20, -90], [-20, -90], [-90, -90], [-20, -90], [-20, -90]);
  drawPlot(canvasOf(), timeline, 200, CALM, COLOURS);
  assert.deepEqual([linesOf("user"), linesOf("assistant")], [2, 0]);
});

test("the axis tells how loud and when, without units on the calm page", () => {
  drawPlot(canvasOf(), timelineOf(), 0, CALM, COLOURS);
  assert.deepEqual(drawn.texts, ["loud", "", "quiet", "−10 s", "−5 s", "now"]);
});

test("the detailed plot marks who began, ended, answered and was interrupted", () => {
  const timeline = timelineOf([-20, -20]);
  timeline.speak("user", true, 0);
  timeline.speak("user", false, 10);
  timeline.speak("assistant", true, 20);
  timeline.speak("user", true, 30);
  timeline.speak("assistant", false, 40);
  drawPlot(canvasOf(), timeline, 60, DETAILED, COLOURS);
  assert.deepEqual(drawn.texts.slice(-4), ["▾", "▴", "▸", "✕"]);
  assert.deepEqual(drawn.shades, ["blue", "orange", "blue"]);
});

test("a mark that has left the plot is not drawn", () => {
  const timeline = timelineOf();
  timeline.speak("user", true, 0);
  drawPlot(canvasOf(), timeline, 70_000, DETAILED, COLOURS);
  assert.ok(!drawn.texts.includes("▾"));
});
