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
const WISHES = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  channelCount: 1,
};

// The stream of one microphone, of the wanted one if it is there; a browser that cannot keep the
// wishes is asked without them.
export async function askForMicrophone(getUserMedia, deviceId = "") {
  try {
    return await getUserMedia({ audio: deviceId ? { ...WISHES, deviceId } : WISHES });
  } catch (error) {
    if (error.name !== "OverconstrainedError") throw error;
    return getUserMedia({ audio: true });
  }
}
