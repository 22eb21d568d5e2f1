// Asks the app what can be looked into of this tab's call, as long as the drawer is open.
//
// Rule: while the drawer is closed nothing is asked, and nothing is sent. A stream that breaks is
// asked for again, from where it was; a new call begins with empty panes.
((rv) => {
  if (rv.inspector) return;

  const ADDRESS = "api/inspection";
  const AGAIN_MS = 1000;

  let running = null; // the AbortController of the stream that is open
  let seen = 0;
  let timer = 0;
  let over = true; // whether all of the call has been told

  const open = () => document.documentElement.dataset.drawer === "open";

  // A call begins: what was shown is of another.
  function begin() {
    seen = 0;
    over = false;
    rv.events.clear();
    rv.waterfall.clear();
    rv.cost.begin();
    stop();
    follow();
  }

  function stop() {
    clearTimeout(timer);
    if (running) running.abort();
    running = null;
  }

  function change() {
    if (!open()) stop();
    else if (!running && !over) follow();
  }

  async function follow() {
    if (!open()) return;
    const mine = new AbortController();
    running = mine;
    try {
      const body = JSON.stringify({ key: rv.key(), seen });
      const response = await fetch(ADDRESS, { method: "POST", body, signal: mine.signal });
      if (response.ok) await read(response.body, mine);
    } catch {
      // Closed, or the network is gone: asked again below, if it is still wanted.
    }
    if (running !== mine) return;
    running = null;
    if (open() && !over) timer = setTimeout(change, AGAIN_MS);
  }

  async function read(stream, mine) {
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done || running !== mine) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      lines.filter(Boolean).forEach((line) => take(JSON.parse(line)));
    }
  }

  function take(report) {
    if (report.events) rv.events.take(report.events);
    if (report.turns) rv.waterfall.take(report);
    if (report.cost) rv.cost.take(report.cost);
    if (report.told) {
      rv.cost.hear(report.told);
      rv.rawEvents.hear(report.told);
    }
    if (typeof report.seen === "number") seen = report.seen;
    over = Boolean(report.over);
  }

  new MutationObserver(change).observe(document.documentElement, {
    attributeFilter: ["data-drawer"],
  });
  rv.inspector = { begin };
})((window.realtimeVoice = window.realtimeVoice || {}));
