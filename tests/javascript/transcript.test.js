// What the voice button shows of a transcript, and what it tells a new connection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Transcript } from "../../components/browser/widget/transcript.js";

function begun() {
  const transcript = new Transcript();
  transcript.take({ type: "input_audio_buffer.speech_started", item_id: "u" });
  transcript.take({
    type: "response.output_audio_transcript.delta",
    item_id: "a",
    delta: "I think",
  });
  return transcript;
}

test("what was under way when the connection went is marked", () => {
  const transcript = begun();
  transcript.settle();
  const shown = transcript.shown().map(({ status }) => status);
  assert.deepEqual(shown, ["untranscribed", "interrupted"]);
});

test("a new connection is told only what has words", () => {
  const [only, ...others] = begun().replay();
  assert.deepEqual(others, []);
  assert.equal(only.item.id, "a");
  assert.deepEqual(only.item.content, [{ type: "output_text", text: "I think" }]);
});

test("the call of a tool is not shown", () => {
  const transcript = new Transcript();
  const item = { id: "f", type: "function_call", name: "clock" };
  transcript.take({ type: "conversation.item.added", previous_item_id: null, item });
  assert.deepEqual(transcript.shown(), []);
});

test("an event that is not about words changes nothing", () => {
  assert.equal(begun().take({ type: "output_audio_buffer.started" }), false);
});
