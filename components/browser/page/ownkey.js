// A visitor's own key: it is in its field until a call begins, goes along with that call's offer,
// and is then nowhere in the page.
import { keyProblem } from "./keyform.js";

((rv) => {
  if (rv.ownKey) return;

  const field = () => document.getElementById("own-key");
  const written = () => (field() ? field().value.trim() : "");

  function problem(direct) {
    const found = keyProblem(written(), direct);
    if (found) tell(found, "problem");
    return found;
  }

  // For the offer of a call that begins.
  function take() {
    const key = written();
    if (field()) field().value = "";
    tell(key ? "✓ Your key pays for this call." : "", "done");
    return key ? { api_key: key } : {};
  }

  function tell(text, how) {
    const told = document.getElementById("told-own-key");
    if (!told) return;
    if (told.textContent !== text) told.textContent = text;
    told.dataset.how = how;
  }

  rv.ownKey = { problem, take };
})((window.realtimeVoice = window.realtimeVoice || {}));
