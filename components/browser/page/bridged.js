import { AT_REST } from "../shared/states.js";
import { stayAwake } from "../shared/wake.js";

// A call over this app's server, over as many connections as it takes.
//
// Rule: whatever ends it, its microphone is let go, and nothing of it speaks to the page any more.

const PATIENCE_MS = 10_000;
const PATIENCE_BACK_MS = 5_000; // the app keeps the call for twenty seconds
const LOST = "The connection to the app was lost. Check the network, then start again.";
const TRYING = "The connection to the app broke. The page tries to get it back.";
const ASKING = "The browser asks for the microphone. Allow it to begin.";

// `page` hears of it: show({ connection, user, assistant }), tell(sentence), `page.notice`, spend(dollars),
// giveBack(lines), and once over(connection, { sentence, unsaid, denied }). `typed`: without a microphone.
export class BridgedCall {
  constructor(rv, page, typed) {
    this.rv = rv;
    this.page = page;
    this.typed = typed;
    this.muted = typed;
    this.ended = false;
    this.stream = null;
    this.connection = null;
    this.begun = ""; // the connection state that the handler told last
    this.told = null; // its last notice
    this.down = false; // the talk button
    this.held = false; // the talk button, when the connection was lost
    // Typed, and not known to have arrived: { id, text, image, by }, the connection it went by.
    this.lines = [];
    this.showing = false; // an image is on its way, and what is typed behind it waits
    this.shaky = false;
    this.report = 0;
    this.state = { ...AT_REST };
    this.sleep = () => {}; // lets the screen go off again
    this.rejoin = rv.rejoin.create(
      () => this.join(true),
      () => this.fail(LOST),
    );
  }

  async start() {
    this.page.show({ connection: "connecting", ...AT_REST });
    this.rv.settings.begin();
    this.rv.tools.begin();
    try {
      const stream = this.typed ? this.rv.microphone.silence() : await this.askMicrophone();
      if (this.ended) return this.rv.microphone.close(stream); // ended while the browser asked
      this.stream = stream;
    } catch (error) {
      return this.end("idle", { sentence: error.message, denied: true });
    }
    this.watchMicrophone();
    this.sleep = stayAwake();
    this.rv.levels.start();
    return this.join(false);
  }

  async askMicrophone() {
    const hint = setTimeout(() => this.tell(ASKING), 1500);
    try {
      return await this.rv.microphone.open();
    } finally {
      clearTimeout(hint);
      if (this.page.notice === ASKING) this.tell("");
    }
  }

  watchMicrophone() {
    this.rv.microphone.onLost(this.stream, (sentence) => this.tell(sentence));
  }

  // Another microphone, or one after all; what is heard meanwhile is lost.
  async listen() {
    try {
      const stream = await this.askMicrophone();
      if (this.ended) return this.rv.microphone.close(stream);
      await this.rv.microphone.replace(this.connection.pc, this.stream, stream);
      this.stream = stream;
    } catch (error) {
      return this.tell(error.message);
    }
    this.watchMicrophone();
    const typed = this.typed;
    this.typed = false;
    return this.mute(typed ? false : this.muted);
  }

  async join(again) {
    try {
      await this.rv.component.ready();
    } catch (error) {
      return this.fail(error.message);
    }
    if (this.ended) return undefined;
    if (again) this.rv.gradio.renew();
    this.connection = this.rv.connection.open(
      this.stream,
      { rejoin: again, patience: again ? PATIENCE_BACK_MS : PATIENCE_MS },
      {
        opened: () => this.greet(),
        shaky: (yes) => this.waver(yes),
        message: (message) => this.receive(message),
        held: (sentence) => this.tell(sentence),
        lost: (sentence) => this.lose(sentence),
        refused: (sentence) => this.fail(sentence),
      },
    );
    return undefined;
  }

  // What a connection must be told, as the app may have missed it.
  greet() {
    this.report = setInterval(this.reporter(), 1000);
    this.rv.levels.resume();
    if (this.begun || this.muted) this.send({ type: "mute", on: this.muted });
    this.rv.recording.greet((message) => this.send(message), Boolean(this.begun));
    if (this.held) this.send({ type: "talk", down: false });
    this.held = false;
    this.shaky = false;
    this.sayLines();
  }

  // What went by a connection that may be lost waits; it goes again by the next one.
  waver(yes) {
    this.shaky = yes;
    if (this.begun) this.show({ connection: yes ? "reconnecting" : this.begun });
    if (!yes) this.sayLines();
  }

  sayLines() {
    const by = this.connection;
    if (this.ended || !by || !by.channel || by.channel.readyState !== "open") return;
    for (const line of this.lines) {
      if (this.showing) return;
      if (line.image) this.showImage(line);
      else if (line.by !== by) {
        line.by = by;
        this.send({ type: "say", id: line.id, text: line.text });
      }
    }
  }

  // The app has got a line; it takes none twice.
  arrived(id) {
    this.lines = this.lines.filter((line) => line.id !== id);
  }

  // By a request of its own: it is too long for the connection.
  async showImage(line) {
    this.showing = true;
    this.arrived(line.id); // or it is given back
    const problem = await this.rv.image.send(line.text, line.image);
    this.showing = false;
    if (problem) this.rv.image.tell(problem);
    if (problem) this.page.giveBack([line]);
    if (!this.shaky) this.sayLines();
  }

  // A call that was up is kept by the app for a while.
  lose(sentence) {
    if (this.ended) return undefined;
    if (!this.begun) return this.fail(sentence);
    clearInterval(this.report);
    this.held = this.held || this.down;
    ["user", "assistant"].forEach((side) => this.rv.levels.speak(side, false));
    if (this.rejoin.again() > 1 && !this.page.notice) this.tell(TRYING);
    return this.show({ connection: "reconnecting", ...AT_REST });
  }

  fail(sentence) {
    this.end("failed", { sentence });
  }

  end(connection = "ended", how = {}) {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.report);
    this.rejoin.stop();
    this.sleep();
    if (this.connection) this.rv.connection.hangUp(this.connection);
    if (this.stream) this.rv.microphone.close(this.stream);
    this.rv.levels.stop();
    this.rv.recording.over();
    this.page.over(connection, { ...how, unsaid: this.lines });
  }

  // The page goes away: there is no time for a goodbye.
  leave() {
    const { connection } = this;
    this.end();
    if (connection && connection.pc) connection.pc.close();
  }

  send(message) {
    if (this.connection) this.rv.connection.send(this.connection, message);
  }

  say({ text, image }) {
    this.lines.push({ id: Math.random().toString(36).slice(2), text, image, by: null });
    if (!this.shaky) this.sayLines();
  }

  mute(on) {
    this.muted = on;
    this.rv.microphone.mute(this.stream, on);
    this.send({ type: "mute", on });
    this.show({});
  }

  interrupt() {
    this.send({ type: "interrupt" });
  }

  talk(down) {
    this.down = down;
    this.send({ type: "talk", down });
  }

  // Whether the message was for this page; what is not, fastrtc's component understands. It gets
  // no errors and warnings, for it would show them a second time, as toasts.
  receive(message) {
    if (this.ended) return message.type !== "fetch_output";
    switch (message.type) {
      case "levels":
        this.page.hear(message);
        return true;
      case "stop":
        this.rv.connection.hush(this.connection);
        return true;
      case "state":
        this.follow(message);
        return true;
      case "said":
        this.arrived(message.id);
        return true;
      case "recording":
        this.rv.recording.take(message);
        return true;
      case "settings":
        this.rv.settings.take(message);
        this.rv.tools.take(message);
        return true;
      case "servers":
        this.rv.tools.hear(message);
        return true;
      case "end_stream":
        this.fail(message.data || this.rv.connection.CLOSED);
        return true;
      case "error":
      case "warning":
        this.tell(String(message.message || message.data));
        return true;
      case "log": // fastrtc sends back whatever it gets
        return true;
      default:
        return false;
    }
  }

  follow({ connection, user, assistant, notice, cost, at_least }) {
    this.rv.connection.settle(this.connection);
    this.rejoin.back();
    if (this.page.notice === TRYING) this.told = null;
    if (!this.begun) this.rv.inspector.begin();
    this.begun = connection;
    // The same notice again does not cover what the page itself has said since.
    if (notice !== this.told) this.tell((this.told = String(notice || "")));
    this.rv.figures.spend(cost, at_least);
    this.rv.levels.speak("user", user === "speaking");
    this.rv.levels.speak("assistant", assistant === "speaking");
    if (connection === "failed" && !this.page.notice) this.tell(this.rv.connection.CLOSED);
    if (connection === "failed" || connection === "ended") this.end(connection);
    else this.show({ connection, user, assistant });
  }

  show(change) {
    this.state = { ...this.state, ...change };
    this.page.show(change);
  }

  tell(sentence) {
    if (!this.ended) this.page.tell(sentence);
  }

  // Once a second: what the app needs to know of the browser's sound, and whether there is any.
  reporter() {
    const measure = this.rv.figures.meter(this.connection.pc);
    return async () => {
      const second = await measure();
      if (this.ended) return;
      const report = this.rv.figures.playout(second);
      if (report) this.send(report);
      const { sound } = this.rv;
      this.judge(this.state.assistant === "speaking" ? sound.judge(second) : sound.rest());
    };
  }

  judge(problem) {
    if (problem) this.tell(problem);
    else if (problem === "" && this.rv.sound.says(this.page.notice)) this.tell("");
  }
}
