// Measures a call: how long sound is under way, what it costs. How soon answers come is the app's to
// tell, which knows when a voice ended.
((rv) => {
  if (rv.figures) return;

  function write(figure, text) {
    const element = document.querySelector(`#figures [data-figure="${figure}"]`);
    if (element && element.textContent !== text) element.textContent = text;
  }

  function clear() {
    ["buffer", "rtt"].forEach((figure) => write(figure, "–"));
    spend(null);
  }

  // US dollars so far; null if nobody knows. There may be more of which nobody knows how much.
  function spend(cost, atLeast) {
    const known = typeof cost === "number";
    const element = document.querySelector('#figures [data-figure="cost"]');
    if (element) element.parentElement.hidden = !known;
    write("cost", known ? dollars(cost, atLeast) : "–");
  }

  function dollars(cost, atLeast) {
    if (cost > 0 && cost < 0.0001 && !atLeast) return "< $0.0001";
    return `${atLeast ? "at least " : ""}$${cost.toFixed(cost > 0 && cost < 0.1 ? 4 : 2)}`;
  }

  // A function that tells what the browser did with the assistant's sound since it was asked last.
  function meter(pc) {
    let last = read(new Map());
    return async () => {
      const now = read(await pc.getStats());
      const since = {};
      Object.keys(now).forEach((name) => (since[name] = now[name] - last[name]));
      last = now;
      return { ...since, rtt: now.rtt };
    };
  }

  function read(stats) {
    const total = { delay: 0, samples: 0, packets: 0, lost: 0, energy: 0, duration: 0, rtt: 0 };
    stats.forEach((entry) => {
      if (entry.type === "inbound-rtp" && entry.kind === "audio") {
        total.delay = entry.jitterBufferDelay;
        total.samples = entry.jitterBufferEmittedCount;
        total.packets = entry.packetsReceived;
        total.lost = entry.packetsLost;
        total.energy = entry.totalAudioEnergy;
        total.duration = entry.totalSamplesDuration;
      } else if (entry.type === "candidate-pair" && entry.nominated) {
        total.rtt = 1000 * (entry.currentRoundTripTime || 0);
      }
    });
    return total;
  }

  // How long the browser holds sound back, which only it knows; null without sound.
  function playout({ delay, samples, lost, rtt }) {
    if (!(samples > 0)) return null;
    const delay_ms = (1000 * delay) / samples;
    write("buffer", `${Math.round(delay_ms)} ms`);
    write("rtt", `${Math.round(rtt)} ms`);
    const tenth = (value) => Math.round(value * 10) / 10;
    return {
      type: "playout",
      delay_ms: tenth(delay_ms),
      rtt_ms: tenth(rtt),
      lost: Math.max(0, lost),
    };
  }

  rv.figures = { clear, spend, meter, playout };
})((window.realtimeVoice = window.realtimeVoice || {}));
