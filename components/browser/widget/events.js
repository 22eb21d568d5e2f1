// What each event of the server changes in a call, besides its transcript.

export const HANDLERS = {
  "input_audio_buffer.speech_started"(call) {
    if (!call.muted) call.set({ user: "speaking" });
  },
  "input_audio_buffer.speech_stopped"(call) {
    if (!call.muted) call.set({ user: "listening" });
  },
  "response.created"(call, event) {
    call.response = event.response && event.response.id;
    call.asked = false;
    if (call.assistant === "idle") call.set({ assistant: "thinking" });
  },
  "response.done"(call, event) {
    const response = event.response || {};
    call.response = null;
    if (call.owed) call.ask();
    // What it has called runs now, and another response follows.
    const calls = (response.output || []).some(({ type }) => type === "function_call");
    const goesOn = calls && response.status === "completed";
    if (call.assistant === "thinking" && !goesOn) call.set({ assistant: "idle" });
    if (response.status === "failed") call.complain((response.status_details || {}).error);
  },
  "output_audio_buffer.started"(call) {
    call.set({ assistant: "speaking" });
  },
  "output_audio_buffer.stopped": quiet,
  "output_audio_buffer.cleared": quiet,
  error(call, event) {
    const error = event.error || {};
    // The one that is under way may not know of the question: it is asked again after it.
    if (error.code === "conversation_already_has_active_response") {
      call.asked = false;
      call.owed = true;
    }
    // The connection closes next, and a new one goes on where this one ended.
    if (error.code !== "session_expired") call.complain(error);
  },
};

function quiet(call) {
  call.set({ assistant: call.response ? "thinking" : "idle" });
}
