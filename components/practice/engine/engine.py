"""A Realtime API without its wire: what the practice server does about each thing that happens.

Rule: no clock, socket or thread in here. The shell says what happened and when; it performs what it
gets back, in that order.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final

from components.practice.engine.g711 import GROWTH, PCM, decoder
from components.practice.engine.input_buffer import InputBuffer, Turn
from components.practice.engine.items import Conversation, audio_bytes, item_from
from components.practice.engine.outputs import (
    Close,
    Event,
    Forget,
    NewId,
    Outbox,
    Output,
    Recognise,
    Transcribe,
)
from components.practice.engine.responses import Responses
from components.practice.engine.schema import RefusedError
from components.practice.engine.sessions import Session, formats, initial_session, updated_session
from components.practice.engine.transcripts import announce_transcript, announce_words
from components.practice.engine.validate import MAX_APPEND_BYTES, check_event, event_id_of

MAX_ITEMS: Final = 2000
IDLE_PROMPT: Final = "Are you still there?"
_TAKES_THE_WORD: Final = (
    "conversation.item.create",
    "input_audio_buffer.commit",
    "response.create",
    "response.cancel",
)
"""With any of these the user is no longer silent."""


def counting_ids() -> NewId:
    """Ids that are unique within a session: `item_1`, `event_2`, …"""
    numbers = count(1)
    return lambda prefix: f"{prefix}_{next(numbers)}"


class Engine:
    """One session of the practice server.

    Every method returns a list of outputs (`outputs.py`); times are seconds of any clock that does
    not go back. A whole spoken turn, as a test without a shell may drive it:

        engine = Engine("practice-engine", hop_ms=20)
        engine.open(now=0.0)                             -> [Emit(session.created), …]
        engine.receive(append_event, now=0.1)            -> [Detect(pcm)]
        engine.detected([0.9, 0.9, …], now=0.1)          -> [Emit(speech_started),
                                                             Recognise(item, pcm)]
        engine.detected([0.0, 0.0, …], now=1.0)          -> [Emit(speech_stopped), Emit(committed),
                                                             …, Transcribe(item),
                                                             Emit(response.created)]
        engine.transcript(item, "what time is it", 1.1)  -> [Emit(…completed), Think(response, …)]
        engine.say(response, "Noon.", 1.1)               -> [Speak(response, "Noon.", …)]
        engine.thought(response, 1.1)                    -> []
        engine.spoken(response, pcm, "Noon.", 1.2)       -> [Emit(…transcript.delta), Emit(…delta)]
        engine.said(response, 1.2)                       -> [Emit(…), …, Emit(response.done), …]

    `deadline` is when `tick` should be called next, if nothing else happens before.
    """

    def __init__(
        self,
        model: str,
        *,
        unix_time: int = 0,
        notes: Sequence[str] = (),
        rules: bool = True,
        hop_ms: int = 32,
        session_seconds: float = 3600,
        new_id: NewId | None = None,
        wanted: Session | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        """`unix_time` is now, by the calendar; `notes` name missing parts; `rules`: no chat model;
        `hop_ms` is how much audio each speech probability stands for; `wanted` is a first update of
        the session, well formed, and refused with `RefusedError`."""
        self._outbox = outbox or Outbox(new_id or counting_ids())
        self._conversation = Conversation()
        self._conversation_id = self._outbox.new_id("conv")
        self._responses = Responses(self._outbox, self._conversation, self._conversation_id)
        self._input_buffer = InputBuffer(self._outbox, self._conversation, hop_ms)
        session_id = self._outbox.new_id("sess")
        expires_at = unix_time + int(session_seconds)
        self.session = initial_session(model, session_id, expires_at, notes, rules)
        if wanted is not None:
            self.session = updated_session(self.session, wanted, has_spoken=False)
        self._decode = decoder(formats(self.session)["input_audio"])
        self._input_buffer.configure(self.session["audio"]["input"])
        self._session_seconds = session_seconds
        self._expires: float | None = None
        self._reminder: tuple[str, float] | None = None
        """What is said after so many seconds of silence."""
        self._handlers: Mapping[str, Callable[[Event, float], None]] = {
            "session.update": self._session_update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._item_create,
            "conversation.item.truncate": self._item_truncate,
            "conversation.item.delete": self._item_delete,
            "conversation.item.retrieve": self._item_retrieve,
            "response.create": self._response_create,
            "response.cancel": self._response_cancel,
            "output_audio_buffer.clear": self._output_clear,
        }

    def open(self, now: float) -> list[Output]:
        """The connection stands."""
        self._expires = now + self._session_seconds
        self._outbox.emit("session.created", session=self.session)
        self._outbox.emit(
            "conversation.created",
            conversation={"id": self._conversation_id, "object": "realtime.conversation"},
        )
        return self._outbox.drain()

    def receive(self, event: object, now: float) -> list[Output]:
        """A parsed message of the client, whatever it is."""
        try:
            checked = check_event(event)
            if checked["type"] in _TAKES_THE_WORD:
                self._reminder = None
            self._handlers[checked["type"]](checked, now)
        except RefusedError as refusal:
            self._error(refusal, event_id_of(event))
        return self._outbox.drain()

    def refuse(self, code: str, message: str) -> list[Output]:
        """A message of the client that is no JSON at all."""
        self._error(RefusedError(message, code), None)
        return self._outbox.drain()

    def detected(self, probabilities: Sequence[float], now: float) -> list[Output]:
        """The speech probability of each hop of audio completed since."""
        for probability in probabilities:
            turn = self._input_buffer.hop(probability)
            detection = self.session["audio"]["input"]["turn_detection"]
            if turn is Turn.STARTED:
                self._barge_in(now)
            elif turn is Turn.COMMITTED and detection["create_response"]:
                self._respond_unasked()
        return self._outbox.drain()

    def transcribed(self, item_id: str, words: str) -> list[Output]:
        """The ears have understood the next words of an utterance, and are not done with it."""
        item = self._conversation.get(item_id)
        if item is not None and item.pending and item.transcription_model is not None:
            announce_words(self._outbox, item, words)
        return self._outbox.drain()

    def transcript(self, item_id: str, text: str | None, now: float) -> list[Output]:
        """What the ears made of an utterance: "" if no words, None if there are no ears."""
        item = self._conversation.get(item_id)
        if item is not None and item.pending:
            item.pending = False
            item.recognised = text
            if item.transcription_model is not None:
                announce_transcript(self._outbox, item)
        self._responses.resume(now)
        return self._outbox.drain()

    def say(self, response_id: str, text: str, now: float) -> list[Output]:
        """The next sentence of an answer."""
        self._responses.follow(response_id, now, lambda response: response.say(text))
        return self._outbox.drain()

    def call(self, response_id: str, name: str, arguments: str, now: float) -> list[Output]:
        """A function that the answer calls, with its arguments as JSON."""
        self._responses.follow(response_id, now, lambda response: response.call(name, arguments))
        return self._outbox.drain()

    def remind(self, response_id: str, text: str, after_s: float) -> list[Output]:
        """Words to say if the user is silent for so long after this answer."""
        active = self._responses.active
        if active is not None and active.id == response_id:
            self._reminder = text, after_s
        return self._outbox.drain()

    def thought(self, response_id: str, now: float) -> list[Output]:
        """The answer is complete, as far as thinking goes."""
        self._responses.follow(response_id, now, lambda response: response.thought())
        return self._outbox.drain()

    def fail(self, response_id: str, code: str, message: str, now: float) -> list[Output]:
        """No answer can be had."""
        error = {"type": "server_error", "code": code, "message": message}
        self._responses.follow(
            response_id, now, lambda response: response.finish("failed", error=error)
        )
        return self._outbox.drain()

    def spoken(self, response_id: str, pcm: bytes, words: str, now: float) -> list[Output]:
        """Sound of the sentence being said, and the words that begin in it."""
        self._responses.follow(response_id, now, lambda response: response.spoken(pcm, words))
        return self._outbox.drain()

    def said(self, response_id: str, now: float) -> list[Output]:
        """The sentence's sound is complete."""
        self._responses.follow(response_id, now, lambda response: response.said())
        return self._outbox.drain()

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do; None before `open` and after the end."""
        if self._expires is None:
            return None
        times = (self._expires, self._idle_at(), self._remind_at())
        return min(time for time in times if time is not None)

    def tick(self, now: float) -> list[Output]:
        """Time has passed."""
        idle_at, remind_at = self._idle_at(), self._remind_at()
        if self._expires is not None and now >= self._expires:
            self._expires = None
            minutes = round(self._session_seconds / 60)
            message = f"Your session hit the maximum duration of {minutes} minutes."
            self._error(RefusedError(message, "session_expired"), None)
            self._outbox.ask(Close(1001, "invalid_request_error.session_expired"))
        elif idle_at is not None and now >= idle_at:
            detection = self.session["audio"]["input"]["turn_detection"]
            self._input_buffer.commit_silence(detection["idle_timeout_ms"])
            self._responses.create(self.session, {}, IDLE_PROMPT)
        elif remind_at is not None and now >= remind_at:
            assert self._reminder is not None
            text, _ = self._reminder
            self._reminder = None
            self._responses.create(self.session, {}, text)
        return self._outbox.drain()

    def _barge_in(self, now: float) -> None:
        """The user begins to speak."""
        self._responses.quiet_from = None
        self._reminder = None
        detection = self.session["audio"]["input"]["turn_detection"]
        if detection["interrupt_response"] and self._responses.active:
            self._responses.cancel(None, "turn_detected", now)

    def _idle_at(self) -> float | None:
        detection = self.session["audio"]["input"]["turn_detection"] or {}
        timeout_ms: int | None = detection.get("idle_timeout_ms")
        quiet_from = self._responses.quiet_from
        if timeout_ms is None or quiet_from is None:
            return None
        return quiet_from + timeout_ms / 1000

    def _remind_at(self) -> float | None:
        quiet_from = self._responses.quiet_from
        if self._reminder is None or quiet_from is None:
            return None
        return quiet_from + self._reminder[1]

    def _error(self, refusal: RefusedError, event_id: str | None) -> None:
        self._outbox.emit(
            "error",
            error={
                "type": "invalid_request_error",
                "code": refusal.code,
                "message": refusal.message,
                "param": refusal.param,
                "event_id": event_id,
            },
        )

    def _session_update(self, event: Event, _now: float) -> None:
        has_spoken = self._responses.has_spoken
        before, tools = formats(self.session)["input_audio"], self.session["tools"]
        self.session = updated_session(self.session, event["session"], has_spoken)
        if (now_coded := formats(self.session)["input_audio"]) != before:
            self._decode = decoder(now_coded)
        self._input_buffer.configure(self.session["audio"]["input"])
        self._outbox.emit("session.updated", session=self.session)
        self._list_tools([tool for tool in self.session["tools"] if tool not in tools])

    def _list_tools(self, tools: Sequence[Mapping[str, Any]]) -> None:
        """Nothing leaves this machine, so no MCP server can be asked; what could not be listed is
        no part of the conversation."""
        for tool in tools:
            if tool["type"] != "mcp":
                continue
            item_id = self._outbox.new_id("item")
            item = {
                "id": item_id,
                "type": "mcp_list_tools",
                "server_label": tool["server_label"],
                "tools": [],
            }
            items = self._conversation.items
            previous = items[-1].id if items else None
            self._outbox.emit("conversation.item.added", previous_item_id=previous, item=item)
            self._outbox.emit("mcp_list_tools.in_progress", item_id=item_id)
            self._outbox.emit("mcp_list_tools.failed", item_id=item_id)

    def _append(self, event: Event, _now: float) -> None:
        coded = audio_bytes(event["audio"], "audio")
        growth = 1 if formats(self.session)["input_audio"] == PCM else GROWTH
        if len(coded) * growth > MAX_APPEND_BYTES:
            raise RefusedError("Invalid 'audio': more than 15 MiB at a time.", param="audio")
        self._input_buffer.append(self._decode(coded))

    def _commit(self, _event: Event, _now: float) -> None:
        self._input_buffer.commit()

    def _clear(self, _event: Event, _now: float) -> None:
        self._input_buffer.clear()

    def _item_create(self, event: Event, _now: float) -> None:
        shown = event["item"]
        if len(self._conversation.items) >= MAX_ITEMS:
            raise RefusedError(f"The conversation is full: it has {MAX_ITEMS} items.")
        if shown["type"] == "function_call_output":
            self._require_call(shown["call_id"])
        if shown["type"] == "function_call" and "call_id" not in shown:
            shown = {**shown, "call_id": self._outbox.new_id("call")}
        item = item_from(
            shown, shown.get("id") or self._outbox.new_id("item"), formats(self.session)
        )
        previous = self._conversation.insert(item, event.get("previous_item_id"))
        for stage in ("added", "done"):
            self._outbox.emit(
                f"conversation.item.{stage}", previous_item_id=previous, item=item.wire()
            )
        heard = (part.pcm for part in item.content or () if part.type == "input_audio")
        if sound := b"".join(heard):
            item.pending = True
            self._outbox.ask(Recognise(item.id, sound, self._input_buffer.language))
            self._outbox.ask(Transcribe(item.id))

    def _require_call(self, call_id: str) -> None:
        calls = (i for i in self._conversation.items if i.fields["type"] == "function_call")
        if not any(item.fields["call_id"] == call_id for item in calls):
            raise RefusedError(
                f"Tool call ID '{call_id}' not found in conversation.",
                "invalid_tool_call_id",
                "item.call_id",
            )

    def _item_truncate(self, event: Event, _now: float) -> None:
        address = {name: event[name] for name in ("item_id", "content_index", "audio_end_ms")}
        self._conversation.truncate(**address)
        self._outbox.emit("conversation.item.truncated", **address)

    def _item_delete(self, event: Event, now: float) -> None:
        item = self._conversation.delete(event["item_id"])
        self._outbox.emit("conversation.item.deleted", item_id=item.id)
        if item.pending:
            item.pending = False
            self._outbox.ask(Forget(item.id))
            self._responses.resume(now)

    def _item_retrieve(self, event: Event, _now: float) -> None:
        item = self._conversation.require(event["item_id"], "item_retrieve_invalid_item_id")
        self._outbox.emit("conversation.item.retrieved", item=item.wire(formats(self.session)))

    def _response_create(self, event: Event, _now: float) -> None:
        self._responses.create(self.session, event.get("response", {}))

    def _response_cancel(self, event: Event, now: float) -> None:
        self._responses.cancel(event.get("response_id"), "client_cancelled", now)

    def _output_clear(self, _event: Event, _now: float) -> None:
        raise RefusedError(
            "'output_audio_buffer.clear' is for WebRTC and SIP sessions only.", param="type"
        )

    def _respond_unasked(self) -> None:
        """The user's turn is over; an answer may be refused because one is in progress."""
        try:
            self._responses.create(self.session, {})
        except RefusedError as refusal:
            self._error(refusal, None)
