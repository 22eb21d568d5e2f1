// What a link and a browser's memory may ask of a page.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  complaintOf,
  envOf,
  fromLink,
  keep,
  linkTo,
  recall,
} from "../../components/browser/page/wishes.js";

const NAMES = ["voice", "speed", "instructions"];

function storage(start = {}) {
  const items = { ...start };
  return {
    items,
    getItem: (name) => items[name] ?? null,
    setItem: (name, value) => (items[name] = value),
  };
}

test("a link asks for what the page has, and what it has not is named in one sentence", () => {
  const asked = fromLink("?voice=cedar&speed=1.2&api_key=sk-1&__theme=dark&__proto__=1", NAMES);
  assert.deepEqual(asked, { found: { voice: "cedar", speed: "1.2" }, unknown: ["api_key"] });
  assert.equal(
    complaintOf(asked.unknown),
    "The link asks for settings that this page does not have: api_key.",
  );
  assert.equal(complaintOf([]), "");
});

test("a link of many hostile names becomes no long sentence", () => {
  const query = Array.from({ length: 500 }, (_, n) => `${"x".repeat(500)}${n}=1`).join("&");
  assert.ok(complaintOf(fromLink(query, NAMES).unknown).length < 250);
});

test("a link holds the wishes and nothing else of the page's address", () => {
  const link = linkTo("http://localhost:7860/?voice=ash&x=1#top", { voice: "cedar", speed: "1.2" });
  assert.equal(link, "http://localhost:7860/?voice=cedar&speed=1.2");
});

test("what has a variable can be copied as lines of .env", () => {
  const values = { voice: "cedar", speed: "1.2", instructions: 'Say "hi".\nBe kind.' };
  assert.equal(
    envOf({ ...values, transcription_model: "" }),
    'REALTIME_VOICE=cedar\nREALTIME_INSTRUCTIONS="Say \\"hi\\".\\nBe kind."\n' +
      "REALTIME_TRANSCRIPTION_MODEL=off\n",
  );
});

test("wishes outlive the page, but only texts under known names", () => {
  const kept = storage();
  keep(kept, { voice: "cedar" });
  assert.deepEqual(recall(kept, NAMES), { voice: "cedar" });
  const name = Object.keys(kept.items)[0];
  const hostile = { voice: { id: 1 }, speed: "1.2", key: "sk-1" };
  assert.deepEqual(recall(storage({ [name]: JSON.stringify(hostile) }), NAMES), { speed: "1.2" });
  assert.deepEqual(recall(storage({ [name]: "{" }), NAMES), {});
});

test("without storage wishes live as long as the page", () => {
  const blocked = {
    getItem() {
      throw new Error("blocked");
    },
    setItem() {
      throw new Error("blocked");
    },
  };
  keep(blocked, { voice: "cedar" });
  assert.deepEqual(recall(blocked, NAMES), {});
});
