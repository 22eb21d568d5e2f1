// The transcripts that the app and the voice button must both make of the same events.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { interruptMessage, reduce, wordsOf } from "../../components/browser/shared/reduce.js";

const folder = new URL("../transcripts/", import.meta.url);

function after(messages, event) {
  if (event.type === "interrupt") return interruptMessage(messages, event.item_id);
  return reduce(messages, event);
}

for (const name of readdirSync(folder)) {
  const { why, events, messages } = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
  test(name, () => {
    const end = events.reduce(after, []);
    const told = end.map((one) => ({ role: one.role, status: one.status, text: wordsOf(one) }));
    assert.deepEqual(told, messages, why);
  });
}
