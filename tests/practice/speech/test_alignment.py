from hypothesis import given
from hypothesis import strategies as st

from components.practice.speech.alignment import Symbol, marks
from components.practice.speech.framing import Mark

SYMBOLS = st.lists(st.builds(Symbol, st.sampled_from("ab ,"), st.integers(0, 3000)))


def symbols(pronounced: str, each: int = 100) -> list[Symbol]:
    return [Symbol(symbol, each) for symbol in pronounced]


def test_a_word_begins_where_it_is_pronounced() -> None:
    assert marks("One, two", symbols(" wan, tu: ")) == [Mark(0, 100), Mark(5, 600)]


def test_where_words_are_pronounced_as_more_or_fewer_they_begin_as_far_in() -> None:
    assert marks("at 12:45", symbols("at twelve forty")) == [Mark(0, 0), Mark(3, 500)]
    assert marks("of the cat", symbols("ove kat")) == [Mark(0, 0), Mark(3, 100), Mark(7, 500)]


def test_without_a_sound_there_is_no_mark() -> None:
    assert marks("…", []) == []
    assert marks("", []) == []
    assert marks(" ", symbols("ab")) == []


@given(st.text(alphabet=st.sampled_from("ab 1"), max_size=60), SYMBOLS)
def test_words_keep_their_order_and_stay_inside_the_sound(text: str, spoken: list[Symbol]) -> None:
    found = marks(text, spoken)

    assert [mark.character for mark in found] == sorted(mark.character for mark in found)
    assert [mark.sample for mark in found] == sorted(mark.sample for mark in found)
    assert all(mark.sample <= sum(symbol.samples for symbol in spoken) for mark in found)
