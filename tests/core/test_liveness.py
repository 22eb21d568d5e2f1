"""A server that does not react is noticed within three seconds."""

import numpy as np

from components.audio import FRAME_MS, FRAME_SAMPLES
from components.core.liveness import (
    DEAF,
    LOUD_FRAMES,
    NO_REACTION,
    NOT_ANSWERED,
    PATIENCE_S,
    WINDOW_FRAMES,
    Liveness,
)


def frame(dbfs):
    amplitude = 32768 * 10 ** (dbfs / 20)
    return np.tile([amplitude, -amplitude], FRAME_SAMPLES // 2).astype(np.int16).tobytes()


VOICE, PAUSE, MURMUR = frame(-20), frame(-60), frame(-45)


def speak(liveness, frames, loud=VOICE, quiet=PAUSE):
    """So many loud frames, with a pause after every ten, as between words."""
    for number in range(frames):
        if number % 10 == 0:
            liveness.listen(quiet)
        liveness.listen(loud)


def test_nothing_is_said_of_a_server_that_was_not_asked():
    assert Liveness().sentence(99.0) == ""


def test_question_without_a_reaction_is_told_of_after_three_seconds():
    liveness = Liveness()
    liveness.asked(NOT_ANSWERED, 1.0)
    liveness.asked(NO_REACTION, 3.0)

    assert liveness.sentence(1.0 + PATIENCE_S - 0.01) == ""
    assert liveness.sentence(1.0 + PATIENCE_S) == NOT_ANSWERED


def test_reaction_withdraws_it():
    liveness = Liveness()
    liveness.asked(NOT_ANSWERED, 1.0)
    liveness.reacted()
    assert liveness.sentence(9.0) == ""

    liveness.asked(NO_REACTION, 9.0)
    assert liveness.sentence(12.0) == NO_REACTION


def test_three_seconds_of_speech_that_nobody_noticed_are_told_of():
    liveness = Liveness()
    speak(liveness, LOUD_FRAMES - 1)
    assert liveness.sentence(0.0) == ""

    liveness.listen(VOICE)
    assert liveness.sentence(0.0) == DEAF

    liveness.reacted()
    assert liveness.sentence(0.0) == ""


def test_murmur_is_no_speech():
    liveness = Liveness()
    speak(liveness, 3 * LOUD_FRAMES, loud=MURMUR)

    assert liveness.sentence(0.0) == ""


def test_steady_noise_is_no_speech():
    liveness = Liveness()
    speak(liveness, 3 * LOUD_FRAMES, loud=frame(-25), quiet=frame(-27))

    assert liveness.sentence(0.0) == ""


def test_noise_that_begins_is_not_taken_for_speech_for_ever():
    liveness = Liveness()
    for _ in range(50):
        liveness.listen(frame(-30))
    liveness.listen(PAUSE)
    for _ in range(1500):
        liveness.listen(frame(-30))
    liveness.reacted()
    for _ in range(2 * LOUD_FRAMES):
        liveness.listen(frame(-30))

    assert liveness.sentence(0.0) == ""


def test_short_noises_far_apart_do_not_add_up_to_speech():
    liveness = Liveness()
    for _ in range(60):  # ten minutes, in which a door falls shut every ten seconds
        for _ in range(160 // FRAME_MS):
            liveness.listen(VOICE)
        for _ in range((10_000 - 160) // FRAME_MS):
            liveness.listen(PAUSE)
        assert liveness.sentence(0.0) == ""


def test_three_seconds_of_speech_within_nine_are_told_of_whatever_its_pauses():
    liveness = Liveness()
    liveness.listen(PAUSE)
    for _ in range(LOUD_FRAMES // 15):
        assert liveness.sentence(0.0) == ""
        for _ in range(30 - 1):
            liveness.listen(PAUSE)
        for _ in range(15):
            liveness.listen(VOICE)

    assert liveness.sentence(0.0) == DEAF


def test_speech_that_takes_longer_than_nine_seconds_is_not_told_of():
    liveness = Liveness()
    for _ in range(3):
        for _ in range(WINDOW_FRAMES - LOUD_FRAMES // 2):
            liveness.listen(PAUSE)
        for _ in range(LOUD_FRAMES // 2):
            liveness.listen(VOICE)

    assert liveness.sentence(0.0) == ""


def test_sentence_stays_until_the_server_reacts():
    liveness = Liveness()
    speak(liveness, LOUD_FRAMES)
    for _ in range(2 * WINDOW_FRAMES):
        liveness.listen(PAUSE)
    assert liveness.sentence(99.0) == DEAF

    liveness.reacted()
    assert liveness.sentence(99.0) == ""
