// Holds one conversation by `@openai/agents-realtime` over a WebSocket, and prints what came of each
// part as a line of JSON.
//
// `driver.mjs URL SPEECH`: the base URL of a Realtime server, and a file of 24 kHz PCM16 that asks
// for the time. Its packages are those of the folder in which it is started. Whatever the SDK calls
// an error is listed in the last line.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(`${process.cwd()}/`);
const {
  RealtimeAgent,
  RealtimeSession,
  OpenAIRealtimeWebSocket,
  tool,
} = require("@openai/agents-realtime");
const { z } = require("zod");
const { version } = JSON.parse(
  readFileSync("node_modules/@openai/agents-realtime/package.json", "utf-8"),
);

const MODEL = "gpt-realtime";
const FRAME_BYTES = 960;
const FRAME_MS = 20;
const LIMIT_MS = 25_000;

const [url, file] = process.argv.slice(2);
const speech = readFileSync(file);
const problems = [];
const called = [];
const events = [];
let sound = 0;
let interruptions = 0;
let arrived = () => {};

const getWeather = tool({
  name: "get_weather",
  description: "The weather in a city.",
  parameters: z.object({ city: z.string() }),
  execute: async (given) => {
    called.push(given);
    return `It is sunny in ${given.city}.`;
  },
});

function say(part, what) {
  console.log(JSON.stringify({ part, ...what }));
}

/** The first event from `start` on of which `wanted` holds. */
async function until(wanted, start) {
  const late = sleep(LIMIT_MS, "late", { ref: false });
  for (;;) {
    const found = events.slice(start).find(wanted);
    if (found) return found;
    const more = new Promise((resolve) => {
      arrived = resolve;
    });
    if ((await Promise.race([more, late])) === "late") throw new Error(`never came: ${wanted}`);
  }
}

/** What the first response from `start` on says that is complete and says something. */
async function answer(start) {
  const done = await until(
    ({ type, response }) =>
      type === "response.done" &&
      response.status === "completed" &&
      response.output.some((item) => item.type === "message"),
    start,
  );
  const parts = done.response.output.flatMap((item) => item.content ?? []);
  return parts.map((part) => part.transcript ?? part.text).join(" ");
}

/** As a microphone would: in real time. */
async function speak() {
  for (let at = 0; at < speech.length; at += FRAME_BYTES) {
    const frame = new Uint8Array(speech.subarray(at, at + FRAME_BYTES));
    session.sendAudio(frame.buffer);
    await sleep(FRAME_MS);
  }
}

async function typed() {
  const start = events.length;
  session.sendMessage("what is 12 + 30?");
  say("typed", { answer: await answer(start) });
}

async function spoken() {
  const start = events.length;
  const before = sound;
  await speak();
  const said = await answer(start);
  const heard = await until(({ type }) => type.endsWith("transcription.completed"), start);
  say("spoken", {
    heard: heard.transcript,
    answer: said,
    sound_ms: Math.floor((sound - before) / 48),
  });
}

async function calledFunction() {
  const start = events.length;
  session.sendMessage("what is the weather in Bern?");
  say("function", { answer: await answer(start), called });
}

async function interruption() {
  const start = events.length;
  const before = interruptions;
  session.sendMessage("count to thirty");
  await until(({ type }) => type === "response.output_audio.delta", start);
  await sleep(1000); // somebody listens before he cuts in
  await speak();
  const { response } = await until(({ type }) => type === "response.done", start);
  const truncated = await until(({ type }) => type === "conversation.item.truncated", start);
  say("interruption", {
    status: response.status,
    reason: response.status_details.reason,
    heard_ms: truncated.audio_end_ms,
    noticed: interruptions > before,
    answer: await answer(start),
  });
}

const agent = new RealtimeAgent({
  name: "Tester",
  instructions: "Be brief.",
  tools: [getWeather],
});
const transport = new OpenAIRealtimeWebSocket({ url: `${url}/realtime?model=${MODEL}` });
const session = new RealtimeSession(agent, { transport, model: MODEL, tracingDisabled: true });
session.on("error", ({ error }) => problems.push(JSON.stringify(error)));
session.on("audio", ({ data }) => {
  sound += data.byteLength;
});
session.on("audio_interrupted", () => {
  interruptions += 1;
});
session.transport.on("*", (event) => {
  events.push(event);
  arrived();
});

say("peer", { version });
await session.connect({ apiKey: "none" });
await typed();
await spoken();
await calledFunction();
await interruption();
session.close();
say("end", { problems });
