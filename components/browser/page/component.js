// Knows fastrtc's component: starts and stops its call by its own button, and mends what it does
// badly. Its buttons and its wave are never seen.
((rv) => {
  if (rv.component) return;

  const RECORD = '#call button[aria-label="start stream"]';
  const RECORDING = '#call [title="stop recording"]';
  const GRANT = '#call [title="grant webcam access"] button';
  const UNREACHABLE = "The app does not answer. Is it still running? Then reload this page.";
  const LOGGED_OUT = "The app asks for its login again. Reload this page.";
  // These say again, in other words, what the notice says.
  const TOASTS =
    /Too many concurrent connections|Taking a while to connect|Connection failed!|Unexpected server error|Connection already exists/;

  // The connection that is being made or stands, with what connection.js wants to know about it:
  // { rejoin, peer(pc), channel(channel), answered(), refused(sentence), unreachable(sentence) };
  // null without one.
  let watch = null;
  let requests = new AbortController();
  let adopting = false;
  let connecting = false;
  let contexts = [];
  const granted = new WeakSet();

  // With full_screen=False the component waits for a click on "grant access" before it shows
  // its record button. That click costs nothing: microphone.js answers it with an empty stream.
  function passGrantPanel() {
    const button = document.querySelector(GRANT);
    if (!button || granted.has(button) || rv.microphone.problem) return;
    granted.add(button);
    button.click();
  }

  // The wave computes its paths in every frame, idle or not, and each call adds a loop that
  // never ends. Without paths there is nothing to compute.
  function dropWave() {
    document.querySelectorAll("#call .wave-path").forEach((path) => path.remove());
  }

  function dropToasts() {
    document.querySelectorAll(".toast-body").forEach((toast) => {
      if (TOASTS.test(toast.textContent)) toast.remove();
    });
  }

  // The component loads a sound for stop words, which are not used here, from another host.
  function silencePopSound() {
    window.Audio = new Proxy(window.Audio, {
      construct: (Native, [source]) =>
        /^https:\/\/huggingface\.co\//.test(source) ? new Native() : new Native(source),
    });
  }

  function adoptPeer() {
    window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
      construct(Native, args) {
        const pc = new Native(...args);
        if (adopting && watch) mend(pc, watch);
        return pc;
      },
    });
  }

  function mend(pc, watcher) {
    adopting = false;
    pc.addEventListener("connectionstatechange", (event) => {
      // The component hangs up at "disconnected", from which connections recover.
      if (pc.connectionState === "disconnected") event.stopImmediatePropagation();
      if (pc.connectionState === "connected") expectContexts();
    });
    pc.addEventListener("track", (event) => {
      event.receiver.jitterBufferTarget = 20;
    });
    const create = pc.createDataChannel.bind(pc);
    pc.createDataChannel = (...args) => {
      const channel = create(...args);
      watcher.channel(channel);
      return channel;
    };
    watcher.peer(pc);
  }

  // At "connected" the component makes AudioContexts to draw its wave and closes them late
  // or never. They stand still from the start and are closed after the call.
  function quietContexts() {
    if (!window.AudioContext) return;
    window.AudioContext = new Proxy(window.AudioContext, {
      construct(Native, args) {
        const context = new Native(...args);
        if (connecting) {
          contexts.push(context);
          context.suspend().catch(() => {});
        }
        return context;
      },
    });
  }

  function expectContexts() {
    connecting = true;
    setTimeout(() => {
      connecting = false;
    });
  }

  function closeContexts() {
    const used = contexts;
    contexts = [];
    // Later than the component, which is not ready for a closed one.
    setTimeout(() => {
      used.filter((context) => context.state !== "closed").forEach((context) => context.close());
    }, 1000);
  }

  // A refused offer is only a toast, and an unanswered request leaves the component waiting
  // for ever, so its two requests are read along here. Its offers say whose they are.
  function watchRequests() {
    const native = window.fetch;
    window.fetch = async (input, init) => {
      const request = watch && requestOf(input, init);
      if (!request) return native(input, init);
      const watcher = watch;
      const { fn_name: name, data } = request;
      if (name === "offer") {
        // A call that runs has its own; one that goes on at another server is made anew by them.
        const wishes = { ...rv.settings.wishes(), ...rv.tools.wishes() };
        Object.assign(data, { key: rv.key(), rejoin: watcher.rejoin, wishes });
        if (data.type === "offer" && !watcher.rejoin) Object.assign(data, rv.ownKey.take());
      }
      const ours = { ...init, body: JSON.stringify(request), signal: requests.signal };
      if (data.type === "ice-candidate") return native(input, ours);
      try {
        const response = await native(input, ours);
        await judge(name, response, watcher);
        return response;
      } catch (error) {
        if (error.name !== "AbortError") watcher.unreachable(UNREACHABLE);
        throw error;
      }
    };
  }

  function requestOf(input, init) {
    const body = init && init.body;
    if (!String(input).includes("/component_server") || typeof body !== "string") return null;
    const request = JSON.parse(body);
    return ["turn", "offer"].includes(request.fn_name) ? request : null;
  }

  async function judge(name, response, watcher) {
    if (response.status === 401) return watcher.refused(LOGGED_OUT);
    if (!response.ok) return watcher.unreachable(UNREACHABLE);
    const answer = await response.clone().json();
    if (name === "turn" && answer.error) return watcher.unreachable(String(answer.error));
    if (answer.status === "failed") return watcher.refused(refusal(answer.meta || {}));
    return name === "offer" && watcher.answered();
  }

  function refusal({ error, sentence, limit }) {
    if (sentence) return String(sentence);
    if (error !== "concurrency_limit_reached") {
      return "The app could not take the call. Reload this page and try again.";
    }
    return limit === 1
      ? "Someone else is in a call, and this app takes 1 at a time. Try again in a minute."
      : `All ${limit} calls that this app takes at a time are busy. Try again in a minute.`;
  }

  // Resolves when the record button is there; rejects after five seconds with a sentence.
  function ready() {
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + 5000;
      (function look() {
        if (document.querySelector(RECORD)) resolve();
        else if (performance.now() > deadline) reject(new Error("Reload this page and try again."));
        else setTimeout(look, 50);
      })();
    });
  }

  function start(stream, watcher) {
    watch = watcher;
    adopting = true;
    requests = new AbortController();
    rv.microphone.handOver(stream);
    document.querySelector(RECORD).click();
  }

  // Returns the component to its start, whatever state it is in. The peer connection is the
  // caller's to close: the component would take half a second, or not do it.
  function stop() {
    watch = null;
    adopting = false;
    requests.abort();
    if (document.querySelector(RECORDING)) document.querySelector(RECORD).click();
    closeContexts();
  }

  // Its buttons, of which one would mute the microphone unseen, are not for people.
  function seclude() {
    const element = document.getElementById("call");
    if (element) element.inert = true;
  }

  function tend() {
    seclude();
    passGrantPanel();
    dropWave();
    dropToasts();
  }

  silencePopSound();
  adoptPeer();
  quietContexts();
  watchRequests();
  rv.component = { ready, start, stop, tend };
})((window.realtimeVoice = window.realtimeVoice || {}));
