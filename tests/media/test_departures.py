"""The way of a speaker's packets through aiortc's sender, without its loop."""

import asyncio
from types import SimpleNamespace

import pytest
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpSendParameters,
)
from aiortc.rtcrtpsender import RTCRtpSender
from aiortc.rtp import HeaderExtensionsMap, RtcpPacket, RtcpSrPacket, RtpPacket, is_rtcp

from components.media.departures import Departures

MID = RTCRtpHeaderExtensionParameters(id=1, uri="urn:ietf:params:rtp-hdrext:sdes:mid")
OPUS = RTCRtpCodecParameters("audio/opus", clockRate=48_000, channels=2, payloadType=96)
PARAMETERS = RTCRtpSendParameters(codecs=[OPUS], headerExtensions=[MID], muxId="0")


class Transport:
    """What aiortc's sender needs of its transport."""

    state = "connected"

    def __init__(self):
        self.sent: list[bytes] = []
        self.error: Exception | None = None
        self.reported = asyncio.Event()

    def _register_rtp_sender(self, sender, parameters):
        pass

    def _unregister_rtp_sender(self, sender):
        pass

    async def _send_rtp(self, data):
        if self.error:
            raise self.error
        self.sent.append(data)
        if is_rtcp(data):
            self.reported.set()

    @property
    def packets(self):
        extensions = HeaderExtensionsMap()
        extensions.configure(PARAMETERS)
        return [RtpPacket.parse(data, extensions) for data in self.sent if not is_rtcp(data)]

    @property
    def reports(self):
        parts = [part for data in self.sent if is_rtcp(data) for part in RtcpPacket.parse(data)]
        return [part.sender_info for part in parts if isinstance(part, RtcpSrPacket)]


class Track(MediaStreamTrack):  # type: ignore[misc]  # aiortc is not followed
    """Plays until it is stopped; `leave` is there once it plays."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.leave = None
        self.playing = asyncio.Event()
        self.error: Exception | None = None

    async def recv(self):
        raise AssertionError("nobody asks for a packet")

    async def play(self, leave):
        self.leave = leave
        self.playing.set()
        if self.error:
            raise self.error
        await asyncio.Event().wait()


@pytest.fixture
def transport():
    return Transport()


@pytest.fixture
def track():
    return Track()


@pytest.fixture
async def sender(transport, track):
    sender = RTCRtpSender(track, transport)
    Departures(sender, track)
    await sender.send(PARAMETERS)
    await track.playing.wait()
    yield sender
    transport.error = None
    await sender.stop()


async def test_the_sender_of_this_aiortc_is_known(transport):
    assert Departures.can_replace(RTCRtpSender("audio", transport))
    assert not Departures.can_replace(SimpleNamespace(_run_rtp=None))


async def test_each_packet_leaves_as_aiortc_would_send_it(sender, transport, track):
    for number in range(3):
        track.leave(b"sound", number * 960)

    first, second, third = transport.packets
    assert {p.payload for p in transport.packets} == {b"sound"}
    assert {(p.payload_type, p.marker, p.ssrc, p.extensions.mid) for p in transport.packets} == {
        (96, 1, sender._ssrc, "0")
    }
    assert first.sequence_number < 2**15
    assert [second.sequence_number, third.sequence_number] == [
        first.sequence_number + 1,
        first.sequence_number + 2,
    ]
    assert (third.timestamp - first.timestamp) % 2**32 == 1920


async def test_reports_tell_what_was_sent(sender, transport, track):
    track.leave(b"sound", 0)
    track.leave(b"more", 960)
    await transport.reported.wait()  # after half a second to one and a half

    info = transport.reports[0]
    assert (info.packet_count, info.octet_count) == (2, 9)
    assert info.rtp_timestamp == transport.packets[-1].timestamp
    assert info.ntp_timestamp > 0


async def test_stopping_the_sender_ends_the_track(transport, track):
    sender = RTCRtpSender(track, transport)
    Departures(sender, track)
    await sender.send(PARAMETERS)
    await track.playing.wait()

    await sender.stop()

    assert track.readyState == "ended"
    assert sender.track is None


@pytest.mark.parametrize(
    ("error", "logged"), [(ConnectionError("closed"), False), (ValueError("a bug"), True)]
)
async def test_track_that_fails_ends_and_the_sender_can_be_stopped(
    transport, track, caplog, error, logged
):
    track.error = error
    sender = RTCRtpSender(track, transport)
    Departures(sender, track)
    await sender.send(PARAMETERS)
    await sender.stop()

    assert track.readyState == "ended"
    assert ("the speaker failed" in caplog.text) is logged


async def test_packet_that_finds_no_way_says_so(sender, transport, track):
    transport.error = ConnectionError("not connected")

    with pytest.raises(ConnectionError):
        track.leave(b"sound", 0)
