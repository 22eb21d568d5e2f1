// Knows one connection to the app, from its offer until it is closed or lost. What does not come
// about in time is lost, and so is what does not recover.
((rv) => {
  if (rv.connection) return;

  const QUIET_MS = 3000; // the app says how loud both voices are twenty times a second
  const BLIP_MS = 2000;
  const HASTE_MS = 800; // the same as QUIET_MS, when the server seems to be gone
  const HUSH_MS = 200;
  const LAST_WORDS_MS = 100;
  const LATE_MS = 4000; // words are on the page a fraction of a second after their news
  const JUST_MS = 1000; // what came so shortly before its news was told, or before now
  const SILENT =
    "No connection to the app within 10 seconds. A firewall or a VPN may be in the way; " +
    "from another network the app needs a TURN server.";
  const MUTE_APP = "The app answers, but the call does not begin. End it and try again.";
  const HELD_BACK =
    "The words of this call come late, but its sound does not: a proxy between this page and the " +
    "app seems to gather answers, and should pass them on at once.";
  const CLOSED = "The app has ended the call. You can start a new one.";

  // `owner` hears opened(), shaky(yes), message({ type, … }), which tells whether the message was
  // for it, held(sentence), once, if words are held back on their way, and at the end, once, either
  // lost(sentence) or refused(sentence).
  function open(stream, { rejoin, patience }, owner) {
    const mine = { owner, patience, pc: null, channel: null, settled: false, over: false };
    mine.silent = false;
    mine.timer = mine.quiet = mine.blip = mine.hush = mine.words = 0;
    mine.isHeldBack = false;
    mine.asking = null; // the event with which the page itself asks for words
    mine.cameAt = 0;
    mine.doubt = () => doubt(mine);
    rv.gradio.watchers.add(mine.doubt);
    wait(mine, SILENT);
    rv.component.start(stream, {
      rejoin,
      peer: (pc) => adoptPeer(mine, pc),
      channel: (channel) => adoptChannel(mine, channel),
      answered: () => wait(mine, SILENT),
      unreachable: (sentence) => finish(mine, "lost", sentence),
      refused: (sentence) => finish(mine, "refused", sentence),
    });
    return mine;
  }

  function wait(mine, sentence) {
    if (mine.over) return;
    clearTimeout(mine.timer);
    mine.timer = setTimeout(() => finish(mine, "lost", sentence), mine.patience);
  }

  // There is nothing more to wait for: the call goes on.
  function settle(mine) {
    mine.settled = true;
    clearTimeout(mine.timer);
  }

  // Browsers call a connection broken seven seconds after the last packet; the app gives up a
  // caller after five.
  function expectMore(mine) {
    clearTimeout(mine.quiet);
    if (mine.silent) recover(mine);
    mine.silent = false;
    mine.quiet = setTimeout(() => {
      mine.silent = true;
      waver(mine);
    }, QUIET_MS);
  }

  // The page's other connection to the server has broken: this one has to show that it lives.
  function doubt(mine) {
    if (mine.over || !mine.settled) return;
    clearTimeout(mine.quiet);
    expectNoWords(mine);
    mine.quiet = setTimeout(() => finish(mine, "lost", SILENT), HASTE_MS);
  }

  // fastrtc's component asks Gradio for the words whenever it is told of news.
  function askForWords(mine) {
    if (mine.over) return;
    rv.snapshots.begin(() => askForWords(mine));
    mine.asking = new MessageEvent("message", { data: '{"type":"fetch_output","data":[]}' });
    mine.channel.dispatchEvent(mine.asking);
  }

  // There are new words, which come by the page's other connection.
  function expectWords(mine) {
    if (mine.words || mine.isHeldBack) return;
    const since = performance.now() - JUST_MS;
    mine.words = setTimeout(() => {
      mine.words = 0;
      const isHere = performance.now() - mine.cameAt < JUST_MS;
      mine.isHeldBack = isHere && rv.gradio.isSilentSince(since);
      if (mine.isHeldBack) mine.owner.held(HELD_BACK);
    }, LATE_MS);
  }

  // While this connection is in doubt itself, late words say nothing of a proxy.
  function expectNoWords(mine) {
    clearTimeout(mine.words);
    mine.words = 0;
  }

  function waver(mine) {
    expectNoWords(mine);
    mine.owner.shaky(true);
    clearTimeout(mine.blip);
    mine.blip = setTimeout(() => finish(mine, "lost", SILENT), BLIP_MS);
  }

  function recover(mine) {
    clearTimeout(mine.blip);
    mine.owner.shaky(false);
  }

  function finish(mine, how, sentence) {
    if (mine.over) return;
    close(mine);
    mine.owner[how](sentence);
  }

  function adoptPeer(mine, pc) {
    mine.pc = pc;
    pc.addEventListener("connectionstatechange", () => {
      if (mine.over) return;
      if (["failed", "closed"].includes(pc.connectionState)) finish(mine, "lost", SILENT);
      else recover(mine);
    });
    // component.js stops the event "disconnected", so that it is seen here by ICE alone.
    pc.addEventListener("iceconnectionstatechange", () => {
      if (!mine.over && pc.iceConnectionState === "disconnected") waver(mine);
    });
  }

  function adoptChannel(mine, channel) {
    mine.channel = channel;
    channel.addEventListener("open", () => {
      if (mine.over) return;
      wait(mine, MUTE_APP);
      mine.owner.opened();
    });
    channel.addEventListener("close", () => finish(mine, "lost", CLOSED));
    channel.addEventListener("message", (event) => {
      if (event !== mine.asking && take(mine, event.data)) event.stopImmediatePropagation();
    });
  }

  // Whether the message was for the page; what is not, fastrtc's component understands. Once over,
  // it may still learn that there is a transcript to fetch.
  function take(mine, text) {
    const message = parse(text);
    if (!message) return false;
    if (message.type === "fetch_output") rv.snapshots.begin(() => askForWords(mine));
    if (mine.over) return message.type !== "fetch_output";
    mine.cameAt = performance.now();
    if (mine.settled) expectMore(mine);
    if (message.type === "fetch_output" && message.new) expectWords(mine);
    return mine.owner.message(message);
  }

  function parse(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  function send(mine, message) {
    const { channel } = mine;
    if (channel && channel.readyState === "open") channel.send(JSON.stringify(message));
  }

  // What the browser has buffered of a reply that was interrupted is not played any more.
  function hush(mine) {
    const play = (on) => mine.pc.getReceivers().forEach((one) => (one.track.enabled = on));
    play(false);
    clearTimeout(mine.hush);
    mine.hush = setTimeout(() => play(true), HUSH_MS);
  }

  function hangUp(mine) {
    send(mine, { type: "hangup" });
    close(mine, LAST_WORDS_MS);
  }

  // Not at once when something was just sent: it would be lost.
  function close(mine, delay = 0) {
    if (mine.over) return;
    mine.over = true;
    rv.gradio.watchers.delete(mine.doubt);
    expectNoWords(mine);
    [mine.timer, mine.quiet, mine.blip, mine.hush].forEach(clearTimeout);
    rv.component.stop();
    if (!mine.pc) return;
    if (delay) setTimeout(() => mine.pc.close(), delay);
    else mine.pc.close();
  }

  rv.connection = { open, settle, send, hush, hangUp, CLOSED };
})((window.realtimeVoice = window.realtimeVoice || {}));
