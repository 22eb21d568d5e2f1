import { askForMicrophone, MICROPHONE_SENTENCES } from "../shared/microphone.js";

// Knows the microphone: asks for it once per call, hands it to fastrtc's component for each
// connection of the call, lets it go.
(function (rv) {
  "use strict";
  if (rv.microphone) return;

  const devices = navigator.mediaDevices;
  const ask = devices && devices.getUserMedia.bind(devices);
  const copies = new WeakMap(); // of each stream: what the component has of it
  let handover = null;

  // fastrtc's component asks for the microphone before the call, in the call, and once more
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
    if (!devices) throw new Error(MICROPHONE_SENTENCES.insecure);
    try {
      return await askForMicrophone(ask);
    } catch (error) {
      throw new Error(
        MICROPHONE_SENTENCES[error.name] || `The microphone does not start: ${error.message}`,
      );
    }
  }

  // The component stops what it has when its connection fails, and the call may still come
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
      track.onended = () => lost(MICROPHONE_SENTENCES.unplugged); // our own stop() fires no event
    });
  }

  if (devices) interceptComponent();
  rv.microphone = {
    open,
    close,
    mute,
    onLost,
    handOver,
    problem: devices ? "" : MICROPHONE_SENTENCES.insecure,
  };
})((window.realtimeVoice = window.realtimeVoice || {}));
