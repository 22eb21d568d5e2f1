// Knows when to try to come back to a call whose connection was lost, and when to give up.
(function (rv) {
  "use strict";
  if (rv.rejoin) return;

  const KEPT_MS = 20_000; // so long the app keeps a call for its caller
  const PAUSES_MS = [0, 1000, 2000, 4000];
  const STEADY_MS = 10_000; // a connection that held for so long is worth an immediate try again

  // `attempt` is called for each try. again() asks for one, and tells how many that makes; back()
  // says that one succeeded. `giveUp` is called if the call cannot be got back.
  function create(attempt, giveUp) {
    let tries = 0;
    let backAt = -Infinity;
    let deadline = 0;
    let next = 0;

    function again() {
      if (!deadline) {
        deadline = setTimeout(giveUp, KEPT_MS);
        if (performance.now() - backAt > STEADY_MS) tries = 0;
      }
      next = setTimeout(go, PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]);
      tries += 1;
      return tries;
    }

    function go() {
      clearTimeout(next);
      next = 0;
      attempt();
    }

    function hurry() {
      if (next) go();
    }

    function back() {
      if (deadline) backAt = performance.now();
      clearTimeout(deadline);
      deadline = 0;
    }

    function stop() {
      clearTimeout(deadline);
      clearTimeout(next);
      window.removeEventListener("online", hurry);
    }

    window.addEventListener("online", hurry);
    return { again, back, stop };
  }

  rv.rejoin = { create };
})((window.realtimeVoice = window.realtimeVoice || {}));
