// Who helps a call of the voice button to find its way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Call } from "../../components/browser/widget/call.js";

const RELAY = { urls: "turn:turn.example", username: "u", credential: "c" };

// A browser whose calls are never answered well; what it made and asked for.
function browser(answers) {
  const seen = { configurations: [], asked: [], offers: [] };
  globalThis.RTCPeerConnection = class {
    constructor(configuration) {
      seen.configurations.push(configuration);
      this.iceGatheringState = "new";
    }
    createDataChannel() {
      return {};
    }
    async createOffer() {
      return {};
    }
    async setLocalDescription() {
      this.localDescription = { sdp: "early" };
      setTimeout(() => {
        this.iceGatheringState = "complete";
        this.localDescription = { sdp: "with candidates" };
        if (this.onicegatheringstatechange) this.onicegatheringstatechange();
      }, 20);
    }
    async setRemoteDescription() {
      throw new Error("enough");
    }
    close() {}
  };
  globalThis.fetch = async (url, { body }) => {
    const path = new URL(url).pathname;
    seen.asked.push(path);
    if (path === "/call") seen.offers.push(body);
    const [status, answer] = answers[path] || [404, {}];
    return {
      ok: status < 400,
      status,
      headers: new Headers(),
      text: async () => JSON.stringify(answer),
    };
  };
  return seen;
}

async function connect(options) {
  const call = new Call(options, { changed() {}, wordsChanged() {}, failed() {}, streams() {} });
  call.local = { getTracks: () => [] };
  await assert.rejects(call.connect());
}

test("servers come with the token, and the offer has their candidates", async () => {
  const token = { token: "t", url: "http://app.example/call", ice_servers: [RELAY] };
  const seen = browser({ "/token": [200, token], "/call": [200, {}] });
  await connect({ tokenUrl: "http://app.example/token" });
  assert.deepEqual(seen.configurations, [{ iceServers: [RELAY] }]);
  assert.deepEqual(seen.offers, ["with candidates"]);
});

test("where the offer goes to the app, it is asked for them first", async () => {
  const seen = browser({ "/ice": [200, { ice_servers: [RELAY] }], "/call": [200, {}] });
  await connect({ callUrl: "http://app.example/call" });
  assert.deepEqual(seen.asked, ["/ice", "/call"]);
  assert.deepEqual(seen.configurations, [{ iceServers: [RELAY] }]);
});

test("a server that tells of none is called without, and at once", async () => {
  for (const body of [undefined, {}, { ice_servers: "odd" }, null]) {
    const status = body === undefined ? 404 : 200;
    const seen = browser({ "/ice": [status, body], "/call": [200, {}] });
    await connect({ callUrl: "http://app.example/call" });
    assert.deepEqual(seen.configurations, [{ iceServers: [] }]);
    assert.deepEqual(seen.offers, ["early"]);
  }
});

// A call with an open channel, what it sends, and the events that a server answers with.
function connected() {
  const call = new Call({}, { changed() {}, wordsChanged() {}, failed() {}, streams() {} });
  const sent = [];
  call.channel = { readyState: "open", send: (text) => sent.push(JSON.parse(text).type) };
  const hear = (event) => call.receive(JSON.stringify(event));
  return { call, sent, hear };
}

const REFUSED = { type: "error", error: { code: "conversation_already_has_active_response" } };

test("a question that comes before the answer to another has begun cancels that one", () => {
  const { call, sent } = connected();
  call.say("One?");
  call.say("Two?");
  const turn = ["conversation.item.create", "response.create"];
  assert.deepEqual(sent, [...turn, "response.cancel", ...turn]);
});

test("an answer that the server refuses to begin is asked for again after the one under way", () => {
  const { call, sent, hear } = connected();
  call.say("Two?");
  sent.length = 0;
  hear(REFUSED);
  hear({ type: "response.created", response: { id: "r1" } });
  assert.deepEqual(sent, []);
  hear({ type: "response.done", response: { status: "cancelled" } });
  assert.deepEqual(sent, ["response.create"]);
  hear({ type: "response.created", response: { id: "r2" } });
  hear({ type: "response.done", response: { status: "completed" } });
  assert.deepEqual(sent, ["response.create"]);
});

test("who interrupts does not want the answer that is owed", () => {
  const { call, sent, hear } = connected();
  call.say("Two?");
  hear(REFUSED);
  call.interrupt();
  sent.length = 0;
  hear({ type: "response.done", response: { status: "cancelled" } });
  assert.deepEqual(sent, []);
});
