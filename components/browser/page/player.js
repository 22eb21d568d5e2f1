import { captionAt, captionsOf, eventsOf, pointsAround, timingOf } from "./captions.js";
import { settingRows, spellsOf, usageRows } from "./kept.js";
import { DETAILED, drawPlot } from "./plot.js";
import { Timeline } from "./timeline.js";
import { secondsOf } from "./turns.js";
import { NOT_OURS, recordingIn, TOO_LARGE, tooLarge, utf8Of } from "./unzip.js";

// Plays a recording that somebody has kept: its sound, with captions, plot, turns and events, and
// what is known of its call.
//
// Rule: nothing of it leaves the browser, and what it says is shown as text, never as HTML. One
// that cannot be read is answered with a sentence, and shows nothing.
((rv) => {
  if (rv.player) return;

  const byId = (id) => document.getElementById(id);
  let address = "";
  let captions = [];
  let levels = null;
  let timeline = null; // who spoke when
  let about = {}; // rows of [name, value], by the ids of their lists

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
      timeline = new Timeline(DETAILED.seconds);
      timeline.spells = spellsOf(levels);
      about = {
        "player-settings": settingRows(parsedOf(text("settings.json"))),
        "player-cost": usageRows(parsedOf(text("cost.json"))),
        "player-timing": timing
          ? [
              ["half of the answers within", secondsOf(timing.p50_s)],
              ["95 % of them within", secondsOf(timing.p95_s)],
            ]
          : [],
      };
      captions = captionsOf(text("transcript.vtt"));
      URL.revokeObjectURL(address);
      address = URL.createObjectURL(new Blob([files["sound.ogg"]], { type: "audio/ogg" }));
      tellPanes(timing, events);
      return "";
    } catch {
      return NOT_OURS;
    }
  }

  const parsedOf = (text) => (text ? JSON.parse(text) : {});

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
    Object.entries(about).forEach(([id, pairs]) => showRows(byId(id), pairs));
    follow();
  }

  function showRows(list, pairs) {
    list.replaceChildren(
      ...pairs.map(([name, value]) => {
        const row = document.createElement("div");
        row.append(document.createElement("dt"), document.createElement("dd"));
        row.children[0].textContent = name;
        row.children[1].textContent = value;
        return row;
      }),
    );
    list.parentElement.hidden = pairs.length === 0;
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
      timeline.points = pointsAround(levels, now, DETAILED.seconds);
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
