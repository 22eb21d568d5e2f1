"""Who has the word, and which frames of the microphone the server gets."""

import pytest

from components.audio import FRAME_BYTES
from components.core.conversation import User
from components.core.intake import DEAD_FRAMES
from components.core.turns import (
    LEAST_TURN_FRAMES,
    PRE_ROLL_FRAMES,
    ManualTurns,
    ServerTurns,
    Turns,
)
from components.protocol.events import BufferCleared, Other, SpeechStarted, SpeechStopped

SILENCE = bytes(FRAME_BYTES)


def frame(number):
    return (100 + number).to_bytes(2, "little") * (FRAME_BYTES // 2)


def frames(first, last):
    return [frame(number) for number in range(first, last)]


def hold(turns, count):
    """Press, and speak for so many frames more than were kept from before."""
    turns.press()
    for number in range(count):
        turns.gate(frame(number))


def opened(by_hand=False):
    turns = Turns(by_hand)
    assert turns.open() == []
    return turns


# By the server.


@pytest.mark.parametrize("end", [SpeechStopped("u1"), BufferCleared()])
def test_server_says_when_the_user_speaks(end):
    turns = ServerTurns()
    assert not turns.speaking

    turns.receive(SpeechStarted("u1"))
    assert turns.speaking

    turns.receive(end)
    assert not turns.speaking


def test_every_frame_goes_to_turn_detection():
    turns = ServerTurns()
    assert turns.gate(frame(1)) == frame(1)

    turns.receive(SpeechStarted("u1"))
    assert turns.gate(frame(2)) == frame(2)


@pytest.mark.parametrize("turns", [ServerTurns(), ManualTurns()])
def test_turn_is_lost_with_the_session(turns):
    turns.receive(SpeechStarted("u1"))
    if turns.by_hand:
        turns.press()
    assert turns.speaking

    turns.drop()
    assert not turns.speaking


# By hand.


def test_pressing_lets_the_turn_pass_with_what_came_just_before():
    turns = ManualTurns()
    assert [turns.gate(pcm) for pcm in frames(0, PRE_ROLL_FRAMES + 5)] == [None] * (
        PRE_ROLL_FRAMES + 5
    )
    assert not turns.speaking

    assert turns.press() == frames(5, PRE_ROLL_FRAMES + 5)
    assert turns.speaking
    assert turns.gate(frame(50)) == frame(50)

    assert turns.release()
    assert not turns.speaking
    assert turns.gate(frame(51)) is None


def test_what_was_sent_is_not_sent_again_before_the_next_turn():
    turns = ManualTurns()
    turns.gate(frame(1))
    assert turns.press() == [frame(1)]
    turns.gate(frame(2))
    turns.release()

    assert turns.press() == []


def test_turn_shorter_than_the_api_takes_is_none():
    turns = ManualTurns()
    hold(turns, LEAST_TURN_FRAMES - 1)
    assert not turns.release()

    hold(turns, LEAST_TURN_FRAMES)
    assert turns.release()


def test_what_came_before_counts_for_the_length_of_a_turn():
    turns = ManualTurns()
    for pcm in frames(0, LEAST_TURN_FRAMES):
        turns.gate(pcm)
    turns.press()

    assert turns.release()


def test_speech_that_the_server_finds_begins_no_turn_by_hand():
    turns = ManualTurns()
    turns.receive(SpeechStarted("u1"))
    assert not turns.speaking

    turns.press()
    turns.receive(SpeechStopped("u1"))
    assert turns.speaking


# The user's side of a call.


def test_user_listens_and_speaks():
    turns = opened()
    assert turns.user is User.LISTENING

    turns.receive(SpeechStarted("u1"))
    turns.receive(Other("odd"))
    assert turns.user is User.SPEAKING


def test_mute_while_speaking_hides_the_turn_and_does_not_end_it():
    turns = opened()
    turns.receive(SpeechStarted("u1"))
    turns.muted = True
    assert turns.user is User.MUTED
    assert turns.speaking

    turns.muted = False
    assert turns.user is User.SPEAKING


def test_mute_outlasts_a_turn_by_hand_that_was_under_way():
    turns = opened(by_hand=True)
    turns.press()
    turns.muted = True
    turns.release()

    assert turns.user is User.MUTED


def test_muted_microphone_sends_silence():
    turns = opened()
    turns.muted = True
    assert turns.microphone(frame(1)) == [SILENCE]

    turns.muted = False
    assert turns.microphone(frame(2)) == [frame(2)]


def test_nothing_that_was_said_while_muted_is_sent_before_a_turn_by_hand():
    turns = opened(by_hand=True)
    turns.muted = True
    turns.microphone(frame(1))
    turns.muted = False

    assert turns.press() == [SILENCE]


def test_only_a_held_button_lets_frames_pass():
    turns = opened(by_hand=True)
    assert turns.microphone(frame(1)) == []

    turns.press()
    assert turns.microphone(frame(2)) == [frame(2)]


def test_frames_wait_for_the_session():
    turns = Turns(by_hand=False)
    assert turns.microphone(frame(1)) == []
    assert turns.open() == [frame(1)]

    turns.close()
    assert turns.microphone(frame(2)) == []
    assert turns.open() == [frame(2)]


def test_button_held_as_the_session_breaks_is_up_again():
    turns = opened(by_hand=True)
    turns.press()
    turns.close()

    assert not turns.speaking
    assert turns.release() is None


def test_pressing_twice_is_pressing_once():
    turns = opened(by_hand=True)
    assert turns.press() == []
    assert turns.press() is None

    assert turns.release() is False
    assert turns.release() is None


def test_button_means_nothing_where_the_server_ends_the_turns():
    turns = opened()
    turns.receive(SpeechStarted("u1"))

    assert turns.press() is None
    assert turns.release() is None
    assert turns.speaking


def test_switch_changes_who_ends_the_turns():
    turns = opened()
    turns.receive(SpeechStarted("u1"))
    turns.switch(by_hand=True)
    assert turns.by_hand
    assert not turns.speaking
    assert turns.microphone(frame(1)) == []

    turns.switch(by_hand=False)
    assert not turns.by_hand
    assert turns.microphone(frame(2)) == [frame(2)]


def test_switch_to_what_is_already_so_keeps_the_turn():
    turns = opened(by_hand=True)
    turns.press()
    turns.switch(by_hand=True)

    assert turns.speaking


def test_microphone_without_any_sound_is_dead():
    turns = opened()
    for _ in range(DEAD_FRAMES):
        turns.microphone(SILENCE)

    assert turns.dead


def test_muted_microphone_is_not_dead():
    turns = opened()
    turns.muted = True
    for _ in range(2 * DEAD_FRAMES):
        turns.microphone(SILENCE)

    assert not turns.dead
