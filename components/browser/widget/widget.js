// A floating button that talks to a realtime voice model: <script src="…/widget.js" defer></script>
// puts one on the page, or write <voice-call> where you want it. One file, no dependencies.
//
// The browser speaks WebRTC with the Realtime server itself: `Call` carries one conversation over
// as many connections as it takes, `Transcript` keeps its words in order, `Spectrum` draws the
// voices, and the element shows it all. Rule: every failure is a sentence, and whatever the end,
// the microphone, the connection and the audio context are let go.
(function () {
  "use strict";
  if (customElements.get("voice-call")) return;

  const SCRIPT = document.currentScript;
  const BASE = SCRIPT ? SCRIPT.src : location.href;
  const REQUEST_LIMIT_MS = 12000;
  const CONNECT_LIMIT_MS = 15000;
  const DISCONNECTED_LIMIT_MS = 4000;
  const RETRIES = 3;
  const FIRST_PAUSE_MS = 500;
  const STEADY_MS = 10000; // a connection that lasted so long was a good one
  const REPLAYED = 20; // messages told again after a reconnection
  const WISHES = {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: 1,
  };

  const SENTENCES = {
    NotAllowedError:
      "The browser does not allow the microphone here. Allow it in the address bar, then start again.",
    NotFoundError: "No microphone was found. Plug one in, then start again.",
    NotReadableError:
      "The microphone is in use by another program. Close that program, then start again.",
    unsupported: "This browser cannot make calls. Use a current Chrome, Firefox, Safari or Edge.",
    insecure:
      "Browsers allow the microphone only on secure pages. " +
      "Open this page as https://… or on the same computer as http://localhost.",
    unplugged: "The microphone stopped. Plug it in again or allow it, then start a new call.",
    unreachable: "The call could not be made: the server does not answer. Try again in a minute.",
    noWay: "The call found no way through the network. Try another network, or ask its owner.",
    lost: "The connection was lost, and could not be made again. Start a new call.",
    badAnswer: "The server's answer makes no sense to this browser. Try again in a minute.",
    silenced: "The browser holds the sound back. Press Start again to hear the answer.",
    quota: "The account behind this button has no credit left.",
    expired: "The call reached the server's time limit. Start a new one.",
  };
  const PERMANENT = {
    insufficient_quota: SENTENCES.quota,
    credit_balance_exhausted: SENTENCES.quota,
    billing_hard_limit_reached: SENTENCES.quota,
  };
  const BENIGN = new Set([
    "response_cancel_not_active",
    "conversation_already_has_active_response",
    "input_audio_buffer_commit_empty",
  ]);

  class CallError extends Error {
    constructor(sentence, { retry = true, code = "" } = {}) {
      super(sentence);
      this.retry = retry;
      this.code = code;
    }
  }

  // The messages, in the order of the server's conversation and never of arrival.
  class Transcript {
    constructor() {
      this.messages = [];
    }

    find(id) {
      return this.messages.find((message) => message.id === id);
    }

    message(id, role) {
      let message = this.find(id);
      if (!message) {
        message = { id, role, text: "", status: "pending", placed: false };
        this.messages.push(message);
      }
      return message;
    }

    place(id, role, previous) {
      const message = this.message(id, role);
      if (message.placed) return message;
      const others = this.messages.filter((other) => other !== message);
      const before = others.findIndex((other) => other.id === previous);
      const first = previous === null && !others.some((other) => other.placed);
      if (!first && before < 0) return message;
      message.placed = true;
      others.splice(first ? 0 : before + 1, 0, message);
      this.messages = others;
      return message;
    }

    append(id, role, delta) {
      const message = this.message(id, role);
      if (message.status === "interrupted") return;
      message.text += delta;
      message.status = "streaming";
    }

    finish(id, role, text) {
      const message = this.message(id, role);
      if (message.status === "interrupted") return;
      if (text) message.text = text;
      message.status = message.text.trim() ? "done" : "untranscribed";
    }

    interrupt(id) {
      const message = this.find(id);
      if (message) message.status = "interrupted";
    }

    remove(id) {
      this.messages = this.messages.filter((message) => message.id !== id);
    }

    // The connection is gone: no more words come.
    settle() {
      for (const message of this.messages) {
        if (message.status !== "pending" && message.status !== "streaming") continue;
        const heard = message.text.trim() ? "done" : "untranscribed";
        message.status = message.role === "user" ? heard : "interrupted";
      }
    }

    // What a new connection has to be told of the old one.
    replay() {
      const said = this.messages.filter((message) => message.text.trim());
      return said.slice(-REPLAYED).map(({ id, role, text }) => ({
        type: "conversation.item.create",
        item: {
          id,
          type: "message",
          role,
          content: [{ type: role === "user" ? "input_text" : "output_text", text }],
        },
      }));
    }

    shown() {
      return this.messages
        .filter(({ text, status }) => text.trim() || status !== "done")
        .map(({ id, role, text, status }) => ({ id, role, text, status }));
    }
  }

  // One conversation. `told` hears of it: changed(), wordsChanged(), failed(sentence, code),
  // streams(local, remote).
  class Call {
    constructor(options, told) {
      this.options = options;
      this.told = told;
      this.connection = "idle";
      this.user = "listening";
      this.assistant = "idle";
      this.transcript = new Transcript();
      this.muted = false;
      this.over = false;
      this.name = ""; // under which the app's server knows the newest connection
      this.ending = new AbortController();
      this.audio = null;
      this.context = null;
      this.lock = null; // keeps the screen on
      this.local = null;
      this.response = null;
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
        this.stayAwake();
        await this.converse();
      } catch (error) {
        if (!this.over) this.fail(error);
      }
    }

    end() {
      if (!this.over) this.finish("ended");
    }

    // A phone that locks its screen takes the microphone away.
    async stayAwake() {
      try {
        this.lock = await navigator.wakeLock.request("screen");
        if (this.over) this.lock.release();
      } catch {
        // It goes without, where the browser knows no such thing or saves its battery.
      }
    }

    mute(on) {
      this.muted = on;
      if (this.local) this.local.getAudioTracks().forEach((track) => (track.enabled = !on));
      this.set({ user: on ? "muted" : "listening" });
    }

    interrupt() {
      if (this.response) this.send({ type: "response.cancel" });
      if (this.assistant === "speaking") this.send({ type: "output_audio_buffer.clear" });
    }

    fail(error) {
      const sentence = error instanceof CallError ? error.message : SENTENCES.badAnswer;
      this.finish("failed");
      this.told.failed(sentence, error.code || "");
    }

    finish(connection) {
      this.release();
      this.transcript.settle();
      this.words();
      this.set({ connection, user: "listening", assistant: "idle" });
    }

    release() {
      this.over = true;
      this.ending.abort();
      this.disconnect();
      if (this.local) this.local.getTracks().forEach((track) => track.stop());
      if (this.audio) this.audio.srcObject = null;
      if (this.context && this.context.state !== "closed") this.context.close().catch(() => {});
      if (this.lock) this.lock.release();
      this.local = null;
    }

    set(changes) {
      Object.assign(this, changes);
      this.told.changed();
    }

    async microphone() {
      let stream;
      try {
        stream = await (this.options.microphone || askForMicrophone)();
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
          if (performance.now() - since > STEADY_MS) tries = 0;
          this.transcript.settle();
          this.words();
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
        await this.pause(FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.75 + Math.random() / 2));
      }
    }

    // Ends with an open connection; `dropped` is the promise of that one's end.
    async connect() {
      const where = await this.destination();
      const pc = (this.pc = new RTCPeerConnection());
      this.local.getTracks().forEach((track) => pc.addTrack(track, this.local));
      pc.ontrack = ({ streams, track }) => this.hear(streams[0] || new MediaStream([track]));
      const channel = (this.channel = pc.createDataChannel("oai-events"));
      const { open, dropped } = this.fate(pc, channel);
      channel.onmessage = ({ data }) => this.receive(data);
      await pc.setLocalDescription(await pc.createOffer());
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

    // Where to send the offer, and what authorises it; without a token, an address of our server.
    async destination() {
      const { callUrl, tokenUrl } = this.options;
      const after = this.name ? `?after=${encodeURIComponent(this.name)}` : "";
      if (callUrl) return { url: callUrl + after, token: "" };
      const { body } = await this.request(tokenUrl, {});
      const answer = parsed(body);
      const token = answer.token || answer.value || "";
      if (!token && !answer.url) throw new CallError(SENTENCES.badAnswer);
      const url = answer.url || "https://api.openai.com/v1/realtime/calls";
      return { url: new URL(url, tokenUrl).href + (token ? "" : after), token };
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
            { body: sdp, headers: { "Content-Type": "text/plain" } }
      );
      this.name = (headers.get("Location") || "").split("/").pop();
      return body;
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
    }

    hear(remote) {
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

  async function askForMicrophone() {
    const devices = navigator.mediaDevices;
    if (!devices) throw Object.assign(new Error(), { name: "insecure" });
    try {
      return await devices.getUserMedia({ audio: WISHES });
    } catch (error) {
      if (error.name !== "OverconstrainedError") throw error;
      return devices.getUserMedia({ audio: true });
    }
  }

  function within(ms, promise, sentence) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new CallError(sentence)), ms);
      promise.then(resolve, reject).finally(() => clearTimeout(timer));
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

  const HANDLERS = {
    "input_audio_buffer.speech_started"(call, event) {
      call.transcript.message(event.item_id, "user");
      if (!call.muted) call.set({ user: "speaking" });
      call.words();
    },
    "input_audio_buffer.speech_stopped"(call) {
      if (!call.muted) call.set({ user: "listening" });
    },
    "input_audio_buffer.committed"(call, event) {
      call.transcript.place(event.item_id, "user", event.previous_item_id);
      call.words();
    },
    "conversation.item.added"(call, event) {
      const item = event.item || {};
      if (item.type !== "message" || item.role === "system") return;
      const message = call.transcript.place(item.id, item.role, event.previous_item_id);
      const parts = (item.content || []).map((part) => part.text || part.transcript || "");
      if (!message.text && parts.join("")) call.transcript.finish(item.id, item.role, parts.join(""));
      call.words();
    },
    "conversation.item.input_audio_transcription.delta"(call, event) {
      call.transcript.append(event.item_id, "user", event.delta || "");
      call.words();
    },
    "conversation.item.input_audio_transcription.completed"(call, event) {
      call.transcript.finish(event.item_id, "user", event.transcript);
      call.words();
    },
    "conversation.item.input_audio_transcription.failed"(call, event) {
      call.transcript.finish(event.item_id, "user", "");
      call.words();
    },
    "conversation.item.truncated"(call, event) {
      call.transcript.interrupt(event.item_id);
      call.words();
    },
    "conversation.item.deleted"(call, event) {
      call.transcript.remove(event.item_id);
      call.words();
    },
    "response.created"(call, event) {
      call.response = event.response && event.response.id;
      if (call.assistant === "idle") call.set({ assistant: "thinking" });
    },
    "response.output_audio_transcript.delta": delta,
    "response.output_audio_transcript.done": done,
    "response.output_text.delta": delta,
    "response.output_text.done": done,
    "response.done"(call, event) {
      const response = event.response || {};
      call.response = null;
      // What it has called runs now, and another response follows.
      const calls = (response.output || []).some(({ type }) => type === "function_call");
      const goesOn = calls && response.status === "completed";
      if (call.assistant === "thinking" && !goesOn) call.set({ assistant: "idle" });
      if (response.status === "failed") call.complain((response.status_details || {}).error);
    },
    "output_audio_buffer.started"(call) {
      call.set({ assistant: "speaking" });
    },
    "output_audio_buffer.stopped": quiet,
    "output_audio_buffer.cleared": quiet,
    error(call, event) {
      const error = event.error || {};
      // The connection closes next, and a new one goes on where this one ended.
      if (error.code !== "session_expired") call.complain(error);
    },
  };

  function delta(call, event) {
    call.transcript.append(event.item_id, "assistant", event.delta || "");
    call.words();
  }

  function done(call, event) {
    call.transcript.finish(event.item_id, "assistant", event.transcript || event.text);
    call.words();
  }

  function quiet(call) {
    call.set({ assistant: call.response ? "thinking" : "idle" });
  }

  // Bars of whichever side speaks, from the streams themselves.
  class Spectrum {
    constructor(canvas) {
      this.canvas = canvas;
      this.analysers = {};
      this.side = "user";
      this.running = false;
    }

    start(context, streams) {
      this.analysers = {};
      if (!context) return;
      context.resume().catch(() => {});
      for (const [side, stream] of Object.entries(streams)) {
        const analyser = context.createAnalyser();
        analyser.fftSize = 512;
        analyser.smoothingTimeConstant = 0.75;
        context.createMediaStreamSource(stream).connect(analyser);
        this.analysers[side] = analyser;
      }
      if (!this.running) {
        this.running = true;
        requestAnimationFrame(() => this.frame());
      }
    }

    stop() {
      this.running = false;
      this.analysers = {};
      this.draw(null);
    }

    frame() {
      if (!this.running) return;
      const analyser = this.analysers[this.side];
      let bins = null;
      if (analyser) {
        bins = new Uint8Array(analyser.frequencyBinCount);
        analyser.getByteFrequencyData(bins);
      }
      this.draw(bins);
      requestAnimationFrame(() => this.frame());
    }

    draw(bins) {
      const { canvas } = this;
      const ratio = window.devicePixelRatio || 1;
      const width = canvas.clientWidth;
      const height = canvas.clientHeight;
      if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
      if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
      const pen = canvas.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, width, height);
      pen.fillStyle = getComputedStyle(canvas).getPropertyValue(bins ? `--${this.side}` : "--line");
      const count = Math.max(8, Math.floor(width / 8));
      for (let bar = 0; bar < count; bar += 1) {
        // Speech lies low: bars widen towards the top, up to some 8 kHz.
        const from = bins ? Math.floor((bar / count) ** 1.6 * bins.length * 0.35) : 0;
        const level = bins ? bins[from] / 255 : 0;
        const tall = Math.max(3, level * height);
        pen.beginPath();
        const place = [(bar * width) / count + 1, (height - tall) / 2, width / count - 3, tall];
        if (pen.roundRect) pen.roundRect(...place, 2);
        else pen.rect(...place);
        pen.fill();
      }
    }
  }

  const STYLE = `
    :host {
      --accent: var(--voice-accent, #1f57bd);
      --on-accent: var(--voice-on-accent, #fff);
      --surface: var(--voice-surface, #fff);
      --text: var(--voice-text, #23262b);
      --faint: var(--voice-faint, #5d636d);
      --line: var(--voice-line, #dcd8d0);
      --user: var(--voice-user, #2a66d0);
      --assistant: var(--voice-assistant, #b9560f);
      --tint: var(--voice-tint, #f3f1ec);
      --danger: var(--voice-danger, #a5302a);
      --radius: var(--voice-radius, 16px);
      --offset: var(--voice-offset, 20px);
      all: initial;
      color-scheme: light;
      font: 15px/1.45 var(--voice-font, system-ui, sans-serif);
      color: var(--text);
    }
    @media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { DARK } }
    :host([theme="dark"]) { DARK }
    * { box-sizing: border-box; }
    button { font: inherit; cursor: pointer; }
    button:focus-visible, ol:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    button:disabled { opacity: 0.45; cursor: default; }
    [hidden] { display: none !important; }
    .fab {
      position: fixed; z-index: var(--voice-z, 2147483000);
      width: 60px; height: 60px; border: 0; border-radius: 50%;
      display: grid; place-items: center;
      background: var(--accent); color: var(--on-accent);
      box-shadow: 0 6px 20px rgb(0 0 0 / 0.28);
    }
    .fab:hover { filter: brightness(1.08); }
    .fab svg { width: 26px; height: 26px; }
    .fab, .panel { right: var(--offset); bottom: calc(var(--offset) + env(safe-area-inset-bottom)); }
    :host([position$="left"]) :is(.fab, .panel) { right: auto; left: var(--offset); }
    :host([position^="top"]) :is(.fab, .panel) { bottom: auto; top: var(--offset); }
    .panel {
      position: fixed; z-index: var(--voice-z, 2147483000);
      width: min(380px, calc(100vw - 2 * var(--offset)));
      max-height: min(640px, calc(100dvh - 2 * var(--offset)));
      display: flex; flex-direction: column; gap: 12px; padding: 16px;
      background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius);
      box-shadow: 0 16px 48px rgb(0 0 0 / 0.3);
    }
    :host([position="inline"]) { display: block; }
    :host([position="inline"]) .fab, :host([position="inline"]) .close { display: none; }
    :host([position="inline"]) .panel {
      position: static; width: 100%; max-height: none; box-shadow: none; z-index: auto;
    }
    header { display: flex; align-items: center; gap: 10px; }
    h2 { margin: 0; font-size: 16px; font-weight: 650; flex: 1; }
    .connection { display: flex; align-items: center; gap: 6px; color: var(--faint); font-size: 14px; }
    .dot { width: 9px; height: 9px; border-radius: 50%; background: var(--line); flex: none; }
    [data-state="connected"] .dot { background: #2c9c5a; }
    :is([data-state="connecting"], [data-state="reconnecting"]) .dot { background: #d99a1c; }
    [data-state="failed"] .dot { background: var(--danger); }
    .close {
      width: 44px; height: 44px; margin: -8px -8px -8px 0; border: 0; border-radius: 8px; padding: 0;
      background: none; color: var(--faint); font-size: 20px; line-height: 1;
    }
    .close:hover { background: var(--tint); }
    canvas { width: 100%; height: 56px; display: block; }
    .sides { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; margin: 0; }
    .side { padding: 8px 10px; border: 1px solid var(--line); border-radius: 10px; }
    .side dt { font-size: 13px; color: var(--faint); }
    .side dd { margin: 0; font-weight: 600; }
    .side[data-state="speaking"].user { border-color: var(--user); color: var(--user); }
    .side[data-state="speaking"].assistant { border-color: var(--assistant); color: var(--assistant); }
    ol {
      margin: 0; padding: 0; list-style: none; flex: 1 1 240px; min-height: 120px; overflow-y: auto;
      display: flex; flex-direction: column; gap: 8px; overscroll-behavior: contain;
    }
    :host([position="inline"]) ol { max-height: 420px; }
    li { max-width: 88%; padding: 7px 11px; border-radius: 12px; overflow-wrap: anywhere; }
    li.user { align-self: flex-end; background: color-mix(in srgb, var(--user) 14%, var(--surface)); }
    li.assistant { align-self: flex-start; background: var(--tint); }
    li .mark { display: block; font-size: 12.5px; color: var(--faint); }
    .who { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    .empty { color: var(--faint); text-align: center; margin: auto; padding: 12px; }
    .notice {
      margin: 0; padding: 9px 11px; border-radius: 10px; font-size: 14px;
      border: 1px solid color-mix(in srgb, var(--danger) 45%, var(--surface));
      background: color-mix(in srgb, var(--danger) 9%, var(--surface));
    }
    .notice:empty { display: none; }
    footer { display: flex; gap: 8px; }
    footer button {
      min-height: 44px; padding: 0 10px; border-radius: 10px; flex: 1 1 auto; min-width: 0;
      border: 1px solid var(--line); background: none; color: inherit;
    }
    footer .start { background: var(--accent); border-color: var(--accent); color: var(--on-accent);
      font-weight: 600; flex-basis: 34%; }
    footer .start[data-phase="running"] { background: var(--danger); border-color: var(--danger);
      color: #fff; }
    footer .mute[aria-pressed="true"] { background: var(--tint); border-color: var(--text); }
    @media (max-width: 480px) {
      :host(:not([position="inline"])) .panel {
        left: 0; right: 0; bottom: 0; top: auto; width: 100%; max-height: 88dvh;
        border-radius: var(--radius) var(--radius) 0 0; border-width: 1px 0 0;
        padding-bottom: calc(16px + env(safe-area-inset-bottom));
      }
    }
  `.replaceAll(
    "DARK",
    `--accent: var(--voice-accent, #3f74d8); --surface: var(--voice-surface, #1c1f23);
     --text: var(--voice-text, #e8e9eb); --faint: var(--voice-faint, #a2a9b3);
     --line: var(--voice-line, #363b42); --user: var(--voice-user, #7aa9f7);
     --assistant: var(--voice-assistant, #eb9a57); --tint: var(--voice-tint, #2a2e34);
     --danger: var(--voice-danger, #c6544c); color-scheme: dark;`
  );

  const MARKUP = `
    <button class="fab" part="button" aria-label="Talk to the assistant" aria-expanded="false">
      <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"
        stroke-linecap="round" aria-hidden="true"><rect x="9" y="3" width="6" height="12" rx="3"/>
        <path d="M5 11a7 7 0 0 0 14 0M12 18v3"/></svg>
    </button>
    <section class="panel" part="panel" role="dialog" aria-label="Voice call" hidden>
      <header>
        <h2>Voice call</h2>
        <span class="connection" role="status" data-state="idle"><i class="dot"></i><span>Idle</span>
        </span>
        <button class="close" aria-label="Close">×</button>
      </header>
      <canvas role="img" aria-label="Spectrum of the voice that speaks"></canvas>
      <dl class="sides">
        <div class="side user" data-state="idle"><dt>You</dt><dd>Idle</dd></div>
        <div class="side assistant" data-state="idle"><dt>Assistant</dt><dd>Idle</dd></div>
      </dl>
      <ol role="log" aria-label="Transcript" tabindex="0"></ol>
      <p class="notice" role="alert"></p>
      <footer>
        <button class="start" data-phase="idle">Start call</button>
        <button class="mute" aria-pressed="false" disabled>Mute</button>
        <button class="interrupt" title="Key: Esc" disabled>Interrupt</button>
      </footer>
    </section>
  `;
  const MARKS = { untranscribed: "(not transcribed)", interrupted: "interrupted" };

  class VoiceCall extends HTMLElement {
    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      const style = document.createElement("style");
      style.textContent = STYLE;
      const template = document.createElement("template");
      template.innerHTML = MARKUP;
      root.append(style, template.content);
      this.parts = Object.fromEntries(
        ["fab", "panel", "connection", "close", "user", "assistant", "notice", "start", "mute", "interrupt"].map(
          (name) => [name, root.querySelector(`.${name}`)]
        )
      );
      this.parts.log = root.querySelector("ol");
      this.spectrum = new Spectrum(root.querySelector("canvas"));
      this.call = null;
      // A page that has its own way to the microphone puts it here: () => Promise<MediaStream>.
      this.microphone = null;
      this.leave = () => this.end();
      this.listen(root);
    }

    listen(root) {
      const { fab, close, start, mute, interrupt } = this.parts;
      fab.onclick = () => this.open();
      close.onclick = () => this.close();
      start.onclick = () => (this.running ? this.end() : this.start());
      mute.onclick = () => this.call.mute(!this.call.muted);
      interrupt.onclick = () => this.call.interrupt();
      root.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        if (!interrupt.disabled) this.call.interrupt();
        else if (!this.inline) this.close();
      });
    }

    connectedCallback() {
      window.addEventListener("pagehide", this.leave);
      if (this.inline) this.parts.panel.hidden = false;
      this.show();
      this.showWords();
    }

    disconnectedCallback() {
      window.removeEventListener("pagehide", this.leave);
      this.end();
    }

    get inline() {
      return this.getAttribute("position") === "inline";
    }

    get running() {
      return this.call !== null && !this.call.over;
    }

    get state() {
      const { connection = "idle", user = "listening", assistant = "idle" } = this.call || {};
      return { connection, user, assistant };
    }

    // Opens the overlay; a call begins with its button, or with `start`.
    open() {
      this.parts.panel.hidden = false;
      this.parts.fab.hidden = true;
      this.parts.fab.setAttribute("aria-expanded", "true");
      this.parts.start.focus();
      this.showWords();
      this.spectrum.draw(null);
    }

    // Closes the overlay and ends the call.
    close() {
      this.end();
      if (this.inline) return;
      this.parts.panel.hidden = true;
      this.parts.fab.hidden = false;
      this.parts.fab.setAttribute("aria-expanded", "false");
      this.parts.fab.focus();
    }

    start() {
      if (this.running) return;
      this.parts.notice.textContent = "";
      const call = new Call(this.options(), {
        changed: () => this.call === call && this.show(),
        wordsChanged: () => this.call === call && this.showWords(),
        failed: (sentence, code) => this.call === call && this.complain(sentence, code),
        streams: (user, assistant) => this.spectrum.start(call.context, { user, assistant }),
      });
      this.call = call;
      this.showWords();
      call.start();
    }

    end() {
      if (this.call) this.call.end();
    }

    options() {
      const address = (name) => {
        const value = this.getAttribute(name);
        return value === null ? "" : new URL(value, document.baseURI).href;
      };
      return {
        callUrl: address("call-url"),
        tokenUrl: address("token-url") || new URL("api/realtime/token", BASE).href,
        instructions: this.getAttribute("instructions") || "",
        voice: this.getAttribute("voice") || "",
        microphone: this.microphone,
      };
    }

    show() {
      const { connection, start, mute, interrupt } = this.parts;
      const state = this.state;
      const running = this.running;
      set(connection, state.connection, connection.lastElementChild);
      for (const side of ["user", "assistant"]) {
        const word = running ? state[side] : "idle";
        set(this.parts[side], word, this.parts[side].querySelector("dd"));
      }
      start.textContent = running ? "End call" : "Start call";
      start.dataset.phase = running ? "running" : "idle";
      mute.disabled = !running;
      mute.setAttribute("aria-pressed", String(running && this.call.muted));
      mute.textContent = running && this.call.muted ? "Unmute" : "Mute";
      interrupt.disabled = !running || state.assistant === "idle";
      this.spectrum.side = state.assistant === "speaking" ? "assistant" : "user";
      if (!running) this.spectrum.stop();
      if (state.connection === "connected" && this.shown !== "connected") {
        this.parts.notice.textContent = "";
      }
      this.shown = state.connection;
      const detail = { ...state, call: this.call ? this.call.name : "" };
      const news = JSON.stringify(detail);
      if (news !== this.told) this.announce("voicestate", detail);
      this.told = news;
    }

    showWords() {
      const messages = this.call ? this.call.transcript.shown() : [];
      const { log } = this.parts;
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
      // Each keeps its element, so that a screen reader says only what is new.
      const known = new Map([...log.children].map((item) => [item.dataset.id, item]));
      const items = messages.map((message) => bubble(message, known.get(message.id)));
      if (!items.length) items.push(hint(this.running));
      items.forEach((item, index) => {
        if (log.children[index] !== item) log.insertBefore(item, log.children[index] || null);
      });
      while (log.children.length > items.length) log.lastElementChild.remove();
      if (atEnd) log.scrollTop = log.scrollHeight;
      if (this.call) this.announce("voicetranscript", { messages });
    }

    complain(sentence, code) {
      this.parts.notice.textContent = sentence;
      this.announce("voiceerror", { message: sentence, code });
    }

    announce(type, detail) {
      this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
    }
  }

  function set(element, state, words) {
    element.dataset.state = state;
    const text = state[0].toUpperCase() + state.slice(1);
    if (words.textContent !== text) words.textContent = text;
  }

  function bubble({ id, role, text, status }, known) {
    if (known && known.dataset.status === status && known.words === text) return known;
    const item = known || document.createElement("li");
    item.className = role;
    item.dataset.id = id;
    item.dataset.status = status;
    item.words = text;
    item.dir = "auto";
    item.setAttribute("aria-busy", String(status === "pending" || status === "streaming"));
    const who = document.createElement("span");
    who.className = "who";
    who.textContent = role === "user" ? "You: " : "Assistant: ";
    item.replaceChildren(who, text || (MARKS[status] ? "" : "…"));
    if (MARKS[status]) {
      const mark = document.createElement("span");
      mark.className = "mark";
      mark.textContent = MARKS[status];
      item.append(mark);
    }
    return item;
  }

  function hint(running) {
    const item = document.createElement("li");
    item.className = "empty";
    item.textContent = running
      ? "Just speak. You can interrupt at any time."
      : "Start the call, allow the microphone, and just speak.";
    return item;
  }

  // A page that brings no <voice-call> of its own gets one, with the script's data- attributes.
  function addOne() {
    if (!SCRIPT || SCRIPT.dataset.manual !== undefined || document.querySelector("voice-call")) return;
    const element = document.createElement("voice-call");
    for (const { name, value } of SCRIPT.attributes) {
      if (name.startsWith("data-")) element.setAttribute(name.slice(5), value);
    }
    document.body.append(element);
  }

  customElements.define("voice-call", VoiceCall);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", addOne);
  else addOne();
})();
