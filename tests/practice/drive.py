"""Drives an engine without its shell: a clock that stands still, and parts that do as told."""

from collections.abc import Sequence
from typing import Any, Final

from components.audio import BYTES_PER_MS, encode
from components.practice.engine.engine import Engine
from components.practice.engine.outputs import Detect, Emit, Output, Speak, Think, Transcribe
from tests.wire import validate_server_event

EXTENSIONS: Final = ("session.id", "session.object", "session.expires_at", "session.practice")
"""The API sends the first three too; the SDK's type, shared with the request, lacks them."""
HOP_MS: Final = 20


def audio(length_ms: int) -> str:
    """So much silence, as an append carries it."""
    return encode(bytes(length_ms * BYTES_PER_MS))


def judged(event: Any) -> dict[str, Any]:
    """The event, known to be one that the API may send."""
    validate_server_event(event, EXTENSIONS)
    return dict(event)


class Outputs(list[Output]):
    """The outputs of one call, every event of them judged by the SDK's types."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        super().__init__(outputs)
        self.events = [judged(output.event) for output in outputs if isinstance(output, Emit)]

    @property
    def types(self) -> list[str]:
        """What happened in order: an event's type, or the name of a request to the shell."""
        return [o.event["type"] if isinstance(o, Emit) else type(o).__name__ for o in self]

    def event(self, type_: str) -> dict[str, Any]:
        """The only event of this type."""
        (event,) = [event for event in self.events if event["type"] == type_]
        return event

    def one(self, kind: type) -> Any:
        """The only request of this kind."""
        (request,) = [output for output in self if isinstance(output, kind)]
        return request

    @property
    def error(self) -> dict[str, Any]:
        return dict(self.event("error")["error"])


class Drive:
    """One session, opened; `now` moves only by hand."""

    def __init__(self, model: str = "practice-engine", **settings: Any) -> None:
        self.now = 0.0
        self.engine = Engine(model, **{"hop_ms": HOP_MS, **settings})
        self.opened = Outputs(self.engine.open(self.now))

    def send(self, type_: str, **fields: Any) -> Outputs:
        """A client event."""
        return self.receive({"type": type_, **fields})

    def receive(self, event: Any) -> Outputs:
        """Any message."""
        return Outputs(self.engine.receive(event, self.now))

    def update(self, **session: Any) -> Outputs:
        """Change the session."""
        return self.send("session.update", session={"type": "realtime", **session})

    def turn_detection(self, turn_detection: Any, transcribe: bool = True) -> Outputs:
        """Choose how turns are found, and whether they are written down."""
        transcription = {"model": "gpt-transcribe"} if transcribe else None
        return self.update(
            audio={"input": {"turn_detection": turn_detection, "transcription": transcription}}
        )

    def user_sounds(self, length_ms: int, probability: float) -> Outputs:
        """Audio from the microphone that is speech, or not."""
        appended = self.send("input_audio_buffer.append", audio=audio(length_ms))
        detected: list[Output] = []
        if any(isinstance(output, Detect) for output in appended):
            hops = [probability] * (length_ms // HOP_MS)
            detected = self.engine.detected(hops, self.now)
        return Outputs([*appended, *detected])

    def spoken_turn(self, text: str | None = "hello there") -> Outputs:
        """The user says something; all outputs until somebody has to think."""
        turn = self.user_turn()
        item_id = turn.one(Transcribe).item_id
        return Outputs([*turn, *self.engine.transcript(item_id, text, self.now)])

    def user_turn(self) -> Outputs:
        """The user speaks; all outputs until somebody has to write it down."""
        return Outputs([*self.user_sounds(1000, 0.9), *self.user_sounds(500, 0.0)])

    def type(self, text: str, **fields: Any) -> Outputs:
        """The user types something."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content, **fields}
        return self.send("conversation.item.create", item=item)

    def think(self, outputs: Outputs) -> str:
        """Who has to think."""
        think: Think = outputs.one(Think)
        return think.response_id

    def say(self, response_id: str, text: str) -> Outputs:
        """One sentence as an answer, spoken at once with 200 ms for each word."""
        outputs = self.engine.say(response_id, text, self.now)
        outputs += self.engine.thought(response_id, self.now)
        if any(isinstance(output, Speak) for output in outputs):
            outputs += self.sound(response_id, text)
            outputs += self.engine.said(response_id, self.now)
        return Outputs(outputs)

    def sound(self, response_id: str, text: str) -> Outputs:
        """The sound of a text, 200 ms for each word."""
        outputs: list[Output] = []
        words = text.split(" ")
        for index, word in enumerate(words):
            piece = word if index == len(words) - 1 else f"{word} "
            pcm = bytes(200 * BYTES_PER_MS)
            outputs += self.engine.spoken(response_id, pcm, piece, self.now)
        return Outputs(outputs)

    def answered_turn(self, text: str = "Good day to you.") -> tuple[str, Outputs]:
        """A spoken turn and its whole answer: the assistant's item, and the answer's outputs."""
        outputs = self.say(self.think(self.spoken_turn()), text)
        done = outputs.event("response.done")["response"]
        return done["output"][0]["id"], outputs

    def tick(self, now: float) -> Outputs:
        """Time has passed."""
        self.now = now
        return Outputs(self.engine.tick(now))
