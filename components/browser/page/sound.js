// Knows whether the browser plays what the assistant says, and says why it does not.
((rv) => {
  if (rv.sound) return;

  const BLOCKED =
    "The browser holds the sound back. Click anywhere on this page to hear the assistant.";
  const SWALLOWED =
    "The assistant speaks, but this browser plays nothing. " +
    "Check its loudspeaker, or reload this page.";
  const ABSENT =
    "The assistant speaks, but no sound arrives here. The network may be holding it back.";
  const SENTENCES = [BLOCKED, SWALLOWED, ABSENT];
  const PATIENCE_S = 2;
  const AUDIBLE = 1e-8; // mean square; -80 dBFS

  let silent = 0; // seconds of speech without sound

  function blocked() {
    const player = document.querySelector("#call audio");
    if (!player || !player.srcObject) return false;
    return player.paused || player.muted || (player.volume === 0 && !rv.devices.silenced());
  }

  // Asked once a second while the assistant is said to speak, with what the browser did in that
  // second. A sentence if something is wrong, "" if sound comes out, null if it is not clear.
  function judge({ packets, samples, energy, duration }) {
    if (blocked()) return BLOCKED;
    const heard = samples > 0 && !(energy <= AUDIBLE * duration);
    silent = heard ? 0 : silent + 1;
    if (heard) return "";
    if (silent <= PATIENCE_S) return null;
    return packets > 0 ? SWALLOWED : ABSENT;
  }

  // The same while the assistant says nothing.
  function rest() {
    silent = 0;
    return blocked() ? null : "";
  }

  // Browsers allow sound after a click.
  function allow() {
    if (!blocked()) return;
    const player = document.querySelector("#call audio");
    player.muted = false;
    rv.devices.adopt(player);
    player.play().catch(() => {});
  }

  rv.sound = { judge, rest, allow, says: (sentence) => SENTENCES.includes(sentence) };
})((window.realtimeVoice = window.realtimeVoice || {}));
