"""The responses in progress: at most one writes to the conversation, others stand beside it.

Rule: a response that ends, however it ends, is announced once and forgotten; what its thinking or
speaking still yields is ignored.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from components.practice.engine.items import Conversation, Formats, Item, Tokens, item_from
from components.practice.engine.outputs import Cancel, Event, Outbox
from components.practice.engine.response import Plan, Response
from components.practice.engine.schema import RefusedError
from components.practice.engine.sessions import Session, check_generation, formats, with_format
from components.practice.engine.usage import usage_of

MAX_BESIDE: Final = 16
"""Out-of-band responses at one time."""
RATE_LIMIT: Final = {"name": "tokens", "limit": 40_000, "remaining": 40_000, "reset_seconds": 0.0}
"""There is none; the API's clients expect the event."""


class Responses:
    """All responses of one session."""

    def __init__(self, outbox: Outbox, conversation: Conversation, conversation_id: str) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._conversation_id = conversation_id
        self._running: dict[str, Response] = {}
        self._cached = Tokens()
        self.has_spoken = False
        self.quiet_from: float | None = None
        """When the last answer will have been played, if it was played as it came; None while
        there is one on its way, or none was given."""

    @property
    def active(self) -> Response | None:
        """The one that writes to the conversation."""
        writing = (r for r in self._running.values() if r.plan.conversation_id is not None)
        return next(writing, None)

    def create(self, session: Session, wanted: Event, prompt: str = "") -> None:
        """Begin an answer; `wanted` is what `response.create` asks for. Raises `RefusedError`."""
        beside = wanted.get("conversation") == "none"
        active = self.active
        if active is not None and not beside:
            raise RefusedError(
                f"Conversation already has an active response in progress: {active.id}. "
                "Wait until the response is finished before creating a new one.",
                "conversation_already_has_active_response",
            )
        if beside and len(self._running) > MAX_BESIDE:
            raise RefusedError("Too many responses are in progress.")
        check_generation(session, wanted, self.has_spoken, "response")
        plan = self._plan(session, wanted, beside, prompt)
        response_id = self._outbox.new_id("resp")
        response = Response(response_id, plan, self._outbox, self._conversation)
        self._running[response_id] = response
        if not beside:
            self.quiet_from = None
        response.start_when_transcribed()

    def follow(self, response_id: str, now: float, step: Callable[[Response], None]) -> None:
        """Continue a response, if it is still in progress."""
        response = self._running.get(response_id)
        if response is not None:
            step(response)
            self._settle(now)

    def resume(self, now: float) -> None:
        """The words of an item are known: who waited for them can begin."""
        for response in tuple(self._running.values()):
            response.start_when_transcribed()
        self._settle(now)

    def cancel(self, response_id: str | None, reason: str, now: float) -> None:
        """End a response before its time; raises `RefusedError` if it is not in progress."""
        active = self.active
        chosen = self._running.get(response_id) if response_id is not None else active
        if chosen is None:
            raise RefusedError(
                "Cancellation failed: no active response found", "response_cancel_not_active"
            )
        chosen.finish("cancelled", reason)
        self._settle(now)

    def _settle(self, now: float) -> None:
        for response in tuple(self._running.values()):
            self.has_spoken = self.has_spoken or response.has_sound
            if response.done:
                del self._running[response.id]
                self._announce(response, now)

    def _announce(self, response: Response, now: float) -> None:
        if response.status != "completed":
            self._outbox.ask(Cancel(response.id))
        counted = response.status in ("completed", "incomplete")
        response.announce(usage_of(response, self._cached) if counted else None)
        if response.plan.conversation_id is not None:
            self._cached = response.input_tokens() + response.output_tokens()
            self.quiet_from = now + response.audio_ms / 1000
        self._outbox.emit("rate_limits.updated", rate_limits=[RATE_LIMIT])

    def _plan(self, session: Session, wanted: Event, beside: bool, prompt: str) -> Plan:
        def setting(name: str) -> Any:
            return wanted.get(name, session[name])

        output: Mapping[str, Any] = wanted.get("audio", {}).get("output", {})
        return Plan(
            modality=setting("output_modalities")[0],
            voice=output.get("voice", session["audio"]["output"]["voice"]),
            output_format={**session["audio"]["output"], **with_format(output)}["format"],
            speed=session["audio"]["output"]["speed"],
            instructions=setting("instructions"),
            tools=setting("tools"),
            tool_choice=setting("tool_choice"),
            max_output_tokens=setting("max_output_tokens"),
            metadata=wanted.get("metadata"),
            conversation_id=None if beside else self._conversation_id,
            context=self._context(wanted, formats(session)),
            prompt=prompt,
        )

    def _context(self, wanted: Event, coded: Formats) -> tuple[Item, ...]:
        if "input" not in wanted:
            return tuple(self._conversation.items)
        return tuple(
            self._conversation.require(
                shown["id"], "item_reference_invalid_item_id", f"response.input[{index}].id"
            )
            if shown["type"] == "item_reference"
            else item_from(shown, shown.get("id", ""), coded)
            for index, shown in enumerate(wanted["input"])
        )
