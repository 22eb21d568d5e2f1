"""What to send, play, stop and show: one conversation with a Realtime API, without any I/O.

`RealtimeSession` is told what happens (the socket opened, an event came, the microphone gave 20 ms,
the user pressed something, time passed) and answers with a list of outputs for the shell to perform
in order. Rule: no clock, socket or task in here; `now` is a parameter, in seconds of any steady
clock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Final

from components import conversation as talk
from components.audio import decode
from components.conversation import Assistant, Connection, Conversation, Status, User
from components.history import replay
from components.intake import Intake
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
from components.responses import Responses

CREATED_LIMIT_S: Final = 8.0
"""A server that has said nothing by then is no Realtime API, or is stuck."""
UPDATED_LIMIT_S: Final = 5.0
"""A server that has not confirmed the settings by then never will (digest 8.1)."""
MOST_TRIES: Final = 5
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 8.0
RENEW_AFTER_S: Final = 55 * 60.0
"""The API ends a session after an hour; it is renewed before, when nobody speaks."""
GOODBYE_S: Final = 30
"""For so long before its limit, a call shows how long it still has."""
DEAD_MICROPHONE: Final = (
    "Your microphone gives no sound at all. Check that it is the right one and not switched off."
)


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
class Reconnect:
    """Close the socket, if there is one; after a pause open another, then call `connected`, or
    `lost` again."""

    pause_s: float


@dataclass(frozen=True, slots=True)
class Renew:
    """Open another socket beside this one; when it stands, close this one and call `connected`."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The call is over: close the socket, free everything. Always the last output."""


Output = Send | SendAudio | StopPlayback | Show | Reconnect | Renew | Hangup


class RealtimeSession:
    """One call. The outputs that a method returns are to be performed at once and in order."""

    def __init__(
        self,
        options: SessionOptions,
        *,
        limit_s: float,
        chance: Callable[[], float],
        idle_s: float = 0.0,
        most_cost: float = 0.0,
        past: Conversation | None = None,
    ) -> None:
        """`limit_s` ends the call after so long, `idle_s` when nobody has spoken for so long,
        `most_cost` when it has cost so many US dollars; 0 never. `chance` gives numbers from 0 to
        1, so that calls lost together do not all come back together. `past` is the conversation
        that this call goes on with."""
        self.conversation = Conversation(messages=past.messages if past else ())
        self._options = options
        self._limit_s = limit_s
        self._chance = chance
        self._playback = Playback()
        self._responses = Responses()
        self._begun: float | None = None
        self._renew_at: float | None = None
        self._tries = 0
        self._server_interrupts = not options.push_to_talk
        self._update_id = ""
        self._ready = False
        self._was_up = False
        self._over = False
        self._greeted = False
        self._silent_until: float | None = None
        self._complaint = ""
        self._early_lines: list[str] = []
        self._intake = Intake(options.push_to_talk)
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
        if self._over:
            return self._flush()
        self._begun = self._begun or now
        self._renew_at = now + RENEW_AFTER_S
        if self._ready:  # a renewal: this socket takes no sound before it is configured either
            self._intake.close()
        self._greeted = self._ready = False
        self._silent_until = now + CREATED_LIMIT_S
        self._responses.reset()
        self._configure()
        return self._flush()

    def lost(self, failure: Failure) -> list[Output]:
        """The socket could not be opened, or has closed; the last complaint may say why.

        A call that was up is taken up again, a few times; one that never was tells the user.
        """
        vague = failure.severity is Severity.TRANSIENT
        sentence = self._complaint if vague and self._complaint else failure.sentence
        if vague and self._may_reconnect:
            self._reconnect()
        else:
            self._end(Connection.FAILED, sentence)
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
        dead = self._intake.dead
        self._append(self._intake.take(pcm, self.conversation.user is User.MUTED))
        if self._intake.dead and not dead:
            self._show(notice=DEAD_MICROPHONE)
        elif dead and not self._intake.dead and self.conversation.notice == DEAD_MICROPHONE:
            self._show(notice="")
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
        if down and not self._intake.pressed:
            self._begin_talk(now)
        elif not down and self._intake.pressed:
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
        self._responses.expire(now)
        self._request_if_wanted(now)
        self._mind_the_clock(now)
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
                if not self._options.push_to_talk:
                    self._responses.expect(now)
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
        self._ready = self._was_up = True
        self._tries = 0
        self._show(connection=Connection.CONNECTED)
        for event in replay(self.conversation):
            self._send({**event, "event_id": self._id("replay")})
        self._append(self._intake.open())
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
        other = _text(error, "code") == "conversation_already_has_active_response"
        self._responses.refused(cause, other, now)
        if _text(error, "code") != "session_expired":  # the socket closes, and that is healed
            self._complain(failure)

    def _settings_refused(self, error: Event, failure: Failure) -> None:
        relaxed = relax(self._options, error)
        if relaxed is None:
            self._end(Connection.FAILED, f"The server refuses the settings. {failure.sentence}")
        else:
            self._options = relaxed
            self._configure()

    def _barge_in(self, now: float) -> None:
        """The user speaks: on the server's side, turn detection has cancelled what was running."""
        self._stop(now)
        if not self._server_interrupts:
            self._cancel()

    def _response_created(self, event: Event) -> None:
        self._playback.finish()  # a server that never ends an item must not keep the next one back
        if self._responses.created(_text(_at(event, "response"), "id")):
            self._complaint = ""
            self._show(notice="")
        else:
            self._cancel()

    def _audio(self, event: Event) -> None:
        try:
            pcm = decode(event["delta"])
        except (KeyError, ValueError):
            return
        self._playback.add(_text(event, "item_id"), _index(event), pcm)

    def _response_done(self, event: Event, now: float) -> None:
        response = _at(event, "response")
        self._responses.done(_text(response, "id"))
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
        if self._responses.is_unwanted(_text(event, "response_id")):
            # The item itself stays in the conversation, and so in the transcript's order.
            return type_ != "response.output_item.added"
        message = self.conversation.message(_text(event, "item_id"))
        return message is not None and message.status is Status.INTERRUPTED

    # Stopping, asking, ending.

    def _interrupt(self, now: float) -> None:
        """Stop the assistant by the user's wish: nobody else will cancel the response."""
        self._stop(now)
        self._responses.dismiss()
        self._cancel()

    def _stop(self, now: float) -> None:
        """Silence, at once; the server learns what was heard, the transcript keeps just that."""
        self._advance(now)
        cuts = self._playback.stop(now)
        for cut in cuts:
            if cut.received_ms:
                event_id = self._id("truncate")
                self._send(truncate(cut.item_id, cut.content_index, cut.heard_ms, event_id))
            self.conversation = talk.interrupt(self.conversation, cut.item_id)
        if cuts:
            self._outputs.append(StopPlayback())
        if self._responses.interrupt():
            self._interrupt_streaming()

    def _interrupt_streaming(self) -> None:
        """Replies without sound, or whose sound has not come yet."""
        for message in self.conversation.messages:
            if message.role == "assistant" and message.status is Status.STREAMING:
                self.conversation = talk.interrupt(self.conversation, message.item_id)

    def _cancel(self) -> None:
        """Cancel what runs unwanted; what is only asked for is cancelled when it begins."""
        if response_id := self._responses.to_cancel:
            event_id = self._id("cancel")
            self._send(
                {"type": "response.cancel", "event_id": event_id, "response_id": response_id}
            )

    def _say(self, text: str, now: float) -> None:
        self._interrupt(now)
        item_id = self._id("item_typed")
        self._send(user_text(item_id, text, self._id("say")))
        self.conversation = talk.typed(self.conversation, item_id, text)
        self._want_response(now)

    def _want_response(self, now: float) -> None:
        self._responses.want()
        self._request_if_wanted(now)

    def _request_if_wanted(self, now: float) -> None:
        if self._ready and not self._over and self._responses.due:
            event_id = self._id("response")
            self._responses.requested(event_id, now)
            self._send({"type": "response.create", "event_id": event_id})

    def _begin_talk(self, now: float) -> None:
        self._interrupt(now)
        self._send({"type": "input_audio_buffer.clear", "event_id": self._id("clear")})
        self._append(self._intake.press())
        self._show(user=User.SPEAKING)

    def _end_talk(self, now: float) -> None:
        long_enough = self._intake.release()
        self._show(user=User.LISTENING)
        if not long_enough:
            self._send({"type": "input_audio_buffer.clear", "event_id": self._id("clear")})
            self._show(notice="That was too short. Hold the button while you speak.")
            return
        self._send({"type": "input_audio_buffer.commit", "event_id": self._id("commit")})
        self._want_response(now)

    def _append(self, frames: list[bytes]) -> None:
        self._outputs += [SendAudio(pcm) for pcm in frames]

    def _configure(self) -> None:
        self._update_id = self._id("settings")
        self._send(session_update(self._options, self._update_id))

    def _give_up_waiting(self, now: float) -> None:
        """The server is silent: either it never spoke, or it does not confirm settings."""
        if self._greeted:
            self._become_ready(now)
        elif self._may_reconnect:
            self._reconnect()
        else:
            self._end(
                Connection.FAILED,
                "The server took the call but says nothing. Check REALTIME_BASE_URL.",
            )

    @property
    def _may_reconnect(self) -> bool:
        return self._was_up and self._tries < MOST_TRIES and not self._over

    def _reconnect(self) -> None:
        pause = min(FIRST_PAUSE_S * 2**self._tries, LONGEST_PAUSE_S)
        self._tries += 1
        self._ready = False
        self._silent_until = None
        self._renew_at = None
        self._intake.close()
        self._responses.reset()
        self._playback.finish()
        self.conversation = talk.lose(self.conversation)
        self._show(connection=Connection.RECONNECTING)
        self._outputs.append(Reconnect(pause * (1 - self._chance() / 4)))

    def _mind_the_clock(self, now: float) -> None:
        """The caller's limit, and the server's."""
        if self._limit_s and self._begun is not None:
            left = self._begun + self._limit_s - now
            if left <= 0:
                self._end(Connection.ENDED, "The time for this call is up. You can start another.")
            elif left <= GOODBYE_S:
                self._show(notice=f"This call ends in {ceil(left)} seconds.")
        if self._renew_at is not None and now >= self._renew_at and self._quiet(now):
            self._renew_at = None
            self._outputs.append(Renew())

    def _quiet(self, now: float) -> bool:
        """Whether nobody would notice a change of sockets."""
        return (
            self._ready
            and self.conversation.user is not User.SPEAKING
            and not self._responses.busy
            and not self._playback.speaking(now)
        )

    def _end(self, connection: Connection, notice: str) -> None:
        if self._over:
            return
        self._over = True
        self._playback.stop(0.0)
        self._responses.reset()
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
        if self._responses.thinking:
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
