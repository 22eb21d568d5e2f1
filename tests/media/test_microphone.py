"""The track from the browser: what each packet brings, when it comes."""

from dataclasses import dataclass

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.audio import SAMPLE_RATE
from components.media.microphone import LONGEST_GAP_S, RTP_CLOCK, Microphone

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


class Stock:
    """The jitter buffer that was there before."""

    def __init__(self):
        self.packets = []

    def add(self, packet):
        self.packets.append(packet)
        return False, "frame"


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
        self.stock = Stock()
        self.microphone = Microphone(self.pieces.append, {OPUS}, self.stock)

    def add(self, *packets):
        for packet in packets:
            assert self.microphone.add(packet) == (False, None)

    @property
    def samples(self):
        return np.frombuffer(b"".join(self.pieces), np.int16)


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
    assert bytes(3 * 960) in ear.pieces


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


def test_other_codecs_go_the_stock_way(ear):
    packet = Packet(1, 160, PCMU, b"\x7f" * 160)

    assert ear.microphone.add(packet) == (False, "frame")
    assert ear.stock.packets == [packet]
    assert ear.pieces == []


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(1, 38)), st.randoms(use_true_random=False))
def test_loss_and_reordering_never_shift_the_time_line(lost, chance):
    ear = Ear()
    packets = [packet for n, packet in enumerate(opus(40)) if n not in lost]
    for n in range(1, len(packets) - 2):
        if chance.random() < 0.2:
            packets[n], packets[n + 1] = packets[n + 1], packets[n]
    ear.add(*packets)

    assert len(ear.samples) == pytest.approx(40 * 480, abs=LATENCY)
