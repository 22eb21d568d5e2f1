const REPLAYED = 20; // messages told again after a reconnection

// The messages, in the order of the server's conversation and never of arrival.
export class Transcript {
  constructor() {
    this.messages = [];
  }

  find(id) {
    return this.messages.find((message) => message.id === id);
  }

  message(id, role) {
    let message = this.find(id);
    if (!message) {
      message = { id, role, text: "", status: "pending", placed: false };
      this.messages.push(message);
    }
    return message;
  }

  place(id, role, previous) {
    const message = this.message(id, role);
    if (message.placed) return message;
    const others = this.messages.filter((other) => other !== message);
    const before = others.findIndex((other) => other.id === previous);
    const first = previous === null && !others.some((other) => other.placed);
    if (!first && before < 0) return message;
    message.placed = true;
    others.splice(first ? 0 : before + 1, 0, message);
    this.messages = others;
    return message;
  }

  append(id, role, delta) {
    const message = this.message(id, role);
    if (message.status === "interrupted") return;
    message.text += delta;
    message.status = "streaming";
  }

  finish(id, role, text) {
    const message = this.message(id, role);
    if (message.status === "interrupted") return;
    if (text) message.text = text;
    message.status = message.text.trim() ? "done" : "untranscribed";
  }

  interrupt(id) {
    const message = this.find(id);
    if (message) message.status = "interrupted";
  }

  remove(id) {
    this.messages = this.messages.filter((message) => message.id !== id);
  }

  // The connection is gone: no more words come.
  settle() {
    for (const message of this.messages) {
      if (message.status !== "pending" && message.status !== "streaming") continue;
      const heard = message.text.trim() ? "done" : "untranscribed";
      message.status = message.role === "user" ? heard : "interrupted";
    }
  }

  // What a new connection has to be told of the old one.
  replay() {
    const said = this.messages.filter((message) => message.text.trim());
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
    return this.messages
      .filter(({ text, status }) => text.trim() || status !== "done")
      .map(({ id, role, text, status }) => ({ id, role, text, status }));
  }
}
