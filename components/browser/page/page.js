import { AT_REST, showState } from "../shared/states.js";
import { BridgedCall } from "./bridged.js";

// Ties a call to what a person sees and touches: one button, three states, the notice, what the
// visitor types, mutes or interrupts. One call at a time, over one of two routes.
//
// Rule: elements are found anew at each use and events are caught at the document, because Gradio
// may draw its parts again at any time.
((rv) => {
  if (rv.page) return;

  const NAME = "realtime-voice-route";
  const LEFT = "realtime-voice-left";
  const LABELS = {
    idle: "Start call",
    again: "Continue",
    connecting: "Connecting…",
    call: "End call",
  };
  const REACHED = ["connected", "reconnecting", "failed", "ended"]; // what is said to who cannot see

  let call = null; // the one under way; null between calls
  let state = { connection: "idle", ...AT_REST };
  let notice = null; // null: what the server has written there
  let talking = false;
  let renewing = false; // a new conversation has been asked for

  const byId = (id) => document.getElementById(id);
  const route = () => document.querySelector('#route input[name="route"]:checked');
  const isDirect = () => Boolean(route() && route().value === "direct");

  // What a call tells its page. The call that is over tells nothing any more.
  const page = {
    get notice() {
      return notice;
    },
    show(change) {
      const arrived = change.connection === "connected" && state.connection !== "connected";
      state = { ...state, ...change };
      if (arrived) tellMicrophones(); // whoever may listen may know their names
      render();
    },
    tell(sentence) {
      notice = sentence;
      render();
    },
    hear: showLevels,
    giveBack,
    over(connection, { sentence = "", unsaid = [], denied = false }) {
      call = null;
      if (sentence) notice = denied ? `${sentence} You can also type only.` : sentence;
      giveBack(unsaid);
      page.show({ connection, ...AT_REST });
      tellMicrophones();
    },
  };

  // `typed`: without a microphone.
  function start(typed) {
    const Route = isDirect() ? rv.DirectCall : BridgedCall;
    const problem = rv.ownKey.problem(isDirect());
    if (problem) return page.tell(problem);
    notice = "";
    rv.figures.clear();
    call = new Route(rv, page, typed);
    return call.start();
  }

  function end() {
    if (call) call.end("ended");
  }

  function render() {
    const button = byId("start");
    if (!button) return;
    const held = document.activeElement;
    ["connection", "user", "assistant"].forEach((side) => {
      showState(byId(`${side}-status`), shownState(side));
    });
    showNotice();
    const phase = call ? (state.connection === "connecting" ? "connecting" : "call") : "idle";
    showStart(button, phase);
    showControls(phase === "call");
    showRenewal();
    announce();
    keepFocus(held);
  }

  // Who must hold a button to be heard is not listened to before.
  function shownState(side) {
    const waits = side === "user" && byHand() && state.user === "listening" && !talking;
    return waits ? "idle" : String(state[side]);
  }

  const byHand = () => !isDirect() && rv.settings.byHand(Boolean(call));

  function showStart(button, phase) {
    const goesOn = phase === "idle" && rv.transcript.spoken();
    const label = LABELS[goesOn ? "again" : phase];
    set(button, { text: label, phase });
    set(button, { label: phase === "connecting" ? "Connecting. Press to cancel." : label });
    button.disabled = renewing;
    document.documentElement.dataset.phase = phase;
  }

  function showNotice() {
    const element = byId("notice");
    if (notice === null) notice = takeLeft() || element.textContent || rv.microphone.problem;
    set(element, { text: notice });
    element.classList.toggle("rv-failed", state.connection === "failed");
  }

  function connected() {
    return state.connection === "connected";
  }

  function showControls(inCall) {
    const ready = inCall && connected();
    const muted = inCall && call.muted;
    const mute = byId("mute");
    mute.disabled = !inCall;
    mute.setAttribute("aria-pressed", muted);
    set(mute, { text: inCall && call.typed ? "Speak" : muted ? "Muted" : "Mute" });
    // Disabled it would lose the focus.
    byId("interrupt").setAttribute("aria-disabled", !(ready && state.assistant !== "idle"));
    byId("talk").hidden = !byHand();
    byId("talk").disabled = !ready;
    if (!ready && talking) talk(false);
  }

  function showRenewal() {
    const button = byId("new-conversation");
    if (button) button.disabled = renewing || !rv.transcript.spoken();
  }

  // One polite line, for who cannot see the states; speaking is heard anyway.
  function announce() {
    const { connection, user, assistant } = state;
    const words = [REACHED.includes(connection) && capital(connection)];
    if (connection === "connected") words.push(user === "muted" && "Muted");
    if (connection === "connected") words.push(assistant === "thinking" && "Thinking");
    set(byId("announcement"), { text: words.filter(Boolean).join(". ") });
  }

  const capital = (word) => word[0].toUpperCase() + word.slice(1);

  // A button that goes away must not take the keyboard's place on the page along.
  function keepFocus(held) {
    if (!held || !held.closest || !held.closest("#desk, #head")) return;
    if (held.disabled || !held.offsetParent) byId("start").focus();
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

  // A line is a turn, with an image or without; without a call it begins one, for which nobody asks
  // for the microphone unless what follows is `spoken`.
  function say(text, { spoken = false, image = null } = {}) {
    if (!(text || image) || renewing) return;
    if (!spoken) byId("say").focus();
    if (!call) start(!spoken);
    else if (spoken && call.typed && connected()) call.listen().then(tellMicrophones);
    if (call) call.say({ text, image });
    else giveBack([{ text, image }]);
  }

  async function sayLine() {
    const line = byId("say");
    const text = line.value.trim();
    line.value = "";
    const expected = Boolean(rv.image.preparing());
    while (rv.image.preparing()) await rv.image.preparing();
    if (expected && !rv.image.waits())
      giveBack([{ text }]); // about an image that cannot be shown
    else say(text, { image: rv.image.take() });
  }

  // What could not be said waits where it was.
  function giveBack(lines) {
    const line = byId("say");
    if (!line.value) line.value = lines.map(({ text }) => text).join(" ");
    const [last] = lines.filter(({ image }) => image).slice(-1);
    if (last && !rv.image.waits()) rv.image.offer(last.image);
  }

  function toggleMute() {
    if (call.typed) call.listen().then(tellMicrophones);
    else call.mute(!call.muted);
    render();
  }

  function interrupt() {
    if (call && byId("interrupt").getAttribute("aria-disabled") !== "true") call.interrupt();
  }

  function talk(down) {
    if (down === talking || (down && byId("talk").disabled)) return;
    talking = down;
    byId("talk").setAttribute("aria-pressed", down);
    if (call) call.talk(down);
    render();
  }

  // What the ended call still shows would bring back its words, so it is waited for.
  async function renew() {
    const typed = call && call.typed;
    const goesOn = Boolean(call);
    renewing = true;
    end();
    render();
    await rv.snapshots.settled();
    renewing = false;
    byId("forget").click();
    rv.image.forget();
    if (goesOn) start(typed);
    else page.show({ connection: "idle" });
  }

  async function tellMicrophones() {
    const list = await rv.microphone.list();
    const options = list.map(({ id, label, chosen }) => new Option(label, id, chosen, chosen));
    byId("microphone").replaceChildren(...options);
    byId("microphone").parentElement.hidden = list.length < 2;
    rv.devices.list();
  }

  function chooseMicrophone(id) {
    rv.microphone.choose(id);
    hearAnew();
  }

  // With what has been chosen since the microphone was opened.
  function hearAnew() {
    if (call && !call.typed) call.listen();
  }

  // Only one of the routes has a call, and a microphone.
  function chooseRoute(value) {
    end();
    try {
      localStorage.setItem(NAME, value);
    } catch {
      // It is forgotten with the page.
    }
    render();
  }

  function recallRoute() {
    try {
      const wanted = localStorage.getItem(NAME);
      const option =
        wanted && document.querySelector(`#route input[value="${CSS.escape(wanted)}"]`);
      if (option) option.checked = true;
    } catch {
      // Blocked.
    }
  }

  function writeSnippet() {
    const element = byId("snippet");
    if (!element) return;
    const address = new URL("widget.js", document.baseURI).href;
    set(element, { text: `<script src="${address}" defer></script>` });
  }

  const CLICKS = {
    start: () => (call ? end() : start(false)),
    "type-only": () => {
      byId("say").focus();
      start(true);
    },
    mute: toggleMute,
    interrupt,
    "new-conversation": renew,
    "copy-snippet": (button) => rv.transcript.copy(button, byId("snippet").textContent),
  };

  function onClick({ target }) {
    rv.sound.allow();
    const button = target.closest && target.closest("button");
    if (!button || button.disabled) return;
    if (CLICKS[button.id]) CLICKS[button.id](button);
    if (button.dataset.say) say(button.dataset.say, { spoken: "spoken" in button.dataset });
  }

  function onChosen({ target }) {
    if (target.id === "microphone") chooseMicrophone(target.value);
    if (target.name === "route") chooseRoute(target.value);
  }

  function onSubmit(event) {
    if (event.target.id !== "composer") return;
    event.preventDefault();
    sayLine();
  }

  function onPress(event) {
    const button = byId("talk");
    if (!button || !button.contains(event.target)) return;
    event.preventDefault();
    talk(true);
  }

  function onKey(event) {
    const down = event.type === "keydown";
    if (event.key === "Escape" && down) interrupt();
    if (event.key !== " " || !talkKey(event.target)) return;
    event.preventDefault();
    if (!event.repeat) talk(down);
  }

  // Space talks wherever it does nothing else.
  function talkKey(target) {
    const button = byId("talk");
    if (!button || button.hidden) return false;
    return target === button || !target.closest("button, input, textarea, select, a, summary");
  }

  // Which does not outlive the page, and is told to who comes back to it.
  function leave() {
    if (!call) return;
    try {
      sessionStorage.setItem(LEFT, "yes");
    } catch {
      // Then it is not told.
    }
    call.leave();
  }

  function takeLeft() {
    try {
      const left = sessionStorage.getItem(LEFT);
      sessionStorage.removeItem(LEFT);
      if (!left) return "";
    } catch {
      return "";
    }
    return "The call ended when this page was left. Continue goes on from what was said.";
  }

  // Phones: the page reaches under the rounded corners, and shrinks above the keyboard.
  function fitPhones() {
    const meta = document.querySelector('meta[name="viewport"]');
    const wishes = ", viewport-fit=cover, interactive-widget=resizes-content";
    if (meta && !meta.content.includes(wishes)) meta.content += wishes;
  }

  function listen() {
    document.addEventListener("click", onClick);
    document.addEventListener("change", onChosen);
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
  let spoken = false;
  function onChange() {
    rv.component.tend();
    rv.transcript.tend();
    rv.drawer.tend();
    rv.settings.tend();
    rv.devices.tend();
    rv.tools.tend();
    rv.cost.tend();
    rv.image.tend();
    if (byId("start") === desk && rv.transcript.spoken() === spoken) return;
    spoken = rv.transcript.spoken();
    if (byId("start") !== desk) {
      desk = byId("start");
      fitPhones();
      recallRoute();
      writeSnippet();
    }
    render();
    rv.levels.draw();
  }

  rv.page = {
    tell: page.tell,
    render,
    hearAnew,
    // What plays a direct call.
    player: () => call && call.player,
    // To the app, which a direct call does not go through.
    send: (message) => call instanceof BridgedCall && call.send(message),
  };
  listen();
  new MutationObserver(onChange).observe(document.body, { childList: true, subtree: true });
  onChange();
})((window.realtimeVoice = window.realtimeVoice || {}));
