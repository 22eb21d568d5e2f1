"""What is replaced in the peer connection, and what happens where there is nothing to replace.

That calls go through it is tested with real peers, in `integration/test_peer.py`.
"""

from types import SimpleNamespace

import pytest
from aiortc import RTCPeerConnection
from aiortc.rtcrtpreceiver import RTCRtpReceiver

from components.microphone import Microphone
from components.peer import JITTER_BUFFER, hear_at_once, opus_payload_types


@pytest.fixture
def receiver():
    return RTCRtpReceiver("audio", SimpleNamespace(state="new"))


def test_receiver_of_this_aiortc_gets_a_microphone(receiver):
    assert hear_at_once(receiver, print, {96})

    assert isinstance(vars(receiver)[JITTER_BUFFER], Microphone)


def test_receiver_without_that_place_is_left_alone(caplog):
    receiver = SimpleNamespace()

    assert not hear_at_once(receiver, print, {96})
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
