"""Whose offer is taken, and who gets what of a connection; with real peers and fastrtc's component.

That calls go through it is tested in `integration/test_peer.py`.
"""

import asyncio
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from fastrtc import WebRTC

from components.bridge import calls as calls_module
from components.bridge import leg
from components.bridge.call import Call
from components.bridge.calls import Calls
from components.bridge.signalling import Signalling
from components.core.conversation import Conversation, Message, Status
from components.core.places import Places
from components.media.candidates import MOST_CANDIDATES
from components.media.speaker import Speaker
from components.protocol.options import Refused
from components.replicas.keeper import Keeper
from components.replicas.kept import Kept
from components.replicas.replicas import Replicas
from components.replicas.store import MemoryStore
from components.settings import Settings

ADA, BOB = ("a" * 32, "b" * 32)


class Rates:
    """Admits so many."""

    def __init__(self, most=100):
        self.left = most
        self.asked = []

    async def admit(self, limit, purpose, visitor):
        self.asked.append((limit, purpose, visitor))
        self.left -= 1
        return self.left >= 0


class Door:
    """A page's way to the app: fastrtc's component with our signalling."""

    def __init__(self, most_calls=2, rates=None, store=None, visitor_cost=0, **others):
        settings = Settings(**{"practice": True, "max_calls": most_calls, **others})
        with gr.Blocks():
            self.component = WebRTC(
                modality="audio",
                mode="send-receive",
                rtc_configuration={"iceServers": ["stun"]},
                server_rtc_configuration={"iceServers": []},
            )
        places = Places(settings.max_calls, settings.calls_per_visitor)
        self.replicas = Replicas(places, store, visitor_cost)
        self.calls = Calls(settings, Refused(), places, replicas=self.replicas)
        self.rates = rates or Rates()
        counted: Any = self.rates
        self.signalling = Signalling(self.component, self.calls, counted, settings)

    async def says(self, body, session_hash="ada", to="offer"):
        """What Gradio answers to a component's request."""
        request = SimpleNamespace(
            json=lambda: future({"session_hash": session_hash, "data": body}),
            client=SimpleNamespace(host="192.0.2.7"),
        )
        return await getattr(self.component, to)(body, request)


async def future(value):
    return value


async def offer(webrtc_id="w1", **fields):
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("text")
    pc.addTrack(Speaker(lambda _: None))
    await pc.setLocalDescription(await pc.createOffer())
    sdp = pc.localDescription.sdp
    await pc.close()
    return {"type": "offer", "webrtc_id": webrtc_id, "sdp": sdp, "key": ADA, **fields}


@pytest.fixture
async def door():
    door = Door()
    yield door
    await close(door)


async def close(door):
    for pc in list(door.component.pcs.values()):
        await pc.close()


def error(answer):
    assert answer["status"] == "failed"
    assert answer["meta"]["sentence"].endswith(".")
    return answer["meta"]["error"]


async def test_offer_gets_an_answer_and_a_place(door):
    answer = await door.says(await offer())

    assert answer["type"] == "answer"
    assert door.calls.running(ADA)
    assert door.rates.asked == [("20/minute", "start", "192.0.2.7")]


async def test_a_key_of_the_visitor_pays_for_his_call_and_no_other(monkeypatch):
    made = []

    def make(*args):
        made.append(args[7])
        return Call(*args)

    monkeypatch.setattr(calls_module, "Call", make)
    door = Door(practice=False, api_key="sk-owner")
    own = "own-key-1111111111111111"
    body = await offer(api_key=own)
    assert (await door.says(body))["type"] == "answer"
    assert (await door.says(await offer("w2", key=BOB)))["type"] == "answer"
    assert made == [own, ""]
    assert own not in str(body)  # nothing that follows can repeat it
    await close(door)


@pytest.mark.parametrize(
    ("practice", "key", "words"),
    [(False, "1234 5678", "That is no key"), (True, "k" * 30, "The practice server takes no key")],
)
async def test_a_key_that_is_of_no_use_takes_no_place(practice, key, words):
    door = Door(practice=practice)
    answer = await door.says(await offer(api_key=key))
    assert error(answer) == "key_not_taken"
    assert answer["meta"]["sentence"].startswith(words)
    assert key not in str(answer)
    assert not door.calls.running(ADA)
    assert door.component.pcs == {}


async def test_connection_that_closes_without_a_call_gives_its_place_back(door):
    await door.says(await offer())
    await close(door)

    assert not door.calls.running(ADA)


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        "offer",
        [],
        {},
        {"type": "offer"},
        {"type": "offer", "webrtc_id": "w1"},
        {"type": "offer", "webrtc_id": 7, "sdp": "v=0"},
        {"type": "offer", "webrtc_id": "w1", "sdp": "junk"},
        {"type": "offer", "webrtc_id": "w1", "sdp": ""},
        {"type": "answer", "webrtc_id": "w1", "sdp": "v=0"},
        {"type": "ice-candidate", "webrtc_id": "w1"},
        {"type": "ice-candidate", "webrtc_id": "w1", "candidate": "candidate:1"},
    ],
)
async def test_junk_is_refused_in_words_and_takes_no_place(door, body):
    assert error(await door.says(body)) == "offer_not_understood"

    assert door.component.pcs == {}
    assert door.component.handlers == {}
    assert not door.calls.running(ADA)


async def test_offer_without_sound_is_refused_and_takes_no_place(door):
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("text")
    await pc.setLocalDescription(await pc.createOffer())
    body = {"type": "offer", "webrtc_id": "w1", "sdp": pc.localDescription.sdp}
    await pc.close()

    assert error(await door.says(body)) == "offer_not_understood"
    assert door.component.pcs == {}


async def test_offer_that_aiortc_can_neither_answer_nor_close_is_refused_in_words(door):
    body = await offer()
    first_sound = next(line for line in body["sdp"].splitlines() if line.startswith("m=audio"))
    body["sdp"] = body["sdp"].replace(f"{first_sound}\r\n", "")

    assert error(await door.says(body)) == "offer_not_understood"
    assert door.component.pcs == {}


async def test_offer_of_no_session_is_refused(door):
    for session_hash in ("", None, 7):
        answer = await door.says(await offer(), session_hash)
        assert error(answer) == "offer_not_understood"


async def test_replayed_offer_is_refused_and_harms_nobody(door):
    body = await offer()
    await door.says(body)

    assert error(await door.says(body)) == "connection_already_exists"
    assert error(await door.says({**body, "key": BOB}, "bob")) == "connection_already_exists"
    assert door.calls.running(ADA)
    assert not door.calls.running(BOB)


async def test_full_house_says_how_many_it_takes(door):
    await door.says(await offer("w1", key=ADA))
    await door.says(await offer("w2", key=BOB), "bob")
    answer = await door.says(await offer("w3", key="c" * 32), "carol")

    assert error(answer) == "concurrency_limit_reached"
    assert "All 2 calls" in answer["meta"]["sentence"]


async def test_house_for_one_says_so():
    door = Door(most_calls=1)
    await door.says(await offer("w1"))
    answer = await door.says(await offer("w2", key=BOB), "bob")
    await close(door)

    assert "takes 1 at a time" in answer["meta"]["sentence"]


async def test_full_house_lets_its_own_callers_come_back():
    door = Door(most_calls=1)
    await door.says(await offer("w1"))
    answer = await door.says(await offer("w2", rejoin=True))
    await close(door)

    assert answer["type"] == "answer"


async def test_who_comes_back_too_late_is_told(door):
    assert error(await door.says(await offer(rejoin=True))) == "call_over"


SAID = Conversation(messages=(Message("1", "user", Status.DONE, ("I am Ada.",)),))


async def test_a_call_of_a_replica_that_has_died_goes_on_here_without_counting_as_a_start():
    store = MemoryStore(shared=True)
    await Keeper(store, "dead").keep(ADA, Kept(SAID, running=True))
    door = Door(store=store)
    answer = await door.says(await offer(rejoin=True))

    assert answer["type"] == "answer"
    assert door.rates.asked == [("40/minute", "rejoin", "192.0.2.7")]
    assert door.calls.past(ADA).messages[0].text == "I am Ada."
    await close(door)


async def test_a_call_that_has_ended_at_another_replica_does_not_go_on():
    store = MemoryStore(shared=True)
    await Keeper(store, "other").keep(ADA, Kept(SAID))
    door = Door(store=store)

    assert error(await door.says(await offer(rejoin=True))) == "call_over"
    assert (await door.says(await offer()))["type"] == "answer"
    assert door.calls.past(ADA).messages[0].text == "I am Ada."
    await close(door)


async def test_a_call_with_a_key_of_its_own_asks_for_it_again():
    store = MemoryStore(shared=True)
    await Keeper(store, "dead").keep(ADA, Kept(SAID, running=True, own_key=True))
    door = Door(store=store)

    assert error(await door.says(await offer(rejoin=True))) == "key_needed"
    assert not door.calls.running(ADA)


async def test_who_asks_too_often_for_a_call_of_another_replica_is_told_to_wait():
    door = Door(store=MemoryStore(shared=True), rates=Rates(most=0))

    assert error(await door.says(await offer(rejoin=True))) == "too_many_starts"


async def test_places_of_all_replicas_count():
    store = MemoryStore(shared=True)
    await store.take("192.0.2.9 other", 1, 1, 60.0)
    door = Door(most_calls=1, store=store)

    assert error(await door.says(await offer())) == "concurrency_limit_reached"
    assert not door.calls.running(ADA)


async def test_a_visitor_who_has_cost_what_he_may_is_told_so():
    door = Door(visitor_cost=1)
    await door.replicas.purse.spend("192.0.2.7", 1)
    answer = await door.says(await offer())

    assert "within a day" in answer["meta"]["sentence"]


async def test_who_starts_too_often_is_told_to_wait():
    door = Door(rates=Rates(most=0))

    assert error(await door.says(await offer())) == "too_many_starts"
    assert not door.calls.running(ADA)


async def test_coming_back_is_no_start_but_counted_too():
    door = Door(rates=Rates(most=2))
    await door.says(await offer("w1"))
    answer = await door.says(await offer("w2", rejoin=True))
    once_more = await door.says(await offer("w3", rejoin=True))
    await close(door)

    assert answer["type"] == "answer"
    assert error(once_more) == "too_many_starts"
    assert door.rates.asked[1:] == [("40/minute", "rejoin", "192.0.2.7")] * 2


async def test_offers_for_one_call_leave_one_connection(door, monkeypatch):
    monkeypatch.setattr(leg, "LAST_WORDS_S", 0.0)
    for number in range(4):
        await door.says(await offer(f"w{number}"))
    async with asyncio.timeout(10):
        while len(door.component.pcs) > 1:  # noqa: ASYNC110  # fastrtc tells nobody
            await asyncio.sleep(0.01)

    assert list(door.component.pcs) == ["w3"]
    assert door.calls.running(ADA)


async def test_ways_to_connect_are_told_as_often_as_calls_start():
    door = Door(rates=Rates(most=1))

    assert await door.says({}, to="turn") == {"iceServers": ["stun"]}
    assert "Wait a minute" in (await door.says({}, to="turn"))["error"]
    assert door.rates.asked[0] == ("40/minute", "turn", "192.0.2.7")


def late(ip="127.0.0.1", port=9, mid="0"):
    text = f"candidate:1 1 udp 2122260223 {ip} {port} typ host generation 0 ufrag x"
    candidate = {"candidate": text, "sdpMid": mid, "sdpMLineIndex": None}
    return {"type": "ice-candidate", "webrtc_id": "w1", "candidate": candidate}


def reached(door):
    """The addresses at which ICE looks for the browser."""
    [transceiver] = door.component.pcs["w1"].getTransceivers()
    found = transceiver.receiver.transport.transport._connection.remote_candidates
    return [(each.host, each.port) for each in found]


async def test_candidate_of_the_owner_is_taken(door):
    body = await offer()
    body["sdp"] = body["sdp"].replace("a=end-of-candidates\r\n", "")
    await door.says(body)

    assert await door.says(late()) == {"status": "success"}
    assert ("127.0.0.1", 9) in reached(door)


async def test_of_an_offer_and_what_follows_it_so_many_candidates_are_taken(door):
    body = await offer()
    lines = "".join(
        f"a=candidate:1 1 udp 9 127.0.0.1 {port} typ host\r\n" for port in range(1, 701)
    )
    body["sdp"] = body["sdp"].replace("a=end-of-candidates\r\n", lines, 1)
    await door.says(body)
    answers = [await door.says(late(port=port)) for port in range(1000, 1100)]

    assert len(reached(door)) <= MOST_CANDIDATES
    assert {error(answer) for answer in answers} == {"candidate_not_taken"}


async def test_visitors_from_outside_have_nothing_sent_to_this_machine():
    door = Door(host="0.0.0.0")
    body = await offer()
    body["sdp"] = body["sdp"].replace("a=end-of-candidates\r\n", "")
    await door.says(body)
    before = reached(door)
    for ip in ("127.0.0.1", "169.254.169.254", "x.local", "224.0.0.251"):
        assert error(await door.says(late(ip))) == "candidate_not_taken"
    assert reached(door) == before
    assert await door.says(late("192.168.1.7")) == {"status": "success"}
    await close(door)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:1 1 udp 2122260223 127.0.0.1 65536 typ host generation 0",
        "candidate:1 x udp 2122260223 127.0.0.1 9 typ host generation 0",
        "candidate:1 1 udp 2122260223 127.0.0.1 9 generation 0 ufrag x",
    ],
)
async def test_candidate_that_is_none_is_refused_without_a_traceback(door, caplog, text):
    await door.says(await offer())
    answer = await door.says({**late(), "candidate": {"candidate": text, "sdpMid": "0"}})

    assert error(answer) == "candidate_not_taken"
    assert caplog.text == ""


async def test_candidate_for_nothing_or_after_the_last_is_too_late(door):
    body = await offer()
    await door.says(body)
    assert error(await door.says(late(mid=None))) == "candidate_too_late"

    await door.component.pcs["w1"].close()
    await asyncio.sleep(0)
    leg = SimpleNamespace(session_hash="ada", candidates=None)
    door.component.handlers["w1"] = leg
    assert error(await door.says(late())) == "candidate_not_taken"


async def test_the_first_of_twenty_microphones_is_heard(door):
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("text")
    for _ in range(20):
        pc.addTrack(Speaker(lambda _: None))
    await pc.setLocalDescription(await pc.createOffer())
    body = {"type": "offer", "webrtc_id": "w1", "sdp": pc.localDescription.sdp, "key": ADA}
    answer = await door.says(body)
    await pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
    await pc.close()

    transceivers = door.component.pcs["w1"].getTransceivers()
    assert [each.currentDirection for each in transceivers] == ["sendrecv"] + ["inactive"] * 19
    assert len(door.component.connections["w1"]) == 1


async def test_candidate_of_a_stranger_is_refused(door):
    await door.says(await offer())

    assert error(await door.says(late(), "eve")) == "not_yours"
    assert error(await door.says({**late(), "webrtc_id": "w2"}, "eve")) == "not_yours"


async def test_candidate_of_no_session_is_refused_before_the_connection_has_an_owner(door):
    door.component.handlers["w1"] = SimpleNamespace(session_hash="", candidates=None)

    assert error(await door.says(late(), "")) == "not_yours"


async def test_transcript_is_for_the_session_that_connected(door):
    await door.says(await offer())
    leg = door.component.handlers["w1"]
    leg.screen.show(Conversation(messages=(Message("secret", "user"),)))

    async def read(webrtc_id, session_hash):
        snapshots = door.signalling.transcript(webrtc_id, session_hash, 0)
        shown = await anext(snapshots, None)
        await snapshots.aclose()
        return shown

    assert (await read("w1", "ada")).message("secret")
    assert (await read("w1", "ada-3")).message("secret")  # the page's name after lost streams
    assert await read("w1", "ada-x") is None
    assert await read("w1", "-3") is None
    assert await read("w1", "eve") is None
    assert await read("w1", "") is None
    assert await read("w2", "ada") is None


async def test_nobody_ends_the_transcript_of_another(door):
    await door.says(await offer())
    await door.component.quit_output_stream({"webrtc_id": "w1"})

    assert not door.component.additional_outputs["w1"].quit.is_set()
