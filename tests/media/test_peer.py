"""What is replaced in the peer connection, and what happens where there is nothing to replace.

That calls go through it is tested with real peers, in `integration/test_peer.py`.
"""

import asyncio
from types import SimpleNamespace

import pytest
from aiortc import RTCPeerConnection
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from OpenSSL import SSL

from components.media.microphone import Microphone
from components.media.peer import (
    JITTER_BUFFER,
    MOST_ADDRESSES,
    bound_addresses,
    never_retransmit,
    opus_payload_types,
    pass_over_dead_channels,
    send_at_once,
    take_at_once,
)
from components.media.speaker import Speaker


@pytest.fixture
def receiver():
    return RTCRtpReceiver("audio", SimpleNamespace(state="new"))


def test_receiver_of_this_aiortc_gets_a_microphone(receiver):
    assert take_at_once(receiver, print, {96}, print)

    assert isinstance(vars(receiver)[JITTER_BUFFER], Microphone)


def test_receiver_without_that_place_is_left_alone(caplog):
    receiver = SimpleNamespace()

    assert not take_at_once(receiver, print, {96}, print)
    assert "another jitter buffer" in caplog.text
    assert vars(receiver) == {}


async def test_opus_is_found_in_a_session_description():
    peer = RTCPeerConnection()
    peer.addTransceiver("audio")
    offer = await peer.createOffer()
    await peer.close()

    assert opus_payload_types(offer.sdp) == {96}


@pytest.mark.parametrize(
    ("sdp", "expected"),
    [
        ("", set()),
        ("a=rtpmap:0 PCMU/8000\r\n", set()),
        ("a=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n", {111}),
        ("a=rtpmap:111 OPUS/48000/2\na=rtpmap:112 opus/48000\n", {111, 112}),
    ],
)
def test_payload_types_of_opus(sdp, expected):
    assert opus_payload_types(sdp) == expected


class RTCSctpTransport:
    """Named as aiortc's."""

    async def send(self, error):
        raise error


async def lost(work, error, caplog):
    """What the log says of a task that failed and that nobody waited for."""
    task = asyncio.ensure_future(work(error))
    await asyncio.wait([task])
    context = {"message": "lost", "future": task, "exception": task.exception()}
    pass_over_dead_channels(asyncio.get_running_loop(), context)
    return caplog.text


@pytest.mark.parametrize("error", [ConnectionError("not connected"), SSL.Error()])
async def test_dead_channel_is_not_worth_a_traceback(error, caplog):
    assert await lost(RTCSctpTransport().send, error, caplog) == ""


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (RTCSctpTransport().send, ValueError("a bug")),
        (lambda error: other(error), ConnectionError("of something else")),
    ],
)
async def test_every_other_lost_error_is_logged(work, error, caplog):
    assert str(error) in await lost(work, error, caplog)


async def other(error):
    raise error


class Checks:
    """The part of aioice's connection that learns addresses."""

    def __init__(self):
        self._remote_candidates = []
        self.checked = []

    def check_incoming(self, message, address, protocol):
        self.checked.append(address)
        known = [(each._network_host, each.port) for each in self._remote_candidates]
        if address not in known:
            self._remote_candidates.append(
                SimpleNamespace(_network_host=address[0], port=address[1])
            )


def test_checks_of_so_many_addresses_are_answered():
    checks = Checks()
    bound_addresses(checks)
    message = SimpleNamespace(attributes={"PRIORITY": 1})
    for port in range(1, 3 * MOST_ADDRESSES):
        checks.check_incoming(message, ("192.0.2.1", port), None)
    checks.check_incoming(message, ("192.0.2.1", 1), None)
    checks.check_incoming(SimpleNamespace(attributes={}), ("192.0.2.1", 1), None)

    assert len(checks._remote_candidates) == MOST_ADDRESSES
    assert len(checks.checked) == MOST_ADDRESSES + 1


async def test_nothing_is_sent_twice():
    sender = SimpleNamespace(_retransmit=None)
    never_retransmit(sender)

    assert await sender._retransmit(7) is None


async def test_sender_of_this_aiortc_is_served_without_a_task():
    peer = RTCPeerConnection()
    speaker = Speaker(lambda now: None)
    sender = peer.addTrack(speaker)
    stock = sender._run_rtp

    assert send_at_once(sender, speaker)
    assert sender._run_rtp != stock
    await peer.close()


def test_sender_without_those_places_is_left_alone(caplog):
    sender = SimpleNamespace(_run_rtp=None)

    assert not send_at_once(sender, Speaker(lambda now: None))
    assert "sends in another way" in caplog.text
    assert vars(sender) == {"_run_rtp": None}
