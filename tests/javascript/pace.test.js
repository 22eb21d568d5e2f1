// The assistant's words, as they sound.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CHARACTERS_PER_S, Pace } from "../../components/browser/widget/pace.js";

const TEXT = "one two three four five six seven eight nine ten";
const WORDS = [
  { id: "u1", role: "user", text: "Count." },
  { id: "a1", role: "assistant", text: TEXT },
];
const DELTA = { type: "response.output_audio_transcript.delta", item_id: "a1" };
const ofBuffer = (name) => ({ type: `output_audio_buffer.${name}` });

function pacing(...events) {
  const pace = new Pace();
  events.forEach(([event, now]) => pace.take(event, WORDS, now));
  return (now) => pace.paced(WORDS, now)[1];
}

test("before there is sound, no word has sounded", () => {
  assert.equal(pacing([DELTA, 0])(60_000).text, "");
});

test("words come at the pace of a voice, and whole", () => {
  const at = pacing([DELTA, 0], [ofBuffer("started"), 1000]);
  assert.equal(at(1000).text, "");
  const second = at(2000).text;
  assert.ok(TEXT.startsWith(`${second} `));
  assert.ok(second.length <= CHARACTERS_PER_S && second.length > CHARACTERS_PER_S - 8);
  assert.equal(at(60_000).text, TEXT);
});

test("all of them have sounded when the sound has ended", () => {
  const at = pacing([DELTA, 0], [ofBuffer("started"), 0], [ofBuffer("stopped"), 100]);
  assert.deepEqual(at(100), WORDS[1]);
});

for (const cutting of [ofBuffer("cleared"), { type: "conversation.item.truncated" }]) {
  test(`what ${cutting.type} cuts off is told apart, for good`, () => {
    const at = pacing([DELTA, 0], [ofBuffer("started"), 0], [cutting, 1000], [DELTA, 1100]);
    const { text, unheard } = at(60_000);
    assert.equal(text + unheard, TEXT);
    assert.ok(text.length > 0 && text.length <= CHARACTERS_PER_S);
    assert.ok(unheard.startsWith(" "));
  });
}

test("words that never sound, as typed answers and what was said before, stand as they are", () => {
  assert.deepEqual(pacing([ofBuffer("started"), 0])(10), WORDS[1]);
});

test("a digit takes the time of a word", () => {
  const words = [{ id: "a1", role: "assistant", text: "1, 2, 3, 4, 5, 6, 7, 8, 9, 10." }];
  const pace = new Pace();
  pace.take(DELTA, words, 0);
  pace.take(ofBuffer("started"), words, 0);
  assert.equal(pace.paced(words, 1000)[0].text, "1, 2,");
});

test("messages sound one after the other", () => {
  const words = [...WORDS, { id: "a2", role: "assistant", text: "eleven twelve" }];
  const pace = new Pace();
  pace.take(DELTA, words, 0);
  pace.take({ ...DELTA, item_id: "a2" }, words, 0);
  pace.take(ofBuffer("started"), words, 0);
  const [, first, second] = pace.paced(words, 2000);
  assert.ok(first.text.length > 0 && first.text.length < TEXT.length);
  assert.equal(second.text, "");
  assert.equal(pace.paced(words, 60_000)[2].text, "eleven twelve");
});
