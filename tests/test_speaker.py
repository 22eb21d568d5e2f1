"""The track to the browser: one packet of 20 ms at every 20 ms."""

import asyncio
import itertools

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from components import speaker as module
from components.audio import FRAME_SAMPLES
from components.speaker import RTP_STEP, TAIL_FRAMES, OpusVoice, Speaker

TONE = (8000 * np.sin(np.arange(FRAME_SAMPLES) * 2 * np.pi * 440 / 24_000)).astype(np.int16)


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only while the speaker sleeps."""

    class Clock:
        now = 50.0

        def monotonic(self):
            return self.now

        async def sleep(self, seconds):
            assert seconds >= 0
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic", clock.monotonic)
    monkeypatch.setattr(module.asyncio, "sleep", clock.sleep)
    return clock


def decoded(packets):
    decoder = av.CodecContext.create("libopus", "r")
    decoder.layout = "mono"
    decoder.format = "s16"
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]) / 32768


def test_sound_survives_the_coding():
    voice = OpusVoice()

    sound = decoded([voice.encode(TONE.tobytes()) for _ in range(20)])

    assert len(sound) == 20 * 960
    assert 0.15 < np.sqrt(np.mean(sound[4000:] ** 2)) < 0.2


def test_long_silence_is_not_encoded_anew():
    voice = OpusVoice()
    voice.encode(TONE.tobytes())

    packets = [voice.encode(None) for _ in range(TAIL_FRAMES + 10)]

    assert len(set(packets[TAIL_FRAMES - 1 :])) == 1
    assert np.abs(decoded(packets)[960 * TAIL_FRAMES :]).max() < 0.001


def test_sound_after_a_silence_is_encoded_again():
    voice = OpusVoice()
    packets = [voice.encode(None) for _ in range(TAIL_FRAMES + 10)]
    packets += [voice.encode(TONE.tobytes()) for _ in range(5)]

    assert np.abs(decoded(packets)[-960:]).max() > 0.1


async def test_packets_leave_on_absolute_deadlines(clock):
    asked = []
    speaker = Speaker(lambda now: asked.append(now))
    for work in itertools.islice(itertools.cycle([0.0, 0.013, 0.004]), 50):
        await speaker.recv()
        clock.now += work

    assert asked == pytest.approx([50.0 + n * 0.02 for n in range(50)])


async def test_rtp_time_goes_on_by_twenty_ms_a_packet(clock):
    speaker = Speaker(lambda now: None)

    packets = [await speaker.recv() for _ in range(5)]

    assert [packet.pts for packet in packets] == [n * RTP_STEP for n in range(5)]
    assert all(packet.time_base == module.Fraction(1, 48_000) for packet in packets)


async def test_small_delay_is_caught_up(clock):
    asked = []
    speaker = Speaker(lambda now: asked.append(now))
    await speaker.recv()
    clock.now += 0.05
    for _ in range(4):
        await speaker.recv()

    assert asked == pytest.approx([50.0, 50.05, 50.05, 50.06, 50.08])


async def test_large_delay_starts_the_clock_anew(clock):
    asked = []
    speaker = Speaker(lambda now: asked.append(now))
    await speaker.recv()
    clock.now += 5
    for _ in range(3):
        await speaker.recv()

    assert asked == pytest.approx([50.0, 55.0, 55.02, 55.04])


async def test_ended_track_gives_no_more():
    speaker = Speaker(lambda now: None)
    speaker.stop()

    with pytest.raises(MediaStreamError):
        await speaker.recv()


async def test_real_clock_lets_others_run():
    speaker = Speaker(lambda now: TONE.tobytes())
    ran = asyncio.create_task(asyncio.sleep(0))
    await speaker.recv()
    await speaker.recv()

    assert ran.done()
