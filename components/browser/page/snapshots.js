// Knows whether the app may still show something of the transcript: one long event of Gradio's
// brings its snapshots, and the last one comes after the call's end. An event that ends earlier was
// cut off; what the app had written to it is lost, so that it is asked for again.
((rv) => {
  if (rv.snapshots) return;

  const PATIENCE_MS = 2000; // an app that is gone does not end its event

  const AGAIN_MS = 1000; // a proxy may cut off each event at once

  let ask = () => {}; // asks for the event again, if its call goes on
  let ended = null; // resolves when the event under way has ended; null without one
  let end = () => {};

  // The app has news, so that the page asks for the event, unless one is under way.
  function begin(again) {
    ask = again;
    if (ended) return;
    ended = new Promise((resolve) => {
      end = resolve;
    });
  }

  function over() {
    ended = null;
    end();
    setTimeout(() => ended || ask(), AGAIN_MS);
  }

  // Resolves when the snapshots of an ended call have all been shown.
  function settled() {
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    return Promise.race([ended, patience]);
  }

  rv.snapshots = { begin, end: over, settled };
})((window.realtimeVoice = window.realtimeVoice || {}));
