"""Who has the word on the user's side, and which frames the server gets."""

import pytest

from components.audio import FRAME_BYTES
from components.core.conversation import User
from components.core.intake import DEAD_FRAMES
from components.core.turns import LEAST_TURN_FRAMES, PRE_ROLL_FRAMES, Turns
from components.protocol.events import BufferCleared, Other, SpeechStarted, SpeechStopped

SILENCE = bytes(FRAME_BYTES)


def frame(number):
    return (100 + number).to_bytes(2, "little") * (FRAME_BYTES // 2)


def take(turns, count, first=0):
    return [sent for n in range(first, first + count) for sent in turns.microphone(frame(n))]


def opened(by_hand=False):
    turns = Turns(by_hand)
    assert turns.open() == []
    return turns


def test_every_frame_goes_to_a_server_that_detects_the_turns():
    turns = opened()

    assert take(turns, 3) == [frame(0), frame(1), frame(2)]
    assert not turns.by_hand


@pytest.mark.parametrize("end", [SpeechStopped("u1"), BufferCleared()])
def test_the_server_says_when_the_user_speaks(end):
    turns = opened()
    turns.receive(Other("odd"))
    assert turns.user is User.LISTENING

    turns.receive(SpeechStarted("u1"))
    assert turns.user is User.SPEAKING

    turns.receive(end)
    assert turns.user is User.LISTENING


def test_mute_sends_silence_and_leaves_the_turn_as_it_is():
    turns = opened()
    turns.receive(SpeechStarted("u1"))
    turns.muted = True

    assert take(turns, 2) == [SILENCE, SILENCE]
    assert turns.user is User.MUTED
    assert turns.speaking

    turns.muted = False
    assert turns.user is User.SPEAKING


def test_talk_button_lets_the_turn_pass_with_what_came_just_before():
    turns = opened(by_hand=True)
    assert take(turns, PRE_ROLL_FRAMES + 5) == []
    assert turns.user is User.LISTENING

    assert turns.press() == [frame(n) for n in range(5, PRE_ROLL_FRAMES + 5)]
    assert turns.user is User.SPEAKING
    assert take(turns, 2, first=50) == [frame(50), frame(51)]
    assert turns.release() is True
    assert turns.user is User.LISTENING
    assert take(turns, 2) == []


def test_turn_by_hand_that_is_too_short_is_none():
    turns = opened(by_hand=True)
    turns.press()
    take(turns, LEAST_TURN_FRAMES - 1)

    assert turns.release() is False


def test_button_means_nothing_twice():
    turns = opened(by_hand=True)
    assert turns.release() is None

    turns.press()
    assert turns.press() is None


def test_button_means_nothing_where_the_server_detects_the_turns():
    turns = opened()

    assert turns.press() is None
    assert turns.release() is None


def test_what_a_server_detects_is_no_turn_by_hand():
    turns = opened(by_hand=True)
    turns.receive(SpeechStarted("u1"))

    assert not turns.speaking


@pytest.mark.parametrize("by_hand", [False, True])
def test_turn_ends_with_its_session(by_hand):
    turns = opened(by_hand)
    turns.receive(SpeechStarted("u1"))
    turns.press()
    assert turns.speaking

    turns.close()
    assert not turns.speaking
    assert take(turns, 1) == []


def test_frames_of_a_lost_session_wait_for_the_next():
    turns = opened()
    turns.close()
    take(turns, 2)

    assert turns.open() == [frame(0), frame(1)]


def test_turns_may_change_hands():
    turns = opened()
    turns.receive(SpeechStarted("u1"))
    turns.switch(by_hand=False)
    assert turns.speaking

    turns.switch(by_hand=True)
    assert turns.by_hand
    assert not turns.speaking
    assert take(turns, 1) == []

    turns.press()
    turns.switch(by_hand=False)
    assert take(turns, 1) == [frame(0)]


def test_microphone_without_any_sound_is_dead_unless_it_is_muted():
    turns = opened()
    turns.muted = True
    for _ in range(DEAD_FRAMES):
        turns.microphone(SILENCE)
    assert not turns.dead

    turns.muted = False
    for _ in range(DEAD_FRAMES):
        turns.microphone(SILENCE)
    assert turns.dead

    turns.microphone(frame(1))
    assert not turns.dead
