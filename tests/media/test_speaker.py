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


class Listener:
    """Notes each packet that leaves a speaker, and when."""

    def __init__(self, speaker):
        self.packets: list[tuple[bytes, int]] = []
        self.times: list[float] = []
        self.arrived = asyncio.Event()
        self.playing = asyncio.ensure_future(speaker.play(self.leave))

    def leave(self, payload, timestamp):
        self.packets.append((payload, timestamp))
        self.times.append(time.monotonic())
        self.arrived.set()

    async def hear(self, count):
        while len(self.packets) < count:
            self.arrived.clear()
            await self.arrived.wait()


@pytest.fixture
async def listen():
    """Begins to listen to a speaker; the speaker ends with the test."""
    playing = []

    def begin(speaker):
        listener = Listener(speaker)
        playing.append(listener.playing)
        return listener

    yield begin
    for task in playing:
        task.cancel()
    await asyncio.gather(*playing, return_exceptions=True)


async def test_rtp_time_goes_on_by_twenty_ms_a_packet(listen):
    listener = listen(Speaker(lambda now: None))
    await listener.hear(5)

    assert [timestamp for _, timestamp in listener.packets] == [n * RTP_STEP for n in range(5)]


async def test_frames_are_asked_for_at_their_deadlines(listen):
    asked = []
    begun = time.monotonic()
    await listen(Speaker(lambda now: asked.append(now))).hear(10)

    # Never early: how late they are, the first one too, is the machine's affair.
    assert all(now >= begun + n * 0.02 - 0.002 for n, now in enumerate(asked))


async def test_reply_after_a_silence_does_not_wait_for_its_deadline(listen, monkeypatch):
    speaker = Speaker(lambda now: None)
    listener = listen(speaker)
    monkeypatch.setattr(speaker._clock, "left", lambda silent: push(speaker._clock))
    await listener.hear(1)
    speaker.hurry()

    await listener.hear(2)


def push(clock):
    """The next frame is due in an hour."""
    clock._due += 3600.0


def pull(clock):
    """The next frame is due in a millisecond."""
    clock._due -= 3599.999


async def test_reply_under_way_is_not_hurried(listen, monkeypatch):
    speaker = Speaker(lambda now: TONE.tobytes())
    monkeypatch.setattr(speaker._clock, "left", lambda silent: push(speaker._clock))
    listener = listen(speaker)
    await listener.hear(1)
    speaker.hurry()
    for _ in range(3):
        await asyncio.sleep(0)

    assert len(listener.packets) == 1


async def test_frame_that_is_nearly_due_leaves_with_a_packet_of_the_microphone(listen, monkeypatch):
    speaker = Speaker(lambda now: None)
    monkeypatch.setattr(speaker._clock, "left", lambda silent: push(speaker._clock))
    listener = listen(speaker)
    speaker.accompany()
    await listener.hear(1)
    speaker.accompany()
    assert len(listener.packets) == 1

    pull(speaker._clock)
    speaker.accompany()

    assert len(listener.packets) == 2


async def test_hurry_without_anyone_listening_changes_nothing(listen):
    speaker = Speaker(lambda now: None)
    speaker.hurry()
    listener = listen(speaker)
    await listener.hear(1)

    assert listener.packets[0][1] == 0


async def test_end_of_the_track_ends_the_playing(listen):
    speaker = Speaker(lambda now: None)
    listener = listen(speaker)
    await listener.hear(1)
    speaker.stop()
    await listener.playing
    speaker.stop()
    speaker.hurry()
    await asyncio.sleep(0.03)

    assert len(listener.packets) == 1


async def test_ended_track_plays_nothing(listen):
    speaker = Speaker(lambda now: None)
    speaker.stop()
    listener = listen(speaker)
    await listener.playing

    assert listener.packets == []


@pytest.mark.parametrize("error", [ConnectionError("closed"), ValueError("a bug")])
async def test_packet_that_cannot_leave_is_the_last(error):
    left = []

    def leave(payload, timestamp):
        left.append(timestamp)
        raise error

    with pytest.raises(type(error)):
        await Speaker(lambda now: None).play(leave)
    await asyncio.sleep(0.03)

    assert left == [0]


async def test_sender_with_a_loop_of_its_own_asks_for_each_packet():
    speaker = Speaker(lambda now: None)
    begun = time.monotonic()
    packets = [await speaker.recv() for _ in range(5)]

    assert time.monotonic() >= begun + 0.078
    assert [packet.pts for packet in packets] == [n * RTP_STEP for n in range(5)]
    assert all(packet.time_base == Fraction(1, 48_000) for packet in packets)


async def test_ended_track_gives_no_more():
    speaker = Speaker(lambda now: None)
    speaker.stop()

    with pytest.raises(MediaStreamError):
        await speaker.recv()


async def test_others_run_between_frames():
    speaker = Speaker(lambda now: TONE.tobytes())
    ran: list[bool] = []
    asyncio.get_running_loop().call_soon(ran.append, True)
    await speaker.recv()

    assert ran
