import { askForMicrophone, MICROPHONE_SENTENCES } from "../shared/microphone.js";

// Knows the microphone: which one is wanted, asks for it once per call, hands it to fastrtc's
// component for each connection of the call, lets it go. A call that is only typed has silence in
// its place.
((rv) => {
  if (rv.microphone) return;

  const devices = navigator.mediaDevices;
  const ask = devices && devices.getUserMedia.bind(devices);
  const copies = new WeakMap(); // of each stream: what the component has of it
  const contexts = new WeakMap(); // of each silent stream: what makes its silence
  let handover = null;
  let wanted = ""; // the id of the chosen device; empty for the browser's own choice

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
      return await askForMicrophone(ask, wanted, rv.devices.processing());
    } catch (error) {
      throw new Error(
        MICROPHONE_SENTENCES[error.name] || `The microphone does not start: ${error.message}`,
      );
    }
  }

  // A stream in which nothing is ever said, for who cannot or will not speak.
  function silence() {
    const context = new AudioContext();
    const destination = context.createMediaStreamDestination();
    // Without a source a browser sends nothing at all, and would be taken for gone.
    const source = new ConstantSourceNode(context, { offset: 0 });
    source.connect(destination);
    source.start();
    contexts.set(destination.stream, context);
    return destination.stream;
  }

  // The microphones by name, once the browser tells them: { id, label, chosen }.
  async function list() {
    const found = devices ? await devices.enumerateDevices() : [];
    return found
      .filter(({ kind, label }) => kind === "audioinput" && label)
      .map(({ deviceId, label }) => ({ id: deviceId, label, chosen: deviceId === wanted }));
  }

  function choose(id) {
    wanted = id;
  }

  // Another stream for a connection that stands; the old one is let go.
  async function replace(pc, before, stream) {
    const copy = new MediaStream(stream.getTracks().map((track) => track.clone()));
    const sender = pc.getSenders().find(({ track }) => track && track.kind === "audio");
    if (sender) await sender.replaceTrack(copy.getAudioTracks()[0]);
    close(before);
    copies.set(stream, copy);
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
    const context = contexts.get(stream);
    if (context) context.close();
    contexts.delete(stream);
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
    silence,
    list,
    choose,
    replace,
    close,
    mute,
    onLost,
    handOver,
    problem: devices ? "" : MICROPHONE_SENTENCES.insecure,
  };
})((window.realtimeVoice = window.realtimeVoice || {}));
