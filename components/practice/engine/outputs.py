"""What the engine asks of its shell, and where it collects that.

Rule: outputs are performed in the order given; `Emit` goes to the client, everything else to a part
of the server, whose result comes back by the method of `Engine` that its docstring names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.practice.engine.g711 import Coder, encoder

Event = Mapping[str, Any]
NewId = Callable[[str], str]
"""A fresh id with this prefix."""


@dataclass(frozen=True, slots=True)
class Emit:
    """Send a server event."""

    event: Event


@dataclass(frozen=True, slots=True)
class Detect:
    """Find the speech in more audio; answer with `Engine.detected`. `reset` first when told."""

    pcm: bytes
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Recognise:
    """More audio of an utterance, for the ears; the first one opens it."""

    item_id: str
    pcm: bytes
    language: str = ""
    """What the client says it is, as a code such as "en"; empty if it does not say."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The speaker is quiet, and may have finished: ears that need time can begin."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Resume:
    """The speaker goes on: what was begun at the pause was too soon."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Transcribe:
    """The utterance is over: answer with `Engine.transcript`."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Forget:
    """The utterance will never be committed."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Think:
    """Find an answer: `Engine.say` and `Engine.call` any number of times, then `Engine.thought`."""

    response_id: str
    items: Sequence[Event]
    """The context, as conversation items of the API; what was recognised stands in `transcript`,
    and where a client has told how much of an answer was heard, all that was sent in `sent`."""
    words: str | None
    """The user's last words, typed or recognised; None if there are no ears, or nobody has said
    anything; "" if no words could be made out."""
    seconds: float
    """How long the user spoke; 0 if the last words were typed."""
    instructions: str
    tools: Sequence[Event]
    tool_choice: str | Event
    silence_s: float = 0.0
    """How long the silence was by which the end of the speech was known; 0 if there was none."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Say this: `Engine.spoken` for each chunk of sound, then `Engine.said`."""

    response_id: str
    text: str
    voice: str
    speed: float


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop thinking and speaking for a response; late results are ignored."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection."""

    code: int
    reason: str


Hearing = Recognise | Pause | Resume | Transcribe | Forget
"""What concerns the ears."""
Output = Emit | Detect | Hearing | Think | Speak | Cancel | Close


class Outbox:
    """The outputs of the call under way."""

    def __init__(self, new_id: NewId) -> None:
        self.new_id = new_id
        self._outputs: list[Output] = []

    def emit(self, type_: str, **fields: Any) -> None:
        """A server event, with the next event id."""
        event = {"type": type_, "event_id": self.new_id("event"), **fields}
        self._outputs.append(Emit(event))

    def ask(self, output: Output) -> None:
        """Anything else."""
        self._outputs.append(output)

    def encoder(self, format_type: str) -> Coder:
        """What codes the sound of one response."""
        return encoder(format_type)

    def drain(self) -> list[Output]:
        """Everything collected so far."""
        outputs, self._outputs = self._outputs, []
        return outputs
