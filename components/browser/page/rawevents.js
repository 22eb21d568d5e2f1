// The box in which an event is written by hand. What becomes of it is told by the app, and stands
// in the list of the events.
((rv) => {
  if (rv.rawEvents) return;

  const byId = (id) => document.getElementById(id);

  function send() {
    const sent = rv.page.send({ type: "raw", text: byId("raw-text").value });
    if (sent === false) tell("Start a call first, over this app's server.", "problem");
  }

  function hear({ raw }) {
    if (!raw || !byId("told-raw")) return;
    tell(raw.problem || `✓ Sent (${raw.number}).`, raw.problem ? "problem" : "done");
  }

  function tell(text, how) {
    const told = byId("told-raw");
    if (told.textContent !== text) told.textContent = text;
    told.dataset.how = how;
  }

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "raw-form") return;
    event.preventDefault();
    send();
  });
  document.addEventListener("keydown", ({ target, key, ctrlKey, metaKey }) => {
    if (target.id === "raw-text" && key === "Enter" && (ctrlKey || metaKey)) send();
  });

  rv.rawEvents = { hear };
})((window.realtimeVoice = window.realtimeVoice || {}));
