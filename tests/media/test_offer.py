"""What is left of an offer."""

import time
from contextlib import suppress

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from components.media.candidates import MOST_CANDIDATES, Candidates, Targets
from components.media.offer import MOST_CHARACTERS, MOST_SECTIONS, OfferError, taken


def left_of(sdp, targets=None):
    return taken(sdp, Candidates(targets or Targets(outside=False)))


@pytest.fixture
async def offer():
    """As an aiortc caller makes it: one section of sound, one for the data channel."""
    return await offered("audio")


async def offered(*kinds):
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("text")
    for kind in kinds:
        pc.addTransceiver(kind)
    await pc.setLocalDescription(await pc.createOffer())
    sdp = pc.localDescription.sdp
    await pc.close()
    return str(sdp)


def with_candidates(sdp, *candidates):
    """Others in the place of its own."""
    lines = [each for each in sdp.splitlines() if not each.startswith("a=candidate")]
    at = next(n for n, each in enumerate(lines) if each.startswith("a=end-of"))
    lines[at:at] = [f"a=candidate:{each}" for each in candidates]
    return "\r\n".join([*lines, ""])


def section(name, kind="audio"):
    return f"m={kind} 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{name}\r\na=sendrecv\r\n"


def bundle(*names, sections=None):
    group = f"v=0\r\na=group:BUNDLE {' '.join(names)}\r\n"
    return group + "".join(sections or [section(name) for name in names])


def media(sdp):
    return SessionDescription.parse(sdp).media


async def test_an_honest_offer_stays_as_it_is(offer):
    kept = media(left_of(offer))

    assert str(SessionDescription.parse(left_of(offer))) == str(SessionDescription.parse(offer))
    assert [each.ice_candidates_complete for each in kept] == [True, True]


async def test_the_first_of_many_microphones_is_heard():
    kept = media(left_of(await offered(*["audio"] * 20)))

    assert [each.direction for each in kept[:20]] == ["sendrecv"] + ["inactive"] * 19


async def test_pictures_are_not_looked_at():
    kept = media(left_of(await offered("video", "audio")))

    assert [(each.kind, each.direction) for each in kept] == [
        ("video", "inactive"),
        ("audio", "sendrecv"),
        ("application", None),
    ]


async def test_what_is_left_is_answered():
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    tracks: list[object] = []
    pc.on("track", tracks.append)
    sdp = left_of(await offered(*["audio"] * 20))
    await pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    await pc.close()

    assert len(tracks) == 1


async def test_so_many_candidates_are_taken_and_more_may_follow(offer):
    sdp = with_candidates(offer, *(f"1 1 udp 9 192.0.2.7 {n} typ host" for n in range(1, 701)))
    kept = media(left_of(sdp))

    assert sum(len(each.ice_candidates) for each in kept) == MOST_CANDIDATES
    assert not any(each.ice_candidates_complete for each in kept)


@pytest.mark.parametrize("bad", ["junk", "1 1 udp 9 192.0.2.7 65536 typ host", "1 1 udp 9 x.local"])
async def test_bad_candidates_leave_the_offer_good(offer, bad):
    good = "1 1 udp 9 192.0.2.7 5000 typ host"
    kept = media(left_of(with_candidates(offer, bad, good)))

    assert sum(len(each.ice_candidates) for each in kept) == 1


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        "v=0",
        "v=0\r\n" * 1000,
        "x" * (MOST_CHARACTERS + 1),
        bundle(*map(str, range(MOST_SECTIONS + 1))),
        bundle("0") + "a=rtpmap:111 opus/48000/2\r\n" * 1000,
        "v=0\r\n" + section("0") + section("1"),
        bundle("0", sections=[section("0"), section("1")]),
        bundle("0", "1", sections=[section("0"), section("0")]),
        bundle("0", "1", sections=[section("0"), "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"]),
        bundle("0", "1").replace("BUNDLE", "BUNDLES"),
        "a=group: BUNDLE 0\r\n" + bundle("0", "1"),
        bundle("0", "1", sections=[section("0", "application"), section("1", "application")]),
    ],
)
def test_no_browser_makes_such_an_offer(sdp):
    with pytest.raises(OfferError):
        left_of(sdp)


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\u2028"])
def test_no_end_of_a_line_hides_a_candidate(end):
    sdp = bundle("0") + f"a=x:{end}a=candidate:1 1 udp 9 localhost 9 typ host{end}"

    assert "localhost" not in left_of(sdp)


def test_the_longest_offer_takes_no_time():
    line = "a=candidate:1 1 udp 9 192.0.2.7 9 typ host\r\n"
    sdp = bundle("0") + line * ((MOST_CHARACTERS - 100) // len(line))
    begun = time.process_time()
    left_of(sdp)

    assert time.process_time() - begun < 0.5


@given(st.text(st.sampled_from("vam=:0 \r\nBUNDLEgroupidctx19"), max_size=300))
def test_any_text_is_an_offer_or_none(text):
    with suppress(OfferError):
        left_of(text)
