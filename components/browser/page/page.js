import { AT_REST, showState } from "../shared/states.js";
import { stayAwake } from "../shared/wake.js";

// Runs a call, over as many connections as it takes: one button, three states, the notice, what
// the visitor types, mutes or interrupts.
//
// Rule: elements are found anew at each use and events are caught at the document, because Gradio
// may draw its parts again at any time.
(function (rv) {
  "use strict";
  if (rv.page) return;

  const PATIENCE_MS = 10_000;
  const PATIENCE_BACK_MS = 5_000; // the app keeps the call for twenty seconds
  const LOST = "The connection to the app was lost. Check the network, then start again.";
  const TRYING = "The connection to the app broke. The page tries to get it back.";
  const ASKING = "The browser asks for the microphone. Allow it to begin.";

  // Everything about the call under way; null between calls. Each step of a call holds its own
  // reference, and stops when it is no longer this one.
  let call = null;
  let state = { connection: "idle", ...AT_REST };
  let notice = null; // null: what the server has written there
  let talking = false;
  let renewing = false; // a new conversation has been asked for

  const byId = (id) => document.getElementById(id);

  async function start() {
    const mine = {
      stream: null,
      connection: null,
      rejoin: null,
      begun: "", // the connection state that the handler told last
      told: null, // its last notice
      muted: false,
      held: false, // the talk button, when the connection was lost
      report: 0,
      sleep: () => {}, // lets the screen go off again
    };
    call = mine;
    mine.rejoin = rv.rejoin.create(
      () => join(mine, true),
      () => fail(mine, LOST),
    );
    notice = "";
    rv.figures.clear();
    show({ connection: "connecting", ...AT_REST });
    try {
      const stream = await askMicrophone(mine);
      if (call !== mine) return rv.microphone.close(stream); // ended while the browser asked
      mine.stream = stream;
    } catch (error) {
      return fail(mine, error.message);
    }
    rv.microphone.onLost(mine.stream, (sentence) => tell(mine, sentence));
    mine.sleep = stayAwake();
    rv.levels.start();
    return join(mine, false);
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

  async function join(mine, rejoin) {
    try {
      await rv.component.ready();
    } catch (error) {
      return fail(mine, error.message);
    }
    if (call !== mine) return undefined;
    if (rejoin) rv.gradio.renew();
    const patience = rejoin ? PATIENCE_BACK_MS : PATIENCE_MS;
    mine.connection = rv.connection.open(
      mine.stream,
      { rejoin, patience },
      {
        opened: () => greet(mine),
        shaky: (yes) => mine.begun && show({ connection: yes ? "reconnecting" : mine.begun }),
        message: (message) => receive(mine, message),
        lost: (sentence) => lose(mine, sentence),
        refused: (sentence) => fail(mine, sentence),
      },
    );
    return undefined;
  }

  // What a connection that comes back must be told, as the app may have missed it.
  function greet(mine) {
    mine.report = setInterval(reporter(mine), 1000);
    rv.levels.resume();
    if (!mine.begun) return;
    send({ type: "mute", on: mine.muted });
    if (mine.held) send({ type: "talk", down: false });
    mine.held = false;
  }

  // A call that was up is kept by the app for a while.
  function lose(mine, sentence) {
    if (call !== mine) return;
    if (!mine.begun) return fail(mine, sentence);
    clearInterval(mine.report);
    mine.held = mine.held || talking;
    ["user", "assistant"].forEach((side) => rv.levels.speak(side, false));
    if (mine.rejoin.again() > 1 && !notice) notice = TRYING;
    show({ connection: "reconnecting", ...AT_REST });
  }

  function fail(mine, sentence) {
    if (call !== mine) return;
    notice = sentence;
    end("failed");
  }

  function end(connection) {
    const ended = call;
    call = null;
    clearInterval(ended.report);
    ended.rejoin.stop();
    ended.sleep();
    if (ended.connection) rv.connection.hangUp(ended.connection);
    if (ended.stream) rv.microphone.close(ended.stream);
    rv.levels.stop();
    show({ connection, ...AT_REST });
  }

  function send(message) {
    if (call && call.connection) rv.connection.send(call.connection, message);
  }

  // Whether the message was for this page; what is not, fastrtc's component understands. It gets
  // no errors and warnings, for it would show them a second time, as toasts.
  function receive(mine, message) {
    if (call !== mine) return message.type !== "fetch_output";
    switch (message.type) {
      case "levels":
        showLevels(message);
        return true;
      case "stop":
        rv.connection.hush(mine.connection);
        return true;
      case "state":
        follow(mine, message);
        return true;
      case "end_stream":
        fail(mine, message.data || rv.connection.CLOSED);
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

  function follow(mine, { connection, user, assistant, notice: sentence, cost, at_least }) {
    rv.connection.settle(mine.connection);
    mine.rejoin.back();
    if (notice === TRYING) mine.told = null;
    mine.begun = connection;
    // The same notice again does not cover what the page itself has said since.
    if (sentence !== mine.told) notice = mine.told = String(sentence || "");
    rv.figures.follow(state, { user, assistant });
    rv.figures.spend(cost, at_least);
    rv.levels.speak("user", user === "speaking");
    rv.levels.speak("assistant", assistant === "speaking");
    if (connection === "failed" && !notice) notice = rv.connection.CLOSED;
    if (connection === "failed" || connection === "ended") end(connection);
    else show({ connection, user, assistant });
  }

  function tell(mine, sentence) {
    if (call !== mine) return;
    notice = sentence;
    show({});
  }

  // Once a second: what the app needs to know of the browser's sound, and whether there is any.
  function reporter(mine) {
    const measure = rv.figures.meter(mine.connection.pc);
    return async () => {
      const second = await measure();
      if (call !== mine) return;
      const report = rv.figures.playout(second);
      if (report) send(report);
      judge(mine, state.assistant === "speaking" ? rv.sound.judge(second) : rv.sound.rest());
    };
  }

  function judge(mine, problem) {
    if (problem) tell(mine, problem);
    else if (problem === "" && rv.sound.says(notice)) tell(mine, "");
  }

  function show(change) {
    state = { ...state, ...change };
    render();
  }

  function render() {
    const start = byId("start");
    if (!start) return;
    ["connection", "user", "assistant"].forEach((side) => {
      showState(byId(`${side}-status`), String(state[side]));
    });
    showNotice();
    const phase = call ? (state.connection === "connecting" ? "connecting" : "call") : "idle";
    const label = { idle: "Start call", connecting: "Connecting…", call: "End call" }[phase];
    set(start, { text: label, phase });
    set(start, { label: phase === "connecting" ? "Connecting. Press to cancel." : label });
    showControls(phase === "call");
    showRenewal();
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
    byId("start").disabled = renewing;
    byId("mute").disabled = !inCall;
    byId("mute").setAttribute("aria-pressed", muted);
    set(byId("mute"), { text: muted ? "Muted" : "Mute" });
    byId("interrupt").disabled = !(ready && state.assistant !== "idle");
    byId("talk").disabled = !ready;
    byId("send").disabled = byId("say").disabled = !ready;
    const wait = inCall ? "In a moment you can type here" : "Start the call, then type here";
    byId("say").placeholder = ready ? "Type instead of speaking" : wait;
    if (!ready && talking) talk(false);
  }

  function showRenewal() {
    const button = byId("new-conversation");
    const spoken = document.querySelector("#transcript .message");
    if (button) button.disabled = Boolean(call) || renewing || !spoken;
  }

  // Writes only what differs: screen readers announce each writing, and observers see it.
  function set(element, { text, phase, label }) {
    if (text !== undefined && element.textContent !== text) element.textContent = text;
    if (phase !== undefined) element.dataset.phase = phase;
    if (label !== undefined) element.setAttribute("aria-label", label);
  }

  function showLevels(levels) {
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

  // What the ended call still shows would bring back its words, so it is waited for.
  async function renew() {
    renewing = true;
    render();
    await rv.snapshots.settled();
    renewing = false;
    byId("forget").click();
    render();
  }

  const CLICKS = {
    start: () => (call ? end("ended") : start()),
    mute: toggleMute,
    interrupt,
    "new-conversation": renew,
  };

  function onClick(event) {
    rv.sound.allow();
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
    const { connection } = call;
    end("ended");
    if (connection && connection.pc) connection.pc.close();
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
    showRenewal();
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
