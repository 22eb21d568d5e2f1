// The figures of a call, as the browser's statistics and the app tell them.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const elements = {};
globalThis.window = {};
globalThis.document = {
  querySelector: (selector) => elements[selector.match(/data-figure="(\w+)"/)[1]],
};
await import("../../components/browser/page/figures.js");
const { figures } = window.realtimeVoice;

beforeEach(() => {
  for (const name of ["buffer", "rtt", "cost"]) {
    elements[name] = { textContent: "", parentElement: { hidden: false } };
  }
});

test("a cost is told in cents, in their hundredths while it is low, and not at all if unknown", () => {
  const told = [0, 0.00001, 0.0123, 0.1, 12.345].map((cost) => {
    figures.spend(cost);
    return elements.cost.textContent;
  });
  assert.deepEqual(told, ["$0.00", "< $0.0001", "$0.0123", "$0.10", "$12.35"]);
  assert.equal(elements.cost.parentElement.hidden, false);
  figures.spend(null);
  assert.equal(elements.cost.parentElement.hidden, true);
});

test("a cost of which a part is unknown is told as the least that it can be", () => {
  const told = [0, 0.00001, 0.0123, 12.345].map((cost) => {
    figures.spend(cost, true);
    return elements.cost.textContent;
  });
  assert.deepEqual(told, [
    "at least $0.00",
    "at least $0.0000",
    "at least $0.0123",
    "at least $12.35",
  ]);
});

function stats({ seconds, lost }) {
  const sound = {
    type: "inbound-rtp",
    kind: "audio",
    jitterBufferDelay: 48_000 * seconds * 0.05,
    jitterBufferEmittedCount: 48_000 * seconds,
    packetsReceived: 50 * seconds,
    packetsLost: lost,
    totalAudioEnergy: 0.1 * seconds,
    totalSamplesDuration: seconds,
  };
  const path = { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.0123 };
  return new Map([sound, path, { type: "codec" }].map((entry, index) => [index, entry]));
}

test("a meter tells what has happened since it was asked last", async () => {
  const answers = [stats({ seconds: 1, lost: 2 }), stats({ seconds: 3, lost: 1 })];
  const measure = figures.meter({ getStats: async () => answers.shift() });
  assert.equal((await measure()).samples, 48_000);
  const { samples, packets, lost, rtt } = await measure();
  assert.deepEqual([samples, packets, lost, rtt], [96_000, 100, -1, 12.3]);
});

test("the app is told how long the browser holds sound back, and of no negative loss", () => {
  const report = figures.playout({ delay: 2400.2, samples: 48_000, lost: -1, rtt: 12.34 });
  assert.deepEqual(report, { type: "playout", delay_ms: 50, rtt_ms: 12.3, lost: 0 });
  assert.deepEqual([elements.buffer.textContent, elements.rtt.textContent], ["50 ms", "12 ms"]);
});

test("without sound there is nothing to tell", () => {
  assert.equal(figures.playout({ delay: 0, samples: 0, lost: 0, rtt: 1 }), null);
  assert.equal(figures.playout({ delay: 0, samples: Number.NaN, lost: 0, rtt: 1 }), null);
});
