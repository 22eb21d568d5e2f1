"""What is said into a silence that an answer has asked to be broken."""

from collections.abc import Callable

import pytest

from components.practice.engine.outputs import Speak
from tests.practice.drive import Drive, Outputs, audio

VAD = {"type": "server_vad", "silence_duration_ms": 500}
QUIET_FROM = 11.0
"""When an answer of five words, given at 10.0, has been played."""


def reminded(after_s: float = 8.0) -> Drive:
    """A session whose answer has come with a reminder, and is complete."""
    drive = Drive()
    drive.turn_detection(VAD)
    drive.now = 10.0
    response_id = drive.think(drive.spoken_turn())
    assert drive.engine.remind(response_id, "Hello?", after_s) == []
    drive.say(response_id, "Five words make one second.")
    return drive


def test_it_is_said_once_when_the_silence_after_the_answer_has_lasted() -> None:
    drive = reminded()

    assert drive.engine.deadline == QUIET_FROM + 8.0
    assert drive.tick(QUIET_FROM + 7.9) == []
    said = drive.tick(QUIET_FROM + 8.0)
    assert said.types == ["response.created", "Speak"]
    assert said.one(Speak).text == "Hello?"
    drive.engine.said(said.event("response.created")["response"]["id"], drive.now)
    assert drive.engine.deadline == 3600
    assert drive.tick(3000.0) == []


def test_it_waits_for_the_end_of_the_answer() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    response_id = drive.think(drive.spoken_turn())
    drive.engine.remind(response_id, "Hello?", 1.0)

    assert drive.engine.deadline == 3600


def speak(drive: Drive) -> Outputs:
    return drive.user_sounds(200, 0.9)


def type_(drive: Drive) -> Outputs:
    return drive.type("hello")


def push(drive: Drive) -> Outputs:
    drive.turn_detection(None)
    drive.send("input_audio_buffer.append", audio=audio(200))
    return drive.send("input_audio_buffer.commit")


def interrupt(drive: Drive) -> Outputs:
    return drive.send("response.cancel")


@pytest.mark.parametrize("act", [speak, type_, push, interrupt])
def test_whoever_does_something_is_not_reminded(act: Callable[[Drive], Outputs]) -> None:
    drive = reminded()
    act(drive)

    assert not any(isinstance(output, Speak) for output in drive.tick(100.0))


def test_an_answer_that_is_over_reminds_nobody() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    response_id = drive.think(drive.spoken_turn())
    speak(drive)
    drive.engine.remind(response_id, "Hello?", 1.0)

    assert drive.engine.deadline == 3600


def test_an_idle_time_that_is_shorter_comes_first() -> None:
    drive = reminded()
    drive.turn_detection({**VAD, "idle_timeout_ms": 5000})

    assert drive.tick(QUIET_FROM + 5.0).one(Speak).text == "Are you still there?"
