import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.audio import SAMPLE_RATE, level_dbfs
from components.practice.speech.chunks import (
    CHUNK_MS,
    MAX_PIECE,
    chunks,
    ends_sentence,
    pace,
    pieces,
    speakable,
    tone,
    word_marks,
)
from components.practice.speech.framing import Mark

TEXTS = st.text(alphabet=st.sampled_from("ab .!?\n\u00e9\U0001f600\"'"), max_size=900)
MARKS = st.lists(st.builds(Mark, st.integers(0, 1000), st.integers(0, 30_000)), max_size=20)
RATE = 22_050


@given(TEXTS)
def test_pieces_are_the_text_and_none_is_long(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert all(0 < len(piece) <= MAX_PIECE for piece in pieces(text))


def test_pieces_end_with_sentences() -> None:
    assert pieces('One. "Two!" Three') == ["One. ", '"Two!" ', "Three"]


def test_a_long_sentence_is_cut_at_a_space() -> None:
    text = "word " * 100
    assert all(piece.endswith("word ") for piece in pieces(text))


def test_a_long_sentence_is_cut_where_one_takes_breath() -> None:
    text = "There are apples, and oranges that nobody has bought today"
    assert pieces(text, 30) == [
        "There are apples, ",
        "and oranges that nobody has ",
        "bought today",
    ]
    assert pieces("Oh, these are many words and more", 20) == [
        "Oh, these are many ",
        "words and more",
    ]


@pytest.mark.parametrize(("piece", "ends"), [('One. "', False), ('"Two!" ', True), ("a, ", False)])
def test_after_a_sentence_one_pauses(piece: str, ends: bool) -> None:
    assert ends_sentence(piece) is ends


def test_a_long_word_is_cut_anyhow() -> None:
    assert [len(piece) for piece in pieces("x" * (MAX_PIECE + 1))] == [MAX_PIECE, 1]


@given(st.text())
def test_speakable_text_keeps_its_positions(text: str) -> None:
    out = speakable(text)

    assert len(out) == len(text)
    assert "\0" not in out
    out.encode()


def test_what_cannot_be_encoded_becomes_a_space() -> None:
    assert speakable("a\0b\ud800c\nd") == "a b c d"


@pytest.mark.parametrize(
    ("speed", "expected"),
    [(1.0, (165, 0)), (1.5, (248, 0)), (0.5, (82, 0)), (0.25, (80, 16)), (9.0, (248, 0))],
)
def test_a_speed_is_a_rate_and_below_its_least_a_gap(
    speed: float, expected: tuple[int, int]
) -> None:
    assert pace(speed) == expected


def test_marks_inside_a_word_do_not_count() -> None:
    text = "It's 12:45 now."
    marks = [Mark(0, 0), Mark(5, 100), Mark(8, 200), Mark(9, 300), Mark(11, 400), Mark(11, 450)]
    assert word_marks(text, marks) == [Mark(0, 0), Mark(5, 100), Mark(11, 400)]


def test_a_mark_out_of_order_does_not_count() -> None:
    assert word_marks("a b c", [Mark(4, 10), Mark(2, 20)]) == [Mark(0, 0), Mark(4, 10)]
    assert word_marks("a b c", [Mark(2, 20), Mark(4, 10)]) == [Mark(0, 0), Mark(2, 20)]
    assert word_marks(" ", [Mark(0, 10)]) == [Mark(0, 0)]


@given(TEXTS, MARKS, st.integers(0, 30_000))
def test_chunks_cover_the_sound_and_the_text(text: str, marks: list[Mark], samples: int) -> None:
    cut = list(chunks(text, word_marks(text, marks), samples, RATE))
    ends = [end for end, _ in cut]

    assert "".join(words for _, words in cut) == text
    assert ends[-1] == samples
    lengths = np.diff([0, *ends])
    assert all(length <= RATE * CHUNK_MS // 1000 for length in lengths)


def test_words_stand_in_the_chunk_in_which_they_start() -> None:
    step = RATE * CHUNK_MS // 1000
    marks = [Mark(0, 0), Mark(4, step - 1), Mark(8, step)]
    assert [w for _, w in chunks("one two six", marks, 2 * step, RATE)] == ["one two ", "six"]


@given(TEXTS, st.sampled_from([0.25, 1.0, 1.5]))
def test_the_tone_has_all_the_words(text: str, speed: float) -> None:
    assert "".join(spoken.words for spoken in tone(text, speed)) == text


def test_the_tone_is_soft_and_as_long_as_the_words_take() -> None:
    text = "these are eight words of a short sentence "
    samples = np.frombuffer(b"".join(s.pcm for s in tone(text, 1.0)), np.int16)

    assert 2.0 < samples.size / SAMPLE_RATE < 4.0
    assert -40 < level_dbfs(samples) < -25


def test_the_tone_keeps_to_the_speed() -> None:
    [slow], [fast] = tone("word", 0.5), tone("word", 1.0)
    assert len(slow.pcm) == pytest.approx(2 * len(fast.pcm), rel=0.01)
