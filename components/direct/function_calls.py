"""Which functions a watched call wants run, and what is sent back.

Rule: each call runs once and always gets an output, or the model would wait for it for ever. Then
one response is asked for, but never while another is under way or the user has the word: the
server answers the user by itself, and that response knows the outputs (protocol digest 5.9).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.protocol.fields import Event, at, identity, text

REFUSED_AS_ACTIVE: Final = "conversation_already_has_active_response"


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """Run this function, and report to `FunctionCalls.ran`."""

    call_id: str
    name: str
    arguments: str
    """A JSON object, as the model wrote it."""


class FunctionCalls:
    """The function calls of one watched call, in the order of its events."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._running: set[str] = set()
        """Of the response under way, by call id."""
        self._called = False
        """Whether the response under way has called anything."""
        self._waiting: list[set[str]] = []
        """What still runs, for each response that is done and was not cut off."""
        self._active = False
        self._user_has_word = False
        self._owed = False
        """Whether there are outputs that no response has been told."""
        self._asked = 0

    def receive(self, event: Event) -> tuple[list[FunctionCall], list[Event]]:
        """What to run, and what to send, after a server event (GA names)."""
        calls: list[FunctionCall] = []
        match event["type"]:
            case "session.created":  # on another socket: what the last one missed is unknown
                self._active = self._user_has_word = False
            case "input_audio_buffer.speech_started":
                self._user_has_word = True
            case "input_audio_buffer.cleared":
                self._user_has_word = False
            case "response.created":
                self._active, self._owed, self._user_has_word = True, False, False
            case "response.output_item.done":
                calls = self._new([event.get("item")])
            case "response.done":
                calls = self._done(at(event, "response"))
            case "error" if text(at(event, "error"), "event_id") == self._event_id:
                # If there is another response, it began before it could know the outputs.
                other = at(event, "error").get("code") == REFUSED_AS_ACTIVE
                self._active = self._owed = other
        return calls, self._ask()

    def ran(self, call: FunctionCall, output: str) -> list[Event]:
        """What to send after a function has run."""
        for running in (self._running, *self._waiting):
            running.discard(call.call_id)
        item = {"type": "function_call_output", "call_id": call.call_id, "output": output}
        return [{"type": "conversation.item.create", "item": item}, *self._ask()]

    def _new(self, items: list[Any]) -> list[FunctionCall]:
        """The calls among the items that are complete and not yet seen."""
        calls = [call for call in map(_function_call, items) if call is not None]
        calls = [call for call in calls if call.call_id not in self._seen]
        ids = {call.call_id for call in calls}
        self._seen |= ids
        self._running |= ids
        self._called = self._called or bool(ids)
        return calls

    def _done(self, response: Event) -> list[FunctionCall]:
        output = response.get("output")
        cut_off = response.get("status") in ("cancelled", "failed")
        calls = self._new(output) if isinstance(output, list) and not cut_off else []
        if self._called and not cut_off:
            self._waiting.append(self._running)
        self._active, self._called, self._running = False, False, set()
        return calls

    def _ask(self) -> list[Event]:
        """One response, if one is owed and nothing stands against it."""
        self._owed = self._owed or not all(self._waiting)
        self._waiting = [running for running in self._waiting if running]
        if not self._owed or self._active or self._user_has_word:
            return []
        self._owed = False
        self._active = True  # as good as: no other may be asked for before it comes
        self._asked += 1
        return [{"type": "response.create", "event_id": self._event_id}]

    @property
    def _event_id(self) -> str:
        return f"answer_{self._asked}"


def _function_call(item: Any) -> FunctionCall | None:
    """The call that an item is; None if it is something else, or was cut off half-way."""
    if not isinstance(item, Mapping) or item.get("type") != "function_call":
        return None
    call_id = identity(item, "call_id")
    if not call_id or item.get("status") in ("incomplete", "in_progress"):
        return None
    return FunctionCall(call_id, text(item, "name"), text(item, "arguments"))
