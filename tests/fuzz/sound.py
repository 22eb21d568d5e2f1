"""RTP packets of a browser, whose headers and payloads are anything.

What must hold: no more sound is passed on than time has passed, in pieces of 20 ms at the most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import av
import numpy as np
from hypothesis import strategies as st

from components.audio import BYTES_PER_MS, FRAME_BYTES
from components.media.microphone import AHEAD_S, FAST, RTP_CLOCK, Microphone
from tests.fuzz.target import Target

OPUS = 111
SLACK_S = 0.1
"""What codec and filter may keep back, and a frame."""
STEP = RTP_CLOCK // 50


@dataclass
class Packet:
    """What the microphone reads, and how long after the one before it comes."""

    sequence_number: int
    timestamp: int
    payload_type: int
    ssrc: int
    _data: bytes
    after_s: float


@cache
def _payloads() -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = RTP_CLOCK, "mono", "s16"
    noise = np.random.default_rng(1).integers(-9000, 9000, STEP * 4).astype(np.int16)
    payloads = []
    for block in noise.reshape(4, 1, STEP):
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
        frame.sample_rate = RTP_CLOCK
        payloads += [bytes(packet) for packet in codec.encode(frame)]
    return [*payloads, b"", b"\xff" * 3, bytes(1500)]


numbers = st.integers(0, 65_535) | st.sampled_from([0, 1, 2, 65_534, 65_535])
stamps = st.sampled_from([n * STEP for n in range(8)]) | st.integers(0, 2**32 - 1)
packets = st.deferred(
    lambda: st.builds(
        Packet,
        numbers,
        stamps,
        st.sampled_from([OPUS, OPUS, OPUS, 0, 8, 127]),
        st.integers(1, 12),
        st.sampled_from(_payloads()) | st.binary(max_size=40),
        st.sampled_from([0.0, 0.0, 0.02, 0.02, 0.5, 6.0]),
    )
)


def _check(received: Sequence[Packet]) -> None:
    now, passed_on = 0.0, 0
    pieces: list[bytes] = []
    microphone = Microphone(pieces.append, {OPUS}, lambda: None, clock=lambda: now)
    for packet in received:
        now += packet.after_s
        microphone.add(packet)
        assert all(0 < len(piece) <= FRAME_BYTES for piece in pieces)
        passed_on += sum(map(len, pieces))
        pieces.clear()
        assert passed_on / BYTES_PER_MS / 1000 <= now * FAST + AHEAD_S + SLACK_S


RTP = Target("rtp", st.lists(packets, max_size=60), _check, 150)
