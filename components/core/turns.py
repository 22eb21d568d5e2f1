"""Who has the word on the user's side, and what of the microphone the server gets.

Rule: turns end by the server's turn detection or by hand, one of the two at a time. Mute is a
switch of its own: a muted microphone sends silence, as a turn ends by hearing it, and whether the
user speaks is not touched by it.
"""

from collections import deque
from typing import Final

from components.audio import FRAME_MS
from components.core.conversation import User
from components.core.intake import Intake
from components.protocol.events import BufferCleared, ServerEvent, SpeechStarted, SpeechStopped

PRE_ROLL_FRAMES: Final = 400 // FRAME_MS
"""From before the talk button was pressed, as people speak a little before they press."""
LEAST_TURN_FRAMES: Final = 100 // FRAME_MS
"""The API refuses to commit less than 100 ms."""
DEAD_MICROPHONE: Final = (
    "Your microphone gives no sound at all. Check that it is the right one and not switched off."
)
MUTED: Final = "Your microphone is muted. Switch it on, then hold the button while you speak."
TOO_SHORT: Final = "That was too short. Hold the button while you speak."


class ServerTurns:
    """The server's turn detection says when the user speaks; every frame goes to it."""

    by_hand: Final = False

    def __init__(self) -> None:
        self.speaking = False

    def receive(self, event: ServerEvent) -> None:
        """Speech begins and ends."""
        match event:
            case SpeechStarted():
                self.speaking = True
            case SpeechStopped() | BufferCleared():
                self.speaking = False

    def gate(self, pcm: bytes) -> bytes | None:
        """The frame, if the server is to get it."""
        return pcm

    def drop(self) -> None:
        """The session is gone, and with it a turn that was under way."""
        self.speaking = False


class ManualTurns:
    """The user speaks while the talk button is held; only then frames go to the server."""

    by_hand: Final = True

    def __init__(self) -> None:
        self._before: deque[bytes] = deque(maxlen=PRE_ROLL_FRAMES)
        self._held: int | None = None
        """Frames of the turn so far; None while the button is not held."""

    @property
    def speaking(self) -> bool:
        return self._held is not None

    def receive(self, event: ServerEvent) -> None:
        """What a server finds in the sound does not begin or end a turn."""

    def gate(self, pcm: bytes) -> bytes | None:
        """The frame, if the button is held."""
        if self._held is None:
            self._before.append(pcm)
            return None
        self._held += 1
        return pcm

    def press(self) -> list[bytes]:
        """The button goes down: what was said just before."""
        before = list(self._before)
        self._before.clear()
        self._held = len(before)
        return before

    def release(self) -> bool:
        """The button goes up: whether the turn is long enough to be one."""
        held, self._held = self._held or 0, None
        return held >= LEAST_TURN_FRAMES

    def drop(self) -> None:
        """The session is gone, and with it a turn that was under way."""
        self._held = None


class Turns:
    """The user's side of a call."""

    def __init__(self, by_hand: bool) -> None:
        self.muted = False
        self._intake = Intake()
        self._mode: ServerTurns | ManualTurns = ManualTurns() if by_hand else ServerTurns()

    @property
    def user(self) -> User:
        """The state word."""
        if self.muted:
            return User.MUTED
        return User.SPEAKING if self.speaking else User.LISTENING

    @property
    def speaking(self) -> bool:
        """Whether a turn is under way, muted or not."""
        return self._mode.speaking

    @property
    def by_hand(self) -> bool:
        """Whether the talk button ends the turns."""
        return self._mode.by_hand

    @property
    def dead(self) -> bool:
        """Whether the microphone has given no sound at all since the call began."""
        return self._intake.dead

    def switch(self, by_hand: bool) -> None:
        """From now on turns end by hand, or by the server's turn detection."""
        if by_hand != self.by_hand:
            self._mode = ManualTurns() if by_hand else ServerTurns()

    def receive(self, event: ServerEvent) -> None:
        """A server event."""
        self._mode.receive(event)

    def microphone(self, pcm: bytes) -> list[bytes]:
        """A frame of the microphone: what is to be sent now."""
        if self.muted:
            pcm = bytes(len(pcm))
        else:
            self._intake.check(pcm)
        wanted = self._mode.gate(pcm)
        return [] if wanted is None else self._intake.take(wanted)

    def press(self) -> list[bytes] | None:
        """The talk button goes down: what is to be sent at once; None if that means nothing now."""
        if isinstance(self._mode, ServerTurns) or self._mode.speaking:
            return None
        return self._mode.press()

    def release(self) -> bool | None:
        """The talk button goes up: whether the turn is long enough; None if none was under way."""
        if isinstance(self._mode, ServerTurns) or not self._mode.speaking:
            return None
        return self._mode.release()

    def open(self) -> list[bytes]:
        """The session is configured: what has waited, in order."""
        return self._intake.open()

    def close(self) -> None:
        """The session is gone, for now."""
        self._intake.close()
        self._mode.drop()
