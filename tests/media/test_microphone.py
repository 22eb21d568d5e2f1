"""The track from the browser: what each packet brings, when it comes."""

from dataclasses import dataclass

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.audio import FRAME_BYTES, SAMPLE_RATE
from components.media.microphone import (
    AHEAD_S,
    LONGEST_GAP_S,
    MOST_SOURCES,
    RTP_CLOCK,
    Microphone,
)

OPUS, PCMU = 111, 0
STEP = RTP_CLOCK // 50
LATENCY = 40
"""Samples at 24 kHz that codec and resampler may keep back."""


@dataclass
class Packet:
    sequence_number: int
    timestamp: int
    payload_type: int
    _data: bytes
    ssrc: int = 7


def opus(count, layout="stereo"):
    """Packets of a 500 Hz tone, as a browser sends them."""
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = RTP_CLOCK, layout, "s16"
    channels = 2 if layout == "stereo" else 1
    tone = 8000 * np.sin(np.arange(STEP * count) * 2 * np.pi * 500 / RTP_CLOCK)
    payloads = []
    for block in tone.astype(np.int16).reshape(count, STEP):
        samples = np.repeat(block, channels).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate = RTP_CLOCK
        payloads += [bytes(packet) for packet in codec.encode(frame)]
    return [
        Packet((65_530 + n) % 65_536, (4_294_960_000 + n * STEP) % 2**32, OPUS, payload)
        for n, payload in enumerate(payloads)
    ]


class Ear:
    def __init__(self):
        self.pieces: list[bytes] = []
        self.now = 0.0
        self.hung_up = 0
        self.microphone = Microphone(
            self.pieces.append, {OPUS}, self.hang_up, clock=lambda: self.now
        )

    def hang_up(self):
        self.hung_up += 1

    def add(self, *packets):
        for packet in packets:
            assert self.microphone.add(packet) == (False, None)

    @property
    def samples(self):
        return np.frombuffer(b"".join(self.pieces), np.int16)

    @property
    def seconds(self):
        return len(self.samples) / SAMPLE_RATE


@pytest.fixture
def ear():
    return Ear()


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_each_packet_is_heard_when_it_comes(ear, layout):
    lengths = []
    for packet in opus(25, layout):
        ear.add(packet)
        lengths.append(len(ear.samples))

    assert lengths == pytest.approx([480 * (n + 1) for n in range(25)], abs=LATENCY)
    assert np.sqrt(np.mean(ear.samples[2400:].astype(float) ** 2)) == pytest.approx(5657, rel=0.1)


def test_tone_keeps_its_pitch(ear):
    ear.add(*opus(50))

    spectrum = np.abs(np.fft.rfft(ear.samples[: SAMPLE_RATE // 2]))

    assert np.argmax(spectrum) * 2 == pytest.approx(500, abs=4)


def test_lost_packets_become_silence_of_their_length(ear):
    packets = opus(25)
    ear.add(*packets[:10], *packets[13:])

    assert len(ear.samples) == pytest.approx(25 * 480, abs=LATENCY)
    assert ear.pieces[10:13] == [bytes(FRAME_BYTES)] * 3


def test_late_and_repeated_packets_are_dropped(ear):
    packets = opus(5)
    ear.add(packets[0], packets[2], packets[1], packets[2], packets[3], packets[4])

    assert len(ear.samples) == pytest.approx(5 * 480, abs=LATENCY)


def test_packet_that_is_not_opus_inside_is_as_good_as_lost(ear):
    packets = opus(6)
    packets[3]._data = b"\xff\xff\xff"
    ear.add(*packets)

    assert len(ear.samples) == pytest.approx(6 * 480, abs=LATENCY)


def test_empty_packet_of_padding_is_no_sound(ear):
    packets = opus(3)
    ear.add(packets[0], Packet(packets[1].sequence_number, packets[1].timestamp, OPUS, b""))

    assert len(ear.samples) == pytest.approx(480, abs=LATENCY)


def test_new_stream_after_a_long_time_brings_no_flood_of_silence(ear):
    packets = opus(4)
    for packet in packets[2:]:
        packet.timestamp = (packet.timestamp + (LONGEST_GAP_S + 1) * RTP_CLOCK) % 2**32
    ear.add(*packets)

    assert len(ear.samples) == pytest.approx(4 * 480, abs=LATENCY)


def test_other_codecs_are_heard_by_nobody(ear):
    ear.add(Packet(1, 160, PCMU, b"\x7f" * 160))

    assert ear.pieces == []


def test_silence_is_filled_for_the_time_that_has_passed(ear):
    packets = opus(4)
    for packet in packets[2:]:
        packet.timestamp = (packet.timestamp + 3 * RTP_CLOCK) % 2**32
    ear.add(*packets[:2])
    ear.now = 3.0
    ear.add(*packets[2:])

    assert ear.seconds == pytest.approx(3.08, abs=0.01)
    assert max(map(len, ear.pieces)) == FRAME_BYTES


def test_timestamps_that_jump_make_no_sound_from_nothing(ear):
    """300 packets in 7.5 s, each 4.98 s after the one before it by its own word."""
    tiny = b"\x08\xff\xfe"
    for n in range(300):
        ear.now = n * 0.025
        ear.add(Packet(n, n * 239_040 % 2**32, OPUS, tiny))

    assert 0 < ear.seconds <= 1.02 * 7.5 + AHEAD_S
    assert max(map(len, ear.pieces)) <= FRAME_BYTES


def test_packets_that_come_ten_times_too_fast_become_no_more_sound(ear):
    for n, packet in enumerate(opus(1000)):
        ear.now = n * 0.002
        ear.add(packet)

    assert 2.0 <= ear.seconds <= 2.05 + AHEAD_S


def test_what_a_network_has_held_back_is_heard_when_it_comes(ear):
    packets = opus(250)
    for n, packet in enumerate(packets[:50]):
        ear.now = n * 0.02
        ear.add(packet)
    ear.now = 5.0
    ear.add(*packets[50:])

    assert ear.seconds == pytest.approx(5.0, abs=0.01)


def test_long_packets_are_handed_on_in_pieces(ear):
    payload = opus(1)[0]._data
    toc = payload[0] | 3
    ear.add(Packet(0, 0, OPUS, bytes([toc, 3]) + payload[1:] * 3))  # a packet of three frames

    assert all(len(piece) <= FRAME_BYTES for piece in ear.pieces)


def test_who_speaks_with_many_voices_is_hung_up_on(ear):
    [payload] = {packet._data for packet in opus(1)}
    for n in range(MOST_SOURCES):
        ear.add(Packet(n, n * STEP, OPUS, payload, ssrc=n))
    assert not ear.hung_up

    for n in range(1000):
        ear.add(Packet(n, n * STEP, PCMU, payload, ssrc=1000 + n))
    assert ear.hung_up
    assert len(ear.microphone._sources) <= MOST_SOURCES


@settings(max_examples=25)
@given(st.sets(st.integers(1, 38)), st.randoms(use_true_random=False))
def test_loss_and_reordering_never_shift_the_time_line(lost, chance):
    ear = Ear()
    packets = [packet for n, packet in enumerate(opus(40)) if n not in lost]
    for n in range(1, len(packets) - 2):
        if chance.random() < 0.2:
            packets[n], packets[n + 1] = packets[n + 1], packets[n]
    ear.add(*packets)

    assert len(ear.samples) == pytest.approx(40 * 480, abs=LATENCY)
