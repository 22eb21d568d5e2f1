import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addCosts,
  addUsages,
  costOfUsage,
  dollarsOf,
  enter,
  forecastOf,
  keepPrices,
  linesOf,
  priceFrom,
  pricesOf,
  recallPrices,
  transcriptionOf,
  turnsOf,
} from "../../components/browser/page/money.js";

const TABLE = {
  models: {
    "gpt-realtime": {
      text: 4,
      cached_text: 0.4,
      text_out: 16,
      audio: 32,
      cached_audio: 0.4,
      audio_out: 64,
      image: 5,
      cached_image: 0.5,
    },
  },
  transcription: {
    "whisper-1": { minute: 0.006 },
    "gpt-4o-transcribe": { minute: 0.006, text: 2.5, audio: 6, text_out: 10 },
  },
};
const NONE = { models: {}, transcription: {} };
const BY = { model: "gpt-realtime", transcription_model: "whisper-1" };
const M = 1_000_000;

const cost = (usage, by = BY, entered = NONE) => costOfUsage(usage, by, TABLE, entered);

test("every kind of token has its price, and what is cached is billed once", () => {
  const prices = {
    output_text: 16,
    input_text: 4,
    input_audio: 32,
    output_audio: 64,
    input_image: 5,
  };
  Object.entries(prices).forEach(([name, price]) => {
    assert.deepEqual(cost({ [name]: M }), { dollars: price, unknown: 0 });
  });
  assert.deepEqual(cost({ input_text: M, cached_text: M }), { dollars: 0.4, unknown: 0 });
  assert.deepEqual(cost({ input_audio: M, cached_audio: M }), { dollars: 0.4, unknown: 0 });
  assert.deepEqual(cost({ input_image: M, cached_image: M }), { dollars: 0.5, unknown: 0 });
});

test("a transcription costs by time or by tokens, as it is reported", () => {
  assert.deepEqual(cost({ transcription_s: 60 }), { dollars: 0.006, unknown: 0 });
  const tokens = { transcription_text: M, transcription_audio: M, transcription_output: M };
  const by = { ...BY, transcription_model: "gpt-4o-transcribe" };
  assert.deepEqual(cost(tokens, by), { dollars: 18.5, unknown: 0 });
  assert.equal(cost(tokens).unknown, 3); // this one has no price for tokens
  assert.equal(cost({ transcription_s: 1 }, { ...BY, transcription_model: "" }).unknown, 1);
});

test("a model without a price costs nobody knows what, not nothing", () => {
  const bill = cost({ input_text: 10 }, { ...BY, model: "own-model" });
  assert.equal(bill.dollars, null);
  assert.equal(dollarsOf(bill), "no price known");
});

test("a dated model costs what it does without its date", () => {
  const dated = { ...BY, model: "gpt-realtime-2025-08-28" };
  assert.equal(cost({ input_text: M }, dated).dollars, 4);
});

test("an answer without a figure is unknown, and makes the rest a lower bound", () => {
  assert.equal(dollarsOf(cost({ unreported: 1 })), "unknown");
  assert.equal(dollarsOf(cost({ unreported: 1, output_text: M })), "at least $16.00");
});

test("entered prices go before those of the table, field by field", () => {
  const entered = { models: { "gpt-realtime": { text: 1 }, own: { text: 2 } }, transcription: {} };
  assert.equal(cost({ input_text: M }, BY, entered).dollars, 1);
  assert.equal(cost({ output_text: M }, BY, entered).dollars, 16);
  const own = { ...BY, model: "own" };
  assert.deepEqual(cost({ input_text: M, output_text: M }, own, entered), {
    dollars: 2,
    unknown: 1,
  });
  assert.deepEqual(pricesOf("models", "own", TABLE, entered), { text: 2 });
});

test("costs add up to what is known, and to what is not", () => {
  assert.deepEqual(addCosts([]), { dollars: 0, unknown: 0 });
  assert.deepEqual(
    addCosts([
      { dollars: 1, unknown: 0 },
      { dollars: 2, unknown: 1 },
    ]),
    { dollars: 3, unknown: 1 },
  );
  assert.equal(addCosts([{ dollars: null, unknown: 1 }]).dollars, null);
  assert.deepEqual(addUsages([{ input_text: 1 }, { input_text: 2, output_text: 3 }]), {
    input_text: 3,
    output_text: 3,
  });
});

test("a turn with two transcription models is one turn", () => {
  const spent = [
    { turn: 1, at_s: 2, transcription_model: "whisper-1", usage: { transcription_s: 60 } },
    { turn: 1, at_s: 3, transcription_model: "none", usage: { transcription_s: 60 } },
    { turn: 2, at_s: 9, transcription_model: "none", usage: { output_text: M } },
  ];
  const turns = turnsOf({ model: "gpt-realtime", spent }, TABLE, NONE);
  assert.deepEqual(
    turns.map(({ turn, at_s, cost: { dollars, unknown } }) => [turn, at_s, dollars, unknown]),
    [
      [1, 3, 0.006, 1],
      [2, 9, 16, 0],
    ],
  );
});

test("the forecast goes by the last two minutes, and waits until there is something to go by", () => {
  const turns = [
    { at_s: 10, cost: { dollars: 5, unknown: 0 } },
    { at_s: 250, cost: { dollars: 0.2, unknown: 0 } },
    { at_s: 290, cost: { dollars: 0.2, unknown: 1 } },
  ];
  assert.deepEqual(forecastOf(turns, 300), { dollars: 0.2, unknown: 1 });
  assert.equal(forecastOf(turns.slice(0, 1), 20).dollars, 15);
  assert.equal(forecastOf(turns.slice(0, 1), 9), null);
  assert.equal(forecastOf([{ at_s: 20, cost: { dollars: null, unknown: 1 } }], 20), null);
});

test("dollars are told as exactly as they are known", () => {
  const told = (dollars, unknown = 0) => dollarsOf({ dollars, unknown });
  assert.equal(told(0), "$0.00");
  assert.equal(told(0.00001), "< $0.0001");
  assert.equal(told(0.00001, 1), "unknown");
  assert.equal(told(0.0123), "$0.0123");
  assert.equal(told(1.5), "$1.50");
  assert.equal(told(1.5, 2), "at least $1.50");
});

test("the lines of the table keep kinds and what was cached apart", () => {
  assert.deepEqual(linesOf({ input_text: 100, cached_text: 64, output_audio: 7 }), [
    { name: "Text", fresh: 36, cached: 64, made: 0 },
    { name: "Audio", fresh: 0, cached: 0, made: 7 },
    { name: "Image", fresh: 0, cached: 0, made: null },
  ]);
  assert.equal(transcriptionOf({}), "");
  assert.equal(
    transcriptionOf({ transcription_s: 2.25, transcription_audio: 1200, transcription_output: 34 }),
    "2.3 s of sound, 1,234 tokens",
  );
});

test("a price is a number from nothing to a hundred thousand", () => {
  assert.deepEqual(["", " ", "0", " 1.5 ", "1e2", "-1", "x", "Infinity", "100001"].map(priceFrom), [
    null,
    null,
    0,
    1.5,
    100,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("a price is entered, changed and taken back", () => {
  const one = enter(NONE, "models", "own-2026-01-01", "text", 3);
  assert.deepEqual(one, { models: { own: { text: 3 } }, transcription: {} });
  const two = enter(one, "models", "own", "audio", 4);
  assert.deepEqual(two.models.own, { text: 3, audio: 4 });
  assert.deepEqual(enter(two, "models", "own", "text", null).models.own, { audio: 4 });
  assert.deepEqual(enter(one, "models", "own", "text", null).models, {});
  assert.deepEqual(NONE, { models: {}, transcription: {} });
});

function stored(text) {
  return {
    text,
    getItem() {
      return this.text;
    },
    setItem(_, value) {
      this.text = value;
    },
  };
}

test("entered prices outlive the page", () => {
  const storage = stored(null);
  assert.deepEqual(recallPrices(storage), NONE);
  const entered = enter(NONE, "transcription", "mine", "minute", 0.01);
  keepPrices(storage, entered);
  assert.deepEqual(recallPrices(storage), entered);
});

test("what is kept may be anything, and only prices are taken of it", () => {
  const kept = {
    models: {
      a: { text: "4", audio: -1, x: 2, image: 1 },
      b: null,
      ["x".repeat(200)]: { text: 1 },
    },
    transcription: "none",
    other: { a: { text: 1 } },
  };
  assert.deepEqual(recallPrices(stored(JSON.stringify(kept))), {
    models: { a: { image: 1 } },
    transcription: {},
  });
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`m${n}`, { text: 1 }]));
  const found = recallPrices(stored(JSON.stringify({ models: many })));
  assert.equal(Object.keys(found.models).length, 50);
  ["{", "null", "7", '"x"'].forEach((text) => assert.deepEqual(recallPrices(stored(text)), NONE));
  const blocked = {
    getItem() {
      throw new Error("blocked");
    },
    setItem() {
      throw new Error("blocked");
    },
  };
  assert.deepEqual(recallPrices(blocked), NONE);
  keepPrices(blocked, NONE);
});

test("a model named like a part of every object has no price of its own", () => {
  assert.deepEqual(pricesOf("models", "constructor", TABLE, NONE), {});
  assert.deepEqual(pricesOf("models", "__proto__", TABLE, NONE), {});
});
