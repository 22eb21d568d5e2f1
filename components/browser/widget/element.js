// The element <voice-call>: what it shows of a call, and what the visitor does to it.
//
// <script src="…/widget.js" defer></script> puts one on the page, or write <voice-call> where you
// want it. Rule: every failure is a sentence, and whatever the end, the microphone, the connection
// and the audio context are let go.
import { AT_REST, showState } from "../shared/states.js";
import { Call } from "./call.js";
import { bubble, hint, MARKUP } from "./markup.js";
import { Spectrum } from "./spectrum.js";
import { STYLE } from "./style.js";

const SCRIPT = document.currentScript;
const BASE = SCRIPT ? SCRIPT.src : location.href;
const PACE_MS = 100;
const IDLE_LABEL = "Talk to the assistant";
const PARTS = "fab panel connection close user assistant notice start mute interrupt".split(" ");

class VoiceCall extends HTMLElement {
  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    style.textContent = STYLE;
    const template = document.createElement("template");
    template.innerHTML = MARKUP;
    root.append(style, template.content);
    this.parts = Object.fromEntries(PARTS.map((name) => [name, root.querySelector(`.${name}`)]));
    this.parts.log = root.querySelector("ol");
    this.spectrum = new Spectrum(root.querySelector("canvas"));
    this.call = null;
    this.pacing = 0;
    // A page that has its own way to the microphone puts it here: () => Promise<MediaStream>.
    this.microphone = null;
    this.leave = () => this.end();
    this.listen(root);
  }

  listen(root) {
    const { fab, close, start, mute, interrupt } = this.parts;
    fab.onclick = () => this.open();
    close.onclick = () => this.close();
    start.onclick = () => (this.running ? this.end() : this.start());
    mute.onclick = () => this.call.mute(!this.call.muted);
    interrupt.onclick = () => this.call.interrupt();
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      if (!interrupt.disabled) this.call.interrupt();
      else if (!this.inline) this.close();
    });
  }

  connectedCallback() {
    window.addEventListener("pagehide", this.leave);
    if (this.inline) this.parts.panel.hidden = false;
    this.show();
    this.showWords();
  }

  disconnectedCallback() {
    window.removeEventListener("pagehide", this.leave);
    this.end();
  }

  get inline() {
    return this.getAttribute("position") === "inline";
  }

  get running() {
    return this.call !== null && !this.call.over;
  }

  get state() {
    const { connection = "idle", user = "listening", assistant = "idle" } = this.call || {};
    return { connection, user, assistant };
  }

  // Opens the overlay; a call begins with its button, or with `start`.
  open() {
    this.parts.panel.hidden = false;
    this.parts.fab.hidden = true;
    this.parts.fab.setAttribute("aria-expanded", "true");
    this.parts.start.focus();
    this.showWords();
    this.spectrum.draw(null);
  }

  // Closes the overlay; a call under way goes on, which the button then shows.
  close() {
    if (this.inline) return;
    this.parts.panel.hidden = true;
    this.parts.fab.hidden = false;
    this.parts.fab.setAttribute("aria-expanded", "false");
    this.parts.fab.focus();
  }

  start() {
    if (this.running) return;
    this.parts.notice.textContent = "";
    const call = new Call(this.options(), {
      changed: () => this.call === call && this.show(),
      wordsChanged: () => this.call === call && this.showWords(),
      failed: (sentence, code) => this.call === call && this.complain(sentence, code),
      streams: (user, assistant) => this.spectrum.start(call.context, { user, assistant }),
    });
    this.call = call;
    this.showWords();
    call.start();
  }

  end() {
    if (this.call) this.call.end();
  }

  options() {
    const address = (name) => {
      const value = this.getAttribute(name);
      return value === null ? "" : new URL(value, document.baseURI).href;
    };
    return {
      callUrl: address("call-url"),
      tokenUrl: address("token-url") || new URL("api/realtime/token", BASE).href,
      instructions: this.getAttribute("instructions") || "",
      voice: this.getAttribute("voice") || "",
      microphone: this.microphone,
    };
  }

  show() {
    const { connection, start, mute, interrupt } = this.parts;
    const state = this.state;
    const running = this.running;
    showState(connection, state.connection, connection.lastElementChild);
    const shown = running ? state : AT_REST;
    for (const side of ["user", "assistant"]) {
      showState(this.parts[side], shown[side], this.parts[side].querySelector("dd"));
    }
    start.textContent = running ? "End call" : "Start call";
    start.dataset.phase = running ? "running" : "idle";
    mute.disabled = !running;
    mute.setAttribute("aria-pressed", String(running && this.call.muted));
    mute.textContent = running && this.call.muted ? "Unmute" : "Mute";
    interrupt.disabled = !running || state.assistant === "idle";
    this.showButton(running, shown);
    this.pace(running && state.assistant === "speaking");
    this.spectrum.side = state.assistant === "speaking" ? "assistant" : "user";
    if (!running) this.spectrum.stop();
    if (state.connection === "connected" && this.shown !== "connected") {
      this.parts.notice.textContent = "";
    }
    this.shown = state.connection;
    const detail = { ...state, call: this.call ? this.call.name : "" };
    const news = JSON.stringify(detail);
    if (news !== this.told) this.announce("voicestate", detail);
    this.told = news;
  }

  // While there is sound, its words come one after the other.
  pace(on) {
    if (on === Boolean(this.pacing)) return;
    clearInterval(this.pacing);
    this.pacing = on ? setInterval(() => this.showWords(), PACE_MS) : 0;
    if (!on) this.showWords();
  }

  // Whoever has closed the overlay must see that the microphone is open.
  showButton(running, { user, assistant }) {
    const { fab, close } = this.parts;
    const muted = user === "muted" ? ", muted" : "";
    fab.dataset.live = running ? (assistant === "speaking" ? "assistant" : "user") : "";
    fab.setAttribute("aria-label", running ? `Call under way${muted}. Open it` : IDLE_LABEL);
    close.setAttribute("aria-label", running ? "Minimise" : "Close");
    close.textContent = running ? "–" : "×";
  }

  showWords() {
    const messages = this.call ? this.call.shown() : [];
    const { log } = this.parts;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    // Each keeps its element, so that a screen reader says only what is new.
    const known = new Map([...log.children].map((item) => [item.dataset.id, item]));
    const items = messages.map((message) => bubble(message, known.get(message.id)));
    if (!items.length) items.push(hint(this.running));
    items.forEach((item, index) => {
      if (log.children[index] !== item) log.insertBefore(item, log.children[index] || null);
    });
    while (log.children.length > items.length) log.lastElementChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
    if (this.call) this.announce("voicetranscript", { messages });
  }

  complain(sentence, code) {
    this.parts.notice.textContent = sentence;
    this.announce("voiceerror", { message: sentence, code });
  }

  announce(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

// A page that brings no <voice-call> of its own gets one, with the script's data- attributes.
function addOne() {
  if (!SCRIPT || SCRIPT.dataset.manual !== undefined || document.querySelector("voice-call"))
    return;
  const element = document.createElement("voice-call");
  for (const { name, value } of SCRIPT.attributes) {
    if (name.startsWith("data-")) element.setAttribute(name.slice(5), value);
  }
  document.body.append(element);
}

if (!customElements.get("voice-call")) {
  customElements.define("voice-call", VoiceCall);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", addOne);
  else addOne();
}
