import { PROCESSING } from "../shared/microphone.js";
import { keepDevices, recallDevices } from "./devicechoices.js";

// The pane's fields for the loudspeaker, the volume, and what the browser makes of the microphone's
// sound.
//
// Rule: what cannot be had is said beside its field, and the call goes on with what there is.
((rv) => {
  if (rv.devices) return;

  const GONE = "This loudspeaker is not there. The sound goes to the usual one.";
  const byId = (id) => document.getElementById(id);
  const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;
  const choices = recallDevices(localStorage);
  let form = null;

  // An element that plays the assistant: `audio` sounds as it was chosen.
  function adopt(audio) {
    if (audio.volume !== choices.volume) audio.volume = choices.volume;
    return toSpeaker(audio);
  }

  // To the chosen loudspeaker, at the volume it has.
  async function toSpeaker(audio) {
    if (!canChooseSpeaker || audio.sinkId === choices.speaker) return;
    try {
      await audio.setSinkId(choices.speaker);
      tell("");
    } catch {
      tell(GONE);
    }
  }

  function tell(sentence) {
    const told = byId("told-speaker");
    if (told && told.textContent !== sentence) told.textContent = sentence;
  }

  const players = () => [document.querySelector("#call audio"), rv.page.player()].filter(Boolean);

  // fastrtc turns its player up to the full before it lets it play.
  function onPlay({ target }) {
    if (players().includes(target)) adopt(target);
  }

  // The pane is there, for the first time or made anew by Gradio.
  function tend() {
    const now = byId("devices");
    if (!now || now === form) return;
    form = now;
    byId("volume").value = choices.volume;
    byId("speaker").parentElement.hidden = !canChooseSpeaker;
    PROCESSING.forEach((name) => (byId(`set-${name}`).checked = choices[name]));
    list();
  }

  // Browsers name the loudspeakers once the microphone is allowed.
  async function list() {
    const field = byId("speaker");
    if (!field || !navigator.mediaDevices) return;
    const found = await navigator.mediaDevices.enumerateDevices();
    const named = found.filter(
      ({ kind, label, deviceId }) => kind === "audiooutput" && label && deviceId !== "default",
    );
    const options = [new Option("The system's own", "")];
    named.forEach(({ label, deviceId }) => options.push(new Option(label, deviceId)));
    field.replaceChildren(...options);
    field.value = named.some(({ deviceId }) => deviceId === choices.speaker) ? choices.speaker : "";
    if (named.length) players().forEach(toSpeaker); // what was not allowed before may be now
  }

  function onInput({ target }) {
    if (target.id !== "volume") return;
    choices.volume = Number(target.value);
    keepDevices(localStorage, choices);
    players().forEach(adopt);
  }

  function onChange({ target }) {
    if (target.id === "speaker") {
      choices.speaker = target.value;
      players().forEach(adopt);
    } else if (target.closest("#devices") && PROCESSING.includes(target.name)) {
      choices[target.name] = target.checked;
      rv.page.hearAnew();
    } else return;
    keepDevices(localStorage, choices);
  }

  document.addEventListener("play", onPlay, true); // which does not bubble
  document.addEventListener("input", onInput);
  document.addEventListener("change", onChange);
  rv.devices = {
    tend,
    list,
    adopt,
    silenced: () => choices.volume === 0,
    processing: () => Object.fromEntries(PROCESSING.map((name) => [name, choices[name]])),
  };
})((window.realtimeVoice = window.realtimeVoice || {}));
