// When a call's words are said to be held back on their way, though its sound is not.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

let silentSince = 0; // the stream of events has brought nothing since then; Infinity without one
let channel;
let told;
let askAgain;
globalThis.window = {
  realtimeVoice: {
    gradio: { watchers: new Set(), isSilentSince: (moment) => silentSince < moment },
    component: { start: (_, wired) => wired.channel(channel), stop: () => {} },
    snapshots: { begin: (again) => (askAgain = again) },
  },
};
await import("../../components/browser/page/connection.js");
const { connection } = window.realtimeVoice;

class Channel extends EventTarget {
  readyState = "open";
  send() {}
  brings(message) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  }
}

const WORDS = { type: "fetch_output", data: [], new: true };
let clock = 10_000;
let timers;
let call;

beforeEach((t) => {
  timers = t.mock.timers;
  t.mock.method(performance, "now", () => clock);
  timers.enable({ apis: ["setTimeout"] });
  channel = new Channel();
  told = [];
  call = connection.open(
    null,
    { rejoin: false, patience: 60_000 },
    {
      held: (sentence) => told.push(sentence),
      shaky: () => {},
      lost: () => {},
      message: () => false,
    },
  );
  connection.settle(call);
});

// The app says twenty times a second how loud it is.
function pass(ms) {
  for (let passed = 0; passed < ms; passed += 50) {
    clock += 50;
    channel.brings({ type: "levels" });
    timers.tick(50);
  }
}

test("words whose news came by the channel, and that do not come, are held back; it is said once", () => {
  silentSince = clock - 2000;
  channel.brings(WORDS);
  pass(3950);
  assert.deepEqual(told, []);
  pass(50);
  assert.equal(told.length, 1);
  assert.match(told[0], /proxy/);
  channel.brings(WORDS);
  pass(8000);
  assert.equal(told.length, 1);
});

for (const [what, since, news] of [
  ["came just before their news", -500, WORDS],
  ["came after their news", 500, WORDS],
  ["are waited for by nobody", Number.POSITIVE_INFINITY, WORDS],
  ["were there before", -2000, { ...WORDS, new: false }],
]) {
  test(`words that ${what} are not held back`, () => {
    silentSince = clock + since;
    channel.brings(news);
    pass(8000);
    assert.deepEqual(told, []);
  });
}

test("of a connection that is in doubt itself nothing is said", () => {
  silentSince = clock - 2000;
  channel.brings(WORDS);
  pass(1500);
  clock += 10_000; // nothing comes any more
  timers.tick(10_000);
  assert.deepEqual(told, []);
});

test("the page asks for words as the app would tell of news, as long as the call goes on", () => {
  const news = [];
  channel.brings(WORDS);
  channel.addEventListener("message", ({ data }) => news.push(JSON.parse(data).type));
  timers.tick(1500);
  askAgain();
  assert.deepEqual(news, ["fetch_output"]);
  connection.hangUp(call);
  askAgain();
  assert.deepEqual(news, ["fetch_output"]);
});
