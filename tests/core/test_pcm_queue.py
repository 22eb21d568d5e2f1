"""Sound comes out as it went in, and costs no more than it holds."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from components.core.pcm_queue import BLOCK_BYTES, PcmQueue


def held_by(queue: PcmQueue, piece: bytes, times: int) -> tuple[int, int]:
    """Bytes that the queue takes after so many pieces, and at the most on the way."""
    tracemalloc.start()
    for _ in range(times):
        queue.add(piece)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held, most


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.integers(BLOCK_BYTES - 2, 3 * BLOCK_BYTES).map(lambda size: bytes(size - 1) + b"."),
            st.integers(1, 2 * BLOCK_BYTES),
        ),
        max_size=30,
    )
)
def test_bytes_come_out_in_the_order_in_which_they_went_in(steps: list[bytes | int]) -> None:
    queue, waiting = PcmQueue(), b""
    for step in steps:
        if isinstance(step, bytes):
            queue.add(step)
            waiting += step
        else:
            assert queue.take(step) == waiting[:step]
            waiting = waiting[step:]
        assert len(queue) == len(waiting)
    assert queue.take(len(waiting) + 1) == waiting
    assert not queue


def test_minutes_of_sound_are_never_there_twice() -> None:
    queue = PcmQueue()
    held, most = held_by(queue, bytes(4800), 2000)
    assert len(queue) == 4800 * 2000
    assert most < 1.2 * len(queue)
    assert held < 1.2 * len(queue)


def test_pieces_of_two_bytes_take_little_more_room_than_they_hold() -> None:
    queue = PcmQueue()
    held, _most = held_by(queue, b"..", 40_000)
    assert held < 1.5 * len(queue)


def test_what_was_taken_takes_no_room() -> None:
    queue = PcmQueue()
    queue.add(bytes(10 * BLOCK_BYTES))
    tracemalloc.start()
    for _ in range(2000):
        queue.add(bytes(960))
        queue.take(960)
    held, _most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(queue) == 10 * BLOCK_BYTES
    assert held < 12.5 * BLOCK_BYTES
