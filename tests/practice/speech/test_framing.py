import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.practice.speech import framing
from components.practice.speech.framing import Frame, Mark, Sound

FRAMES = st.builds(Frame, st.binary(min_size=1, max_size=1), st.binary(max_size=50))
MARKS = st.builds(Mark, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))


@given(st.lists(FRAMES))
def test_frames_come_out_as_they_went_in(frames: list[Frame]) -> None:
    pipe = io.BytesIO()
    for frame in frames:
        framing.write(pipe, frame)
    pipe.seek(0)

    assert [framing.read(pipe) for _ in frames] == frames
    assert framing.read(pipe) is None


@given(FRAMES, st.integers(min_value=1))
def test_half_a_frame_is_the_end_of_the_stream(frame: Frame, cut: int) -> None:
    packed = framing.pack(frame)
    assert framing.read(io.BytesIO(packed[: -(cut % len(packed)) or -1])) is None


def test_a_stream_out_of_step_is_noticed() -> None:
    with pytest.raises(ValueError, match="cannot be right"):
        framing.unpack_header(b"\xff" * framing.HEADER_BYTES)


def test_json_goes_into_a_frame() -> None:
    assert framing.pack_json(b"X", {"a": "\u00e9"}) == Frame(b"X", b'{"a": "\\u00e9"}')


@given(st.builds(Sound, st.binary(), st.lists(MARKS).map(tuple), st.integers(0, 2**32 - 1)))
def test_a_sound_comes_out_as_it_went_in(sound: Sound) -> None:
    kind, payload = framing.pack_sound(sound)

    assert kind == framing.SPOKEN
    assert framing.unpack_sound(payload) == sound


@pytest.mark.parametrize(
    "payload", [b"", bytes(4), b"\1\0\0\0\2\0\0\0" + bytes(8), b"\1\0\0\0\1\0\0\0\0"]
)
def test_a_broken_sound_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="not a sound"):
        framing.unpack_sound(payload)
