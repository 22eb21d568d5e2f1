import { PROCESSING } from "../shared/microphone.js";

// Which loudspeaker, which volume, and what the browser makes of the microphone's sound: as it is
// kept in this browser. Whatever else stands there counts as nothing.

const DEVICES_KEPT = "realtime-voice-devices";

// What was kept: { speaker, volume, echoCancellation, noiseSuppression, autoGainControl }.
export function recallDevices(storage) {
  let kept = {};
  try {
    kept = Object(JSON.parse(storage.getItem(DEVICES_KEPT)));
  } catch {
    // Blocked, or not ours.
  }
  const { speaker, volume } = kept;
  const choices = {
    speaker: typeof speaker === "string" ? speaker : "",
    volume: volume >= 0 && volume <= 1 ? Number(volume) : 1,
  };
  for (const name of PROCESSING) choices[name] = kept[name] !== false;
  return choices;
}

export function keepDevices(storage, choices) {
  try {
    storage.setItem(DEVICES_KEPT, JSON.stringify(choices));
  } catch {
    // They are forgotten with the page.
  }
}
