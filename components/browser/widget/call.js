// One call of the voice button: its connections, one after another, and how it ends.
import { pauseMs, wasSteady } from "../shared/backoff.js";
import { askForMicrophone } from "../shared/microphone.js";
import { stayAwake } from "../shared/wake.js";
import { HANDLERS } from "./events.js";
import { Pace } from "./pace.js";
import { BENIGN, CallError, PERMANENT, SENTENCES } from "./sentences.js";
import { Transcript } from "./transcript.js";

const REQUEST_LIMIT_MS = 12000;
const CONNECT_LIMIT_MS = 15000;
const GATHERING_LIMIT_MS = 2000;
const DISCONNECTED_LIMIT_MS = 4000;
const RETRIES = 3;
const FIRST_PAUSE_MS = 500;

// One conversation. `told` hears of it: changed(), wordsChanged(), failed(sentence, code),
// streams(local, remote).
export class Call {
  constructor(options, told) {
    this.options = options;
    this.told = told;
    this.connection = "idle";
    this.user = "listening";
    this.assistant = "idle";
    this.transcript = new Transcript();
    this.pace = new Pace();
    this.muted = false;
    this.over = false;
    this.name = ""; // under which the app's server knows the newest connection
    this.ending = new AbortController();
    this.audio = null;
    this.context = null;
    this.sleep = () => {}; // lets the screen go off again
    this.local = null;
    this.response = null;
    this.asked = false; // for a response that has not begun yet
    this.owed = false; // an answer: the last request for one was refused
  }

  async start() {
    this.set({ connection: "connecting" });
    try {
      if (!window.RTCPeerConnection) throw new CallError(SENTENCES.unsupported);
      // Both need the click that began the call.
      this.context = window.AudioContext ? new AudioContext() : null;
      this.audio = new Audio();
      this.audio.autoplay = true;
      this.local = await this.microphone();
      if (!this.over) this.sleep = stayAwake();
      await this.converse();
    } catch (error) {
      if (!this.over) this.fail(error);
    }
  }

  end() {
    if (!this.over) this.finish("ended");
  }

  mute(on) {
    this.muted = on;
    if (this.local) this.local.getAudioTracks().forEach((track) => (track.enabled = !on));
    this.set({ user: on ? "muted" : "listening" });
  }

  interrupt() {
    this.owed = false;
    if (this.response || this.asked) this.send({ type: "response.cancel" });
    if (this.assistant === "speaking") this.send({ type: "output_audio_buffer.clear" });
  }

  // A typed turn, with an image { id, url }, by which the item is named, or without; it interrupts
  // the assistant as a spoken one would.
  say(text, image = null) {
    this.interrupt();
    const content = text ? [{ type: "input_text", text }] : [];
    if (image) content.push({ type: "input_image", image_url: image.url });
    this.send({
      type: "conversation.item.create",
      item: { ...(image && { id: image.id }), type: "message", role: "user", content },
    });
    this.ask();
  }

  ask() {
    this.asked = true;
    this.owed = false;
    this.send({ type: "response.create" });
  }

  // Another microphone from now on; the old one is let go.
  async listen(stream) {
    const [track] = stream.getAudioTracks();
    if (this.pc) await this.pc.getSenders()[0].replaceTrack(track);
    if (this.local) this.local.getTracks().forEach((one) => one.stop());
    this.local = stream;
    this.mute(false);
  }

  fail(error) {
    const sentence = error instanceof CallError ? error.message : SENTENCES.badAnswer;
    this.finish("failed");
    this.told.failed(sentence, error.code || "");
  }

  finish(connection) {
    this.release();
    this.settle();
    this.set({ connection, user: "listening", assistant: "idle" });
  }

  // No more words come, and no more sound.
  settle() {
    this.pace.cut(this.transcript.words(), performance.now());
    this.transcript.settle();
    this.words();
  }

  // The messages as they sound.
  shown() {
    return this.pace.paced(this.transcript.shown(), performance.now());
  }

  release() {
    this.over = true;
    this.ending.abort();
    this.disconnect();
    if (this.local) this.local.getTracks().forEach((track) => track.stop());
    if (this.audio) this.audio.srcObject = null;
    if (this.context && this.context.state !== "closed") this.context.close().catch(() => {});
    this.sleep();
    this.local = null;
  }

  set(changes) {
    Object.assign(this, changes);
    this.told.changed();
  }

  async microphone() {
    let stream;
    try {
      stream = await (this.options.microphone || askHere)();
    } catch (error) {
      const known = SENTENCES[error.name] || (this.options.microphone && error.message);
      const sentence = known || `The microphone does not start: ${error.message}`;
      throw new CallError(sentence, { retry: false, code: error.name });
    }
    if (this.over) stream.getTracks().forEach((track) => track.stop());
    for (const track of stream.getAudioTracks()) {
      track.enabled = !this.muted; // the button may have been faster
      track.onended = () => {
        if (!this.over) this.fail(new CallError(SENTENCES.unplugged));
      };
    }
    return stream;
  }

  // Connect, and connect again after a drop, until the end or until it is no use.
  async converse() {
    let tries = 0;
    let problem = null;
    while (!this.over) {
      try {
        const { dropped } = await this.connect();
        const since = performance.now();
        problem = null;
        this.set({ connection: "connected" });
        await dropped;
        if (this.over) return;
        if (wasSteady(performance.now() - since)) tries = 0;
        this.settle();
        const user = this.muted ? "muted" : "listening";
        this.set({ connection: "reconnecting", user, assistant: "idle" });
      } catch (error) {
        if (this.over) return;
        problem = error instanceof CallError ? error : new CallError(SENTENCES.badAnswer);
        if (!problem.retry) throw problem;
      }
      this.disconnect();
      if (this.over) return;
      tries += 1;
      if (tries > RETRIES) throw problem || new CallError(SENTENCES.lost);
      if (this.connection === "connecting") this.set({ connection: "reconnecting" });
      await this.pause(pauseMs(tries, FIRST_PAUSE_MS));
    }
  }

  // Ends with an open connection; `dropped` is the promise of that one's end.
  async connect() {
    const where = await this.destination();
    const { iceServers } = where;
    const pc = (this.pc = new RTCPeerConnection({ iceServers }));
    this.local.getTracks().forEach((track) => pc.addTrack(track, this.local));
    pc.ontrack = ({ streams, track }) => this.play(streams[0] || new MediaStream([track]));
    const channel = (this.channel = pc.createDataChannel("oai-events"));
    const { open, dropped } = this.fate(pc, channel);
    channel.onmessage = ({ data }) => this.receive(data);
    await pc.setLocalDescription(await pc.createOffer());
    // The offer is sent once: whoever is to be found through STUN or TURN says so in it.
    if (iceServers.length) await gathered(pc);
    const answer = await this.answer(where, pc.localDescription.sdp);
    try {
      await pc.setRemoteDescription({ type: "answer", sdp: answer });
    } catch {
      throw new CallError(SENTENCES.badAnswer);
    }
    await within(CONNECT_LIMIT_MS, open, SENTENCES.noWay);
    this.configure();
    return { dropped };
  }

  // Where to send the offer, what authorises it, and who helps to find a way; without a token,
  // an address of our server.
  async destination() {
    const { callUrl, tokenUrl } = this.options;
    const after = this.name ? `?after=${encodeURIComponent(this.name)}` : "";
    if (callUrl) {
      return { url: callUrl + after, token: "", iceServers: await this.helpers(callUrl) };
    }
    const { body } = await this.request(tokenUrl, {});
    const answer = parsed(body);
    const token = answer.token || answer.value || "";
    if (!token && !answer.url) throw new CallError(SENTENCES.badAnswer);
    const url = answer.url || "https://api.openai.com/v1/realtime/calls";
    const iceServers = listed(answer.ice_servers);
    return { url: new URL(url, tokenUrl).href + (token ? "" : after), token, iceServers };
  }

  // The STUN and TURN servers of an app; other servers tell of none.
  async helpers(callUrl) {
    try {
      const { body } = await this.request(new URL("ice", callUrl).href, {});
      return listed(parsed(body).ice_servers);
    } catch {
      return [];
    }
  }

  async answer({ url, token }, sdp) {
    const { headers, body } = await this.request(
      url,
      token
        ? {
            body: sdp,
            headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/sdp" },
          }
        : // Plain text, which needs no preflight from another origin.
          { body: sdp, headers: { "Content-Type": "text/plain", ...this.first() } },
    );
    this.name = (headers.get("Location") || "").split("/").pop();
    return body;
  }

  // What our own page adds to its first offer: who it is, so that the call knows what was said
  // before. Later ones come from a call that knows it.
  first() {
    return this.name ? {} : this.options.headers || {};
  }

  // The head and the body of an answer, both within the limit.
  async request(url, options) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), REQUEST_LIMIT_MS);
    const stop = () => limit.abort();
    this.ending.signal.addEventListener("abort", stop);
    let response;
    let body;
    try {
      response = await fetch(url, { method: "POST", signal: limit.signal, ...options });
      body = await response.text();
    } catch {
      throw new CallError(SENTENCES.unreachable);
    } finally {
      clearTimeout(timer);
      this.ending.signal.removeEventListener("abort", stop);
    }
    if (!response.ok) throw refusal(response.status, parsed(body));
    return { headers: response.headers, body };
  }

  // What becomes of a connection: `open` or not, and later `dropped`; the end of the call is both.
  fate(pc, channel) {
    let drop;
    const dropped = new Promise((resolve) => (drop = resolve));
    const open = new Promise((resolve, reject) => {
      channel.onopen = resolve;
      dropped.then(() => reject(new CallError(SENTENCES.noWay)));
    });
    open.catch(() => {}); // it is looked at later, if ever
    channel.onclose = drop;
    this.ending.signal.addEventListener("abort", drop);
    let patience = 0;
    pc.onconnectionstatechange = () => {
      clearTimeout(patience);
      if (pc.connectionState === "failed") drop();
      // Mostly a blip, from which connections recover.
      if (pc.connectionState === "disconnected") {
        patience = setTimeout(drop, DISCONNECTED_LIMIT_MS);
      }
    };
    return { open, dropped };
  }

  pause(ms) {
    return new Promise((resolve) => {
      setTimeout(resolve, ms);
      this.ending.signal.addEventListener("abort", resolve);
    });
  }

  disconnect() {
    if (this.pc) {
      this.pc.onconnectionstatechange = this.pc.ontrack = null;
      this.channel.onclose = this.channel.onmessage = this.channel.onopen = null;
      this.pc.close();
    }
    this.pc = this.channel = this.response = null;
    this.asked = this.owed = false;
  }

  play(remote) {
    this.audio.srcObject = remote;
    this.audio.play().catch((error) => {
      if (error.name === "NotAllowedError") this.told.failed(SENTENCES.silenced, error.name);
    });
    this.told.streams(this.local, remote);
  }

  configure() {
    const { instructions, voice } = this.options;
    const session = { type: "realtime" };
    if (instructions) session.instructions = instructions;
    if (voice) session.audio = { output: { voice } };
    if (instructions || voice) this.send({ type: "session.update", session });
    this.transcript.replay().forEach((event) => this.send(event));
  }

  send(event) {
    if (this.channel && this.channel.readyState === "open") {
      this.channel.send(JSON.stringify(event));
    }
  }

  receive(data) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return; // what is no event says nothing
    }
    if (!event) return;
    const changed = this.transcript.take(event);
    this.pace.take(event, this.transcript.words(), performance.now());
    if (changed) this.words();
    const handler = HANDLERS[event.type];
    if (handler) handler(this, event);
  }

  words() {
    this.told.wordsChanged();
  }

  complain(error) {
    const code = (error && error.code) || "";
    if (PERMANENT[code]) {
      this.fail(new CallError(PERMANENT[code], { retry: false, code }));
    } else if (!BENIGN.has(code)) {
      const words = String((error && error.message) || code || "an error").slice(0, 300);
      this.told.failed(`The server reports: ${words}`, code);
    }
  }
}

async function askHere() {
  const devices = navigator.mediaDevices;
  if (!devices) throw Object.assign(new Error(), { name: "insecure" });
  return askForMicrophone(devices.getUserMedia.bind(devices));
}

function within(ms, promise, sentence) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new CallError(sentence)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function listed(servers) {
  return Array.isArray(servers) ? servers : [];
}

// A server that does not answer is not waited for longer than a caller likes to wait.
function gathered(pc) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHERING_LIMIT_MS);
    const look = () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    };
    pc.onicegatheringstatechange = look;
    look();
  });
}

function parsed(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

// Of an HTTP refusal: our own server words it for people, others for programmers.
function refusal(status, body) {
  const error = Object(body.error);
  const code = error.code || "";
  const message = String(error.message || "").slice(0, 300);
  // A token may be too old by the time it is used; the next try gets a fresh one.
  const heals = status >= 500 || (status === 401 && code === "invalid_api_key");
  const sentence = PERMANENT[code] || message || `The call was refused (HTTP ${status}).`;
  return new CallError(sentence, { retry: heals && !PERMANENT[code], code });
}
