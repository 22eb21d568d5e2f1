// What page and voice button ask the browser for, and what they say when it refuses.

// By the name of the browser's error, or of ours.
export const MICROPHONE_SENTENCES = {
  NotAllowedError:
    "The browser does not allow the microphone here. Allow it in the address bar, then start again.",
  NotFoundError: "No microphone was found. Plug one in, then start again.",
  NotReadableError:
    "The microphone is in use by another program. Close that program, then start again.",
  insecure:
    "Browsers allow the microphone only on secure pages. " +
    "Open this page as https://… or on the same computer as http://localhost.",
  unplugged: "The microphone stopped. Plug it in again or allow it, then start a new call.",
};
// What a browser can make of a microphone's sound.
export const PROCESSING = ["echoCancellation", "noiseSuppression", "autoGainControl"];
const WISHES = { ...Object.fromEntries(PROCESSING.map((name) => [name, true])), channelCount: 1 };

// The stream of one microphone, of the wanted one if it is there; `processing` says what differs
// from all of it. A browser that cannot keep the wishes is asked with fewer.
export async function askForMicrophone(getUserMedia, deviceId = "", processing = {}) {
  const wishes = { ...WISHES, ...processing };
  const attempts = /** @type {any[]} */ ([wishes, true]);
  // Browsers take a device that is merely wished for as a hint.
  if (deviceId) attempts.unshift({ ...wishes, deviceId: { exact: deviceId } });
  for (;;) {
    const audio = attempts.shift();
    try {
      return await getUserMedia({ audio });
    } catch (error) {
      if (error.name !== "OverconstrainedError" || attempts.length === 0) throw error;
    }
  }
}
