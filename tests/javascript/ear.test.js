// When the first sound of an answer is noticed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hearken } from "../../components/browser/page/ear.js";

function scene(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const scene = { now: 0, level: 0, looks: 0, told: [] };
  const sound = { type: "inbound-rtp", totalAudioEnergy: 0, totalSamplesDuration: 0 };
  const receiver = {
    async getStats() {
      scene.looks += 1;
      return new Map([
        ["a", { type: "codec" }],
        ["b", { ...sound }],
      ]);
    },
  };
  scene.stop = hearken(receiver, (ago) => scene.told.push(ago), { now: () => scene.now });
  scene.pass = async (ms) => {
    for (let passed = 0; passed < ms; passed += 20) {
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      scene.now += 20;
      sound.totalSamplesDuration += 0.02;
      sound.totalAudioEnergy += 0.02 * scene.level ** 2;
      t.mock.timers.tick(20);
    }
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  return scene;
}

test("the first sound is told once, with about how long ago it began", async (t) => {
  const ear = scene(t);
  await ear.pass(200);
  assert.deepEqual(ear.told, []);
  ear.level = 0.1;
  await ear.pass(100);
  assert.deepEqual(ear.told, [60]);
});

test("what is fainter than a voice is no sound", async (t) => {
  const ear = scene(t);
  ear.level = 0.0005;
  await ear.pass(200);
  assert.deepEqual(ear.told, []);
});

test("it does not look for ever", async (t) => {
  const ear = scene(t);
  await ear.pass(4000);
  assert.ok(ear.looks < 155);
  ear.level = 1;
  await ear.pass(100);
  assert.deepEqual(ear.told, []);
});

test("it can be told to stop", async (t) => {
  const ear = scene(t);
  await ear.pass(40);
  ear.stop();
  ear.level = 1;
  await ear.pass(100);
  assert.deepEqual(ear.told, []);
});
