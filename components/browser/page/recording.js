import { download } from "./download.js";

// Switches the recording of a call on and off, shows that it runs, and fetches it when it is over.
//
// Rule: nothing is recorded that nobody asked for, and it ends with the call. The red dot follows
// what the app says, not what was asked for.
((rv) => {
  if (rv.recording) return;

  const ADDRESS = "api/recording";
  const GONE = "The app does not answer. Is it still running? Then try again.";

  let wanted = false; // before a call: that it be recorded
  let on = false;
  let send = null; // to the app, while a call runs

  const byId = (id) => document.getElementById(id);

  function tell(sentence) {
    if (byId("recording-told")) byId("recording-told").textContent = sentence;
  }

  function show() {
    const button = byId("record");
    if (!button) return;
    const label = on ? "Stop recording" : "Record";
    if (button.textContent !== label) button.textContent = label;
    button.setAttribute("aria-pressed", on || wanted);
    byId("fetch-recording").disabled = on;
    byId("recording-sign").hidden = !on;
  }

  // A connection stands; `again` if the call was up before.
  function greet(toApp, again) {
    send = toApp;
    if (wanted && !again) send({ type: "record", on: true });
  }

  // What the app says: { on, sentence }.
  function take(message) {
    if (on && !message.on) tell("Recorded. It can be downloaded now.");
    on = Boolean(message.on);
    wanted = false;
    if (on) tell("This call is being recorded.");
    if (message.sentence) {
      tell(message.sentence);
      rv.page.tell(message.sentence);
    }
    show();
  }

  // The call has ended, and the recording with it.
  function over() {
    send = null;
    take({ on: false });
  }

  function toggle() {
    if (send) return send({ type: "record", on: !on });
    wanted = !wanted;
    tell(wanted ? "The next call will be recorded." : "");
    return show();
  }

  async function fetchIt() {
    try {
      const body = JSON.stringify({ key: rv.key() });
      const response = await fetch(ADDRESS, { method: "POST", body });
      if (!response.ok) return tell((await response.json()).error.message);
      return save(await response.blob());
    } catch {
      return tell(GONE);
    }
  }

  function save(blob) {
    const minute = new Date().toISOString().slice(0, 16).replace(":", "-");
    download(blob, `recording ${minute}.zip`);
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest && target.closest("#recording button");
    if (!button) return;
    if (button.id === "record") toggle();
    if (button.id === "fetch-recording") fetchIt();
  });

  rv.recording = { greet, take, over };
})((window.realtimeVoice = window.realtimeVoice || {}));
