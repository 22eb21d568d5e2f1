"""What to send, play, stop and show: one conversation with a Realtime API, without any I/O.

`RealtimeSession` is told what happens (the socket opened, an event came, the microphone gave 20 ms,
the user pressed something, time passed) and answers with a list of outputs for the shell to perform
in order. Rule: no clock, socket or task in here; `now` is a parameter, in seconds of any steady
clock.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from components import conversation as talk
from components.audio import FRAME_MS, decode
from components.conversation import Assistant, Connection, Conversation, Status, User
from components.playback import MAX_DELAY_S, Playback
from components.protocol import (
    Event,
    Failure,
    SessionOptions,
    Severity,
    failure_of_error,
    relax,
    session_update,
    truncate,
    user_text,
)

CREATED_LIMIT_S: Final = 8.0
"""A server that has said nothing by then is no Realtime API, or is stuck."""
UPDATED_LIMIT_S: Final = 5.0
"""A server that has not confirmed the settings by then never will (digest 8.1)."""
RESPONSE_LIMIT_S: Final = 10.0
"""A response that was asked for and has not begun by then will not come."""
EARLY_FRAMES: Final = 2000 // FRAME_MS
"""Microphone frames kept until the session is configured."""
PRE_ROLL_FRAMES: Final = 400 // FRAME_MS
"""Microphone frames from before the talk button was pressed that belong to the turn."""
LEAST_TURN_FRAMES: Final = 100 // FRAME_MS
"""The API refuses to commit less than 100 ms."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a client event."""

    event: Event


@dataclass(frozen=True, slots=True)
class SendAudio:
    """Append microphone audio."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """Empty every queue between the session and the listener's ear."""


@dataclass(frozen=True, slots=True)
class Show:
    """The conversation has changed."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Hangup:
    """The call is over: close the socket, free everything. Always the last output."""


Output = Send | SendAudio | StopPlayback | Show | Hangup


@dataclass(slots=True)
class _Response:
    """The one response that may be under way in the default conversation (digest 7.3)."""

    id: str = ""
    """Empty while it is only asked for."""
    request: str = ""
    """`event_id` of our `response.create`; empty if turn detection began it."""
    until: float | None = None
    """When to give up waiting for it to begin; None once it has begun."""
    unwanted: bool = False
    """The user has moved on: what it still brings is not played or shown."""


class RealtimeSession:
    """One call. The outputs that a method returns are to be performed at once and in order."""

    def __init__(self, options: SessionOptions) -> None:
        self.conversation = Conversation()
        self._options = options
        self._playback = Playback()
        self._response: _Response | None = None
        self._response_wanted = False
        self._unwanted_responses: set[str] = set()
        self._server_interrupts = not options.push_to_talk
        self._update_id = ""
        self._ready = False
        self._over = False
        self._greeted = False
        self._silent_until: float | None = None
        self._complaint = ""
        self._early_lines: list[str] = []
        self._early: deque[bytes] = deque(maxlen=EARLY_FRAMES)
        self._pre_roll: deque[bytes] = deque(maxlen=PRE_ROLL_FRAMES)
        self._talk_frames: int | None = None
        self._ids = 0
        self._outputs: list[Output] = []
        self._shown = self.conversation

    # What happens on the wire.

    def connecting(self) -> list[Output]:
        """The shell has begun to connect."""
        self._show(connection=Connection.CONNECTING, notice="")
        return self._flush()

    def connected(self, now: float) -> list[Output]:
        """The socket is open. The settings go out before the server speaks: a round trip less."""
        if not self._over:
            self._silent_until = now + CREATED_LIMIT_S
            self._configure()
        return self._flush()

    def lost(self, failure: Failure) -> list[Output]:
        """The socket could not be opened, or has closed; the last complaint may say why."""
        vague = failure.severity is Severity.TRANSIENT and self._complaint
        self._end(Connection.FAILED, self._complaint if vague else failure.sentence)
        return self._flush()

    def receive(self, event: Event, now: float) -> list[Output]:
        """A server event, under its GA name (`protocol.parse`)."""
        if self._over:
            return []
        if not self._is_late(event):
            self._handle(event, now)
            self.conversation = talk.reduce(self.conversation, event)
            self._caption(event)
        self._advance(now)
        return self._flush()

    # What the user does.

    def microphone(self, pcm: bytes) -> list[Output]:
        """20 ms of sound. A muted microphone sends silence, as a turn ends by hearing it."""
        if self._over:
            return []
        if self.conversation.user is User.MUTED:
            pcm = bytes(len(pcm))
        if self._options.push_to_talk and self._talk_frames is None:
            self._pre_roll.append(pcm)
        elif not self._ready:
            self._early.append(pcm)
        else:
            self._append(pcm)
        return self._flush()

    def say(self, text: str, now: float) -> list[Output]:
        """A typed turn; it interrupts the assistant as a spoken one would."""
        text = text.strip()
        if not text or self._over:
            return []
        if not self._ready:
            self._early_lines.append(text)
            return []
        self._say(text, now)
        self._advance(now)
        return self._flush()

    def interrupt(self, now: float) -> list[Output]:
        """Stop the assistant, without saying anything."""
        self._interrupt(now)
        self._advance(now)
        return self._flush()

    def mute(self, muted: bool) -> list[Output]:
        """The user's microphone is switched off or on again."""
        if muted != (self.conversation.user is User.MUTED):
            self._show(user=User.MUTED if muted else User.LISTENING)
        return self._flush()

    def push_to_talk(self, down: bool, now: float) -> list[Output]:
        """The talk button is pressed or released (digest 5.6)."""
        if not self._options.push_to_talk or not self._ready or self._over:
            return []
        if down and self._talk_frames is None:
            self._begin_talk(now)
        elif not down and self._talk_frames is not None:
            self._end_talk(now)
        self._advance(now)
        return self._flush()

    def hang_up(self, notice: str = "") -> list[Output]:
        """The call is over by someone's wish, or by a limit that `notice` names."""
        self._end(Connection.ENDED, notice)
        return self._flush()

    # What time does.

    def frame(self, now: float) -> bytes | None:
        """The 20 ms to play now; None for silence."""
        return self._playback.take(now)

    @property
    def has_sound(self) -> bool:
        """Whether `frame` has something to give."""
        return self._playback.waiting

    def playout_delay(self, seconds: float) -> None:
        """How long the browser holds sound back; measured by the page, so not to be trusted."""
        self._playback.delay_s = min(max(seconds, 0.0), MAX_DELAY_S)

    def tick(self, now: float) -> list[Output]:
        """Time has passed; to be called some twenty times a second."""
        if self._over:
            return []
        if self._silent_until is not None and now >= self._silent_until:
            self._give_up_waiting(now)
        if self._response and self._response.until is not None and now >= self._response.until:
            self._response = None
            self._request_if_wanted(now)
        self._advance(now)
        return self._flush()

    # Server events that do more than change the transcript.

    def _handle(self, event: Event, now: float) -> None:
        match event["type"]:
            case "session.created":
                self._created(event, now)
            case "session.updated":
                self._updated(event, now)
            case "error":
                self._error(event, now)
            case "input_audio_buffer.speech_started":
                self._barge_in(now)
            case "input_audio_buffer.speech_stopped":
                self._await_response(now)
            case "response.created":
                self._response_created(event)
            case "response.output_audio.delta":
                self._audio(event)
            case "response.output_audio.done":
                self._playback.finish(_text(event, "item_id"))
            case "response.done":
                self._response_done(event, now)

    def _created(self, event: Event, now: float) -> None:
        self._greeted = True
        self._silent_until = now + UPDATED_LIMIT_S
        notes = _at(event, "session", "practice").get("notes")
        if isinstance(notes, list):
            self._show(notice=" ".join(note for note in notes if isinstance(note, str)))

    def _updated(self, event: Event, now: float) -> None:
        """The effective settings: they, not our wishes, say who cancels on a barge-in.

        Where a server does not tell, we cancel as well: one time too many is a benign error.
        """
        turn_detection = _at(event, "session", "audio", "input", "turn_detection")
        self._server_interrupts = turn_detection.get("interrupt_response") is True
        self._become_ready(now)

    def _become_ready(self, now: float) -> None:
        """What the user has said and typed meanwhile goes out, in order."""
        self._silent_until = None
        if self._ready:
            return
        self._ready = True
        self._show(connection=Connection.CONNECTED)
        while self._early:
            self._append(self._early.popleft())
        lines, self._early_lines = self._early_lines, []
        for line in lines:
            self._say(line, now)

    def _error(self, event: Event, now: float) -> None:
        error = _at(event, "error")
        failure = failure_of_error(error)
        cause = _text(error, "event_id")
        if cause and cause == self._update_id:
            self._settings_refused(error, failure)
            return
        if self._response and cause and cause == self._response.request:
            self._request_refused(error, now)
        if _text(error, "code") == "session_expired":
            self._end(Connection.ENDED, failure.sentence)
        else:
            self._complain(failure)

    def _settings_refused(self, error: Event, failure: Failure) -> None:
        relaxed = relax(self._options, error)
        if relaxed is None:
            self._end(Connection.FAILED, f"The server refuses the settings. {failure.sentence}")
        else:
            self._options = relaxed
            self._configure()

    def _request_refused(self, error: Event, now: float) -> None:
        """Our `response.create` came to nothing; another response may be why (digest 5.10)."""
        self._response = None
        if _text(error, "code") == "conversation_already_has_active_response":
            self._response = _Response(until=now + RESPONSE_LIMIT_S)
            self._response_wanted = True

    def _barge_in(self, now: float) -> None:
        """The user speaks: on the server's side, turn detection has cancelled what was running."""
        self._stop(now)
        if self._response is None:
            return
        if not self._response.id and not self._response.request:
            self._response = None
        elif not self._response.id or not self._server_interrupts:
            self._cancel()

    def _await_response(self, now: float) -> None:
        if self._response is None and not self._options.push_to_talk:
            self._response = _Response(until=now + RESPONSE_LIMIT_S)

    def _response_created(self, event: Event) -> None:
        if self._response is None or self._response.id:
            self._response = _Response()
        self._response.id = _text(_at(event, "response"), "id")
        self._response.until = None
        if self._response.unwanted:
            self._unwanted_responses.add(self._response.id)
            self._cancel()
        else:
            self._complaint = ""
            self._show(notice="")

    def _audio(self, event: Event) -> None:
        try:
            pcm = decode(event["delta"])
        except (KeyError, ValueError):
            return
        self._playback.add(_text(event, "item_id"), _index(event), pcm)

    def _response_done(self, event: Event, now: float) -> None:
        response = _at(event, "response")
        done = _text(response, "id")
        self._unwanted_responses.discard(done)
        # One may end that never began, around an interruption (digest 7.2).
        if self._response and (not done or self._response.id in ("", done)):
            self._response = None
        self._playback.finish()
        if response.get("status") == "failed":
            self._complain(failure_of_error(_at(response, "status_details", "error")))
        self._request_if_wanted(now)

    def _complain(self, failure: Failure) -> None:
        if failure.severity is Severity.PERMANENT:
            self._end(Connection.FAILED, failure.sentence)
        elif failure.severity is not Severity.BENIGN:
            self._complaint = failure.sentence
            self._show(notice=failure.sentence)

    def _is_late(self, event: Event) -> bool:
        """Whether the event belongs to a reply that the user has already stopped."""
        type_: str = event["type"]
        if not type_.startswith("response.") or type_ in ("response.done", "response.created"):
            return False
        if _text(event, "response_id") in self._unwanted_responses:
            # The item itself stays in the conversation, and so in the transcript's order.
            return type_ != "response.output_item.added"
        message = self.conversation.message(_text(event, "item_id"))
        return message is not None and message.status is Status.INTERRUPTED

    # Stopping, asking, ending.

    def _interrupt(self, now: float) -> None:
        """Stop the assistant by the user's wish: nobody else will cancel the response."""
        self._stop(now)
        self._cancel()
        self._response_wanted = False

    def _stop(self, now: float) -> None:
        """Silence, at once; the server learns what was heard, the transcript keeps just that."""
        self._advance(now)
        cuts = self._playback.stop(now)
        for cut in cuts:
            if cut.received_ms:
                end_ms = min(cut.heard_ms, cut.received_ms)
                event = truncate(cut.item_id, cut.content_index, end_ms, self._id("truncate"))
                self._send(event)
            self.conversation = talk.interrupt(self.conversation, cut.item_id)
        if cuts:
            self._outputs.append(StopPlayback())
        if self._response and self._response.id:
            self._response.unwanted = True
            self._unwanted_responses.add(self._response.id)
            self._interrupt_streaming()

    def _interrupt_streaming(self) -> None:
        """Replies without sound, or whose sound has not come yet."""
        for message in self.conversation.messages:
            if message.role == "assistant" and message.status is Status.STREAMING:
                self.conversation = talk.interrupt(self.conversation, message.item_id)

    def _cancel(self) -> None:
        """Cancel the running response; one that is only asked for is cancelled when it begins."""
        if self._response is None:
            return
        self._response.unwanted = True
        if self._response.id:
            self._send(
                {
                    "type": "response.cancel",
                    "event_id": self._id("cancel"),
                    "response_id": self._response.id,
                }
            )

    def _say(self, text: str, now: float) -> None:
        self._interrupt(now)
        item_id = self._id("item_typed")
        self._send(user_text(item_id, text, self._id("say")))
        self.conversation = talk.typed(self.conversation, item_id, text)
        self._want_response(now)

    def _want_response(self, now: float) -> None:
        """Ask for a response as soon as none is under way (digest 5.10)."""
        self._response_wanted = True
        self._request_if_wanted(now)

    def _request_if_wanted(self, now: float) -> None:
        if not self._response_wanted or self._response or self._over:
            return
        self._response_wanted = False
        request = self._id("response")
        self._response = _Response(request=request, until=now + RESPONSE_LIMIT_S)
        self._send({"type": "response.create", "event_id": request})

    def _begin_talk(self, now: float) -> None:
        self._interrupt(now)
        self._send({"type": "input_audio_buffer.clear", "event_id": self._id("clear")})
        self._talk_frames = 0
        while self._pre_roll:
            self._append(self._pre_roll.popleft())
        self._show(user=User.SPEAKING)

    def _end_talk(self, now: float) -> None:
        frames, self._talk_frames = self._talk_frames or 0, None
        self._show(user=User.LISTENING)
        if frames < LEAST_TURN_FRAMES:
            self._send({"type": "input_audio_buffer.clear", "event_id": self._id("clear")})
            self._show(notice="That was too short. Hold the button while you speak.")
            return
        self._send({"type": "input_audio_buffer.commit", "event_id": self._id("commit")})
        self._want_response(now)

    def _append(self, pcm: bytes) -> None:
        if self._talk_frames is not None:
            self._talk_frames += 1
        self._outputs.append(SendAudio(pcm))

    def _configure(self) -> None:
        self._update_id = self._id("settings")
        self._send(session_update(self._options, self._update_id))

    def _give_up_waiting(self, now: float) -> None:
        """The server is silent: either it never spoke, or it does not confirm settings."""
        if self._greeted:
            self._become_ready(now)
        else:
            self._end(
                Connection.FAILED,
                "The server took the call but says nothing. Check REALTIME_BASE_URL.",
            )

    def _end(self, connection: Connection, notice: str) -> None:
        if self._over:
            return
        self._over = True
        self._playback.stop(0.0)
        self._response = None
        self._show(
            connection=connection, user=User.LISTENING, assistant=Assistant.IDLE, notice=notice
        )

    # Keeping the shown conversation true.

    def _caption(self, event: Event) -> None:
        """Bind words to the sound that they came with."""
        if event["type"] == "response.output_audio_transcript.delta":
            message = self.conversation.message(_text(event, "item_id"))
            if message is not None:
                self._playback.caption(message.item_id, _index(event), len(message.text))

    def _advance(self, now: float) -> None:
        """Bring the assistant's state and the heard words up to the moment."""
        if self._over:
            return
        for message in self.conversation.messages:
            if message.heard is None or message.heard == len(message.text):
                continue
            if message.status is Status.INTERRUPTED:
                continue
            heard = self._playback.heard_characters(message.item_id, now)
            self.conversation = talk.hear(
                self.conversation, message.item_id, len(message.text) if heard is None else heard
            )
        self._show(assistant=self._assistant(now))

    def _assistant(self, now: float) -> Assistant:
        if self._playback.speaking(now):
            return Assistant.SPEAKING
        if self._response and not self._response.unwanted:
            return Assistant.THINKING
        return Assistant.IDLE

    def _show(self, **changes: Any) -> None:
        self.conversation = replace(self.conversation, **changes)

    def _send(self, event: Event) -> None:
        self._outputs.append(Send(event))

    def _id(self, purpose: str) -> str:
        """An id of our own: the server's errors come back with it (digest 4)."""
        self._ids += 1
        return f"{purpose}_{self._ids}"

    def _flush(self) -> list[Output]:
        outputs, self._outputs = self._outputs, []
        if self.conversation != self._shown:
            self._shown = self.conversation
            outputs.append(Show(self.conversation))
        if self._over:
            outputs.append(Hangup())
        return outputs


def _at(event: Event, *path: str) -> Mapping[str, Any]:
    """The object at a path of an event; empty if anything on the way is missing or no object."""
    value: Any = event
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _text(event: Event, name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


def _index(event: Event) -> int:
    index = event.get("content_index", 0)
    return index if isinstance(index, int) else 0
