// What the transcript of a call is after each event of the server.
//
// Rule: a message is placed once, by the first event that names its `previous_item_id`, and never
// by when its words arrive. components/core/transcript.py keeps the same rules; the cases in
// tests/transcripts hold for both.
const MOST_MESSAGES = 500;
const MOST_CHARACTERS = 32000; // of one message
const MAX_PARTS = 32;
const MOST_OUTPUT = 100;
const MOST_SHOWN = 300; // characters of what a function is given, and of what it gives back

// The messages after an event; the same array if it changes nothing. A message is
// { id, role, status, parts, placed }, with one string in `parts` for each content_index.
export function reduce(messages, event) {
  const change = Object.hasOwn(CHANGES, event.type) ? CHANGES[event.type] : null;
  return change ? change(messages, event) : messages;
}

export function wordsOf(message) {
  return message.parts.join("");
}

// The user spoke over an assistant message: no more words of it are taken.
export function interruptMessage(messages, id) {
  const message = messages.find((one) => one.id === id);
  if (!message || message.role !== "assistant") return messages;
  return putMessage(messages, { ...message, status: "interrupted" });
}

const textOf = (value) => (typeof value === "string" ? value : "");

function putMessage(messages, message) {
  const index = messages.findIndex(({ id }) => id === message.id);
  if (index < 0) return [...messages.slice(1 - MOST_MESSAGES), message];
  return messages.map((one, at) => (at === index ? message : one));
}

// Moves a message to where the event says; one that has its place keeps it.
function placeMessage(messages, message, event) {
  const known = messages.find(({ id }) => id === message.id);
  if (known && known.placed) return putMessage(messages, { ...message, placed: true });
  const others = messages.filter(({ id }) => id !== message.id);
  const index = indexIn(others, event);
  if (index < 0) return putMessage(messages, message);
  others.splice(index, 0, { ...message, placed: true });
  return others.slice(-MOST_MESSAGES);
}

// Null means "first", but some servers send it always: it counts until a message has its place.
function indexIn(others, event) {
  const previous = event.previous_item_id;
  if (previous === null) return others.some(({ placed }) => placed) ? -1 : 0;
  const index = others.findIndex(({ id }) => id === previous);
  return index < 0 ? -1 : index + 1;
}

function knownMessage(messages, id, role) {
  if (!textOf(id)) return null;
  const fresh = { id, role, status: "pending", parts: [], placed: false };
  const message = messages.find((one) => one.id === id) || fresh;
  return message.role === role ? message : null;
}

function addressed(messages, event) {
  const index = event.content_index ?? 0;
  if (!Number.isInteger(index) || index < 0 || index >= MAX_PARTS) return [null, 0];
  const role = event.type.startsWith("response.") ? "assistant" : "user";
  return [knownMessage(messages, event.item_id, role), index];
}

function withPart(message, index, words) {
  const parts = Array.from({ length: Math.max(index + 1, message.parts.length) }, (_, at) =>
    at === index ? "" : message.parts[at] || "",
  );
  parts[index] = words.slice(0, Math.max(0, MOST_CHARACTERS - parts.join("").length));
  return { ...message, parts };
}

function onSpeechStarted(messages, event) {
  const message = knownMessage(messages, event.item_id, "user");
  if (!message || messages.includes(message)) return messages;
  return putMessage(messages, message);
}

function onCommitted(messages, event) {
  const message = knownMessage(messages, event.item_id, "user");
  return message ? placeMessage(messages, message, event) : messages;
}

function onItem(messages, event) {
  const item = Object(event.item);
  const role = item.type === "message" ? item.role : "tool";
  if (!["user", "assistant", "tool"].includes(role)) return messages;
  const message = knownMessage(messages, item.id, role);
  if (!message) return messages;
  const keeps = role !== "tool" && wordsOf(message);
  return placeMessage(messages, keeps ? message : withContent(message, item), event);
}

function withContent(message, item) {
  if (message.role === "tool") {
    const call = `${textOf(item.name)} ${textOf(item.arguments)}`.trim();
    const words = textOf(item.output) || call || wordsOf(message) || "result";
    return { ...withPart(message, 0, words.slice(0, MOST_SHOWN)), status: "done" };
  }
  const content = Array.isArray(item.content) ? item.content.slice(0, MAX_PARTS) : [];
  const full = content.reduce((whole, part, index) => {
    const { text, transcript } = Object(part);
    return withPart(whole, index, textOf(text) || textOf(transcript));
  }, message);
  return wordsOf(full) ? { ...full, status: "done" } : message;
}

function onDeleted(messages, event) {
  return messages.filter(({ id }) => id !== event.item_id);
}

function onDelta(messages, event) {
  const [message, index] = addressed(messages, event);
  if (!message || isFinal(message, index)) return messages;
  const words = (message.parts[index] || "") + textOf(event.delta);
  return putMessage(messages, { ...withPart(message, index, words), status: "streaming" });
}

// Whether a delta for this part comes too late.
function isFinal({ status, parts }, index) {
  if (status === "done" || status === "cut") return Boolean(parts[index]);
  return status === "interrupted";
}

// The final words of a part replace its deltas; those of an interrupted message are late.
function onDone(messages, event) {
  const [message, index] = addressed(messages, event);
  if (!message || message.status === "interrupted") return messages;
  const words = textOf(event.transcript) || textOf(event.text) || message.parts[index] || "";
  const final = withPart(message, index, words);
  const status = wordsOf(final).trim() ? "done" : "untranscribed";
  return putMessage(messages, { ...final, status });
}

function onTranscriptionFailed(messages, event) {
  const [message] = addressed(messages, event);
  return message ? putMessage(messages, { ...message, status: "untranscribed" }) : messages;
}

// Whatever the outcome, no message of the response waits for words any more.
function onResponseDone(messages, event) {
  const { status, output } = Object(event.response);
  const cut = status === "incomplete";
  const unfinished = ["pending", "streaming", ...(cut ? ["done"] : [])];
  const items = Array.isArray(output) ? output.slice(0, MOST_OUTPUT) : [];
  const ids = new Set(items.map((item) => Object(item).id));
  return messages.map((message) =>
    ids.has(message.id) && unfinished.includes(message.status)
      ? { ...message, status: cut ? "cut" : "done" }
      : message,
  );
}

const CHANGES = {
  "input_audio_buffer.speech_started": onSpeechStarted,
  "input_audio_buffer.committed": onCommitted,
  "conversation.item.added": onItem,
  "conversation.item.done": onItem,
  "conversation.item.deleted": onDeleted,
  "conversation.item.truncated": (messages, event) => interruptMessage(messages, event.item_id),
  "conversation.item.input_audio_transcription.delta": onDelta,
  "conversation.item.input_audio_transcription.completed": onDone,
  "conversation.item.input_audio_transcription.failed": onTranscriptionFailed,
  "response.output_item.added": onItem,
  "response.output_item.done": onItem,
  "response.output_audio_transcript.delta": onDelta,
  "response.output_audio_transcript.done": onDone,
  "response.output_text.delta": onDelta,
  "response.output_text.done": onDone,
  "response.done": onResponseDone,
};
