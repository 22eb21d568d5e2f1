// What the voice button says when something goes wrong.
import { MICROPHONE_SENTENCES } from "../shared/microphone.js";

export const SENTENCES = {
  ...MICROPHONE_SENTENCES,
  unsupported: "This browser cannot make calls. Use a current Chrome, Firefox, Safari or Edge.",
  unreachable: "The call could not be made: the server does not answer. Try again in a minute.",
  noWay: "The call found no way through the network. Try another network, or ask its owner.",
  lost: "The connection was lost, and could not be made again. Start a new call.",
  badAnswer: "The server's answer makes no sense to this browser. Try again in a minute.",
  silenced: "The browser holds the sound back. Press Start again to hear the answer.",
  quota: "The account behind this button has no credit left.",
  expired: "The call reached the server's time limit. Start a new one.",
};
export const PERMANENT = {
  insufficient_quota: SENTENCES.quota,
  credit_balance_exhausted: SENTENCES.quota,
  billing_hard_limit_reached: SENTENCES.quota,
};
export const BENIGN = new Set([
  "response_cancel_not_active",
  "conversation_already_has_active_response",
  "input_audio_buffer_commit_empty",
]);

export class CallError extends Error {
  constructor(sentence, { retry = true, code = "" } = {}) {
    super(sentence);
    this.retry = retry;
    this.code = code;
  }
}
