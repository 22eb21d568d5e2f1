// Runs a call: one button, three states, the notice, what the visitor types, mutes or interrupts.
//
// Rule: elements are found anew at each use and events are caught at the document, because Gradio
// may draw its parts again at any time.
(function (rv) {
  "use strict";
  if (rv.page) return;

  const PATIENCE_MS = 10_000;
  const BLIP_MS = 6_000;
  const HUSH_MS = 200;
  const SILENT =
    "No connection to the app within 10 seconds. A firewall or a VPN may be in the way; " +
    "from another network the app needs a TURN server.";
  const MUTE_APP = "The app answers, but the call does not begin. End it and try again.";
  const LOST = "The connection to the app was lost. Check the network, then start again.";
  const CLOSED = "The app has ended the call. You can start a new one.";
  const ASKING = "The browser asks for the microphone. Allow it to begin.";
  const AT_REST = { user: "idle", assistant: "idle" };

  // Everything about the call under way; null between calls. Each step of a call holds its own
  // reference, and stops when it is no longer this one.
  let call = null;
  let state = { connection: "idle", ...AT_REST };
  let notice = null; // null: what the server has written there
  let talking = false;

  const byId = (id) => document.getElementById(id);

  async function start() {
    const mine = {
      stream: null,
      pc: null,
      channel: null,
      begun: "", // the connection state that the handler told last
      told: "", // its last notice
      muted: false,
      timer: 0,
      blip: 0,
      hush: 0,
      asked: 0, // when the user fell silent, until the answer begins
      report: 0,
    };
    call = mine;
    notice = "";
    ["answer", "buffer", "rtt"].forEach((figure) => time(figure, "–"));
    show({ connection: "connecting", ...AT_REST });
    try {
      const stream = await askMicrophone(mine);
      if (call !== mine) return rv.microphone.close(stream); // ended while the browser asked
      mine.stream = stream;
      await rv.component.ready();
    } catch (error) {
      return fail(mine, error.message);
    }
    if (call !== mine) return undefined;
    rv.microphone.onLost(mine.stream, (sentence) => tell(mine, sentence));
    rv.levels.start();
    wait(mine, SILENT);
    return rv.component.start(mine.stream, {
      peer: (pc) => adoptPeer(mine, pc),
      channel: (channel) => adoptChannel(mine, channel),
      answered: () => wait(mine, SILENT),
      refused: (sentence) => fail(mine, sentence),
    });
  }

  async function askMicrophone(mine) {
    const hint = setTimeout(() => tell(mine, ASKING), 1500);
    try {
      return await rv.microphone.open();
    } finally {
      clearTimeout(hint);
      tell(mine, "");
    }
  }

  // After so long without the next step the call has failed.
  function wait(mine, sentence) {
    clearTimeout(mine.timer);
    mine.timer = setTimeout(() => fail(mine, sentence), PATIENCE_MS);
  }

  function fail(mine, sentence) {
    if (call !== mine) return;
    notice = sentence;
    end("failed");
  }

  function end(connection) {
    const ended = call;
    call = null;
    clearTimeout(ended.timer);
    clearTimeout(ended.blip);
    clearTimeout(ended.hush);
    clearInterval(ended.report);
    send({ type: "hangup" }, ended);
    if (ended.stream) rv.microphone.close(ended.stream);
    rv.component.stop();
    rv.levels.stop();
    // Not at once: the last message would be lost.
    if (ended.pc) setTimeout(() => ended.pc.close(), 100);
    show({ connection, ...AT_REST });
  }

  function adoptPeer(mine, pc) {
    mine.pc = pc;
    pc.addEventListener("connectionstatechange", () => {
      if (call !== mine) return;
      clearTimeout(mine.blip);
      if (pc.connectionState === "failed") fail(mine, mine.begun ? LOST : SILENT);
      else if (mine.begun) show({ connection: mine.begun }); // back after a blip
    });
    // The adopting side stops the event "disconnected", so that it is seen here by ICE alone.
    pc.addEventListener("iceconnectionstatechange", () => {
      if (call !== mine || pc.iceConnectionState !== "disconnected") return;
      show({ connection: "reconnecting" });
      mine.blip = setTimeout(() => fail(mine, LOST), BLIP_MS);
    });
  }

  function adoptChannel(mine, channel) {
    mine.channel = channel;
    channel.addEventListener("open", () => {
      if (call !== mine) return;
      wait(mine, MUTE_APP);
      mine.report = setInterval(playoutReporter(mine), 1000);
    });
    channel.addEventListener("close", () => fail(mine, CLOSED));
    channel.addEventListener("message", (event) => {
      if (receive(mine, event.data)) event.stopImmediatePropagation();
    });
  }

  function send(message, target = call) {
    const channel = target && target.channel;
    if (channel && channel.readyState === "open") channel.send(JSON.stringify(message));
  }

  // Whether the message was for this page; what is not, fastrtc's component understands. It gets
  // no errors and warnings, for it would show them a second time, as toasts.
  function receive(mine, text) {
    const message = parse(text);
    if (!message) return false;
    if (call !== mine) return message.type !== "fetch_output";
    switch (message.type) {
      case "levels":
        hear(message);
        return true;
      case "stop":
        hush(mine);
        return true;
      case "state":
        follow(mine, message);
        return true;
      case "end_stream":
        fail(mine, message.data || CLOSED);
        return true;
      case "error":
      case "warning":
        tell(mine, String(message.message || message.data));
        return true;
      case "log": // fastrtc sends back whatever it gets
        return true;
      default:
        return false;
    }
  }

  // What the browser has buffered of a reply that was interrupted is not played any more.
  function hush(mine) {
    const play = (on) => mine.pc.getReceivers().forEach((one) => (one.track.enabled = on));
    play(false);
    clearTimeout(mine.hush);
    mine.hush = setTimeout(() => play(true), HUSH_MS);
  }

  function parse(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  function follow(mine, { connection, user, assistant, notice: sentence }) {
    clearTimeout(mine.timer);
    mine.begun = connection;
    // The same notice again does not cover what the page itself has said since.
    if (sentence !== mine.told) notice = mine.told = String(sentence || "");
    measureAnswer(mine, user, assistant);
    rv.levels.speak("user", user === "speaking");
    rv.levels.speak("assistant", assistant === "speaking");
    if (connection === "failed" && !notice) notice = CLOSED;
    if (connection === "failed" || connection === "ended") end(connection);
    else show({ connection, user, assistant });
  }

  // From the end of the user's speech, as turn detection saw it, to the first sound handed over.
  function measureAnswer(mine, user, assistant) {
    if (state.user === "speaking" && user === "listening") mine.asked = performance.now();
    if (user === "speaking") mine.asked = 0;
    if (assistant !== "speaking" || !mine.asked) return;
    time("answer", `${((performance.now() - mine.asked) / 1000).toFixed(2)} s`);
    mine.asked = 0;
  }

  function time(figure, text) {
    set(document.querySelector(`#timing [data-figure="${figure}"]`), { text });
  }

  function tell(mine, sentence) {
    if (call !== mine) return;
    notice = sentence;
    show({});
  }

  // Once a second: how long the browser holds sound back, which only it knows.
  function playoutReporter(mine) {
    let last = { delay: 0, count: 0, lost: 0 };
    return async () => {
      const figures = playoutFigures(await mine.pc.getStats());
      const count = figures.count - last.count;
      if (call !== mine || !(count > 0)) return;
      const delay = (1000 * (figures.delay - last.delay)) / count;
      send({
        type: "playout",
        delay_ms: Math.round(delay * 10) / 10,
        rtt_ms: Math.round(figures.rtt * 10) / 10,
        lost: Math.max(0, figures.lost - last.lost),
      });
      time("buffer", `${Math.round(delay)} ms`);
      time("rtt", `${Math.round(figures.rtt)} ms`);
      last = figures;
    };
  }

  function playoutFigures(stats) {
    const figures = { delay: 0, count: 0, lost: 0, rtt: 0 };
    stats.forEach((entry) => {
      if (entry.type === "inbound-rtp" && entry.kind === "audio") {
        figures.delay = entry.jitterBufferDelay;
        figures.count = entry.jitterBufferEmittedCount;
        figures.lost = entry.packetsLost;
      } else if (entry.type === "candidate-pair" && entry.nominated) {
        figures.rtt = 1000 * (entry.currentRoundTripTime || 0);
      }
    });
    return figures;
  }

  function show(change) {
    state = { ...state, ...change };
    render();
  }

  function render() {
    const start = byId("start");
    if (!start) return;
    ["connection", "user", "assistant"].forEach(showStatus);
    showNotice();
    const phase = call ? (state.connection === "connecting" ? "connecting" : "call") : "idle";
    const label = { idle: "Start call", connecting: "Connecting…", call: "End call" }[phase];
    set(start, { text: label, phase });
    set(start, { label: phase === "connecting" ? "Connecting. Press to cancel." : label });
    showControls(phase === "call");
  }

  function showStatus(side) {
    const element = byId(`${side}-status`);
    const word = String(state[side]);
    set(element, { text: word.charAt(0).toUpperCase() + word.slice(1) });
    if (element.dataset.state !== word) element.dataset.state = word;
  }

  function showNotice() {
    const element = byId("notice");
    if (notice === null) notice = element.textContent || rv.microphone.problem;
    set(element, { text: notice });
    element.classList.toggle("rv-failed", state.connection === "failed");
  }

  function showControls(inCall) {
    const ready = inCall && state.connection === "connected";
    const muted = inCall && call.muted;
    byId("mute").disabled = !inCall;
    byId("mute").setAttribute("aria-pressed", muted);
    set(byId("mute"), { text: muted ? "Muted" : "Mute" });
    byId("interrupt").disabled = !(ready && state.assistant !== "idle");
    byId("talk").disabled = !ready;
    byId("send").disabled = byId("say").disabled = !ready;
    byId("say").placeholder = ready ? "Type instead of speaking" : "Start the call, then type here";
    if (!ready && talking) talk(false);
  }

  // Writes only what differs: screen readers announce each writing, and observers see it.
  function set(element, { text, phase, label }) {
    if (text !== undefined && element.textContent !== text) element.textContent = text;
    if (phase !== undefined) element.dataset.phase = phase;
    if (label !== undefined) element.setAttribute("aria-label", label);
  }

  function hear(levels) {
    rv.levels.add(levels);
    ["user", "assistant"].forEach((side) => {
      const loudness = Math.min(1, Math.max(0, (levels[side] + 60) / 60));
      byId(`${side}-status`).style.setProperty("--loudness", loudness.toFixed(2));
    });
  }

  function say() {
    const line = byId("say");
    const text = line.value.trim();
    if (!text || line.disabled) return;
    send({ type: "say", text });
    line.value = "";
    line.focus();
  }

  function toggleMute() {
    call.muted = !call.muted;
    rv.microphone.mute(call.stream, call.muted);
    send({ type: "mute", on: call.muted });
    show({});
  }

  function interrupt() {
    if (!byId("interrupt").disabled) send({ type: "interrupt" });
  }

  function talk(down) {
    if (down === talking || (down && byId("talk").disabled)) return;
    talking = down;
    byId("talk").setAttribute("aria-pressed", down);
    send({ type: "talk", down });
  }

  const CLICKS = {
    start: () => (call ? end("ended") : start()),
    mute: toggleMute,
    interrupt,
  };

  function onClick(event) {
    const button = event.target.closest && event.target.closest("button");
    if (button && !button.disabled && CLICKS[button.id]) CLICKS[button.id]();
  }

  function onSubmit(event) {
    if (event.target.id !== "composer") return;
    event.preventDefault();
    say();
  }

  function onPress(event) {
    const button = byId("talk");
    if (!button || !button.contains(event.target)) return;
    event.preventDefault();
    talk(true);
  }

  function onKey(event) {
    const down = event.type === "keydown";
    if (event.key === "Escape" && down && call) interrupt();
    if (event.key !== " " || !talkKey(event.target)) return;
    event.preventDefault();
    if (!event.repeat) talk(down);
  }

  // Space talks wherever it does nothing else.
  function talkKey(target) {
    const button = byId("talk");
    if (!button || button.hidden) return false;
    return target === button || !target.closest("button, input, textarea, select, a");
  }

  function leave() {
    if (!call) return;
    const pc = call.pc;
    end("ended");
    if (pc) pc.close();
  }

  function listen() {
    document.addEventListener("click", onClick);
    document.addEventListener("submit", onSubmit);
    document.addEventListener("pointerdown", onPress);
    ["pointerup", "pointercancel"].forEach((name) =>
      document.addEventListener(name, () => talk(false)),
    );
    ["keydown", "keyup"].forEach((name) => document.addEventListener(name, onKey));
    window.addEventListener("blur", () => talk(false));
    window.addEventListener("pagehide", leave);
  }

  let desk = null;
  function onChange() {
    rv.component.tend();
    // A live region would read aloud, over the voice, what the voice just said.
    const log = document.querySelector('#transcript [role="log"]');
    if (log && log.ariaLive !== "off") log.ariaLive = "off";
    if (byId("start") === desk) return;
    desk = byId("start");
    render();
    rv.levels.draw();
  }

  listen();
  new MutationObserver(onChange).observe(document.body, { childList: true, subtree: true });
  onChange();
  rv.page = true;
})((window.realtimeVoice = window.realtimeVoice || {}));
