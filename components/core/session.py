"""What to send, play, stop and show: one conversation with a Realtime API, without any I/O.

`RealtimeSession` is told what happens (the socket opened, an event came, the microphone gave 20 ms,
the user pressed something, time passed) and answers with a list of outputs for the shell to perform
in order. Rule: no clock, socket or task in here; `now` is a parameter, in seconds of any steady
clock.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from components.audio import decode
from components.core import conversation as talk
from components.core.allowance import Allowance
from components.core.captions import Captions
from components.core.conversation import Assistant, Connection, Conversation, Status, User
from components.core.history import replay
from components.core.intake import Intake
from components.core.liveness import NO_REACTION, NOT_ANSWERED, Liveness
from components.core.notices import Notices, Subject
from components.core.outputs import (
    Hangup,
    Output,
    Reconnect,
    Renew,
    Send,
    SendAudio,
    Show,
    StopPlayback,
)
from components.core.playback import MAX_DELAY_S, Playback
from components.core.replies import Responses
from components.core.retries import Retries
from components.protocol.client_events import truncate, user_text
from components.protocol.failures import Failure, Severity, failure_of_error
from components.protocol.fields import Event, at, clean, content_index, identity, text
from components.protocol.options import SessionOptions, relax, session_update
from components.protocol.overload import PAUSE_S, is_overload, pause_s
from components.protocol.prices import cost

CREATED_LIMIT_S: Final = 8.0
"""A server that has said nothing by then is no Realtime API, or is stuck."""
UPDATED_LIMIT_S: Final = 5.0
"""A server that has not confirmed the settings by then never will (digest 8.1)."""
RENEW_AFTER_S: Final = 55 * 60.0
"""The API ends a session after an hour; it is renewed before, when nobody speaks."""
MOST_LINE_CHARACTERS: Final = 8000
MOST_EARLY_LINES: Final = 5
"""Typed before the session is ready, and sent when it is."""
MOST_NOTE_CHARACTERS: Final = 1000
DEAD_MICROPHONE: Final = (
    "Your microphone gives no sound at all. Check that it is the right one and not switched off."
)
CONTINUED: Final = "continued"
RENEWED: Final = "session renewed"
RECONNECTED: Final = "reconnected"


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
        self.conversation = Conversation()
        self._options = options
        self._chance = chance
        self._playback = Playback()
        self._captions = Captions(self._playback)
        self._responses = Responses()
        self._allowance = Allowance(limit_s, idle_s, most_cost)
        self._liveness = Liveness()
        self._notices = Notices()
        self._retries = Retries()
        self._renew_at: float | None = None
        self._overload_pause_s = PAUSE_S
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
        self._mark = ""
        self._stirred = False
        self._ids = 0
        self._outputs: list[Output] = []
        if past:
            self.conversation = replace(self.conversation, messages=talk.settle(past).messages)
            self._note(CONTINUED)
        self._shown = self.conversation

    # What happens on the wire.

    def connecting(self) -> list[Output]:
        """The shell has begun to connect."""
        self._notices.clear()
        self._show(connection=Connection.CONNECTING)
        return self._flush()

    def connected(self, now: float) -> list[Output]:
        """The socket is open. The settings go out before the server speaks: a round trip less."""
        if self._over:
            return self._flush()
        self._allowance.begin(now)
        self._renew_at = now + RENEW_AFTER_S
        if self._ready:  # a renewal: this socket takes no sound before it is configured either
            self._intake.close()
            self.conversation = talk.lose(self.conversation)
            self._mark = RENEWED
        self.conversation = talk.archive(self.conversation, self._captions.unheard)
        self._greeted = self._ready = False
        self._silent_until = now + CREATED_LIMIT_S
        self._responses.reset()
        self._liveness.reacted()
        self._liveness.asked(NOT_ANSWERED, now)
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
        self._liveness.reacted()
        self._notices.tell(Subject.SERVER, "")
        if not self._is_late(event):
            self._handle(event, now)
            self._reduce(event)
        if event["type"].endswith(".delta"):  # these come by the hundred, and end nothing
            self._show(assistant=self._assistant(now))
        else:
            self._advance(now)
        return self._flush()

    # What the user does.

    def microphone(self, pcm: bytes) -> list[Output]:
        """20 ms of sound. A muted microphone sends silence, as a turn ends by hearing it."""
        if self._over:
            return []
        self._append(self._intake.take(pcm, self.conversation.user is User.MUTED))
        dead = DEAD_MICROPHONE if self._intake.dead else ""
        self._notices.tell(Subject.MICROPHONE, dead)
        listening = self.conversation.user is User.LISTENING and not self._options.push_to_talk
        if self._ready and listening:
            self._liveness.listen(pcm)
        return self._flush()

    def say(self, text: str, now: float) -> list[Output]:
        """A typed turn; it interrupts the assistant as a spoken one would."""
        line = clean(text[: MOST_LINE_CHARACTERS + 1]).strip()
        if not line or self._over:
            return []
        self._stirred = True
        if len(text) > MOST_LINE_CHARACTERS:
            return self._hint(
                f"That was too long to send: {MOST_LINE_CHARACTERS:,} characters is the most. "
                "Send it in parts."
            )
        if self._ready:
            self._say(line, now)
            self._advance(now)
        elif len(self._early_lines) < MOST_EARLY_LINES:
            self._early_lines.append(line)
        else:
            return self._hint("The last line was not sent. Wait until the call is connected.")
        return self._flush()

    def interrupt(self, now: float) -> list[Output]:
        """Stop the assistant, without saying anything."""
        self._stirred = True
        self._interrupt(now)
        self._advance(now)
        return self._flush()

    def mute(self, muted: bool) -> list[Output]:
        """The user's microphone is switched off or on again."""
        self._stirred = True
        if muted != (self.conversation.user is User.MUTED):
            self._show(user=User.MUTED if muted else User.LISTENING)
        return self._flush()

    def push_to_talk(self, down: bool, now: float) -> list[Output]:
        """The talk button is pressed or released (digest 5.6)."""
        if not self._options.push_to_talk or not self._ready or self._over:
            return []
        self._stirred = True
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

    def is_quiet(self, now: float) -> bool:
        """Whether nobody speaks or is about to, so that a change of sockets goes unnoticed."""
        return (
            self._ready
            and not self._over
            and self.conversation.user is not User.SPEAKING
            and not self._responses.busy
            and not self._playback.speaking(now)
        )

    def playout_delay(self, seconds: float) -> None:
        """How long the browser holds sound back; measured by the page, so not to be trusted."""
        self._playback.delay_s = min(max(0.0, seconds), MAX_DELAY_S)  # 0 for NaN, too

    def tick(self, now: float) -> list[Output]:
        """Time has passed; to be called some twenty times a second."""
        if self._over:
            return []
        if self._silent_until is not None and now >= self._silent_until:
            self._give_up_waiting(now)
        self._responses.expire(now)
        self._retries.tick(now)
        self._request_if_wanted(now)
        self._notices.tell(Subject.SERVER, self._liveness.sentence(now))
        self._advance(now)
        self._mind_the_limits(now)
        self._renew_if_due(now)
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
                self._playback.finish(identity(event, "item_id"))
            case "response.done":
                self._response_done(event, now)
            case "rate_limits.updated":
                self._overload_pause_s = pause_s(event)

    def _created(self, event: Event, now: float) -> None:
        self._greeted = True
        self._silent_until = now + UPDATED_LIMIT_S
        notes = at(event, "session", "practice").get("notes")
        if isinstance(notes, list):
            sentence = " ".join(note for note in notes if isinstance(note, str))
            self._notices.tell(Subject.HINT, clean(sentence[:MOST_NOTE_CHARACTERS]))

    def _updated(self, event: Event, now: float) -> None:
        """The effective settings: they, not our wishes, say who cancels on a barge-in.

        Where a server does not tell, we cancel as well: one time too many is a benign error.
        """
        turn_detection = at(event, "session", "audio", "input", "turn_detection")
        self._server_interrupts = turn_detection.get("interrupt_response") is True
        self._become_ready(now)

    def _become_ready(self, now: float) -> None:
        """What the user has said and typed meanwhile goes out, in order."""
        self._silent_until = None
        if self._ready:
            return
        self._ready = self._was_up = True
        self._retries.ready(now)
        self._show(connection=Connection.CONNECTED)
        for event in replay(self.conversation):
            self._send({**event, "event_id": self._id("replay")})
        if self._mark:
            self._note(self._mark)
            self._mark = ""
        self._append(self._intake.open())
        lines, self._early_lines = self._early_lines, []
        for line in lines:
            self._say(line, now)

    def _error(self, event: Event, now: float) -> None:
        error = at(event, "error")
        failure = failure_of_error(error)
        cause = text(error, "event_id")
        unnamed = not cause and not self._ready and failure.severity is Severity.NOTICE
        if unnamed or (cause and cause == self._update_id):
            self._settings_refused(error, failure)
            return
        if self._responses.refused(cause, _names_another_response(error), now):
            self._complain_or_ask_again(error, failure, now)
        elif text(error, "code") == "session_expired" and self._may_reconnect:
            self._reconnect()  # the server closes the socket as well, or should
        else:
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
        if self._responses.created(identity(at(event, "response"), "id")):
            self._complaint = ""
            self._notices.tell(Subject.COMPLAINT, "")
            self._notices.tell(Subject.HINT, "")
        else:
            self._cancel()

    def _audio(self, event: Event) -> None:
        try:
            pcm = decode(event["delta"])
        except (KeyError, ValueError):
            return
        self._playback.add(identity(event, "item_id"), content_index(event) or 0, pcm)

    def _response_done(self, event: Event, now: float) -> None:
        response = at(event, "response")
        awaited = self._responses.done(identity(response, "id"))
        self._playback.finish()
        if response.get("status") == "failed":
            error = at(response, "status_details", "error")
            failure = failure_of_error(error)
            if awaited:
                self._complain_or_ask_again(error, failure, now)
            else:
                self._complain(failure)
        elif response.get("status") == "completed":
            self._responses.completed()
        self._request_if_wanted(now)

    def _complain_or_ask_again(self, error: Event, failure: Failure, now: float) -> None:
        """The response that the user waits for did not come, or not whole."""
        pause = self._overload_pause_s
        if is_overload(error) and self._responses.want_again(now + pause):
            self._complaint = failure.sentence
            self._notices.tell(
                Subject.COMPLAINT,
                f"The server is busy. The answer is asked for again in {pause:.0f} seconds.",
            )
        else:
            self._complain(failure)

    def _complain(self, failure: Failure) -> None:
        if failure.severity is Severity.PERMANENT:
            self._end(Connection.FAILED, failure.sentence)
        elif failure.severity is not Severity.BENIGN:
            self._complaint = failure.sentence
            self._notices.tell(Subject.COMPLAINT, failure.sentence)

    def _is_late(self, event: Event) -> bool:
        """Whether the event belongs to a reply that the user has already stopped."""
        type_: str = event["type"]
        if not type_.startswith("response.") or type_ in ("response.done", "response.created"):
            return False
        if self._responses.is_unwanted(identity(event, "response_id")):
            # The item itself stays in the conversation, and so in the transcript's order.
            return type_ != "response.output_item.added"
        message = self.conversation.message(identity(event, "item_id"))
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

    def _say(self, line: str, now: float) -> None:
        self._interrupt(now)
        item_id = self._new_message_id("item_typed")
        self._send(user_text(item_id, line, self._id("say")))
        self.conversation = talk.typed(self.conversation, item_id, line)
        self._want_response(now)

    def _want_response(self, now: float) -> None:
        self._liveness.asked(NO_REACTION, now)
        self._responses.want()
        self._request_if_wanted(now)

    def _request_if_wanted(self, now: float) -> None:
        allowed = self._ready and not self._over and not self._allowance.spent
        if allowed and self._responses.due:
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
            self._notices.tell(Subject.HINT, "That was too short. Hold the button while you speak.")
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
        return self._was_up and self._retries.left and not self._over

    def _reconnect(self) -> None:
        self._ready = False
        self._mark = RECONNECTED
        self._silent_until = None
        self._renew_at = None
        self._intake.close()
        self._responses.reset()
        self._liveness.reacted()
        self._notices.tell(Subject.SERVER, "")
        self._playback.finish()
        self.conversation = talk.lose(self.conversation)
        self._show(connection=Connection.RECONNECTING)
        self._outputs.append(Reconnect(self._retries.pause_s(self._chance())))

    def _mind_the_limits(self, now: float) -> None:
        """Those of this call; the server's own are its business."""
        assistant = self.conversation.assistant
        speaking = User.SPEAKING, Assistant.SPEAKING
        if self._stirred or self.conversation.user in speaking or assistant in speaking:
            self._allowance.stir(now)
            self._stirred = False
        verdict = self._allowance.verdict(now, assistant is not Assistant.IDLE)
        if verdict and verdict.over:
            self._end(Connection.ENDED, verdict.sentence)
        else:
            self._notices.tell(Subject.ENDING, verdict.sentence if verdict else "")

    def _renew_if_due(self, now: float) -> None:
        if self._renew_at is not None and now >= self._renew_at and self.is_quiet(now):
            self._renew_at = None
            self._outputs.append(Renew())

    def _end(self, connection: Connection, sentence: str) -> None:
        if self._over:
            return
        self._over = True
        self._playback.stop(0.0)
        self._responses.reset()
        if connection is Connection.FAILED:
            self.conversation = talk.lose(self.conversation)
        self.conversation = talk.settle(self.conversation)
        self._show(
            connection=connection, user=User.LISTENING, assistant=Assistant.IDLE, notice=sentence
        )

    # Keeping the shown conversation true.

    def _reduce(self, event: Event) -> None:
        usage = self.conversation.usage
        self.conversation = self._captions.reduce(self.conversation, event)
        if self.conversation.usage is not usage:
            self._allowance.spend(cost(self.conversation.usage, self._options.model))

    def _advance(self, now: float) -> None:
        """Bring the assistant's state and the heard words up to the moment."""
        if self._over:
            return
        self.conversation = self._captions.advance(self.conversation, now)
        self._show(assistant=self._assistant(now))

    def _assistant(self, now: float) -> Assistant:
        if self._playback.speaking(now):
            return Assistant.SPEAKING
        if self._responses.thinking:
            return Assistant.THINKING
        return Assistant.IDLE

    def _note(self, words: str) -> None:
        """Mark where what was said before ends and something new begins."""
        note_id = self._new_message_id("note")
        self.conversation = talk.note(self.conversation, note_id, words)

    def _hint(self, sentence: str) -> list[Output]:
        self._notices.tell(Subject.HINT, sentence)
        return self._flush()

    def _show(self, **changes: Any) -> None:
        if any(getattr(self.conversation, name) != value for name, value in changes.items()):
            self.conversation = replace(self.conversation, **changes)

    def _send(self, event: Event) -> None:
        self._outputs.append(Send(event))

    def _id(self, purpose: str) -> str:
        """An id of our own: the server's errors come back with it (digest 4)."""
        self._ids += 1
        return f"{purpose}_{self._ids}"

    def _new_message_id(self, purpose: str) -> str:
        """An id that no message has, not even one of an earlier call."""
        while self.conversation.message(item_id := self._id(purpose)):
            pass
        return item_id

    def _flush(self) -> list[Output]:
        if not self._over:  # a goodbye stands
            self._show(notice=self._notices.sentence)
        outputs, self._outputs = self._outputs, []
        if self.conversation != self._shown:
            self._shown = self.conversation
            outputs.append(Show(self.conversation))
        if self._over:
            outputs.append(Hangup())
        return outputs


def _names_another_response(error: Event) -> bool:
    """Whether an error says that a response is under way; some servers leave the code out."""
    code = text(error, "code")
    if code:
        return code == "conversation_already_has_active_response"
    return "already has an active response" in text(error, "message")[:300]
