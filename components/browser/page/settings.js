// The pane of the settings: sends what is changed, and shows what became of it.
import { complaintOf, envOf, fromLink, keep, linkTo, recall } from "./wishes.js";

((rv) => {
  if (rv.settings) return;

  const LATER = "from the next call";
  const byId = (id) => document.getElementById(id);
  let form = null;
  let defaults = {}; // as the page came
  let wishes = {};
  let sent = new Set(); // changed in this call
  let detection = null; // what ends a turn in the latest call

  const fields = () => [...form.elements].filter((field) => field.name);
  const names = () => fields().map((field) => field.name);
  const fieldOf = (name) => byId(`set-${name}`);

  // The form is there, for the first time or made anew by Gradio.
  function tend() {
    const now = byId("settings-form");
    if (!now || now === form) return;
    form = now;
    defaults = Object.fromEntries(fields().map((field) => [field.name, field.value]));
    const { found, unknown } = fromLink(location.search, names());
    wishes = { ...recall(localStorage, names()), ...found };
    fields().forEach((field) => {
      if (field.name in wishes) field.value = wishes[field.name];
    });
    const complaint = complaintOf(unknown);
    if (complaint) rv.page.tell(complaint);
  }

  function wish(field) {
    const { name, value } = field;
    if (value === defaults[name]) delete wishes[name];
    else wishes[name] = value;
    keep(localStorage, wishes);
    sent.add(name);
    say(name, "", "");
    rv.page.render();
    rv.page.send({ type: "set", name, value });
  }

  // What the app tells of the settings of a call.
  function take({ values, pending, later, problems }) {
    if (!form) return;
    detection = values.turn_detection || null;
    Object.entries(values).forEach(([name, value]) => {
      const field = fieldOf(name);
      if (!field) return;
      if (problems[name]) return say(name, problems[name], "problem", field, value);
      if (later.includes(name)) return say(name, LATER, "later");
      if (pending.includes(name)) return say(name, "…", "pending");
      return say(name, sent.has(name) ? "✓" : "", "done", field, value);
    });
    rv.page.render();
  }

  function say(name, text, how, field = null, value = null) {
    const told = byId(`told-${name}`);
    if (told.textContent !== text) told.textContent = text;
    told.dataset.how = how;
    // Who is typing is not disturbed; a refused value gives way to the old one.
    if (field && (document.activeElement !== field || how === "problem")) {
      field.value = value === null ? "" : String(value);
    }
  }

  // A call begins: nothing has been changed in it.
  function begin() {
    sent = new Set();
    detection = null;
  }

  // Whether a turn lasts as long as a button is held: in the call, or in one that begins now.
  function byHand(inCall) {
    const talk = byId("talk");
    const field = form && fieldOf("turn_detection");
    if (!field) return Boolean(talk) && "always" in talk.dataset;
    return ((inCall && detection) || field.value) === "push_to_talk";
  }

  function reset() {
    wishes = {};
    keep(localStorage, wishes);
    fields().forEach((field) => {
      if (field.value === defaults[field.name]) return;
      field.value = defaults[field.name];
      wish(field);
    });
  }

  async function copy(button, text) {
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = before), 1500);
  }

  function onChange({ target }) {
    if (!form || !target.closest("#settings")) return;
    if (target.id === "settings-example" && target.value) {
      const field = fieldOf("instructions");
      field.value = target.value;
      target.value = "";
      wish(field);
    } else if (target.name && form.contains(target)) wish(target);
  }

  function onClick({ target }) {
    if (target.id === "settings-link") copy(target, linkTo(location.href, wishes));
    if (target.id === "settings-env") {
      copy(target, envOf(Object.fromEntries(fields().map(({ name, value }) => [name, value]))));
    }
    if (target.id === "settings-reset") reset();
  }

  document.addEventListener("change", onChange);
  document.addEventListener("click", onClick);
  document.addEventListener("submit", (event) => {
    if (event.target === form) event.preventDefault();
  });

  rv.settings = { tend, take, begin, byHand, wishes: () => ({ ...wishes }) };
})((window.realtimeVoice = window.realtimeVoice || {}));
