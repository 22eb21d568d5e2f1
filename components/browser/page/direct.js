import { AT_REST } from "../shared/states.js";
import { Call } from "../widget/call.js";
import { imageRoom } from "./imagefile.js";
import { measureLoudness } from "./loudness.js";

const NO_ROOM = "The image is too large for this route. Choose the one through this app's server.";

// A call of the browser straight to the Realtime server, as the page's bar drives it. The words come
// from this app's server, which watches the call and knows it by its name.
export class DirectCall {
  constructor(rv, page, typed) {
    this.rv = rv;
    this.page = page;
    this.typed = typed;
    this.ended = false;
    this.lines = []; // { text, image }, typed before there was a connection
    this.saying = false;
    this.denied = false;
    this.stream = null;
    this.quiet = () => {}; // ends the measuring of loudness
    this.call = new Call(
      {
        callUrl: new URL("api/realtime/call", document.baseURI).href,
        microphone: () => this.microphone(),
        headers: { "X-Tab-Key": rv.key() },
      },
      {
        changed: () => this.show(),
        wordsChanged: () => {},
        failed: (sentence) => this.fail(sentence),
        streams: (user, assistant) => this.measure(user, assistant),
      },
    );
    this.call.muted = typed;
    this.call.user = typed ? "muted" : "listening";
  }

  get muted() {
    return this.call.muted;
  }

  start() {
    this.rv.levels.start();
    this.call.start();
  }

  async microphone() {
    try {
      const { microphone } = this.rv;
      this.stream = this.typed ? microphone.silence() : await microphone.open();
      return this.stream;
    } catch (error) {
      this.denied = true;
      throw error;
    }
  }

  measure(user, assistant) {
    this.quiet();
    this.rv.devices.adopt(this.call.audio);
    if (!this.call.context) return;
    this.quiet = measureLoudness(this.call.context, { user, assistant }, this.page.hear);
    this.rv.levels.resume();
  }

  show() {
    if (this.ended) return;
    const { connection, user, assistant, name } = this.call;
    if (this.call.over) return;
    this.follow(name);
    ["user", "assistant"].forEach((side) =>
      this.rv.levels.speak(side, this.call[side] === "speaking"),
    );
    const sides = connection === "connected" ? { user, assistant } : AT_REST;
    this.page.show({ connection, ...sides });
    if (connection === "connected") this.sayLines();
  }

  // Gradio asks the server for the words of the call of this name.
  follow(name) {
    const field = document.querySelector("#direct-name textarea, #direct-name input");
    if (!field || !name || field.value.trim() === name) return;
    this.askForWords(field, name);
  }

  // Gradio takes no notice of a value that it has already: asked again, it is another by a space.
  askForWords(field, name) {
    this.rv.snapshots.begin(() => this.ended || this.askForWords(field, name));
    field.value = field.value === name ? `${name} ` : name;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  fail(sentence) {
    if (this.call.over) this.finish(this.denied ? "idle" : "failed", { sentence });
    else this.page.tell(sentence);
  }

  finish(connection, how = {}) {
    if (this.ended) return;
    this.ended = true;
    this.quiet();
    if (this.stream) this.rv.microphone.close(this.stream);
    this.rv.levels.stop();
    const denied = this.denied;
    this.page.over(connection, { ...how, denied, unsaid: this.lines });
  }

  end() {
    this.call.end();
    this.finish("ended");
  }

  leave() {
    this.end();
  }

  say(line) {
    this.lines.push(line);
    if (this.call.connection === "connected") this.sayLines();
  }

  // One after the other, as an image must be made small enough for the connection.
  async sayLines() {
    if (this.saying) return;
    this.saying = true;
    while (this.lines.length && this.call.connection === "connected") {
      const { text, image } = this.lines[0];
      const shown = image && { id: image.name, url: await this.fitting(text, image) };
      const line = this.lines.shift();
      if (shown && !shown.url) this.refuse(line);
      else this.call.say(text, shown);
    }
    this.saying = false;
  }

  fitting(text, image) {
    const { sctp } = this.call.pc;
    const room = imageRoom(sctp ? sctp.maxMessageSize : 0, text);
    this.rv.image.keep(image);
    return this.rv.image.fit(image, Math.min(room, this.rv.image.MOST_BYTES));
  }

  refuse(line) {
    this.rv.image.tell(NO_ROOM);
    this.page.giveBack([line]);
  }

  mute(on) {
    this.call.mute(on);
  }

  interrupt() {
    this.call.interrupt();
  }

  // What plays the assistant.
  get player() {
    return this.call.audio;
  }

  talk() {} // the server's turn detection ends the turns of a direct call

  // Another microphone, or one after all.
  async listen() {
    try {
      const before = this.stream;
      this.stream = await this.rv.microphone.open();
      await this.call.listen(this.stream);
      this.rv.microphone.close(before);
      this.typed = false;
      this.measure(this.call.local, this.call.audio.srcObject);
    } catch (error) {
      this.page.tell(error.message);
    }
  }
}

window.realtimeVoice.DirectCall = DirectCall;
