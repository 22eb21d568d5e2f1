// Knows the microphone: asks for it once per call, hands it to fastrtc's component for each
// connection of the call, lets it go.
(function (rv) {
  "use strict";
  if (rv.microphone) return;

  const SENTENCES = {
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

  const devices = navigator.mediaDevices;
  const ask = devices && devices.getUserMedia.bind(devices);
  const copies = new WeakMap(); // of each stream: what the component has of it
  let handover = null;

  // Trap: fastrtc's component asks for the microphone before the call, in the call, and once more
  // after it, and lets go of none. It gets what was handed over once; else an empty stream, for
  // which no permission is needed.
  function interceptComponent() {
    devices.getUserMedia = async () => {
      const stream = handover || new MediaStream();
      handover = null;
      return stream;
    };
  }

  // The live stream; rejects with an Error whose message is a sentence for the visitor.
  async function open() {
    if (!devices) throw new Error(SENTENCES.insecure);
    try {
      return await askWithWishes();
    } catch (error) {
      throw new Error(SENTENCES[error.name] || `The microphone does not start: ${error.message}`);
    }
  }

  async function askWithWishes() {
    try {
      return await ask({ audio: WISHES });
    } catch (error) {
      if (error.name !== "OverconstrainedError") throw error;
      return ask({ audio: true });
    }
  }

  // Trap: the component stops what it has when its connection fails, and the call may still come
  // back. So it gets a copy for each connection.
  function handOver(stream) {
    takeBack(stream);
    handover = new MediaStream(stream.getTracks().map((track) => track.clone()));
    copies.set(stream, handover);
  }

  function takeBack(stream) {
    const copy = copies.get(stream);
    if (!copy) return;
    if (handover === copy) handover = null;
    copy.getTracks().forEach((track) => track.stop());
  }

  function close(stream) {
    takeBack(stream);
    stream.getTracks().forEach((track) => track.stop());
  }

  function mute(stream, on) {
    const copy = copies.get(stream);
    [...stream.getTracks(), ...(copy ? copy.getTracks() : [])].forEach((track) => {
      track.enabled = !on;
    });
  }

  function onLost(stream, lost) {
    stream.getTracks().forEach((track) => {
      track.onended = () => lost(SENTENCES.unplugged); // our own stop() fires no event
    });
  }

  if (devices) interceptComponent();
  rv.microphone = {
    open,
    close,
    mute,
    onLost,
    handOver,
    problem: devices ? "" : SENTENCES.insecure,
  };
})((window.realtimeVoice = window.realtimeVoice || {}));
