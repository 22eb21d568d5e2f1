// What is kept of a visitor's tools, and the arguments of a function that is tried.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  argumentsOf,
  keepTools,
  readable,
  recallTools,
} from "../../components/browser/page/toolbox.js";

const SERVER = { label: "docs", url: "https://example.com/mcp", approval: "always" };

function storage(text = null) {
  return { text, getItem: () => text, setItem: (_, value) => (text = value) };
}

function field(name, kind, value, more = {}) {
  return { name, kind, value, checked: false, required: false, ...more };
}

test("what was kept comes back", () => {
  const kept = storage();
  const wish = { off: ["world_clock"], servers: [SERVER] };
  keepTools(kept, wish);
  assert.deepEqual(recallTools(kept), wish);
});

test("what is not ours is nothing", () => {
  const nothing = { off: [], servers: [] };
  [
    "",
    "{",
    "null",
    "7",
    '{"off":{},"servers":"x"}',
    '{"off":[7],"servers":[7,{"label":1}]}',
  ].forEach((text) => assert.deepEqual(recallTools(storage(text)), nothing, text));
  const blocked = {
    getItem() {
      throw new Error("blocked");
    },
    setItem() {
      throw new Error("blocked");
    },
  };
  assert.deepEqual(recallTools(blocked), nothing);
  keepTools(blocked, nothing);
});

test("nothing but the three fields of a server is kept", () => {
  const kept = storage(
    JSON.stringify({ off: [], servers: [{ ...SERVER, authorization: "secret" }] }),
  );
  assert.deepEqual(recallTools(kept).servers, [SERVER]);
});

test("arguments are JSON of their kinds, and what is empty is left out", () => {
  const fields = [
    field("place", "text", "Oslo"),
    field("count", "integer", "2"),
    field("share", "number", "0.5"),
    field("loud", "boolean", "on", { checked: true }),
    field("unit", "choice", "km"),
    field("list", "json", "[1, 2]"),
    field("empty", "text", ""),
    field("none", "integer", ""),
    field("said", "text", "", { required: true }),
  ];
  assert.deepEqual(JSON.parse(argumentsOf(fields)), {
    ...{ place: "Oslo", count: 2, share: 0.5, loud: true, unit: "km", list: [1, 2], said: "" },
  });
});

test("an argument that is not JSON is named", () => {
  assert.throws(() => argumentsOf([field("list", "json", "[1,")]), {
    message: "The argument list is not JSON.",
  });
});

test("a result is shown with its lines, or as it is", () => {
  assert.equal(readable('{"time":"12:00"}'), '{\n  "time": "12:00"\n}');
  assert.equal(readable("Come in."), "Come in.");
});
