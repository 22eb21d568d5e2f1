"""Opus packets to sound and back, by the library and without it."""

import ctypes.util
import random
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.audio import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE
from components.media import opus
from components.media.opus import (
    MOST_SAMPLES,
    LibraryDecoder,
    LibraryEncoder,
    PyAvDecoder,
    PyAvEncoder,
    decoder,
    encoder,
    find,
    places,
)

FRAMES = 25
TONE = (8000 * np.sin(np.arange(FRAMES * FRAME_SAMPLES) * 2 * np.pi * 500 / SAMPLE_RATE)).astype(
    np.int16
)
LIBRARY = find(places())


def by_library():
    assert LIBRARY is not None
    return LibraryDecoder(LIBRARY)


def encoded(voice):
    return [voice.encode(block.tobytes()) for block in TONE.reshape(FRAMES, FRAME_SAMPLES)]


def heard(ear, packets):
    return np.frombuffer(b"".join(map(ear.decode, packets)), np.int16)


def pitch(sound):
    return np.argmax(np.abs(np.fft.rfft(sound))) * SAMPLE_RATE / len(sound)


def test_the_library_that_pyav_brings_along_is_used():
    assert isinstance(decoder(), LibraryDecoder)
    assert isinstance(encoder(), LibraryEncoder)


@pytest.mark.parametrize("ear", [by_library, PyAvDecoder], ids=["library", "PyAV"])
@pytest.mark.parametrize("voice", [encoder, PyAvEncoder], ids=["library", "PyAV"])
def test_sound_survives_the_coding(voice, ear):
    sound = heard(ear(), encoded(voice()))

    assert len(sound) == len(TONE)
    assert pitch(sound[-9600:]) == pytest.approx(500, abs=3)
    assert np.sqrt(np.mean(sound[-9600:].astype(float) ** 2)) == pytest.approx(5657, rel=0.1)


@pytest.mark.parametrize("ear", [by_library, PyAvDecoder], ids=["library", "PyAV"])
@pytest.mark.parametrize("junk", [b"", b"\xff\xff\xff", b"\x03"], ids=["empty", "junk", "cut"])
def test_what_is_no_opus_is_no_sound_and_harms_none(ear, junk):
    ear, packets = ear(), encoded(encoder())
    heard(ear, packets[:10])

    assert ear.decode(junk) == b""
    assert len(heard(ear, packets[10:])) == (FRAMES - 10) * FRAME_SAMPLES


def test_the_longest_packet_is_decoded_whole():
    [first, *_] = encoded(encoder())
    whole = bytes([first[0] | 3, 6]) + first[1:] * 6  # six frames of the same length

    assert len(by_library().decode(whole)) in (0, 2 * MOST_SAMPLES)
    silk = bytes([0b00011_0_11, 2]) + bytes(2)  # two frames of 60 ms
    assert len(by_library().decode(silk)) == 2 * MOST_SAMPLES


@settings(max_examples=300)
@given(st.binary(max_size=2048))
def test_no_bytes_harm(packet):
    assert len(by_library().decode(packet)) <= 2 * MOST_SAMPLES


def test_no_damage_to_a_packet_harms():
    chance = random.Random(7)
    ear, packets = by_library(), encoded(encoder())
    for _ in range(3000):
        packet = bytearray(chance.choice(packets))
        for _ in range(chance.randint(1, 8)):
            packet[chance.randrange(len(packet))] = chance.randrange(256)
        cut = chance.randrange(len(packet)) if chance.random() < 0.2 else len(packet)
        assert len(ear.decode(bytes(packet[:cut]))) <= 2 * MOST_SAMPLES


@pytest.mark.parametrize("size", [0, FRAME_BYTES - 2, FRAME_BYTES + 2])
def test_what_is_no_frame_is_not_encoded(size):
    with pytest.raises(ValueError, match="no frame"):
        encoder().encode(bytes(size))


def test_what_the_library_refuses_is_an_error(monkeypatch):
    monkeypatch.setattr(opus, "SAMPLE_RATE", 24_001)

    with pytest.raises(RuntimeError, match="libopus says -1"):
        by_library()


def test_other_files_are_not_taken_for_the_library(tmp_path):
    text = tmp_path / "libopus.so"
    text.write_text("no library")
    [other, *_] = Path(av.__file__).parent.parent.glob("av.libs/libavutil*")

    assert find(iter([str(text), str(tmp_path / "none"), str(other)])) is None


def test_the_library_of_the_system_is_the_last_resort(monkeypatch):
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: f"lib{name}.so.0")
    [*beside, last] = places()

    assert last == "libopus.so.0"
    assert beside


def test_without_the_library_pyav_does_the_work(monkeypatch):
    monkeypatch.setattr(opus, "_LIBRARY", None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)

    assert "libopus.so.0" not in places()
    assert isinstance(decoder(), PyAvDecoder)
    assert isinstance(encoder(), PyAvEncoder)
