import { reduce, wordsOf } from "../shared/reduce.js";

const EARLIER = "past_"; // begins the ids of words of an earlier call
const REPLAYED = 20; // messages told again after a reconnection

// The messages, in the order of the server's conversation and never of arrival.
export class Transcript {
  constructor() {
    this.messages = [];
  }

  // Whether the event has changed it.
  take(event) {
    const before = this.messages;
    this.messages = reduce(before, event);
    return this.messages !== before;
  }

  // The connection is gone: no more words come.
  settle() {
    this.messages = this.messages.map((message) => {
      if (message.status !== "pending" && message.status !== "streaming") return message;
      const heard = wordsOf(message).trim() ? "done" : "untranscribed";
      return { ...message, status: message.role === "user" ? heard : "interrupted" };
    });
  }

  // What a new connection has to be told of the old one. What was said before this call, the app's
  // server tells it.
  replay() {
    const said = this.words().filter(({ id, text }) => text.trim() && !id.startsWith(EARLIER));
    return said.slice(-REPLAYED).map(({ id, role, text }) => ({
      type: "conversation.item.create",
      item: {
        id,
        type: "message",
        role,
        content: [{ type: role === "user" ? "input_text" : "output_text", text }],
      },
    }));
  }

  shown() {
    return this.words().filter(({ text, status }) => text.trim() || status !== "done");
  }

  // Calls of tools are not shown here.
  words() {
    return this.messages
      .filter(({ role }) => role !== "tool")
      .map((message) => ({
        id: message.id,
        role: message.role,
        text: wordsOf(message),
        status: message.status,
      }));
  }
}
