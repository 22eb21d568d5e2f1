// The transcripts that the app and the voice button must both make of the same events.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { interruptMessage, reduce, wordsOf } from "../../components/browser/shared/reduce.js";

const folder = new URL("../transcripts/", import.meta.url);

// The other steps of ours (heard, lose, archive) are no events, and change nothing here: the button
// does not know what was heard.
function after(messages, event) {
  if (event.type === "interrupt") return interruptMessage(messages, event.item_id);
  return reduce(messages, event);
}

for (const name of readdirSync(folder)) {
  const { why, events, messages } = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
  test(name, () => {
    const end = events.reduce(after, []);
    const told = end.map((one) => ({ role: one.role, status: one.status, text: wordsOf(one) }));
    const expected = messages.map(({ role, status, text }) => ({ role, status, text }));
    assert.deepEqual(told, expected, why);
  });
}
