"""The track to the browser: one packet of 20 ms at every 20 ms."""

import asyncio
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from components.audio import FRAME_SAMPLES
from components.media.speaker import RTP_STEP, TAIL_FRAMES, OpusVoice, Speaker

TONE = (8000 * np.sin(np.arange(FRAME_SAMPLES) * 2 * np.pi * 440 / 24_000)).astype(np.int16)


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


async def test_rtp_time_goes_on_by_twenty_ms_a_packet():
    speaker = Speaker(lambda now: None)

    packets = [await speaker.recv() for _ in range(5)]

    assert [packet.pts for packet in packets] == [n * RTP_STEP for n in range(5)]
    assert all(packet.time_base == Fraction(1, 48_000) for packet in packets)


async def test_frames_are_asked_for_at_their_deadlines():
    asked = []
    speaker = Speaker(lambda now: asked.append(now))
    begun = time.monotonic()
    for _ in range(10):
        await speaker.recv()

    # Never early: how late they are, the first one too, is the machine's affair.
    assert all(now >= begun + n * 0.02 - 0.002 for n, now in enumerate(asked))


async def test_reply_after_a_silence_does_not_wait_for_its_deadline(monkeypatch):
    speaker = Speaker(lambda now: None)
    await speaker.recv()
    monkeypatch.setattr(speaker._clock, "wait", lambda now: 3600.0)
    waiting = asyncio.create_task(speaker.recv())
    await asyncio.sleep(0)
    speaker.hurry()

    await waiting


async def test_reply_under_way_is_not_hurried(monkeypatch):
    speaker = Speaker(lambda now: TONE.tobytes())
    await speaker.recv()
    monkeypatch.setattr(speaker._clock, "wait", lambda now: 3600.0)
    waiting = asyncio.create_task(speaker.recv())
    await asyncio.sleep(0)
    speaker.hurry()
    await asyncio.sleep(0)

    assert not waiting.done()
    waiting.cancel()


async def test_hurry_without_anyone_waiting_changes_nothing():
    speaker = Speaker(lambda now: None)
    speaker.hurry()
    await speaker.recv()
    speaker.hurry()

    assert (await speaker.recv()).pts == RTP_STEP


async def test_ended_track_gives_no_more():
    speaker = Speaker(lambda now: None)
    speaker.stop()

    with pytest.raises(MediaStreamError):
        await speaker.recv()


async def test_others_run_between_frames():
    speaker = Speaker(lambda now: TONE.tobytes())
    ran = asyncio.create_task(asyncio.sleep(0))
    await speaker.recv()

    assert ran.done()
