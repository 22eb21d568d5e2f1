// How the state of a call is shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { showState } from "../../components/browser/shared/states.js";

function element() {
  const written = [];
  const keep = (target, name, value) => {
    written.push([name, value]);
    target[name] = value;
    return true;
  };
  const dataset = new Proxy({}, { set: keep });
  return { written, shown: new Proxy({ textContent: "", dataset }, { set: keep }) };
}

test("a state is a capitalised word, and raw in the element's data", () => {
  const { written, shown } = element();
  showState(shown, "reconnecting");
  assert.deepEqual(written, [
    ["textContent", "Reconnecting"],
    ["state", "reconnecting"],
  ]);
});

test("the same state is not written again", () => {
  const { written, shown } = element();
  showState(shown, "idle");
  showState(shown, "idle");
  assert.equal(written.length, 2);
});

test("the word may stand in an element of its own", () => {
  const side = { dataset: {} };
  const word = { textContent: "Idle" };
  showState(side, "speaking", word);
  assert.deepEqual([side.dataset.state, word.textContent], ["speaking", "Speaking"]);
});
