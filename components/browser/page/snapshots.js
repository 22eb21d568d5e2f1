// Knows whether the app may still show something of the transcript: one long event of Gradio's
// brings its snapshots, and the last one comes after the call's end.
((rv) => {
  if (rv.snapshots) return;

  const PATIENCE_MS = 2000; // an app that is gone does not end its event

  let ended = null; // resolves when the event under way has ended; null without one
  let end = () => {};

  // The app has news, so that the page asks for the event, unless one is under way.
  function begin() {
    if (ended) return;
    ended = new Promise((resolve) => {
      end = resolve;
    });
  }

  function over() {
    ended = null;
    end();
  }

  // Resolves when the snapshots of an ended call have all been shown.
  function settled() {
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    return Promise.race([ended, patience]);
  }

  rv.snapshots = { begin, end: over, settled };
})((window.realtimeVoice = window.realtimeVoice || {}));
