import { pauseMs, wasSteady } from "../shared/backoff.js";

// Knows when to try to come back to a call whose connection was lost, and when to give up.
((rv) => {
  if (rv.rejoin) return;

  const KEPT_MS = 20_000; // so long the app keeps a call for its caller
  const FIRST_PAUSE_MS = 1000; // before the second try; the first is made at once
  const MOST_PAUSE_MS = 4000;

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
        if (wasSteady(performance.now() - backAt)) tries = 0;
      }
      next = setTimeout(go, tries ? pauseMs(tries, FIRST_PAUSE_MS, MOST_PAUSE_MS) : 0);
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
