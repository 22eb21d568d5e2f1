// Knows one connection to the app, from its offer until it is closed or lost. What does not come
// about in time is lost, and so is what does not recover.
((rv) => {
  if (rv.connection) return;

  const QUIET_MS = 3000; // the app says how loud both voices are ten times a second
  const BLIP_MS = 2000;
  const HASTE_MS = 800; // the same as QUIET_MS, when the server seems to be gone
  const HUSH_MS = 200;
  const LAST_WORDS_MS = 100;
  const SILENT =
    "No connection to the app within 10 seconds. A firewall or a VPN may be in the way; " +
    "from another network the app needs a TURN server.";
  const MUTE_APP = "The app answers, but the call does not begin. End it and try again.";
  const CLOSED = "The app has ended the call. You can start a new one.";

  // `owner` hears opened(), shaky(yes), message({ type, … }), which tells whether the message was
  // for it, and at the end, once, either lost(sentence) or refused(sentence).
  function open(stream, { rejoin, patience }, owner) {
    const mine = { owner, patience, pc: null, channel: null, settled: false, over: false };
    mine.silent = false;
    mine.timer = mine.quiet = mine.blip = mine.hush = 0;
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
    mine.quiet = setTimeout(() => finish(mine, "lost", SILENT), HASTE_MS);
  }

  function waver(mine) {
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
      if (take(mine, event.data)) event.stopImmediatePropagation();
    });
  }

  // Whether the message was for the page; what is not, fastrtc's component understands. Once over,
  // it may still learn that there is a transcript to fetch.
  function take(mine, text) {
    const message = parse(text);
    if (!message) return false;
    if (message.type === "fetch_output") rv.snapshots.begin();
    if (mine.over) return message.type !== "fetch_output";
    if (mine.settled) expectMore(mine);
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
    [mine.timer, mine.quiet, mine.blip, mine.hush].forEach(clearTimeout);
    rv.component.stop();
    if (!mine.pc) return;
    if (delay) setTimeout(() => mine.pc.close(), delay);
    else mine.pc.close();
  }

  rv.connection = { open, settle, send, hush, hangUp, CLOSED };
})((window.realtimeVoice = window.realtimeVoice || {}));
