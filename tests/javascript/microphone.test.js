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
