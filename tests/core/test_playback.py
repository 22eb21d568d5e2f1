"""The ledger: what was played, what was heard, what is left."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.audio import BYTES_PER_MS, FRAME_BYTES
from components.core import playback as module
from components.core.playback import DEFAULT_DELAY_S, MOST_CLIPS, MOST_WAITING, Cut, Playback

FRAME_S = 0.02


def pcm(ms, value=1):
    return bytes([value, 0]) * (ms * BYTES_PER_MS // 2)


def play(playback, frames, now=0.0):
    """Take frames as the playout clock does; the time after the last one."""
    for _ in range(frames):
        playback.take(now)
        now += FRAME_S
    return now


def test_silence_when_there_is_nothing_to_play():
    playback = Playback()

    assert playback.take(0.0) is None
    assert not playback.waiting
    assert not playback.speaking(0.0)


def test_deltas_of_any_length_come_out_as_whole_frames_in_order():
    playback = Playback()
    sound = bytes(range(256)) * 15
    for start in range(0, len(sound), 700):
        playback.add("a", 0, sound[start : start + 700])
    playback.finish("a")

    frames = [playback.take(n * FRAME_S) for n in range(5)]

    assert frames[4] is None
    sounded = [frame for frame in frames if frame is not None]
    assert [len(frame) for frame in sounded] == [FRAME_BYTES] * 4
    assert b"".join(sounded) == sound


def test_rest_of_an_unfinished_item_waits_for_more():
    playback = Playback()
    playback.add("a", 0, pcm(30))

    assert playback.take(0.0) is not None
    assert playback.take(0.02) is None
    assert not playback.waiting

    playback.add("a", 0, pcm(10))
    assert playback.waiting

    assert playback.take(0.04) == pcm(20)


def test_last_frame_of_a_reply_is_filled_up():
    playback = Playback()
    playback.add("a", 0, pcm(5))
    playback.finish("a")
    assert playback.waiting

    assert playback.take(0.0) == pcm(5) + bytes(FRAME_BYTES - 5 * BYTES_PER_MS)


def test_items_play_one_after_the_other_without_a_gap():
    playback = Playback()
    playback.add("a", 0, pcm(10, 1))
    playback.add("b", 0, pcm(10, 2))
    playback.finish()

    assert playback.take(0.0) == pcm(10, 1) + pcm(10, 2)


def test_later_item_waits_for_the_end_of_the_earlier_one():
    """The first item's `done` may come after the second item's first deltas."""
    playback = Playback()
    playback.add("a", 0, pcm(20, 1))
    playback.add("b", 0, pcm(20, 2))

    assert playback.take(0.0) == pcm(20, 1)
    assert playback.take(0.02) is None

    playback.finish("a")

    assert playback.take(0.04) == pcm(20, 2)


def test_sound_is_heard_a_delay_after_it_was_handed_over():
    playback = Playback()
    playback.add("a", 0, pcm(100))
    playback.finish("a")
    now = play(playback, 5)

    assert playback.speaking(now)
    assert not playback.speaking(now + DEFAULT_DELAY_S)


def test_stop_tells_what_was_heard_of_each_item():
    playback = Playback()
    playback.delay_s = 0.0
    playback.add("a", 0, pcm(40))
    playback.add("b", 1, pcm(200))
    playback.add("c", 0, pcm(100))
    playback.finish("a")
    now = play(playback, 4)

    assert playback.stop(now) == [Cut("b", 1, 40, 200), Cut("c", 0, 0, 100)]
    assert playback.take(now) is None
    assert playback.stop(now) == []


def test_frame_under_way_to_the_ear_is_not_heard():
    playback = Playback()
    playback.add("a", 0, pcm(200))
    now = play(playback, 5)

    [cut] = playback.stop(now)

    assert cut.heard_ms == 40


def test_unfinished_item_that_was_heard_whole_is_still_cut():
    playback = Playback()
    playback.add("a", 0, pcm(20))
    play(playback, 1)

    assert playback.stop(1.0) == [Cut("a", 0, 20, 20)]


def test_odd_byte_at_the_end_does_not_keep_an_item_alive():
    playback = Playback()
    playback.add("a", 0, pcm(20) + b"\1")
    playback.finish("a")
    play(playback, 1)

    assert not playback.speaking(1.0)


def test_sample_that_comes_in_two_halves_is_whole_again():
    playback = Playback()
    sound = bytes(range(240)) * 4
    for start, end in pairwise((0, 1, 4, 4, 481, 960)):
        playback.add("a", 0, sound[start:end])
    playback.add("b", 0, pcm(20, 7))
    playback.finish()

    assert playback.take(0.0) == sound
    assert playback.take(0.02) == pcm(20, 7)


def test_odd_byte_does_not_turn_the_next_item_into_noise():
    playback = Playback()
    playback.add("a", 0, b"\1")
    playback.add("b", 0, pcm(20, 2))
    playback.finish()

    assert playback.take(0.0) == pcm(20, 2)
    assert not playback.waiting


def test_sound_that_never_ends_takes_ten_minutes_of_room():
    playback = Playback()
    minute = bytes(60_000 * BYTES_PER_MS)
    for _ in range(9):
        playback.add("a", 0, minute)
    playback.add("b", 0, minute + bytes(10))
    playback.add("b", 0, minute)
    playback.add("c", 0, minute)

    received = [cut.received_ms for cut in playback.stop(0.0)]
    assert received == [9 * 60_000, 60_000, 0]
    assert sum(received) * BYTES_PER_MS == MOST_WAITING


def test_what_was_played_makes_room_for_more(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 2 * FRAME_BYTES)
    playback = Playback()
    playback.add("a", 0, pcm(60, 1))
    assert playback.take(0.0) == pcm(20, 1)
    playback.add("a", 0, pcm(60, 2))

    assert [playback.take(0.0) for _ in range(3)] == [pcm(20, 1), pcm(20, 2), None]


def test_items_without_end_are_not_all_kept():
    playback = Playback()
    for number in range(MOST_CLIPS):
        playback.add(f"item {number}", 0, pcm(20))
    playback.add("one too many", 0, pcm(20))
    playback.caption("one too many", 0, 5)
    playback.add("item 0", 0, pcm(20))

    assert playback.heard_characters("one too many", 0.0) is None
    cuts = playback.stop(0.0)
    assert len(cuts) == MOST_CLIPS
    assert cuts[0].received_ms == 40


def test_captions_without_end_take_no_more_room_than_their_sound():
    playback = Playback()
    playback.delay_s = 0.0
    playback.add("a", 0, pcm(1000))
    for number in range(10_000):
        playback.caption("a", 0, number)
        playback.add("a", 0, b"\0")
    now = play(playback, 40)
    playback.heard_characters("a", now)

    [clip] = playback._clips
    assert len(clip.marks) < 2 + 10_000 / FRAME_BYTES


def test_captions_whose_sound_was_heard_are_forgotten():
    playback = Playback()
    playback.delay_s = 0.0
    now = 0.0
    for number in range(100):
        playback.caption("a", 0, number)
        playback.add("a", 0, pcm(40))
        now = play(playback, 2, now)
        heard = playback.heard_characters("a", now)

    [clip] = playback._clips
    assert len(clip.marks) <= 2
    assert heard == 99


def test_caption_is_unheard_before_its_sound():
    playback = Playback()
    playback.caption("a", 0, 5)

    assert playback.heard_characters("a", 0.0) == 0
    assert not playback.speaking(0.0)

    playback.add("a", 0, pcm(20))

    assert playback.heard_characters("a", 0.0) == 0
    assert playback.heard_characters("b", 0.0) is None


def test_captions_in_step_with_the_sound_are_believed():
    playback = Playback()
    playback.delay_s = 0.0
    for count in (10, 20, 30, 40):
        playback.caption("a", 0, count)
        playback.add("a", 0, pcm(400))
    playback.finish("a")

    heard = []
    now = 0.0
    for _ in range(4):
        now = play(playback, 15, now)
        heard.append(playback.heard_characters("a", now))

    assert heard == [10, 20, 30, 30]


def test_captions_that_run_ahead_are_spread_over_the_sound():
    playback = Playback()
    playback.delay_s = 0.0
    playback.caption("a", 0, 100)
    playback.add("a", 0, pcm(2000))
    playback.finish("a")

    now = play(playback, 50)

    assert playback.heard_characters("a", now) == 50


def test_captions_of_an_unfinished_item_keep_to_a_speaking_rate():
    playback = Playback()
    playback.delay_s = 0.0
    playback.caption("a", 0, 100)
    playback.add("a", 0, pcm(4000))

    now = play(playback, 50)

    assert playback.heard_characters("a", now) == 25


def test_caption_of_a_silent_item_ends_with_it():
    playback = Playback()
    playback.caption("a", 0, 5)
    playback.finish("a")

    assert playback.heard_characters("a", 0.0) is None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("ab"), st.integers(0, 3000)),
        st.tuples(st.just("take"), st.floats(0, 0.1), st.just(0)),
        st.tuples(st.just("finish"), st.sampled_from("ab"), st.just(0)),
        st.tuples(st.just("delay"), st.floats(0, 0.5), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_heard_is_never_more_than_was_received_or_handed_over(steps):
    playback = Playback()
    now, received, handed_over = 0.0, {"a": 0, "b": 0}, 0
    for step, what, size in steps:
        if step == "add":
            playback.add(what, 0, bytes(size))
            received[what] += size
        elif step == "take":
            now += what
            handed_over += FRAME_BYTES if playback.take(now) else 0
        elif step == "finish":
            playback.finish(what)
        else:
            playback.delay_s = what

    cuts = playback.stop(now)

    assert sum(cut.heard_ms for cut in cuts) <= handed_over / BYTES_PER_MS
    for cut in cuts:
        assert cut.heard_ms <= cut.received_ms <= received[cut.item_id] / BYTES_PER_MS


@given(STEPS, st.integers(1, 400))
def test_heard_characters_only_grow(steps, characters):
    playback = Playback()
    playback.caption("a", 0, characters)
    playback.add("a", 0, pcm(300))
    now, before = 0.0, 0
    for step, what, _ in steps:
        if step == "take":
            now += what
            playback.take(now)
        elif step == "delay":
            playback.delay_s = what
        heard = playback.heard_characters("a", now)

        assert heard is not None
        assert before <= heard <= characters
        before = heard


@pytest.mark.parametrize("size", [0, 2, FRAME_BYTES - 2, FRAME_BYTES, FRAME_BYTES + 2])
def test_finished_item_is_played_to_its_last_sample(size):
    playback = Playback()
    playback.add("a", 0, b"\1" * size)
    playback.finish("a")

    frames = []
    while (frame := playback.take(0.0)) is not None:
        frames.append(frame)

    assert b"".join(frames)[:size] == b"\1" * size
    assert len(frames) == -(-size // FRAME_BYTES)
