"""One answer on its way: its items, its events in order, its tokens.

Rule: every item that begins also ends, whatever becomes of the response, and `response.done` comes
last.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.audio import BYTES_PER_MS, encode
from components.practice.engine.items import Conversation, Item, Part, Tokens, text_tokens
from components.practice.engine.outputs import Event, Outbox, Speak, Think

Usage = dict[str, Any]

DEFAULT_VOICE: Final = "marin"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a response is to be: the session's settings and the request's own."""

    modality: str
    voice: str | Mapping[str, str]
    """A name, or the `id` of a voice of the client's own."""
    output_format: Mapping[str, Any]
    speed: float
    instructions: str
    tools: Sequence[Event]
    tool_choice: str | Event
    max_output_tokens: int | str
    metadata: Mapping[str, str] | None
    conversation_id: str | None
    """None if nothing of it enters the conversation."""
    context: Sequence[Item]
    prompt: str = ""
    """Words to say as they are, without thinking."""


class Response:
    """A response in progress; the methods that continue it do nothing once it is done."""

    def __init__(
        self, response_id: str, plan: Plan, outbox: Outbox, conversation: Conversation
    ) -> None:
        self.id = response_id
        self.plan = plan
        self.status = "in_progress"
        self.has_sound = False
        self._audio_bytes = 0
        self._outbox = outbox
        self._conversation = conversation
        self._output: list[Item] = []
        self._previous_id: str | None = None
        self._message: Part | None = None
        self._steps: deque[tuple[str, ...]] = deque()
        self._speaking = False
        self._encode = outbox.encoder(plan.output_format["type"])
        self._glue = ""
        self._thinking = True
        self._thought_asked = False
        self._usage: Usage | None = None
        self._details: Usage | None = None
        outbox.emit("response.created", response=self.wire())

    @property
    def done(self) -> bool:
        return self.status != "in_progress"

    @property
    def audio_ms(self) -> int:
        """Whole milliseconds of all that was spoken."""
        return self._audio_bytes // BYTES_PER_MS

    def wire(self) -> dict[str, Any]:
        """The response as the API shows it."""
        plan = self.plan
        voice = plan.voice if isinstance(plan.voice, str) else plan.voice["id"]
        output = {"format": plan.output_format, "voice": voice}
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": self._details,
            "output": [item.wire() for item in self._output],
            "conversation_id": plan.conversation_id,
            "output_modalities": [plan.modality],
            "max_output_tokens": plan.max_output_tokens,
            "audio": {"output": output},
            "usage": self._usage,
            "metadata": plan.metadata,
        }

    def start_when_transcribed(self) -> None:
        """Think, once everything that was said before is known."""
        if self._thought_asked or self.done or any(item.pending for item in self.plan.context):
            return
        self._thought_asked = True
        if self.plan.prompt:
            self.say(self.plan.prompt)
            self.thought()
            return
        last = _last_said(self.plan.context)
        self._outbox.ask(
            Think(
                self.id,
                tuple(item.context() for item in self.plan.context),
                _words_of(last) if last is not None else None,
                (last.speech_ms or last.audio_ms) / 1000 if last is not None else 0.0,
                self.plan.instructions,
                self.plan.tools,
                self.plan.tool_choice,
                last.silence_ms / 1000 if last is not None else 0.0,
            )
        )

    def say(self, text: str) -> None:
        """The next sentence of the answer."""
        if text.strip() and self._thinking and not self.done:
            self._steps.append(("say", text))
            self._advance()

    def call(self, name: str, arguments: str) -> None:
        """A function to call, after what is being said."""
        if self._thinking and not self.done:
            self._steps.append(("call", name, arguments))
            self._advance()

    def thought(self) -> None:
        """There is no more to come than what was said by now."""
        if not self.done:
            self._thinking = False
            self._advance()

    def spoken(self, pcm: bytes, words: str) -> None:
        """A piece of the sentence's sound, and the words that begin in it."""
        if self.done or not self._speaking:
            return
        part = self._begin_message("output_audio")
        words = self._glued(words)
        if words:
            self._delta("output_audio_transcript", words)
        if pcm:
            self._delta("output_audio", encode(self._encode(pcm)))
            self.has_sound = True
            self._audio_bytes += len(pcm)
        if not self._output[-1].truncated:
            part.speak(pcm, words)
        self._check_limit()

    def said(self) -> None:
        """The sentence's sound is complete."""
        if not self.done and self._speaking:
            self._speaking = False
            self._advance()

    def finish(self, status: str, reason: str | None = None, error: Event | None = None) -> None:
        """The end, for whatever reason."""
        self._end_message("completed" if status == "completed" else "incomplete")
        self.status = status
        if status != "completed":
            details = {"type": status, "reason": reason, "error": error}
            self._details = {name: value for name, value in details.items() if value is not None}

    def announce(self, usage: Usage | None) -> None:
        """Send `response.done`."""
        self._usage = usage
        self._outbox.emit("response.done", response=self.wire())

    def input_tokens(self) -> Tokens:
        """Of what there was to read."""
        fixed = len(self.plan.instructions) + sum(len(str(tool)) for tool in self.plan.tools)
        counts = (item.tokens() for item in self.plan.context)
        return sum(counts, start=Tokens(text_tokens(fixed)))

    def output_tokens(self) -> Tokens:
        """Of the answer so far."""
        return sum((item.tokens() for item in self._output), start=Tokens())

    def _advance(self) -> None:
        """Take the next steps, as far as nothing is being said."""
        while not self._speaking and not self.done and self._steps:
            step = self._steps.popleft()
            if step[0] == "call":
                self._call(*step[1:])
            elif self.plan.modality == "audio":
                self._speaking = True
                self._mark_sentence()
                self._outbox.ask(Speak(self.id, step[1], self._voice, self.plan.speed))
            else:
                self._mark_sentence()
                self._write(step[1])
        if not self._speaking and not self.done and not self._steps and not self._thinking:
            self.finish("completed")

    @property
    def _voice(self) -> str:
        """One that the server has."""
        return self.plan.voice if isinstance(self.plan.voice, str) else DEFAULT_VOICE

    def _write(self, text: str) -> None:
        part = self._begin_message("output_text")
        for index, word in enumerate(self._glued(text).split(" ")):
            piece = f" {word}" if index else word
            if piece and not self.done:
                self._delta("output_text", piece)
                part.text = (part.text or "") + piece
                self._check_limit()

    def _mark_sentence(self) -> None:
        """Sentences of one message are kept apart, even if they come without a space."""
        text = (self._message.text or "") if self._message else ""
        self._glue = " " if text and not text[-1].isspace() else ""

    def _glued(self, words: str) -> str:
        if not words:
            return ""
        glue, self._glue = self._glue, ""
        return words if words[0].isspace() else glue + words

    def _call(self, name: str, arguments: str) -> None:
        self._end_message("completed")
        call_id = self._outbox.new_id("call")
        fields = {"type": "function_call", "call_id": call_id, "name": name, "arguments": ""}
        item = self._begin_item(Item(self._outbox.new_id("item"), fields, status="in_progress"))
        item.fields = {**fields, "arguments": arguments}
        address = {**self._address(), "call_id": call_id}
        self._outbox.emit("response.function_call_arguments.delta", **address, delta=arguments)
        self._outbox.emit(
            "response.function_call_arguments.done", **address, name=name, arguments=arguments
        )
        self._end_item("completed")
        self._check_limit()

    def _begin_message(self, kind: str) -> Part:
        if self._message is None:
            fields = {"type": "message", "role": "assistant"}
            item_id = self._outbox.new_id("item")
            item = self._begin_item(Item(item_id, fields, [], status="in_progress"))
            self._message = Part(kind)
            item.content = [self._message]
            self._outbox.emit(
                "response.content_part.added",
                **self._address(),
                content_index=0,
                part=_shown(kind, ""),
            )
        return self._message

    def _end_message(self, status: str) -> None:
        if self._message is None:
            return
        kind, text = self._message.type, self._message.text or ""
        self._message = None
        address = {**self._address(), "content_index": 0}
        if kind == "output_audio":
            self._outbox.emit("response.output_audio.done", **address)
            self._outbox.emit("response.output_audio_transcript.done", **address, transcript=text)
        else:
            self._outbox.emit("response.output_text.done", **address, text=text)
        self._outbox.emit("response.content_part.done", **address, part=_shown(kind, text))
        self._end_item(status)

    def _begin_item(self, item: Item) -> Item:
        self._output.append(item)
        self._outbox.emit(
            "response.output_item.added",
            response_id=self.id,
            output_index=len(self._output) - 1,
            item=item.wire(),
        )
        if self.plan.conversation_id is not None:
            self._previous_id = self._conversation.insert(item)
            self._emit_item("added", item)
        return item

    def _end_item(self, status: str) -> None:
        item = self._output[-1]
        item.status = status
        if self.plan.conversation_id is not None:
            self._emit_item("done", item)
        self._outbox.emit(
            "response.output_item.done",
            response_id=self.id,
            output_index=len(self._output) - 1,
            item=item.wire(),
        )

    def _emit_item(self, stage: str, item: Item) -> None:
        self._outbox.emit(
            f"conversation.item.{stage}", previous_item_id=self._previous_id, item=item.wire()
        )

    def _delta(self, kind: str, delta: str) -> None:
        self._outbox.emit(f"response.{kind}.delta", **self._address(), content_index=0, delta=delta)

    def _address(self) -> dict[str, Any]:
        return {
            "response_id": self.id,
            "item_id": self._output[-1].id,
            "output_index": len(self._output) - 1,
        }

    def _check_limit(self) -> None:
        limit = self.plan.max_output_tokens
        if isinstance(limit, int) and self.output_tokens().total > limit and not self.done:
            self.finish("incomplete", "max_output_tokens")


def _shown(kind: str, text: str) -> dict[str, str]:
    """A content part as the `content_part` events show it, by its older names."""
    if kind == "output_audio":
        return {"type": "audio", "transcript": text}
    return {"type": "text", "text": text}


def _last_said(context: Sequence[Item]) -> Item | None:
    """What the user said or typed last."""
    users = (item for item in reversed(context) if item.fields.get("role") == "user")
    return next(users, None)


def _words_of(item: Item) -> str | None:
    """Its words; None if nobody could make them out."""
    words = " ".join(part.text for part in item.content or () if part.text)
    return words or item.recognised if item.audio_ms else words
