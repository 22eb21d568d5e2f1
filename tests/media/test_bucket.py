"""How much may come in any time."""

from hypothesis import given
from hypothesis import strategies as st

from components.media.bucket import TokenBucket


def test_it_is_full_at_the_beginning_unless_told():
    assert TokenBucket(1, 10).take(20, 0) == 10
    assert TokenBucket(1, 10, first=2).take(20, 0) == 2


def test_it_refills_by_its_rate_up_to_the_most():
    bucket = TokenBucket(2, 10)
    bucket.take(10, 100)

    assert bucket.take(20, 101) == 2
    assert bucket.take(20, 1000) == 10


def test_a_clock_that_goes_back_gives_nothing():
    bucket = TokenBucket(1, 10)
    bucket.take(10, 100)

    assert bucket.take(5, 50) == 0
    assert bucket.take(5, 51) == 1


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 20)), max_size=50))
def test_never_more_than_the_reserve_and_the_time(steps):
    bucket = TokenBucket(3, 7)
    now = taken = 0.0
    for pause, wanted in steps:
        now += pause
        got = bucket.take(wanted, now)
        assert 0 <= got <= wanted
        taken += got

    assert taken <= 7 + 3 * now + 1e-6
