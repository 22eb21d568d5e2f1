"""Our client and our server back to back on a virtual clock: whole dialogues in milliseconds.

Neither end knows the other's logic, and every event between them is judged by the official SDK.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from components.audio import FRAME_BYTES, FRAME_MS
from components.core.allowance import Limits
from components.core.conversation import Assistant, Connection, Status, User
from components.core.outputs import Send, SendAudio, StopPlayback
from components.core.session import Session
from components.practice.engine import outputs as server
from components.practice.engine.engine import Engine
from components.protocol.client_events import append_audio
from components.protocol.failures import Failure, Severity
from components.protocol.options import Refused, SessionOptions
from components.protocol.reading import parse, server_event
from tests.wire import validate_client_event, validate_server_event

QUIET = bytes(FRAME_BYTES)
VOICE = b"\1\1" * (FRAME_BYTES // 2)
WORD_MS = 300
TRANSCRIPTION_S = 0.05


def new_engine():
    """A session whose items are counted from one, as other servers do it too."""
    numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(1))
    return Engine(
        "practice-engine",
        hop_ms=FRAME_MS,
        new_id=lambda prefix: f"{prefix}_{next(numbers[prefix])}",
    )


class World:
    """Time, a user, a page, and the two ends. Words are spoken at a steady pace on both sides."""

    def __init__(self, turn_detection="server_vad", past=None):
        self.now = 1000.0
        self.engine = new_engine()
        self.session = Session(
            SessionOptions(
                model="practice-engine",
                voice="marin",
                instructions="Be kind.",
                turn_detection=turn_detection,
                transcription_model="gpt-transcribe",
            ),
            limits=Limits(),
            refused=Refused(),
            chance=lambda: 0.5,
            past=past,
        )
        self.sentences = []
        self.to_server = []
        self.to_client = []
        self.sounded_ms = 0
        self.stops = 0
        self._later = []
        self._order = count()
        self.server(self.engine.open(self.now))
        self.client(self.session.connecting(self.now))
        self.client(self.session.connected(self.now, self.now))

    def meets_another_server(self):
        """The socket is lost, and the next one ends in a session that knows nothing."""
        self._later.clear()
        lost = Failure(Severity.TRANSIENT, "The connection was lost.")
        self.client(self.session.lost(lost, self.now))
        self.engine = new_engine()
        self.server(self.engine.open(self.now))
        self.client(self.session.connected(self.now, self.now))

    def client(self, outputs):
        for output in outputs:
            match output:
                case SendAudio(pcm):
                    event = parse(append_audio(pcm))
                case Send(event):
                    self.to_server.append(event)
                case StopPlayback():
                    self.stops += 1
                    continue
                case _:
                    continue
            validate_client_event(event)
            self.server(self.engine.receive(event, self.now))

    def server(self, outputs):
        for output in outputs:
            match output:
                case server.Emit(event):
                    validate_server_event(event, SERVER_EXTENSIONS)
                    self.to_client.append(event["type"])
                    self.client(self.session.receive(server_event(event), self.now))
                case server.Detect(pcm):
                    probability = 0.9 if any(pcm) else 0.0
                    self.server(self.engine.detected([probability], self.now))
                case server.Transcribe(item_id):
                    words = self.sentences.pop(0)
                    self.later(TRANSCRIPTION_S, self.engine.transcript, item_id, words)
                case server.Think(response_id, words=words):
                    self.server(self.engine.say(response_id, f"You said {words}.", self.now))
                    self.server(self.engine.thought(response_id, self.now))
                case server.Speak(response_id, text):
                    self.speak(response_id, text)

    def speak(self, response_id, text):
        """A tenth of real time, as the API sends faster than it is heard."""
        words = text.split(" ")
        for position, word in enumerate(words):
            spaced = word if position == len(words) - 1 else word + " "
            pcm = bytes(48 * WORD_MS)
            delay = (position + 1) * WORD_MS / 10_000
            self.later(delay, self.engine.spoken, response_id, pcm, spaced)
        self.later(len(words) * WORD_MS / 10_000, self.engine.said, response_id)

    def later(self, delay, method: Callable[..., Any], *arguments):
        heapq.heappush(
            self._later, (self.now + delay, next(self._order), lambda: method(*arguments, self.now))
        )

    def run(self, seconds, microphone=QUIET):
        """Time passes in steps of 20 ms: the user's frame, the two ends' work, the playout."""
        for _ in range(round(seconds * 1000 / FRAME_MS)):
            self.now += FRAME_MS / 1000
            self.client(self.session.microphone(microphone, self.now))
            while self._later and self._later[0][0] <= self.now:
                self.server(heapq.heappop(self._later)[2]())
            if self.engine.deadline is not None and self.engine.deadline <= self.now:
                self.server(self.engine.tick(self.now))
            self.sounded_ms += FRAME_MS * (self.session.frame(self.now) is not None)
            self.client(self.session.tick(self.now))

    def until(self, condition):
        for _ in range(500):
            if condition():
                return
            self.run(FRAME_MS / 1000)
        pytest.fail("it never happened")

    def speaks(self, words, seconds=1.0):
        self.sentences.append(words)
        self.run(seconds, VOICE)

    @property
    def texts(self):
        return [(m.role, m.text) for m in self.session.conversation.messages]

    @property
    def states(self):
        conversation = self.session.conversation
        return conversation.connection, conversation.user, conversation.assistant

    def sent(self, type_):
        return [event for event in self.to_server if event["type"] == type_]


SERVER_EXTENSIONS = ("session.practice", "session.id", "session.object", "session.expires_at")
READY = (Connection.CONNECTED, User.LISTENING, Assistant.IDLE)


@pytest.fixture
def world():
    return World()


def test_call_is_ready_at_once(world):
    assert world.states == READY
    assert world.session.conversation.notice == ""


def test_spoken_turn(world):
    world.run(0.5)
    world.speaks("hello")
    assert world.states[1] is User.SPEAKING

    world.run(0.6)
    assert world.states[1:] == (User.LISTENING, Assistant.SPEAKING)

    world.run(2)
    assert world.states == READY
    assert world.texts == [("user", "hello"), ("assistant", "You said hello.")]
    assert world.sounded_ms == 3 * WORD_MS
    assert world.sent("conversation.item.truncate") == []


def test_barge_in_cuts_both_ends_at_the_same_word(world):
    world.speaks("count to ten")
    world.run(1.3)
    world.speaks("stop")
    world.run(3)

    [truncate] = world.sent("conversation.item.truncate")
    _, cut, *rest = world.session.conversation.messages
    assert cut.status is Status.INTERRUPTED
    assert 0 < truncate["audio_end_ms"] < 5 * WORD_MS
    assert 0 < cut.heard < len(cut.text)
    assert world.stops == 1
    assert [m.text for m in rest] == ["stop", "You said stop."]

    world.to_client.clear()
    world.server(
        world.engine.receive(
            {"type": "conversation.item.retrieve", "item_id": cut.item_id}, world.now
        )
    )
    assert world.to_client == ["conversation.item.retrieved"]


def test_barge_in_while_the_answer_is_still_being_made(world):
    world.speaks("a story " + "that goes on and on " * 6)
    world.until(lambda: world.states[2] is Assistant.SPEAKING)
    assert "response.done" not in world.to_client

    world.speaks("stop")
    world.run(3)

    assert world.texts[-1] == ("assistant", "You said stop.")
    assert world.session.conversation.messages[1].status is Status.INTERRUPTED
    assert world.sent("response.cancel") == []
    assert world.states == READY


def test_typed_turn(world):
    world.client(world.session.say("good morning", world.now))
    world.run(2)

    assert world.texts[0] == ("user", "good morning")
    assert world.texts[1][0] == "assistant"
    assert world.states == READY


def test_typed_turn_over_a_running_answer(world):
    world.speaks("tell me everything")
    world.run(0.7)
    world.client(world.session.say("never mind", world.now))
    world.run(3)

    assert [role for role, _ in world.texts] == ["user", "assistant", "user", "assistant"]
    assert world.texts[2] == ("user", "never mind")
    assert world.session.conversation.messages[1].status is Status.INTERRUPTED
    assert "error" not in world.to_client


def test_two_lines_typed_at_once_are_both_answered_by_one_response_at_a_time(world):
    world.client(world.session.say("one", world.now))
    world.client(world.session.say("two", world.now))
    world.run(3)

    assert "error" not in world.to_client
    assert world.states == READY
    assert world.texts[-1][0] == "assistant"


def test_push_to_talk():
    world = World("push_to_talk")
    world.run(1.0, VOICE)
    assert world.texts == []

    world.client(world.session.push_to_talk(True, world.now))
    world.speaks("over")
    world.client(world.session.push_to_talk(False, world.now))
    world.run(2)

    assert world.texts == [("user", "over"), ("assistant", "You said over.")]
    assert world.states == READY


def test_muted_user_is_not_heard(world):
    world.client(world.session.mute(True, world.now))
    world.run(1.0, VOICE)

    assert world.texts == []


def test_ten_turns_stay_in_order(world):
    for number in range(10):
        world.speaks(str(number), 0.6)
        world.run(2)

    spoken = [text for role, text in world.texts if role == "user"]
    answers = [text for role, text in world.texts if role == "assistant"]
    assert spoken == [str(number) for number in range(10)]
    assert answers == [f"You said {number}." for number in range(10)]
    assert "error" not in world.to_client


def test_semantic_turn_detection_holds_a_call_too():
    world = World("semantic_vad")
    world.speaks("hello")
    world.run(6)

    assert world.texts == [("user", "hello"), ("assistant", "You said hello.")]


def test_conversation_goes_on_with_another_server_as_if_it_were_one(world):
    """The ids that the two servers give are the same."""
    for number in range(3):
        world.speaks(str(number), 0.6)
        world.run(2)
    before = world.texts
    world.meets_another_server()
    world.to_client.clear()
    for number in range(3, 6):
        world.speaks(str(number), 0.6)
        world.run(2)

    said = [
        turn for n in range(3, 6) for turn in (("user", str(n)), ("assistant", f"You said {n}."))
    ]
    assert world.texts == [*before, ("note", "reconnected"), *said]
    assert "error" not in world.to_client
    assert world.states == READY


def test_what_still_sounds_when_the_connection_breaks_is_heard_out(world):
    world.speaks("a story of some length")
    world.until(lambda: world.states[2] is Assistant.SPEAKING)
    world.run(0.6)
    world.meets_another_server()
    assert world.session.conversation.messages[-2].heard < len(world.texts[-2][1])

    world.run(3)
    assert world.session.conversation.messages[-2].heard == len(world.texts[-2][1])


def test_continued_call_knows_what_was_said_in_the_last(world):
    world.speaks("my name is Ada")
    world.run(4)
    again = World(past=world.session.conversation)
    again.speaks("what is my name")
    again.run(4)

    assert [text for _, text in again.texts] == [
        "my name is Ada",
        "You said my name is Ada.",
        "continued",
        "what is my name",
        "You said what is my name.",
    ]
    told = [event["item"]["content"][0]["text"] for event in again.sent("conversation.item.create")]
    assert told == ["my name is Ada", "You said my name is Ada."]
