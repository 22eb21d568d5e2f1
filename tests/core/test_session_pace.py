"""Floods of what a page may send: how many answers they cost, and what is said of it."""

import pytest

from components.core.allowance import Limits
from components.core.pace import AT_ONCE, EVERY_S, TOO_OFTEN, Pace
from components.core.session import Session
from components.protocol.options import Refused
from tests.dialogue import Call, options

HUM = b"\5\0" * 480


def paced(pace=None, turn_detection="server_vad"):
    """A call whose user is held to a pace."""
    pace = pace or Pace()
    by_hand = turn_detection == "push_to_talk"
    call = Call(turn_detection=turn_detection)
    call.session = Session(
        options(turn_detection=turn_detection),
        limits=Limits(),
        chance=lambda: 1.0,
        refused=Refused(),
        admit=lambda now: pace.admit("ada", now),
    )
    return call.ready(None) if by_hand else call.ready()


def asks(call, text):
    """A line is typed, and answered as fast as a server can."""
    call.do(call.session.say(text, call.now))
    for number, event in enumerate(call.sent("response.create", "response.cancel")):
        status = "cancelled" if event["type"] == "response.cancel" else "completed"
        response = event.get("response_id", f"r{number}")
        call.receive("response.created", response={"id": response})
        call.receive("response.done", response={"id": response, "status": status, "output": []})


def typed(call):
    return [message.text for message in call.conversation.messages]


def test_a_flood_of_lines_costs_a_few_answers_and_is_told():
    call = paced()
    for number in range(200):
        asks(call, f"line {number}")

    assert typed(call) == [f"line {number}" for number in range(AT_ONCE)]
    assert call.conversation.notice == TOO_OFTEN

    call.now += EVERY_S
    asks(call, "later")
    assert typed(call)[-1] == "later"
    assert call.conversation.notice == ""


def test_two_calls_of_a_visitor_share_his_pace():
    pace = Pace()
    one, other = paced(pace), paced(pace)
    for number in range(100):
        asks(one, f"{number}")
        asks(other, f"{number}")

    assert len(typed(one)) + len(typed(other)) == AT_ONCE
    assert other.conversation.notice == TOO_OFTEN


def test_lines_before_the_call_is_ready_count_as_well():
    pace = Pace()
    for _ in range(AT_ONCE):
        pace.admit("ada", 100.0)
    call = paced(pace)
    call.lost()
    call.do(call.session.say("early", call.now))

    assert call.conversation.notice == TOO_OFTEN


def test_lines_typed_during_an_answer_are_all_said_and_get_one_answer_together():
    call = paced().talk()
    for number in range(5):
        call.do(call.session.say(f"line {number}", call.now))

    assert [event["type"] for event in call.sent()] == [
        "conversation.item.truncate",
        "response.cancel",
        *["conversation.item.create"] * 5,
    ]
    call.receive("response.done", response={"id": "r1", "status": "cancelled"})
    assert [event["type"] for event in call.sent()] == ["response.create"]
    assert typed(call)[-5:] == [f"line {number}" for number in range(5)]


def test_a_flood_of_interruptions_is_one():
    call = paced().talk()
    for _ in range(100):
        call.do(call.session.interrupt(call.now))

    assert [event["type"] for event in call.sent()] == [
        "conversation.item.truncate",
        "response.cancel",
    ]


def test_a_flood_of_mutings_is_nothing_to_the_server():
    call = paced()
    for number in range(100):
        call.do(call.session.mute(number % 2 == 0, call.now))

    assert call.sent() == []


@pytest.mark.parametrize("frames", [0, 10])
def test_a_flood_of_turns_by_hand_is_bounded_and_told(frames):
    call = paced(turn_detection="push_to_talk")
    for _ in range(100):
        call.do(call.session.push_to_talk(True, call.now))
        for _ in range(frames):
            call.microphone(HUM)
        call.do(call.session.push_to_talk(False, call.now))

    assert call.conversation.notice == TOO_OFTEN
    sent = [event["type"] for event in call.sent()]
    assert sent.count("input_audio_buffer.clear") <= 2 * AT_ONCE
    assert sent.count("input_audio_buffer.commit") == (AT_ONCE if frames else 0)


def test_a_button_that_is_already_held_asks_for_nothing():
    call = paced(turn_detection="push_to_talk")
    for _ in range(100):
        call.do(call.session.push_to_talk(True, call.now))
    call.do(call.session.push_to_talk(False, call.now))
    call.do(call.session.push_to_talk(True, call.now))

    assert call.conversation.notice != TOO_OFTEN
