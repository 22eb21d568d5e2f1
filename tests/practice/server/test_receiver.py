"""A caller's packets: every one is received once, in order, and what is lost is silence."""

from dataclasses import dataclass

import av
import numpy as np
import pytest

from components.practice.server.receiver import LONGEST_GAP, OpusReceiver

OPUS = 111
FRAME = 960
FRAME_BYTES = 960
"""20 ms at 48 kHz in samples, and at 24 kHz in bytes."""


@dataclass
class Packet:
    sequence_number: int
    timestamp: int
    _data: bytes
    payload_type: int = OPUS


@pytest.fixture(scope="module")
def packets() -> list[Packet]:
    """A second of tone."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    found = []
    for index in range(50):
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.sample_rate = 48_000
        time = np.arange(index * FRAME, (index + 1) * FRAME) / 48_000
        frame.planes[0].update((8000 * np.sin(2000 * time)).astype(np.int16).tobytes())
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return [
        Packet((65_530 + n) & 0xFFFF, (2**32 - 5000 + n * FRAME) & 0xFFFFFFFF, data)
        for n, data in enumerate(found)
    ]


def received(packets: list[Packet]) -> bytes:
    pcm: list[bytes] = []
    receiver = OpusReceiver(pcm.append, {OPUS})
    for packet in packets:
        assert receiver.add(packet) == (False, None)
    return b"".join(pcm)


def frames_of(pcm: bytes) -> int:
    return round(len(pcm) / FRAME_BYTES)


def test_all_is_received_though_the_numbers_wrap(packets: list[Packet]) -> None:
    pcm = received(packets)

    assert frames_of(pcm) == len(packets)
    assert np.abs(np.frombuffer(pcm[FRAME_BYTES:], np.int16)).max() > 6000


def test_late_and_repeated_packets_are_left_out(packets: list[Packet]) -> None:
    order = [*packets[:10], packets[5], packets[9], *packets[10:]]

    assert received(order) == received(packets)


def test_what_is_lost_is_silence(packets: list[Packet]) -> None:
    pcm = received([*packets[:20], *packets[25:]])

    assert frames_of(pcm) == len(packets)


def test_a_long_gap_is_a_new_stream(packets: list[Packet]) -> None:
    later = [
        Packet(p.sequence_number, (p.timestamp + LONGEST_GAP + 1) & 0xFFFFFFFF, p._data)
        for p in packets[25:]
    ]

    assert frames_of(received([*packets[:25], *later])) == len(packets)


@pytest.mark.parametrize("data", [b"", b"\xff\xff\xff"])
def test_what_is_no_sound_is_dropped(packets: list[Packet], data: bytes) -> None:
    first = packets[0]

    assert received([Packet(1, first.timestamp, data)]) == b""
    assert received([Packet(1, first.timestamp, first._data, payload_type=0)]) == b""
