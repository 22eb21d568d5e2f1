// Notices when the assistant's sound begins in this browser, behind all its buffers.
//
// Rule: it looks only while an answer is about to sound, and never for long, as each look costs the
// browser a millisecond or so.

const LOOK_MS = 20;
const GIVE_UP_MS = 3000;
const FAINT = 1e-6; // mean square: -60 dBFS
const LATE_MS = 50; // a browser's figures are 20 to 80 ms old (measured in Chromium)

// Tells `heard(ago_ms)` once, when what `receiver` (RTCRtpReceiver) plays can be heard: about how
// long ago that began. Returns a function that ends it before.
export function hearken(receiver, heard, clock = performance) {
  const begun = clock.now();
  let over = false;
  let before = null; // the look before this one

  async function look() {
    const { energy, duration } = await played(receiver);
    if (over) return;
    const now = clock.now();
    const loudness = before && (energy - before.energy) / (duration - before.duration);
    if (loudness > FAINT) heard(LATE_MS + Math.round((now - before.at) / 2));
    else if (now - begun < GIVE_UP_MS) setTimeout(look, LOOK_MS);
    before = { energy, duration, at: now };
  }

  look();
  return () => {
    over = true;
  };
}

// What the browser has played so far: energy (mean square times seconds) and seconds.
async function played(receiver) {
  const stats = [...(await receiver.getStats()).values()];
  const sound = stats.find(({ type }) => type === "inbound-rtp") || {};
  return { energy: sound.totalAudioEnergy || 0, duration: sound.totalSamplesDuration || 0 };
}
