// What becomes of the streams of events whose session the page has given up.
import assert from "node:assert/strict";
import { test } from "node:test";

const asked = []; // requests for events: { url, answer(response) }
globalThis.location = { href: "http://app.example/" };
globalThis.window = {
  fetch: ({ url }) => new Promise((answer) => asked.push({ url, answer })),
};
await import("../../components/browser/page/gradio.js");
const { gradio } = window.realtimeVoice;

const EVENTS = "http://app.example/gradio_api/queue/data?session_hash=abc";

function live() {
  const seen = { ended: false };
  const body = new ReadableStream({ cancel: () => (seen.ended = true) });
  return { seen, response: new Response(body) };
}

async function ends(response) {
  const text = await response.text();
  assert.match(text, /process_completed/);
  assert.match(text, /close_stream/);
}

test("a stream under way ends for the client when its session is given up", async () => {
  const response = window.fetch(new Request(EVENTS));
  const stream = live();
  asked.pop().answer(stream.response);
  const events = await response;
  gradio.renew();
  await ends(events);
  assert.equal(stream.seen.ended, true);
});

test("a stream that comes only after its session was given up ends at once", async () => {
  const response = window.fetch(new Request(EVENTS));
  gradio.renew();
  const stream = live();
  asked.pop().answer(stream.response);
  await ends(await response);
  assert.equal(stream.seen.ended, true);
});

test("the next stream is that of a session of another name", async () => {
  window.fetch(new Request(EVENTS));
  assert.equal(new URL(asked.pop().url).searchParams.get("session_hash"), "abc-2");
});

const named = () => {
  const stream = live();
  const response = window.fetch(new Request(EVENTS));
  const { url, answer } = asked.pop();
  return { name: new URL(url).searchParams.get("session_hash"), answer, response, stream };
};

for (const [what, text, breaks, renews] of [
  ["that breaks", "data: {}\n\n", true, true],
  ["that stops without a word", "data: {}\n\n", false, true],
  ["that the app closes", 'data: {"msg": "close_stream"}\n\n', false, false],
]) {
  test(`after a stream ${what} the session ${renews ? "has another" : "keeps its"} name`, async () => {
    const { name, answer, response } = named();
    let told = 0;
    const watcher = () => (told += 1);
    gradio.watchers.add(watcher);
    let sent = false;
    const body = new ReadableStream({
      pull(controller) {
        if (!sent) controller.enqueue(new TextEncoder().encode(text));
        else if (breaks) controller.error(new TypeError("network error"));
        else controller.close();
        sent = true;
      },
    });
    answer(new Response(body));
    await ends(await response);
    assert.equal(named().name === name, !renews);
    gradio.watchers.delete(watcher);
    assert.equal(told, renews ? 1 : 0);
  });
}

const NOT_FOUND = 'data: {"msg":"unexpected_error","session_not_found":true}\n\n';

function notFound() {
  const { answer, response } = named();
  const start = (controller) => controller.enqueue(new TextEncoder().encode(NOT_FOUND));
  answer(new Response(new ReadableStream({ start })));
  return response;
}

const join = () => {
  window.fetch("http://app.example/gradio_api/queue/join?", { body: "{}" });
  asked.pop();
};

test("of an event that was begun before its session was given up nothing is told but its end", async () => {
  join();
  gradio.renew();
  let told = 0;
  const watcher = () => (told += 1);
  gradio.watchers.add(watcher);
  const text = await (await notFound()).text();
  gradio.watchers.delete(watcher);
  assert.match(text, /process_completed/);
  assert.doesNotMatch(text, /not_found/);
  assert.equal(told, 1);
});

test("another app is told of in Gradio's own words", async () => {
  join();
  const reader = (await notFound()).body.getReader();
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value), NOT_FOUND);
  reader.cancel();
});

test("a stream is silent from when it is asked for until it brings something, and none is when it is over", async (t) => {
  t.mock.method(performance, "now", () => 1000);
  const aborted = window.fetch(new Request(EVENTS, { signal: AbortSignal.abort() }));
  asked.pop().answer(Promise.reject(new TypeError("aborted")));
  await assert.rejects(aborted);
  assert.equal(gradio.isSilentSince(1), false);

  const { answer, response } = named();
  assert.equal(gradio.isSilentSince(1), true);
  let feed;
  answer(new Response(new ReadableStream({ start: (controller) => (feed = controller) })));
  const reader = (await response).body.getReader();
  assert.equal(gradio.isSilentSince(1), true);
  feed.enqueue(new TextEncoder().encode("data: {}\n\n"));
  await reader.read();
  assert.equal(gradio.isSilentSince(1000), false);
  assert.equal(gradio.isSilentSince(1001), true);
  feed.close();
  await reader.read();
  assert.equal(gradio.isSilentSince(1001), false);
});
