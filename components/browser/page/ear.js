// Notices when the assistant's sound begins in this browser, behind all its buffers.
//
// Rule: it looks only while an answer is about to sound, and never for long.

const POLL_MS = 20;
const PATIENCE_MS = 3000;
const AUDIBLE = 0.001; // of full scale: -60 dBFS

// Tells `heard(ago_ms)` once, when what `receiver` (RTCRtpReceiver) plays can be heard: how long ago
// it was played, by the browser's account. Returns a function that ends it before.
export function hearken(receiver, heard, clock = performance) {
  const begun = clock.now();
  let timer = setTimeout(look, POLL_MS);

  function look() {
    const [source] = receiver.getSynchronizationSources();
    if (source && source.audioLevel > AUDIBLE) {
      heard(Math.max(0, Math.round(clock.timeOrigin + clock.now() - source.timestamp)));
    } else if (clock.now() - begun < PATIENCE_MS) timer = setTimeout(look, POLL_MS);
  }

  return () => clearTimeout(timer);
}
