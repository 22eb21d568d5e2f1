"""A whole call between a page and a server, of which one says anything.

What must hold: the call goes on or ends in a sentence, without an error of ours in the log; what is
sent upstream is an event of the API; a key that the server utters is not repeated outside the
transcript, in which its words stand as it said them.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from components.bridge.call import Call
from components.bridge.leg import Leg
from components.core.conversation import Connection, Conversation
from components.protocol.options import Refused
from components.protocol.reading import parse, server_event
from components.settings import Settings
from tests.fuzz.mutation import SECRET, as_message, mutated, odd_values
from tests.fuzz.target import Target
from tests.wire import validate_client_event

SESSION = {
    "type": "realtime",
    "model": "gpt-realtime-2.1",
    "audio": {"input": {"turn_detection": {"type": "server_vad", "interrupt_response": True}}},
}
GREETING = [{"type": f"session.{name}", "session": SESSION} for name in ("created", "updated")]
ERROR = {
    "type": "error",
    "error": {
        "type": "invalid_request_error",
        "code": "invalid_api_key",
        "message": f"Incorrect API key provided: {SECRET}.",
        "param": "session.voice",
        "event_id": "settings_1",
    },
}
SAID = [
    {"type": "say", "text": "what is 3 plus 4?"},
    {"type": "interrupt"},
    {"type": "mute", "on": True},
    {"type": "talk", "down": True},
    {"type": "talk", "down": False},
    {"type": "set", "name": "voice", "value": "cedar"},
    {"type": "set", "name": "turn_detection", "value": "push_to_talk"},
    {"type": "set", "name": "speed", "value": "1.2"},
    {"type": "set", "name": "instructions", "value": "Be brief."},
    {"type": "playout", "delay_ms": 80, "rtt_ms": 10},
    {"type": "heard", "ago_ms": 20},
]


def _events() -> list[Any]:
    cases = (Path(__file__).parents[1] / "transcripts").glob("*.json")
    told = [
        step for case in sorted(cases) for step in json.loads(case.read_text("utf-8"))["events"]
    ]
    return [*GREETING, ERROR, *(event for event in told if "." in event["type"])]


class _Line:
    """Takes what a call sends, in the place of its sockets."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def begin(self) -> None: ...
    def end(self) -> None: ...
    def renew(self) -> None: ...
    def reconnect(self, pause_s: float) -> None: ...
    async def closed(self) -> None: ...

    def send(self, event: Any) -> None:
        self.sent.append(event)

    def send_audio(self, pcm: bytes) -> bool:
        return len(pcm) > 0


class _Channel:
    """The page's data channel, which takes everything."""

    readyState = "open"  # noqa: N815  # the names of the WebRTC standard
    bufferedAmount = 0  # noqa: N815

    def __init__(self) -> None:
        self.told: list[str] = []
        self.says: Callable[[object], None] = lambda _: None

    def on(self, event: str, listener: Callable[[object], None]) -> None:
        if event == "message":
            self.says = listener

    def remove_all_listeners(self, event: str) -> None: ...

    def send(self, text: str) -> None:
        self.told.append(text)


class _Faults(logging.Handler):
    """What is logged, and whether it is a fault of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.faults: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
        if record.levelno >= logging.ERROR or record.exc_info:
            self.faults.append(self.format(record))


async def _call(speak: Callable[[Call, _Channel], None]) -> tuple[Call, _Line, _Channel]:
    settings = Settings(practice=False, api_key="sk-owner", base_url="http://127.0.0.1:9/v1")
    call = Call(settings, Conversation(), Refused(), lambda _: None)
    line = call._line = _Line()  # type: ignore[assignment]
    leg, channel = Leg(), _Channel()
    leg.belong(call, "abc", lambda: None)
    leg.set_channel(channel)
    call.opened()
    for event in GREETING:
        call.received(server_event(event))
    speak(call, channel)
    for _ in range(3):
        leg.microphone(bytes(960))
        call.sound(0.0)
    await call.close("")
    await leg.shutdown()
    return call, line, channel


def _judged(speak: Callable[[Call, _Channel], None]) -> tuple[Call, _Channel, _Faults]:
    faults = _Faults()
    logger = logging.getLogger("components")
    before, logger.level = logger.level, logging.INFO
    logger.addHandler(faults)
    try:
        call, line, channel = asyncio.run(_call(speak))
    finally:
        logger.removeHandler(faults)
        logger.level = before
    assert faults.faults == []
    for event in line.sent:
        validate_client_event(event)
    return call, channel, faults


def _check_page(messages: Sequence[str]) -> None:
    states: list[Connection] = []

    def speak(call: Call, channel: _Channel) -> None:
        for message in messages:
            channel.says(message)
            states.append(call.conversation.connection)

    _judged(speak)
    assert Connection.FAILED not in states


def _check_server(events: Sequence[Any]) -> None:
    def speak(call: Call, _: _Channel) -> None:
        for event in events:
            try:
                read = parse(as_message(event))
            except ValueError:  # which the socket's reader logs (upstream/client.py)
                continue
            call.received(server_event(read))

    _, channel, faults = _judged(speak)
    assert not any(SECRET in line for line in faults.lines)
    assert not any(SECRET in message for message in channel.told)


page_messages = mutated(SAID) | odd_values
PAGE = Target(
    "page",
    st.lists(page_messages.map(as_message) | st.text(max_size=30) | st.binary(), max_size=12),
    _check_page,
    60,
)
SERVER = Target("server", st.lists(mutated(_events()), max_size=15), _check_server, 80)
