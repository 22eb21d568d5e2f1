"""Offers and candidates of a browser: from the body of the request to the answer.

What must hold: an offer is refused as one of ours, or costs little: few addresses to try, none of
them a name, one microphone, and less than a second to understand.
"""

import asyncio
import time
from contextlib import suppress
from functools import cache
from typing import Any

import orjson
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription
from hypothesis import strategies as st

from components.access.admission import BadRequestError, component_request
from components.media.candidates import MOST_CANDIDATES, Candidates, Targets
from components.media.offer import OfferError, taken
from components.media.speaker import Speaker
from tests.fuzz.mutation import mutated, mutated_text
from tests.fuzz.target import Target

MOST_S = 1.0
"""Of the processor's time."""
TARGETS = [Targets(outside=False), Targets(outside=True), Targets(outside=True, private=False)]
CANDIDATES = [
    "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host",
    "candidate:2 1 udp 2130706431 192.168.1.7 50000 typ host generation 0",
    "candidate:3 1 UDP 1694498815 203.0.113.9 61000 typ srflx raddr 0.0.0.0 rport 0",
    "candidate:4 1 udp 41885439 2001:db8::7 3478 typ relay raddr :: rport 9",
    "candidate:5 1 tcp 1518280447 198.51.100.7 9 typ host tcptype active",
    "candidate:6 1 udp 2130706431 5d9c7a1e-aaaa-bbbb-cccc-0123456789ab.local 9 typ host",
]
LINES = [
    *(f"a={line}" for line in CANDIDATES),
    *("a=end-of-candidates", "a=ice-options:trickle", "a=sendonly", "a=recvonly", "a=inactive"),
    *("m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:0", "a=mid:1"),
    *("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=sctp-port:5000", "a=setup:passive"),
    *("a=group:BUNDLE 0 1", "a=group:BUNDLE", "a=rtpmap:111 opus/48000/2", "a=rtpmap:x y/0/0"),
    *("a=fingerprint:sha-256 00", "a=ssrc:1 cname:a", "a=max-message-size:0", "c=IN IP4 999.1.1.1"),
    *("a=extmap:1 urn:a", "a=simulcast:send 1;2", "a=rid:1 send", "a=fmtp:111 useinbandfec=1"),
]


@cache
def _offers() -> list[str]:
    return asyncio.run(_made())


async def _made() -> list[str]:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("text")
    pc.addTrack(Speaker(lambda _: None))
    plain = (await pc.createOffer()).sdp
    await pc.close()
    return [plain, plain + "".join(f"a={line}\r\n" for line in CANDIDATES)]


def _check_offer(sdp: str) -> None:
    began = time.process_time()
    for targets in TARGETS:
        candidates = Candidates(targets)
        try:
            kept = taken(sdp, candidates)
        except OfferError:
            continue
        asyncio.run(_answered(kept, targets))
    assert time.process_time() - began < MOST_S * len(TARGETS)


async def _answered(sdp: str, targets: Targets) -> None:
    """What aiortc makes of it, without a packet that leaves this machine."""
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: faults.append(about))
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        SessionDescription.parse(sdp)
        await pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await pc.createAnswer()
    except Exception:  # the app says that it has not understood (bridge/signalling.py)
        understood = False
    else:
        understood = True
    remote = [each for ice in _ways(pc) for each in ice._connection.remote_candidates]
    heard = [t for t in pc.getTransceivers() if t.kind == "audio" and t._offerDirection]
    with suppress(Exception):  # of a description that failed; logged likewise
        await pc.close()
    assert faults == []
    assert len(remote) <= MOST_CANDIDATES
    assert all(targets.hold(each.host) for each in remote)
    if understood:
        assert sum(each._offerDirection != "inactive" for each in heard) <= 1


def _ways(pc: RTCPeerConnection) -> set[Any]:
    """The ICE transports."""
    dtls = [each.receiver.transport for each in pc.getTransceivers()]
    dtls += [pc.sctp.transport] if pc.sctp is not None else []
    return {each.transport for each in dtls if each is not None}


def _check_candidates(texts: list[str]) -> None:
    for targets in TARGETS:
        candidates = Candidates(targets)
        found = [candidate for text in texts if (candidate := candidates.take_late(text))]
        assert len(found) <= MOST_CANDIDATES
        for each in found:
            assert targets.hold(each.ip)
            assert 0 < each.port < 65_536
            assert "\n" not in each.line()


def _check_request(body: object) -> None:
    try:
        kept = component_request(orjson.dumps(body, default=str), lambda *_: True)
    except (BadRequestError, TypeError):  # what JSON does not carry never arrives
        return
    assert set(orjson.loads(kept)) == {"fn_name", "component_id", "session_hash", "data"}


REQUESTS = [
    {
        "fn_name": "offer",
        "component_id": 7,
        "session_hash": "abc",
        "data": {"type": "offer", "webrtc_id": "w1", "sdp": "v=0\r\n", "key": "a" * 32},
    },
    {
        "fn_name": "offer",
        "component_id": 7,
        "session_hash": "abc",
        "data": {
            "type": "ice-candidate",
            "webrtc_id": "w1",
            "candidate": {"candidate": CANDIDATES[0], "sdpMid": "0", "sdpMLineIndex": 0},
        },
    },
    {"fn_name": "turn", "component_id": 7, "session_hash": "abc", "data": {}},
]

OFFERS = Target(
    "offers",
    st.deferred(lambda: mutated_text(_offers(), LINES)),
    _check_offer,
    60,
)
LATE = Target(
    "candidates",
    st.lists(mutated_text(CANDIDATES, CANDIDATES), max_size=40),
    _check_candidates,
    100,
)
BODIES = Target("requests", mutated(REQUESTS), _check_request, 200)
