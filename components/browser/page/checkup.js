import { measureLoudness } from "./loudness.js";

// The browser's half of the doctor: what only a browser knows of whether a call would work in it.
//
// Rule: it is asked for by a button and ends by itself; the microphone is let go, and no connection
// is left.

const QUIETEST_DBFS = -75; // a room in which nobody speaks is louder
const FAR_MS = 300;
const UNANSWERED =
  "No STUN or TURN server answers, so only callers of the same network get through. " +
  "Try another network.";
const NO_RELAY =
  "The TURN server does not relay for this browser. Ask the owner of the app to run its doctor.";
const NO_TURN = "Your own address, seen by STUN. Strict firewalls need a TURN server as well.";
const SILENT =
  "It hears nothing. Is it muted, or is another one meant? Look again while you speak.";

// What there is to tell, in order: [check, verdict, sentence]. `seen` has the `problem` of the
// microphone, its `name`, how many `microphones` there are, its loudest `level` in dBFS, the `urls`
// of STUN and TURN servers, the `kinds` of the ways that were found, and the round trip `rtt` in ms
// to the app, null without an answer.
export function checkupFindings(seen) {
  return [
    microphoneFinding(seen),
    ...(seen.problem ? [] : [levelFinding(seen.level)]),
    wayFinding(seen),
    roundTripFinding(seen.rtt),
  ];
}

function microphoneFinding({ problem, name, microphones }) {
  if (problem) return ["Microphone", "failed", problem];
  return ["Microphone", "ok", `Allowed: ${name || "one without a name"}, of ${microphones}.`];
}

function levelFinding(level) {
  if (level < QUIETEST_DBFS) return ["Level", "warning", SILENT];
  return ["Level", "ok", `${Math.round(level)} dBFS at the loudest.`];
}

function wayFinding({ urls, kinds }) {
  if (!urls.length) return ["Ways", "ok", "No STUN or TURN server is needed on this machine."];
  if (kinds.includes("relay")) return ["Ways", "ok", "A TURN relay stands ready."];
  if (urls.some((url) => url.startsWith("turn"))) return ["Ways", "failed", NO_RELAY];
  if (kinds.includes("srflx")) return ["Ways", "warning", NO_TURN];
  return ["Ways", "failed", UNANSWERED];
}

function roundTripFinding(rtt) {
  if (rtt === null)
    return ["Round trip", "failed", "The app does not answer. Is it still running?"];
  const verdict = rtt < FAR_MS ? "ok" : "warning";
  return ["Round trip", verdict, `${Math.round(rtt)} ms to the app.`];
}

((rv) => {
  if (rv.checkup) return;

  const LISTEN_MS = 1000;
  const GATHER_MS = 6000;
  const byId = (id) => document.getElementById(id);
  const native = window.fetch.bind(window); // which nobody reads along
  let running = false;

  async function run() {
    if (running) return;
    running = true;
    byId("checkup-start").disabled = true;
    byId("checkup-found").replaceChildren();
    try {
      const heard = await listen();
      const [ways, rtt] = await Promise.all([gather(await servers()), roundTrip()]);
      checkupFindings({ ...heard, ...ways, rtt }).forEach(show);
    } catch (error) {
      show(["Examination", "failed", `It broke off: ${error.message}`]);
    } finally {
      running = false;
      byId("checkup-start").disabled = false;
    }
  }

  // The microphone as a call would have it, for a second.
  async function listen() {
    let stream = null;
    try {
      stream = await rv.microphone.open();
    } catch (error) {
      return { problem: error.message };
    }
    try {
      const name = stream.getAudioTracks()[0].label;
      return {
        name,
        microphones: (await rv.microphone.list()).length,
        level: await loudest(stream),
      };
    } finally {
      rv.microphone.close(stream);
    }
  }

  async function loudest(stream) {
    const context = new AudioContext();
    let level = Number.NEGATIVE_INFINITY;
    const stop = measureLoudness(context, { user: stream, assistant: stream }, ({ user }) => {
      level = Math.max(level, user);
    });
    await new Promise((resolve) => setTimeout(resolve, LISTEN_MS));
    stop();
    await context.close();
    return level;
  }

  // The STUN and TURN servers that a call in this page would be told of.
  async function servers() {
    const call = window.gradio_config.components.find(({ props }) => props.elem_id === "call");
    const asked = { component_id: call.id, fn_name: "turn", session_hash: "checkup", data: {} };
    const answer = await native("gradio_api/component_server/", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
    });
    const told = await answer.json();
    if (told.error) throw new Error(told.error);
    return told.iceServers || [];
  }

  async function gather(iceServers) {
    const pc = new RTCPeerConnection({ iceServers });
    const kinds = new Set();
    const done = new Promise((resolve) => {
      setTimeout(resolve, GATHER_MS);
      pc.onicecandidate = ({ candidate }) => {
        if (candidate?.type) kinds.add(candidate.type);
        else if (!candidate) resolve();
      };
    });
    pc.createDataChannel("checkup");
    await pc.setLocalDescription(await pc.createOffer());
    await done;
    pc.close();
    return { kinds: [...kinds], urls: iceServers.flatMap(({ urls }) => urls) };
  }

  async function roundTrip() {
    try {
      await native("healthz"); // over a connection that may have to be made
      const begun = performance.now();
      const answer = await native("healthz", { cache: "no-store" });
      return answer.ok ? performance.now() - begun : null;
    } catch {
      return null;
    }
  }

  function show([check, verdict, sentence]) {
    const line = document.createElement("li");
    line.dataset.verdict = verdict;
    line.textContent = `${verdict}: ${check}. ${sentence}`;
    byId("checkup-found").append(line);
  }

  document.addEventListener("click", ({ target }) => {
    if (target.id === "checkup-start") run();
  });
  rv.checkup = { run };
})((window.realtimeVoice = window.realtimeVoice || {}));
