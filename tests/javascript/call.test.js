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
