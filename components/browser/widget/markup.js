// The elements of the voice button, and those of its transcript.

export const MARKUP = `
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
const MARKS = {
  untranscribed: "(not transcribed)",
  interrupted: "interrupted",
  cut: "cut off: length limit",
};

export function bubble({ id, role, text, status, unheard = "" }, known) {
  const words = `${text}\n${unheard}`;
  if (known && known.dataset.status === status && known.words === words) return known;
  const item = known || document.createElement("li");
  item.className = role;
  item.dataset.id = id;
  item.dataset.status = status;
  item.words = words;
  item.dir = "auto";
  item.setAttribute("aria-busy", String(status === "pending" || status === "streaming"));
  const who = document.createElement("span");
  who.className = "who";
  who.textContent = role === "user" ? "You: " : "Assistant: ";
  item.replaceChildren(who, text || (MARKS[status] || unheard ? "" : "…"));
  if (unheard.trim()) {
    const rest = document.createElement("del");
    rest.textContent = unheard;
    item.append(rest);
  }
  if (MARKS[status]) {
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.textContent = MARKS[status];
    item.append(mark);
  }
  return item;
}

export function hint(running) {
  const item = document.createElement("li");
  item.className = "empty";
  item.textContent = running
    ? "Just speak. You can interrupt at any time."
    : "Start the call, allow the microphone, and just speak.";
  return item;
}
