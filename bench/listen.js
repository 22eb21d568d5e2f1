// Notes what each remote audio track really emits: every 10 ms as the jitter buffer gives it away,
// with the time, the level, and the pitch of what sounds. In a worker, where the page's own work
// delays nothing.
(function () {
  "use strict";

  function work() {
    let frames = [];

    // From the first to the last rising zero crossing; 0 if there are not two.
    function pitch(samples, rate) {
      let first = -1;
      let last = -1;
      let count = 0;
      for (let i = 1; i < samples.length; i += 1) {
        if (samples[i - 1] < 0 && samples[i] >= 0) {
          last = i - 1 + samples[i - 1] / (samples[i - 1] - samples[i]);
          if (first < 0) first = last;
          else count += 1;
        }
      }
      return count > 0 ? (count * rate) / (last - first) : 0;
    }

    function note(audio) {
      const now = performance.timeOrigin + performance.now();
      const samples = new Float32Array(audio.numberOfFrames);
      audio.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      let peak = 0;
      for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
      const duration = (1000 * audio.numberOfFrames) / audio.sampleRate;
      frames.push([now, duration, peak, pitch(samples, audio.sampleRate)]);
      audio.close();
    }

    onmessage = async ({ data }) => {
      if (data === "take") {
        postMessage(frames);
        frames = [];
        return;
      }
      const reader = data.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        note(value);
      }
    };
  }

  const source = new Blob([`(${work})()`], { type: "text/javascript" });
  const worker = new Worker(URL.createObjectURL(source));
  const peers = [];

  function listen(track) {
    const { readable } = new MediaStreamTrackProcessor({ track });
    worker.postMessage(readable, [readable]);
  }

  window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
    construct(Native, args) {
      const pc = new Native(...args);
      peers.push(pc);
      pc.addEventListener("track", ({ track }) => track.kind === "audio" && listen(track));
      return pc;
    },
  });

  const seen = {};

  window.bench = {
    now: () => performance.timeOrigin + performance.now(),
    // [time, ms, peak, hertz] of everything since the last time.
    take: () =>
      new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage("take");
      }),
    // When each word first stood in the transcript.
    watch: (words) =>
      new MutationObserver(() => {
        const now = window.bench.now();
        const text = document.querySelector("#transcript").textContent;
        for (const word of words) if (!(word in seen) && text.includes(word)) seen[word] = now;
      }).observe(document.body, { childList: true, subtree: true, characterData: true }),
    seen: () => seen,
    // What the jitter buffer of the call that is up says of itself.
    jitter: async () => {
      const found = {};
      for (const pc of peers.filter((peer) => peer.connectionState === "connected")) {
        (await pc.getStats()).forEach((entry) => {
          if (entry.type === "inbound-rtp" && entry.kind === "audio") Object.assign(found, entry);
        });
      }
      return found;
    },
  };
})();
