// Which keys are taken along, and what is said of others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { keyProblem } from "../../components/browser/page/keyform.js";

const KEY = "sk-test-0000000000000000";

test("no key is no problem, and a key is none over the app's server", () => {
  assert.equal(keyProblem("", true), "");
  assert.equal(keyProblem(KEY, false), "");
});

test("a key that would not be used is told so, and not repeated", () => {
  assert.match(keyProblem(KEY, true), /^Your own key works only through this app's server\./);
  ["short", `${KEY} ${KEY}`, "ключ".repeat(10), "x".repeat(401), `${KEY}\n`].forEach((text) => {
    const said = keyProblem(text, false);
    assert.match(said, /^That is no key/);
    assert.ok(!said.includes(text));
  });
});
