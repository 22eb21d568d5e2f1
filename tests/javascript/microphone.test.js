// What the browser is asked for, and what is said when it refuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  askForMicrophone,
  MICROPHONE_SENTENCES,
} from "../../components/browser/shared/microphone.js";

const named = (name) => Object.assign(new Error(name), { name });

test("wishes that cannot be kept are dropped", async () => {
  const asked = [];
  const stream = await askForMicrophone(async ({ audio }) => {
    asked.push(audio);
    if (audio !== true) throw named("OverconstrainedError");
    return "stream";
  });
  assert.equal(stream, "stream");
  assert.equal(asked.length, 2);
});

test("a microphone that is gone gives way to another, treated as was wished", async () => {
  const asked = [];
  const processing = { echoCancellation: false };
  const missing = async ({ audio }) => {
    asked.push(audio);
    if (audio.deviceId) throw named("OverconstrainedError");
    return "stream";
  };
  assert.equal(await askForMicrophone(missing, "gone", processing), "stream");
  assert.deepEqual(asked[0].deviceId, { exact: "gone" });
  assert.equal(asked[1].deviceId, undefined);
  assert.equal(asked[1].echoCancellation, false);
});

test("what no browser can keep is said", async () => {
  const never = async () => {
    throw named("OverconstrainedError");
  };
  await assert.rejects(askForMicrophone(never, "any"), { name: "OverconstrainedError" });
});

test("a refusal is not asked twice", async () => {
  let asked = 0;
  const refuse = async () => {
    asked += 1;
    throw named("NotAllowedError");
  };
  await assert.rejects(askForMicrophone(refuse), { name: "NotAllowedError" });
  assert.equal(asked, 1);
});

test("every refusal has its sentence", () => {
  for (const name of ["NotAllowedError", "NotFoundError", "NotReadableError", "insecure"]) {
    assert.match(MICROPHONE_SENTENCES[name], /\.$/);
  }
});
