import assert from "node:assert/strict";
import test from "node:test";
import { keepDevices, recallDevices } from "../../components/browser/page/devicechoices.js";

const USUAL = {
  speaker: "",
  volume: 1,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

const storageWith = (text) => ({ getItem: () => text, setItem: () => {} });

test("without anything kept, all is as usual", () => {
  assert.deepEqual(recallDevices(storageWith(null)), USUAL);
});

test("what was kept comes back", () => {
  let kept = null;
  const storage = { getItem: () => kept, setItem: (_, text) => (kept = text) };
  const choices = { ...USUAL, speaker: "abc", volume: 0.4, echoCancellation: false };
  keepDevices(storage, choices);
  assert.deepEqual(recallDevices(storage), choices);
});

for (const text of ["", "null", "7", "[]", '{"volume": 9, "speaker": {}}', '{"volume": "loud"}']) {
  test(`what makes no sense counts as nothing: ${text}`, () => {
    assert.deepEqual(recallDevices(storageWith(text)), USUAL);
  });
}

test("a browser without storage forgets", () => {
  const blocked = {
    getItem: () => {
      throw new Error("blocked");
    },
    setItem: () => {
      throw new Error("blocked");
    },
  };
  keepDevices(blocked, USUAL);
  assert.deepEqual(recallDevices(blocked), USUAL);
});
