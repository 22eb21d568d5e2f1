// When the first sound of an answer is noticed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hearken } from "../../components/browser/page/ear.js";

function scene(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const scene = { now: 0, sources: [], told: [] };
  const clock = { timeOrigin: 1_000_000, now: () => scene.now };
  const receiver = { getSynchronizationSources: () => scene.sources };
  scene.stop = hearken(receiver, (ago) => scene.told.push(ago), clock);
  scene.pass = (ms) => {
    for (let passed = 0; passed < ms; passed += 20) {
      scene.now += 20;
      t.mock.timers.tick(20);
    }
  };
  return scene;
}

test("the first sound is told once, with how long ago it was played", (t) => {
  const ear = scene(t);
  ear.pass(100);
  ear.sources = [{ audioLevel: 0, timestamp: 1_000_090 }];
  ear.pass(100);
  assert.deepEqual(ear.told, []);
  ear.sources = [{ audioLevel: 0.2, timestamp: 1_000_213 }];
  ear.pass(100);
  assert.deepEqual(ear.told, [7]);
});

test("a browser that tells nothing, or of another clock, does no harm", (t) => {
  const ear = scene(t);
  ear.sources = [{ timestamp: 1_000_000 }];
  ear.pass(100);
  ear.sources = [{ audioLevel: 1, timestamp: 9_000_000 }];
  ear.pass(20);
  assert.deepEqual(ear.told, [0]);
});

test("it does not look for ever", (t) => {
  const ear = scene(t);
  ear.pass(3100);
  ear.sources = [{ audioLevel: 1, timestamp: 1_000_000 }];
  ear.pass(100);
  assert.deepEqual(ear.told, []);
});

test("it can be told to stop", (t) => {
  const ear = scene(t);
  ear.stop();
  ear.sources = [{ audioLevel: 1, timestamp: 1_000_000 }];
  ear.pass(100);
  assert.deepEqual(ear.told, []);
});
