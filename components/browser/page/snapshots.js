import { pauseMs, wasSteady } from "../shared/backoff.js";

// Knows whether the app may still show something of the transcript: one long event of Gradio's
// brings its snapshots, and the last one comes after the call's end. An event that ends earlier was
// cut off; what the app had written to it is lost, so that it is asked for again.
((rv) => {
  if (rv.snapshots) return;

  const PATIENCE_MS = 2000; // an app that is gone does not end its event
  const FIRST_PAUSE_MS = 1000;
  const LONGEST_PAUSE_MS = 30_000; // an app that was started anew knows nothing of the call

  let ask = () => {}; // asks for the event again, if its call goes on
  let asking = false;
  let tries = 0;
  let begunAt = 0;
  let ended = null; // resolves when the event under way has ended; null without one
  let end = () => {};

  // The app has news, so that the page asks for the event, unless one is under way.
  function begin(again) {
    ask = again;
    if (!asking) tries = 0;
    if (ended) return;
    begunAt = performance.now();
    ended = new Promise((resolve) => {
      end = resolve;
    });
  }

  function over() {
    ended = null;
    end();
    tries = wasSteady(performance.now() - begunAt) ? 1 : tries + 1;
    setTimeout(askAgain, pauseMs(tries, FIRST_PAUSE_MS, LONGEST_PAUSE_MS));
  }

  function askAgain() {
    if (ended) return;
    asking = true;
    ask();
    asking = false;
  }

  // Resolves when the snapshots of an ended call have all been shown.
  function settled() {
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    return Promise.race([ended, patience]);
  }

  rv.snapshots = { begin, end: over, settled };
})((window.realtimeVoice = window.realtimeVoice || {}));
