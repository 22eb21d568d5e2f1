// What each event of the server changes in a call.

export const HANDLERS = {
  "input_audio_buffer.speech_started"(call, event) {
    call.transcript.message(event.item_id, "user");
    if (!call.muted) call.set({ user: "speaking" });
    call.words();
  },
  "input_audio_buffer.speech_stopped"(call) {
    if (!call.muted) call.set({ user: "listening" });
  },
  "input_audio_buffer.committed"(call, event) {
    call.transcript.place(event.item_id, "user", event.previous_item_id);
    call.words();
  },
  "conversation.item.added"(call, event) {
    const item = event.item || {};
    if (item.type !== "message" || item.role === "system") return;
    const message = call.transcript.place(item.id, item.role, event.previous_item_id);
    const parts = (item.content || []).map((part) => part.text || part.transcript || "");
    if (!message.text && parts.join("")) call.transcript.finish(item.id, item.role, parts.join(""));
    call.words();
  },
  "conversation.item.input_audio_transcription.delta"(call, event) {
    call.transcript.append(event.item_id, "user", event.delta || "");
    call.words();
  },
  "conversation.item.input_audio_transcription.completed"(call, event) {
    call.transcript.finish(event.item_id, "user", event.transcript);
    call.words();
  },
  "conversation.item.input_audio_transcription.failed"(call, event) {
    call.transcript.finish(event.item_id, "user", "");
    call.words();
  },
  "conversation.item.truncated"(call, event) {
    call.transcript.interrupt(event.item_id);
    call.words();
  },
  "conversation.item.deleted"(call, event) {
    call.transcript.remove(event.item_id);
    call.words();
  },
  "response.created"(call, event) {
    call.response = event.response && event.response.id;
    if (call.assistant === "idle") call.set({ assistant: "thinking" });
  },
  "response.output_audio_transcript.delta": delta,
  "response.output_audio_transcript.done": done,
  "response.output_text.delta": delta,
  "response.output_text.done": done,
  "response.done"(call, event) {
    const response = event.response || {};
    call.response = null;
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
    // The connection closes next, and a new one goes on where this one ended.
    if (error.code !== "session_expired") call.complain(error);
  },
};

function delta(call, event) {
  call.transcript.append(event.item_id, "assistant", event.delta || "");
  call.words();
}

function done(call, event) {
  call.transcript.finish(event.item_id, "assistant", event.transcript || event.text);
  call.words();
}

function quiet(call) {
  call.set({ assistant: call.response ? "thinking" : "idle" });
}
