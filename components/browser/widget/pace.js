// How much of the assistant's words has sounded, by the time for which there was sound.
//
// Rule: words show no earlier than a voice would say them, and all of them when the sound has ended.
// What a barge-in has cut off is told apart. Nobody tells a browser when which word sounds, so the
// pace is that of the API's voices on the average.
export const CHARACTERS_PER_S = 16;
const OF_A_DIGIT = 5; // it is said as a word

export class Pace {
  constructor() {
    this.waiting = []; // ids of messages whose sound has not ended
    this.heard = new Map(); // of those whose sound was cut: characters
    this.since = null; // when the sound began; null while there is none
  }

  // `words` are the messages { id, text } after the event; `now` is in milliseconds.
  take({ type, item_id: id }, words, now) {
    switch (type) {
      case "response.output_audio_transcript.delta":
        if (!this.waiting.includes(id) && !this.heard.has(id)) this.waiting.push(id);
        break;
      case "output_audio_buffer.started":
        this.since = now;
        break;
      case "output_audio_buffer.stopped":
        this.since = null;
        this.waiting = [];
        break;
      case "output_audio_buffer.cleared":
      case "conversation.item.truncated":
        this.cut(words, now);
    }
  }

  // No more sound comes.
  cut(words, now) {
    const counts = this.counts(words, now);
    this.waiting.forEach((id) => this.heard.set(id, counts.get(id) || 0));
    this.waiting = [];
    this.since = null;
  }

  // The messages with what has sounded as their text, and in `unheard` what never will.
  paced(words, now) {
    const counts = this.counts(words, now);
    return words.map((message) => {
      const { id, text } = message;
      if (this.heard.has(id)) {
        const sounded = soundedOf(text, this.heard.get(id));
        return { ...message, text: sounded, unheard: text.slice(sounded.length) };
      }
      return counts.has(id) ? { ...message, text: soundedOf(text, counts.get(id)) } : message;
    });
  }

  // How many characters of each waiting message have sounded: one after the other.
  counts(words, now) {
    let left = this.since === null ? 0 : ((now - this.since) / 1000) * CHARACTERS_PER_S;
    const texts = new Map(words.map(({ id, text }) => [id, text]));
    return new Map(
      this.waiting.map((id) => {
        const text = texts.get(id) || "";
        const count = fitting(text, left);
        left -= lengthOf(text.slice(0, count));
        return [id, count];
      }),
    );
  }
}

const isDigit = (character) => character >= "0" && character <= "9";

// In characters that are said.
function lengthOf(text) {
  return [...text].reduce((sum, character) => sum + (isDigit(character) ? OF_A_DIGIT : 1), 0);
}

// How many characters of a text are said within so many.
function fitting(text, most) {
  let left = most;
  let count = 0;
  while (count < text.length) {
    left -= isDigit(text[count]) ? OF_A_DIGIT : 1;
    if (left < 0) break;
    count += 1;
  }
  return count;
}

// Whole words of a text, of so many characters at the most.
function soundedOf(text, count) {
  if (count >= text.length) return text;
  return text.slice(0, Math.max(0, text.lastIndexOf(" ", count)));
}
