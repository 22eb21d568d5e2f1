// Knows Gradio's own client, which carries the transcript, and what a cut network does to it: its
// stream of events breaks, it never opens another, and the events under way never end.
((rv) => {
  if (rv.gradio) return;

  const EVENTS = "/queue/data";
  const JOINING = /\/queue\/join\b/;
  const NAMING = /\/(queue\/join|component_server|cancel)\b/;
  const QUIET_MS = 40_000; // the app sends a sign of life every fifteen seconds
  // The app knows of no event of this session. For the client that is another app, of which it tells
  // in a toast; but it is ours if an event was begun just before its session was given up.
  const UNKNOWN = /"session_not_found":\s*true/;
  // What the client understands as the end: of each event under way, and of the stream.
  const CLOSING = '"close_stream"';
  const END = [
    { msg: "process_completed", success: true, output: { data: [] } },
    { msg: "close_stream" },
  ]
    .map((message) => `data: ${JSON.stringify(message)}\n\n`)
    .join("");

  const native = window.fetch;
  let renewals = 0;
  let joined = 0; // how many there had been when the client began its newest event
  let endStream = () => {};
  const watchers = new Set(); // told when a stream breaks: the server may be gone
  let open = null; // the stream that the client reads or waits for: { cameAt }, of its last bytes

  // A session whose stream broke is not used again: the app may still be writing to the old
  // stream, half of the messages each, or clear up the session when it notices.
  function renew() {
    renewals += 1;
    endStream();
  }

  const renamed = (session) => (renewals ? `${session}-${renewals}` : session);

  function renameInAddress(address) {
    const url = new URL(address, location.href);
    const session = url.searchParams.get("session_hash");
    if (session) url.searchParams.set("session_hash", renamed(session));
    return url.href;
  }

  function renameInBody(text) {
    const body = JSON.parse(text);
    body.session_hash = renamed(body.session_hash);
    return JSON.stringify(body);
  }

  // A stream that comes after its session was given up brings nothing any more.
  async function askForEvents(request) {
    const asked = renewals;
    const mine = (open = { cameAt: 0 });
    try {
      const response = await native(new Request(renameInAddress(request.url), request));
      if (response.ok) {
        const events = new Response(lasting(response.body, asked, mine), {
          headers: response.headers,
        });
        if (asked !== renewals) endStream();
        return events;
      }
    } catch (error) {
      if (request.signal.aborted) {
        leave(mine);
        throw error;
      }
    }
    leave(mine);
    return new Response("\n\n" + END);
  }

  function leave(stream) {
    if (open === stream) open = null;
  }

  // Whether there is a stream that has brought nothing since a moment (of performance.now()).
  const isSilentSince = (moment) => open !== null && open.cameAt < moment;

  // The same bytes, with a proper end, whether the stream breaks, stops or falls silent.
  function lasting(stream, asked, mine) {
    const reader = stream.getReader();
    const tooLate = asked !== joined;
    const end = () => reader.cancel().catch(() => {});
    let quiet = 0;
    let tail = ""; // of what came last, as text
    endStream = end;

    async function pass(controller) {
      clearTimeout(quiet);
      quiet = setTimeout(end, QUIET_MS);
      const { done, value } = await reader.read().catch(() => ({ done: true }));
      const text = done ? "" : new TextDecoder().decode(value);
      if (!done && !(tooLate && UNKNOWN.test(text))) {
        mine.cameAt = performance.now();
        tail = (tail + text).slice(-200);
        return controller.enqueue(value);
      }
      clearTimeout(quiet);
      if (!done) end();
      leave(mine);
      if (!tail.includes(CLOSING) && asked === renewals) {
        renewals += 1;
        for (const watcher of watchers) watcher();
      }
      controller.enqueue(new TextEncoder().encode("\n\n" + END));
      return controller.close();
    }

    return new ReadableStream({
      pull: pass,
      cancel() {
        clearTimeout(quiet);
        leave(mine);
        return end();
      },
    });
  }

  window.fetch = (input, init) => {
    if (input instanceof Request && input.url.includes(EVENTS)) return askForEvents(input);
    if (JOINING.test(input)) joined = renewals;
    const named = renewals && NAMING.test(input) && typeof init.body === "string";
    return native(input, named ? { ...init, body: renameInBody(init.body) } : init);
  };

  rv.gradio = { renew, watchers, isSilentSince };
})((window.realtimeVoice = window.realtimeVoice || {}));
