"""The output audio buffer: frames out, and how much of each item was played."""

from components.audio import BYTES_PER_MS
from components.practice.engine.playout import FRAME_BYTES, Cut, Place, Playout

A = Place("r1", "a", 0)
B = Place("r1", "b", 0)
LATER = Place("r2", "c", 0)


def sound(length_ms: int) -> bytes:
    return b"\1" * (length_ms * BYTES_PER_MS)


def test_an_empty_buffer_is_silent() -> None:
    playout = Playout()

    assert playout.take() is None
    assert playout.playing is None
    assert playout.cut() == (None, [])


def test_frames_come_in_order_and_the_last_is_filled_up() -> None:
    playout = Playout()
    playout.add(A, sound(30))
    playout.finish("r1")

    assert playout.take() == sound(20)
    assert playout.playing == "r1"
    assert playout.take() == sound(10).ljust(FRAME_BYTES, b"\0")
    assert playout.playing == "r1"
    assert playout.take() is None
    assert playout.playing is None


def test_a_frame_waits_for_the_rest_of_its_response() -> None:
    playout = Playout()
    playout.add(A, sound(10))
    assert playout.take() is None

    playout.add(A, sound(10))
    assert playout.take() == sound(20)
    assert playout.take() is None
    assert playout.playing == "r1"


def test_items_of_one_response_play_without_a_gap() -> None:
    playout = Playout()
    playout.add(A, sound(10))
    playout.add(B, sound(30))

    assert playout.take() == sound(20)
    assert playout.take() == sound(20)


def test_the_next_response_begins_when_the_first_is_over() -> None:
    playout = Playout()
    playout.add(A, sound(10))
    playout.add(LATER, sound(20))
    playout.finish("r1")

    assert playout.take() == sound(10).ljust(FRAME_BYTES, b"\0")
    assert playout.take() == sound(20)
    assert playout.playing == "r2"


def test_a_cut_says_what_was_played_of_each_item() -> None:
    playout = Playout()
    playout.add(A, sound(30))
    playout.add(B, sound(100))
    playout.add(LATER, sound(20))
    for _ in range(3):
        playout.take()

    assert playout.cut() == ("r1", [Cut(B, 30), Cut(LATER, 0)])
    assert playout.take() is None


def test_a_cut_before_the_first_frame_names_its_response() -> None:
    playout = Playout()
    playout.add(A, sound(100))

    assert playout.cut() == ("r1", [Cut(A, 0)])


def test_sound_of_a_cut_item_comes_too_late() -> None:
    playout = Playout()
    playout.add(A, sound(100))
    playout.cut()
    playout.add(A, sound(100))

    assert playout.take() is None


def test_a_response_without_sound_leaves_no_trace() -> None:
    playout = Playout()
    playout.finish("r1")
    playout.add(A, sound(10))

    assert playout.take() is None
