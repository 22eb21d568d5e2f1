"""How loud the sides of a recording are, and where their voices begin."""

from components.recording.voices import Voice, Voices

SPEECH, ROOM, HUM, SILENCE = -20.0, -60.0, -42.0, -90.0


def heard(*spells: tuple[float, int]) -> Voice:
    """A side with these levels, each for so many frames of 20 ms."""
    voice = Voice()
    for level, slots in spells:
        for _ in range(slots):
            voice.slot(level)
    return voice


def test_a_voice_begins_after_silence_and_again_after_a_pause() -> None:
    voice = heard((SILENCE, 50), (SPEECH, 20), (SILENCE, 10), (SPEECH, 20), (ROOM, 15), (SPEECH, 9))
    assert voice.onsets == [1.0, 2.3]
    assert voice.seconds == 124 * 0.02


def test_a_voice_from_the_first_moment_on_begins_there() -> None:
    assert heard((SPEECH, 5)).onsets == [0.0]


def test_a_loud_room_is_no_voice() -> None:
    assert heard((HUM, 500), (SPEECH, 10), (HUM, 500)).onsets == [10.0]


def test_the_loudest_of_each_tenth_of_a_second_is_kept() -> None:
    assert heard((SILENCE, 4), (-30.04, 1), (ROOM, 6)).levels == [-30.0, ROOM, ROOM]
    assert Voices().user.levels == []
