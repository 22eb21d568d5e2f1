"""A session whose server says anything that knows our key, while time passes and the user acts.

What must hold: nothing is raised, only what the API takes is sent, and our key comes out in nothing
that a person can see, also where the server says it in the place of a word.
"""

import json
import logging
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from components.audio import FRAME_BYTES
from components.core.allowance import Limits
from components.core.outputs import Output, RunTool, Send
from components.core.session import Session
from components.protocol.failures import failure_of_close, safe
from components.protocol.options import Refused
from components.protocol.reading import parse, server_event
from components.settings import Settings
from components.upstream.client import _secrets, _without
from components.upstream.configuration import session_options
from tests.fuzz.logs import logged
from tests.fuzz.mutation import SECRET, as_message, mutated
from tests.fuzz.target import Target
from tests.wire import validate_client_event

CASES = sorted((Path(__file__).parents[1] / "transcripts").glob("*.json"))
OURS = ("interrupt", "heard", "lose", "archive")
"""Steps of a transcript that are no server's."""
SAID: list[dict[str, Any]] = [
    {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "code": "invalid_value",
            "message": f"Incorrect key: {SECRET}, of session.audio.input.noise_reduction.",
            "param": "session.audio.input.noise_reduction",
            "event_id": "settings_1",
        },
    },
    {"type": "error", "error": {"code": "session_expired", "message": SECRET}},
    {
        "type": "error",
        "error": {"type": SECRET, "code": SECRET, "message": "x", "event_id": SECRET},
    },
    {
        "type": "response.done",
        "response": {
            "id": "r1",
            "status": "failed",
            "status_details": {"type": "failed", "error": {"code": SECRET, "message": SECRET}},
            "usage": {"total_tokens": 5, "input_tokens": 3, "output_tokens": 2},
        },
    },
    {"type": "session.created", "session": {"expires_at": 1_800_000_000, "id": SECRET}},
    {"type": "session.updated", "session": {"audio": {"input": {"turn_detection": None}}}},
    {"type": "input_audio_buffer.speech_started", "item_id": "u1", "audio_start_ms": 0},
    {"type": "input_audio_buffer.speech_stopped", "item_id": "u1", "audio_end_ms": 900},
    {"type": "response.created", "response": {"id": "r1"}},
    {
        "type": "response.output_audio.delta",
        "response_id": "r1",
        "item_id": "a1",
        "content_index": 0,
        "delta": "AAAA" * 400,
    },
    {
        "type": "response.output_audio_transcript.delta",
        "response_id": "r1",
        "item_id": "a1",
        "delta": f"It is {SECRET}.",
    },
    {"type": "session.created", "session": {"practice": {"notes": [SECRET]}}},
    {"type": "rate_limits.updated", "rate_limits": [{"name": "tokens", "remaining": 0}]},
]


def _events() -> list[dict[str, Any]]:
    steps = [step for path in CASES for step in json.loads(path.read_text("utf-8"))["events"]]
    return [*(step for step in steps if step["type"] not in OURS), *SAID]


def _conversations() -> st.SearchStrategy[list[Any]]:
    """What happens in a call: events of the server, and what the user does between them."""
    ours = st.sampled_from(["sound", "say", "tick", "wait", "interrupt", "press", "lost", "ran"])
    return st.lists(mutated(_events()) | mutated(SAID) | ours, max_size=30)


class _Call:
    """A session, and the server that has just answered."""

    def __init__(self) -> None:
        settings = Settings(practice=False, api_key=SECRET)
        self.session = Session(
            session_options(settings),
            limits=Limits(call_s=600, idle_s=60, cost=1.0),
            chance=lambda: 0.5,
            refused=Refused(),
        )
        self.now = 0.0
        self.calls: list[str] = []
        self.perform(self.session.connecting(self.now))
        self.perform(self.session.connected(self.now, 1_700_000_000.0))

    def perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(event):
                    validate_client_event(event)
                case RunTool():
                    self.calls.append(output.call_id)
        assert SECRET not in repr(self.session.conversation)
        assert SECRET not in repr(self.session.agreement)

    def hear(self, event: dict[str, Any]) -> None:
        """A frame of the server, by the way that frames take."""
        secrets = _secrets(
            "wss://server.example/v1/realtime", {"Authorization": f"Bearer {SECRET}"}
        )
        try:
            read = parse(_without(secrets, as_message(event).encode()))
        except ValueError:
            return
        logging.getLogger(__name__).debug("%s", safe(read["type"][:80]))
        self.perform(self.session.receive(server_event(read), self.now))

    def step(self, what: str) -> None:
        session = self.session
        match what:
            case "sound":
                self.perform(session.microphone(b"\x10\x27" * (FRAME_BYTES // 2), self.now))
                session.frame(self.now)
            case "say":
                self.perform(session.say("Hello?", self.now))
            case "tick" | "wait":
                self.now += 0.05 if what == "tick" else 11.0
                self.perform(session.tick(self.now))
            case "interrupt":
                self.perform(session.interrupt(self.now))
            case "press":
                self.perform(session.push_to_talk(True, self.now))
                self.perform(session.push_to_talk(False, self.now))
            case "lost":
                self.perform(session.lost(failure_of_close(1006, f"no: {SECRET}"), self.now))
                self.perform(session.connected(self.now, 1_700_000_000.0))
            case "ran" if self.calls:
                self.perform(session.ran(self.calls.pop(0), "12:00", self.now))


def _check(happens: list[Any]) -> None:
    with logged() as lines:
        call = _Call()
        for what in happens:
            if isinstance(what, str):
                call.step(what)
            elif isinstance(what, dict):
                call.hear(what)
    assert SECRET not in "\n".join(line.getMessage() for line in lines)


SESSION = Target("session", _conversations(), _check, 60)
