"""What is replaced in the peer connection, and what happens where there is nothing to replace.

That calls go through it is tested with real peers, in `integration/test_peer.py`.
"""

from types import SimpleNamespace

import av
import numpy as np
import pytest
from aiortc import rtcrtpreceiver

from components.jitter import PromptBuffer
from components.peer import MOST_FILLED_S, GapFiller, release_packets_at_once


@pytest.fixture(autouse=True)
def stock(monkeypatch):
    """aiortc as it comes, and again after the test."""
    stock = rtcrtpreceiver.JitterBuffer
    monkeypatch.setattr(rtcrtpreceiver, "JitterBuffer", stock)
    return stock


def buffers(kind):
    receiver = rtcrtpreceiver.RTCRtpReceiver(kind, SimpleNamespace(state="new"))
    return [part for part in vars(receiver).values() if hasattr(part, "add")]


def test_audio_gets_the_prompt_buffer_and_video_keeps_its_own(stock):
    assert release_packets_at_once()
    assert release_packets_at_once()

    assert any(isinstance(part, PromptBuffer) for part in buffers("audio"))
    assert any(type(part) is stock for part in buffers("video"))


def test_aiortc_without_that_place_keeps_its_buffer(monkeypatch, caplog):
    monkeypatch.delattr(rtcrtpreceiver, "JitterBuffer")

    assert not release_packets_at_once()
    assert "another jitter buffer" in caplog.text
    assert not hasattr(rtcrtpreceiver, "JitterBuffer")


def test_aiortc_that_looks_elsewhere_keeps_its_buffer(monkeypatch, stock, caplog):
    monkeypatch.setattr(rtcrtpreceiver, "RTCRtpReceiver", lambda kind, transport: stock(16))

    assert not release_packets_at_once()
    assert "another jitter buffer" in caplog.text
    assert rtcrtpreceiver.JitterBuffer is stock


def frame(pts, samples=960, rate=48_000, layout="stereo"):
    channels = 2 if layout == "stereo" else 1
    ones = np.ones((1, samples * channels), np.int16)
    made = av.AudioFrame.from_ndarray(ones, format="s16", layout=layout)
    made.pts, made.sample_rate = pts, rate
    return made


def lengths(filler, *frames):
    """(samples, whether they are sound) of all that comes out."""
    parts = [part for given in frames for part in filler.fill(given)]
    return [(part.samples, bool(part.to_ndarray().any())) for part in parts]


def test_unbroken_stream_passes():
    assert lengths(GapFiller(), frame(7), frame(967), frame(1927)) == [(960, True)] * 3


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_lost_packets_become_silence_of_their_length(layout):
    parts = lengths(GapFiller(), frame(0, layout=layout), frame(2880, layout=layout))

    assert parts == [(960, True), (1920, False), (960, True)]


def test_silence_has_the_form_of_the_sound():
    filler = GapFiller()
    parts = [*filler.fill(frame(0)), *filler.fill(frame(1920))]

    assert {(p.sample_rate, p.layout.name, p.format.name) for p in parts} == {
        (48_000, "stereo", "s16")
    }


def test_step_back_and_a_very_long_gap_are_a_new_stream():
    far = int(MOST_FILLED_S * 48_000) + 961

    assert lengths(GapFiller(), frame(9600), frame(0), frame(960)) == [(960, True)] * 3
    assert lengths(GapFiller(), frame(0), frame(far)) == [(960, True)] * 2
    assert lengths(GapFiller(), frame(0), frame(far - 1))[1] == (far - 961, False)
