"""Parts of the practice server that do as told: sound is speech, a word lasts 200 ms."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.audio import BYTES_PER_MS
from components.practice.brain.rules import Say
from components.practice.engine.outputs import Think
from components.practice.speech.chunks import Spoken

SPEECH_MS = b"\x00\x10" * 24
"""A millisecond that the fake detector takes for speech."""
SILENCE_MS = bytes(48)


class FakeVad:
    """Any sample that is not zero is speech."""

    name = "fake"
    degraded = ""
    hop_ms = 20

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, pcm: bytes) -> list[float]:
        self._pending += pcm
        size = self.hop_ms * BYTES_PER_MS
        count = len(self._pending) // size
        hops = [self._pending[index * size : (index + 1) * size] for index in range(count)]
        self._pending = self._pending[count * size :]
        return [0.9 if any(hop) else 0.0 for hop in hops]

    def reset(self) -> None:
        self._pending = b""


@dataclass
class FakeUtterance:
    """Transcribes as it was told."""

    text: str | None
    pcm: bytes = b""
    language: str = ""
    cancelled: bool = False
    pauses: list[bool] = field(default_factory=list)
    """True for each pause, False for each time that the speaker went on."""

    def feed(self, pcm: bytes) -> None:
        self.pcm += pcm

    def pause(self) -> None:
        self.pauses.append(True)

    def resume(self) -> None:
        self.pauses.append(False)

    async def transcript(self, heard: Callable[[str], None]) -> str | None:
        return self.text

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class FakeEars:
    """Transcribes `texts`, one after the other, and the last for ever."""

    texts: Sequence[str | None] = ("what time is it",)
    name: str = "fake ears"
    degraded: str = ""
    utterances: list[FakeUtterance] = field(default_factory=list)

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def listen(self, after: Any = None, language: str = "") -> FakeUtterance:
        index = min(len(self.utterances), len(self.texts) - 1)
        self.utterances.append(FakeUtterance(self.texts[index], language=language))
        return self.utterances[-1]


@dataclass
class FakeVoice:
    """Takes 200 ms for each word; waits at `gate` before the third, if there is one."""

    gate: asyncio.Event | None = None
    name: str = "fake voice"
    degraded: str = ""
    error: Exception | None = None
    closed: int = 0

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def speak(
        self, text: str, voice: str, speed: float = 1.0
    ) -> AsyncGenerator[Spoken, None]:
        if self.error is not None:
            raise self.error
        try:
            words = text.split(" ")
            for index, word in enumerate(words):
                if self.gate is not None and index == 2:
                    await self.gate.wait()
                space = "" if index == len(words) - 1 else " "
                yield Spoken(SPEECH_MS * 200, word + space)
        finally:
            self.closed += 1


def think(**fields: Any) -> Think:
    """A question to a thinker."""
    values: dict[str, Any] = {
        "response_id": "r",
        "items": (),
        "words": "hello",
        "seconds": 0.0,
        "instructions": "",
        "tools": (),
        "tool_choice": "auto",
    }
    return Think(**{**values, **fields})


def words_of(steps: Sequence[Any]) -> str:
    """Everything that is said in these steps."""
    return " ".join(step.text for step in steps if isinstance(step, Say))


Json = Mapping[str, Any]
