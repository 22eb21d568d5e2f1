import { captionAt, captionsOf, eventsOf, pointsAround, timingOf } from "./captions.js";
import { DETAILED, drawPlot } from "./plot.js";
import { NOT_OURS, recordingIn, TOO_LARGE, tooLarge, utf8Of } from "./unzip.js";

// Plays a recording that somebody has kept: its sound, with captions, plot, turns and events.
//
// Rule: nothing of it leaves the browser, and what it says is shown as text, never as HTML. One
// that cannot be read is answered with a sentence, and shows nothing.
((rv) => {
  if (rv.player) return;

  const byId = (id) => document.getElementById(id);
  let address = "";
  let captions = [];
  let levels = null;

  async function open(file) {
    const problem = await read(file);
    byId("player-told").textContent = problem;
    byId("player").hidden = Boolean(problem);
    if (!problem) show();
  }

  async function read(file) {
    if (tooLarge(file.size)) return TOO_LARGE;
    try {
      const files = recordingIn(await file.arrayBuffer());
      const text = (name) => (files[name] ? utf8Of(files[name]) : "");
      const timing = text("timing.json") && timingOf(JSON.parse(text("timing.json")));
      const events = eventsOf(text("events.jsonl"));
      levels = JSON.parse(text("levels.json"));
      pointsAround(levels, 1, 1);
      captions = captionsOf(text("transcript.vtt"));
      URL.revokeObjectURL(address);
      address = URL.createObjectURL(new Blob([files["sound.ogg"]], { type: "audio/ogg" }));
      tellPanes(timing, events);
      return "";
    } catch {
      return NOT_OURS;
    }
  }

  function tellPanes(timing, events) {
    rv.waterfall.clear();
    rv.events.clear();
    if (timing) rv.waterfall.take(timing);
    rv.events.take(events);
  }

  function show() {
    byId("player-sound").src = address;
    const rows = captions.map(({ since, speaker, words }) => {
      const row = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.since = since;
      button.textContent = `${speaker}: ${words}`;
      row.append(button);
      return row;
    });
    byId("player-words").replaceChildren(...rows);
    follow();
  }

  // The plot and the words of the moment that is played; once a picture while it plays.
  function follow() {
    const sound = byId("player-sound");
    if (!sound || !levels) return;
    const now = sound.currentTime;
    const caption = captionAt(captions, now);
    const text = caption ? `${caption.speaker}: ${caption.words}` : "";
    if (byId("player-caption").textContent !== text) byId("player-caption").textContent = text;
    const canvas = byId("player-plot");
    if (canvas.clientWidth) {
      const points = pointsAround(levels, now, DETAILED.seconds);
      const timeline = { points, spells: [], marks: () => [] };
      drawPlot(canvas, timeline, now * 1000, DETAILED, rv.levels.palette(canvas));
    }
    if (!sound.paused) requestAnimationFrame(follow);
  }

  document.addEventListener("change", ({ target }) => {
    if (target.id === "open-recording" && target.files[0]) open(target.files[0]);
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest && target.closest("#player-words button");
    if (button) byId("player-sound").currentTime = Number(button.dataset.since);
  });
  // These do not bubble.
  ["play", "seeked", "loadeddata"].forEach((name) =>
    document.addEventListener(name, ({ target }) => target.id === "player-sound" && follow(), true),
  );

  rv.player = { open };
})((window.realtimeVoice = window.realtimeVoice || {}));
