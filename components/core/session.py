"""What to send, play, stop and show: one conversation with a Realtime API, without any I/O.

Five parts decide: `Link` (the session with the server), `Turns` (the user's side), `Replies` (the
responses and their functions), `Hearing` (the sound) and `Dialogue` (messages, limits, notices).
Rule: this class is the order in which they are told of what happens, and nothing else; none of the
parts knows another. `now` is a parameter, in seconds of any steady clock.
"""

from collections.abc import Callable
from typing import Final

from components.core.allowance import Limits
from components.core.conversation import Assistant, Connection, Conversation
from components.core.dialogue import RECONNECTED, RENEWED, Dialogue
from components.core.hearing import Hearing
from components.core.link import Agreement, Link, State
from components.core.notices import Subject
from components.core.outputs import (
    Complain,
    Hangup,
    Output,
    Send,
    SendAudio,
    Show,
    StopPlayback,
)
from components.core.pace import TOO_OFTEN
from components.core.replies import Replies
from components.core.turns import DEAD_MICROPHONE, MUTED, TOO_SHORT, Turns
from components.protocol.client_events import truncate, user_message
from components.protocol.events import Delta, ErrorEvent, ServerEvent, SpeechStarted, SpeechStopped
from components.protocol.failures import TOO_LARGE, Failure, Severity, failure_of_error
from components.protocol.fields import Json, clean
from components.protocol.images import Image
from components.protocol.options import Refused, SessionOptions
from components.protocol.prices import Cost

MOST_LINE_CHARACTERS: Final = 8000
TOO_LONG: Final = (
    f"That was too long to send: {MOST_LINE_CHARACTERS:,} characters is the most. Send it in parts."
)
MOST_EARLY_LINES: Final = 5
"""Typed before the session is ready, and sent when it is."""


class Session:
    """One call. The outputs that a method returns are to be performed at once and in order."""

    def __init__(
        self,
        options: SessionOptions,
        *,
        limits: Limits,
        chance: Callable[[], float],
        refused: Refused,
        past: Conversation | None = None,
        admit: Callable[[float], bool] = lambda _: True,
        surcharge: float = 1.0,
    ) -> None:
        """`chance` gives numbers from 0 to 1; `refused` is what this process has learned of
        servers; `past` is the conversation that this call goes on with; `admit` says whether the
        user may ask for an answer, at a moment, by typing or by the talk button; prices are
        multiplied by `surcharge`."""
        self._admit = admit
        self._link = Link(options, chance=chance, refused=refused)
        self._turns = Turns(options.push_to_talk)
        self._replies = Replies()
        self._hearing = Hearing()
        self._dialogue = Dialogue(options.model, limits, past, surcharge)
        self._state = self._link.state
        self._mark = ""
        self._early_lines: list[tuple[str, Image | None]] = []
        self._ids = 0

    @property
    def conversation(self) -> Conversation:
        """What is said and shown so far."""
        return self._dialogue.conversation

    @property
    def cost(self) -> Cost | None:
        """So far; None if nobody knows the model's price."""
        return self._dialogue.cost

    @property
    def dialogue(self) -> Dialogue:
        """Messages, and what may end the call."""
        return self._dialogue

    @property
    def agreement(self) -> Agreement:
        """What the session is like, and how far the server goes along with what is wanted."""
        return self._link.agreement

    # What happens on the wire.

    def connecting(self, now: float) -> list[Output]:
        """The shell has begun to connect."""
        self._dialogue.clear_notices()
        self._link.connect()
        return self._finish([], now)

    def connected(self, now: float, unix_s: float) -> list[Output]:
        """A socket is open: the first, or one in the place of another.

        `unix_s` is the time by the calendar.
        """
        if self._link.over:
            return [Hangup()]
        renewed = self._link.ready
        outputs = self._link.opened(now, unix_s)
        self._dialogue.begin(now)
        if renewed:  # this socket takes no sound before it is configured either
            self._turns.close()
            self._dialogue.lose()
            self._mark = RENEWED
        self._dialogue.archive(self._hearing.unheard)
        self._replies.reset()
        return self._finish(outputs, now)

    def lost(self, failure: Failure, now: float) -> list[Output]:
        """The socket could not be opened, or has closed; the last complaint may say why.

        A call that was up is taken up again, a few times; one that never was tells the user.
        """
        if self._link.over:
            return [Hangup()]
        if failure.severity is not Severity.TRANSIENT:
            return self._end(Connection.FAILED, failure.sentence, now)
        if failure == TOO_LARGE:
            self._dialogue.refuse_images()
        if self._link.may_reconnect:
            return self._finish(self._link.broken(), now)
        return self._end(Connection.FAILED, self._dialogue.complaint or failure.sentence, now)

    def receive(self, event: ServerEvent, now: float) -> list[Output]:
        """A server event."""
        if self._link.over:
            return []
        self._link.reacted()
        self._dialogue.tell(Subject.SERVER, "")
        outputs: list[Output] = []
        if not (self._replies.is_late(event) or self._dialogue.is_interrupted(event)):
            if isinstance(event, ErrorEvent):
                outputs += self._error(event, now)
            outputs += self._link.receive(event, now)
            outputs += self._receive_turn(event, now)
            self._dialogue.receive(event)
            self._hearing.receive(event, self._dialogue.conversation)
        if isinstance(event, Delta):  # no words are heard by it, and no response is due
            outputs = self._judge(outputs, now)
            return outputs if self._link.over else [*outputs, *self._shown()]
        return self._finish(outputs, now)

    def ran(self, call_id: str, output: str, now: float) -> list[Output]:
        """A function has run (`RunTool`); `output` is what the model is told."""
        if self._link.over:
            return []
        return self._finish(self._replies.ran(call_id, output), now)

    # What the user does.

    def microphone(self, pcm: bytes, now: float) -> list[Output]:
        """20 ms of sound (24 kHz, mono, PCM16)."""
        if self._link.over:
            return []
        frames = self._turns.microphone(pcm)
        self._dialogue.tell(Subject.MICROPHONE, DEAD_MICROPHONE if self._turns.dead else "")
        by_server = not self._turns.by_hand and not self._turns.muted
        if self._link.ready and by_server and not self._turns.speaking:
            self._link.listen(pcm)
        return [*(SendAudio(frame) for frame in frames), *self._shown()]

    def say(self, text: str, now: float, image: Image | None = None) -> list[Output]:
        """A typed turn, or an image; it interrupts the assistant as a spoken one would.

        Every line is said, and all that are typed while an answer is under way get one together.
        """
        line = clean(text[: MOST_LINE_CHARACTERS + 1]).strip()
        if not (line or image) or self._link.over:
            return []
        self._dialogue.active()
        if len(text) > MOST_LINE_CHARACTERS:
            return self._hint(TOO_LONG, now)
        if not self._admit(now):
            return self._hint(TOO_OFTEN, now)
        if self._link.ready:
            return self._finish(self._say(line, image, now), now)
        if len(self._early_lines) == MOST_EARLY_LINES:
            return self._hint("The last line was not sent. Wait until the call is connected.", now)
        self._early_lines.append((line, image))
        return self._finish([], now)

    def interrupt(self, now: float) -> list[Output]:
        """Stop the assistant, without saying anything."""
        if self._link.over:
            return []
        self._dialogue.active()
        outputs = self._stop(now)
        self._replies.release()
        return self._finish([*outputs, *self._replies.cancel()], now)

    def mute(self, muted: bool, now: float) -> list[Output]:
        """The user's microphone is switched off or on again."""
        if self._link.over:
            return []
        self._dialogue.active()
        self._turns.muted = muted
        return self._finish([], now)

    def push_to_talk(self, down: bool, now: float) -> list[Output]:
        """The talk button is pressed or released."""
        if not self._link.ready or not self._turns.by_hand:
            return []
        self._dialogue.active()
        return self._finish(self._press(now) if down else self._release(now), now)

    def change(self, options: SessionOptions, now: float) -> list[Output]:
        """The user wants other settings; in force once the server has confirmed them."""
        if self._link.over:
            return []
        self._dialogue.active()
        return self._finish(self._link.change(options), now)

    def cap(self, dollars: object) -> tuple[float | None, str]:
        """The user limits what the call may cost: the limit in force, and why it is not his."""
        problem = self._dialogue.cap(dollars)
        return self._dialogue.capped, problem

    def hang_up(self, now: float, notice: str = "") -> list[Output]:
        """The call is over by someone's wish; `notice` says why, if it was not the user's."""
        if self._link.over:
            return [Hangup()]
        return self._end(Connection.ENDED, notice, now)

    # What time does.

    def frame(self, now: float) -> bytes | None:
        """The 20 ms to play now; None for silence."""
        return self._hearing.frame(now)

    @property
    def has_sound(self) -> bool:
        """Whether `frame` has something to give."""
        return self._hearing.has_sound

    def is_quiet(self, now: float) -> bool:
        """Whether nobody speaks or is about to, so that a change of sockets goes unnoticed."""
        busy = self._turns.speaking or self._replies.busy or self._hearing.speaking(now)
        return self._link.ready and not busy

    def playout_delay(self, seconds: float) -> None:
        """How long the browser holds sound back; measured by the page, so not to be trusted."""
        self._hearing.delay(seconds)

    def tick(self, now: float) -> list[Output]:
        """Time has passed; to be called some twenty times a second."""
        if self._link.over:
            return []
        outputs = self._link.tick(now)
        self._replies.tick(now)
        self._dialogue.tell(Subject.SERVER, self._link.silence(now))
        outputs = self._settle(outputs, now)
        if self._link.over:
            return outputs
        if sentence := self._dialogue.tick(now):
            return [*outputs, *self._end(Connection.ENDED, sentence, now)]
        if self.is_quiet(now):
            outputs += self._link.renew(now)
        return [*outputs, *self._shown()]

    # What one part's news means for the others.

    def _error(self, event: ErrorEvent, now: float) -> list[Output]:
        """About the settings, or about a response, or about the session, or just to be told."""
        outputs = self._link.refuses(event)
        if outputs is None:
            outputs = self._replies.refused(event, now)
        if outputs is not None:
            return outputs
        if event.error.is_expiry and self._link.may_reconnect:
            return self._link.broken()  # the server closes the socket as well, or should
        self._dialogue.refuse_image(event.error.event_id)
        return [Complain(failure_of_error(event.error))]

    def _receive_turn(self, event: ServerEvent, now: float) -> list[Output]:
        """Speech is the server's to find only where it ends the turns."""
        self._turns.receive(event)
        if not isinstance(event, SpeechStarted | SpeechStopped):
            return self._replies.receive(event, now)
        outputs: list[Output] = []
        if isinstance(event, SpeechStarted):
            outputs = self._barge_in(now)
        if not self._turns.by_hand:
            outputs += self._replies.receive(event, now)
        return outputs

    def _barge_in(self, now: float) -> list[Output]:
        """The user speaks: turn detection has cancelled what was running, if the server says so."""
        outputs = self._stop(now)
        return outputs if self._link.interrupts else [*outputs, *self._replies.cancel()]

    def _stop(self, now: float) -> list[Output]:
        """Silence, at once; the server learns what was heard, the transcript keeps just that."""
        self._advance(now)
        outputs: list[Output] = []
        cuts = self._hearing.stop(now)
        for cut in cuts:
            if cut.received_ms:
                event = truncate(cut.item_id, cut.content_index, cut.heard_ms, self._id("truncate"))
                outputs.append(Send(event))
            self._dialogue.interrupt(cut.item_id)
        if cuts:
            outputs.append(StopPlayback())
        if self._replies.interrupt():
            self._dialogue.interrupt_streaming()
        return outputs

    def _say(self, line: str, image: Image | None, now: float) -> list[Output]:
        outputs = [*self._stop(now), *self._replies.cancel()]
        item_id = self._dialogue.typed(line, image)
        url = image.url if image else ""
        outputs.append(Send(user_message(item_id, line, url)))
        return [*outputs, *self._want_response(now)]

    def _want_response(self, now: float) -> list[Output]:
        self._link.asked(now)
        self._replies.want()
        return self._ask(now)

    def _ask(self, now: float) -> list[Output]:
        """Ask for the response that is wanted or owed, if the call may have one."""
        if not self._link.ready or self._dialogue.spent:
            return []
        return self._replies.ask(now)

    def _press(self, now: float) -> list[Output]:
        if self._turns.muted:
            self._dialogue.tell(Subject.HINT, MUTED)
            return []
        if not self._turns.speaking and not self._admit(now):
            self._dialogue.tell(Subject.HINT, TOO_OFTEN)
            return []
        if (frames := self._turns.press()) is None:
            return []
        self._replies.take_word()
        clear: Json = {"type": "input_audio_buffer.clear", "event_id": self._id("clear")}
        outputs = [*self._stop(now), *self._replies.cancel(), Send(clear)]
        return [*outputs, *(SendAudio(frame) for frame in frames)]

    def _release(self, now: float) -> list[Output]:
        long_enough = self._turns.release()
        if long_enough is None:
            return []
        if not long_enough:
            self._replies.give_word()
            self._dialogue.tell(Subject.HINT, TOO_SHORT)
            return [Send({"type": "input_audio_buffer.clear", "event_id": self._id("clear")})]
        commit: Json = {"type": "input_audio_buffer.commit", "event_id": self._id("commit")}
        return [Send(commit), *self._want_response(now)]

    def _follow_link(self, now: float) -> list[Output]:
        """The session has become ready, or is gone: what that means for everything else."""
        before, self._state = self._state, self._link.state
        if self._state is State.READY:
            self._turns.switch(self._link.options.push_to_talk)
            return [] if before is State.READY else self._begin(now)
        if self._state is State.LOST and before is not State.LOST:
            self._mark = RECONNECTED
            self._turns.close()
            self._replies.reset()
            self._hearing.finish()
            self._dialogue.lose()
            self._dialogue.tell(Subject.SERVER, "")
        return []

    def _begin(self, now: float) -> list[Output]:
        """The session is ready: it is told what was said, then what the user has said meanwhile."""
        outputs: list[Output] = [Send(event) for event in self._dialogue.replay()]
        if self._mark:
            self._dialogue.note(self._mark)
            self._mark = ""
        elif not self._early_lines:
            outputs += self._greet(now)
        outputs += [SendAudio(frame) for frame in self._turns.open()]
        lines, self._early_lines = self._early_lines, []
        for line, image in lines:
            outputs += self._say(line, image, now)
        return outputs

    def _greet(self, now: float) -> list[Output]:
        """The assistant has the first word, if it is to have it and nothing was said before."""
        wants = self._link.options.first_word == "assistant"
        fresh = not self.conversation.messages
        return self._want_response(now) if wants and fresh and self._admit(now) else []

    def _end(self, connection: Connection, sentence: str, now: float) -> list[Output]:
        self._link.end(connection)
        self._state = self._link.state
        self._advance(now)
        self._hearing.stop(now)
        self._replies.reset()
        self._dialogue.end(connection, sentence)
        return [*self._shown(), Hangup()]

    # After everything else.

    def _hint(self, sentence: str, now: float) -> list[Output]:
        self._dialogue.tell(Subject.HINT, sentence)
        return self._finish([], now)

    def _finish(self, outputs: list[Output], now: float) -> list[Output]:
        """The outputs, with what follows from them, and with what has to be shown."""
        outputs = self._settle(outputs, now)
        return outputs if self._link.over else [*outputs, *self._shown()]

    def _settle(self, outputs: list[Output], now: float) -> list[Output]:
        """What follows from what was done: the link's state, a response, the words heard by now."""
        outputs += self._follow_link(now)
        outputs += self._ask(now)
        self._advance(now)
        self._dialogue.time(now)
        return self._judge(outputs, now)

    def _judge(self, outputs: list[Output], now: float) -> list[Output]:
        """The outputs without complaints, which may end the call; then what everyone does now."""
        told, fatal = self._dialogue.judge(outputs)
        if fatal:
            return [*told, *self._end(Connection.FAILED, fatal, now)]
        self._dialogue.states(self._link.connection, self._turns.user, self._assistant(now))
        return told

    def _shown(self) -> list[Output]:
        conversation = self._dialogue.show()
        return [] if conversation is None else [Show(conversation)]

    def _advance(self, now: float) -> None:
        """Bring the heard words up to the moment."""
        dialogue = self._dialogue
        dialogue.conversation = self._hearing.advance(dialogue.conversation, now)

    def _assistant(self, now: float) -> Assistant:
        if self._hearing.speaking(now):
            return Assistant.SPEAKING
        return Assistant.THINKING if self._replies.thinking else Assistant.IDLE

    def _id(self, purpose: str) -> str:
        """An id of our own: the server's errors come back with it."""
        self._ids += 1
        return f"{purpose}_{self._ids}"
