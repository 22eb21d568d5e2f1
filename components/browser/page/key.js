// Knows the secret of this tab: by it the app knows its caller again after a lost connection, a
// reload, or an ended call.
((rv) => {
  if (rv.key) return;

  const NAME = "realtime-voice-key";
  let key = takeKept() || make();

  function make() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // A duplicated tab starts with a copy of the storage, and would be the same caller. So the
  // key lies there only while the page is away. Blocked storage throws; then a reload forgets.
  function takeKept() {
    try {
      const kept = sessionStorage.getItem(NAME);
      sessionStorage.removeItem(NAME);
      return /^[0-9a-f]{32}$/.test(kept) ? kept : "";
    } catch {
      return "";
    }
  }

  function keep() {
    try {
      sessionStorage.setItem(NAME, key);
    } catch {
      // The key lives as long as this page.
    }
  }

  // Phones drop hidden pages without a word, so hidden counts as away.
  document.addEventListener("visibilitychange", () => (document.hidden ? keep() : takeKept()));
  window.addEventListener("pagehide", keep);
  window.addEventListener("pageshow", takeKept);

  rv.key = () => key;
  // From now on this tab is someone new; returns who it was.
  rv.renewKey = () => {
    const old = key;
    key = make();
    return old;
  };
})((window.realtimeVoice = window.realtimeVoice || {}));
