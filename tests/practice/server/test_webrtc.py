"""Calls with the practice server: a peer with a microphone, a data channel and ears."""

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from components.practice.server import webrtc
from components.practice.speech.chunks import Spoken
from tests.practice.call_client import SDP, Caller, LoudVad, calling, rest, secret, tone
from tests.practice.fakes import FakeEars
from tests.practice.socket_client import receive, running, send, until
from tests.turn import PASSWORD, REFLEXIVE, RELAY, USER, turn_server

pytestmark = pytest.mark.integration

VAD = {"type": "server_vad", "silence_duration_ms": 300}
INPUT = {"turn_detection": VAD, "transcription": {"model": "gpt-transcribe"}}


class ToneVoice:
    """As the fake voice, but it can be heard: 200 ms for each word."""

    degraded = ""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def speak(self, text: str, voice: str, speed: float = 1.0) -> Any:
        for word in text.split(" "):
            yield Spoken(tone(0.4).tobytes()[: 200 * 48], f"{word} ")


def server(**settings: Any) -> Any:
    return running(**{"open_vad": LoudVad, "voice": ToneVoice(), **settings})


async def test_a_spoken_turn_is_answered_aloud_and_bracketed() -> None:
    async with server() as practice, calling(practice, audio={"input": INPUT}) as caller:
        caller.microphone.say(tone(0.6))
        await caller.until("input_audio_buffer.speech_started")
        created = await caller.until("response.created")
        started = await caller.until("output_audio_buffer.started")
        await caller.hears(300)
        stopped = await caller.until("output_audio_buffer.stopped")

    types = caller.types
    assert started["response_id"] == stopped["response_id"] == created["response"]["id"]
    assert types.index("response.done") < types.index("output_audio_buffer.stopped")
    assert "response.output_audio_transcript.delta" in types
    assert "response.output_audio.delta" not in types
    assert "conversation.item.input_audio_transcription.completed" in types


async def test_speaking_over_the_answer_truncates_it_where_it_was() -> None:
    ears = FakeEars(texts=("count to thirty", "stop"))
    async with server(ears=ears) as practice, calling(practice, audio={"input": INPUT}) as caller:
        caller.say("count to thirty")
        await caller.until("output_audio_buffer.started")
        await caller.hears(1000)
        caller.microphone.say(tone(0.6))
        truncated = await caller.until("conversation.item.truncated")
        await caller.until("output_audio_buffer.cleared")
        caller.send("conversation.item.retrieve", item_id=truncated["item_id"])
        item = (await caller.until("conversation.item.retrieved"))["item"]

    assert 800 <= truncated["audio_end_ms"] < 5000
    words = item["content"][0]["transcript"].split()
    assert len(words) == -(-truncated["audio_end_ms"] // 200)


async def test_clearing_the_output_stops_the_sound() -> None:
    async with server() as practice, calling(practice) as caller:
        caller.say("count to thirty")
        started = await caller.until("output_audio_buffer.started")
        await caller.hears(300)
        caller.send("response.cancel")
        caller.send("output_audio_buffer.clear")
        cleared = await caller.until("output_audio_buffer.cleared")
        caller.say("what is two plus two")
        await caller.until("output_audio_buffer.started")

    assert cleared["response_id"] == started["response_id"]


async def test_an_offer_without_candidates_is_answered() -> None:
    async with server() as practice, calling(practice, candidates=False) as caller:
        caller.say("hello")
        await caller.hears(200)


async def test_the_peer_of_a_call_names_the_ways_that_stun_and_turn_have_found() -> None:
    caller = Caller()
    async with turn_server() as turn:
        stun = {"urls": f"stun:127.0.0.1:{turn.port}"}
        relay = {"urls": f"turn:127.0.0.1:{turn.port}", "username": USER, "credential": PASSWORD}
        async with (
            server(ice_servers=[stun, relay]) as practice,
            rest(practice, await secret(practice)) as client,
        ):
            answer = await client.post("calls", content=await caller.offer(), headers=SDP)
            await caller.accept(answer)
            await caller.leave()

    assert f"{REFLEXIVE[0]} {REFLEXIVE[1]} typ srflx" in answer.text
    assert f"{RELAY[0]} {RELAY[1]} typ relay" in answer.text


async def test_a_secret_carries_its_session_and_starts_several() -> None:
    async with server() as practice:
        token = await secret(practice, instructions="Be brief.")
        for _ in range(2):
            async with calling(practice, token) as caller:
                assert caller.events[0]["session"]["instructions"] == "Be brief."


async def test_the_unified_form_takes_the_session_and_the_servers_key() -> None:
    caller = Caller()
    async with server(key="right") as practice, rest(practice, "right") as client:
        form = {
            "sdp": (None, await caller.offer(), "application/sdp"),
            "session": (None, '{"type":"realtime","instructions":"Mine."}', "application/json"),
        }
        await caller.accept(await client.post("calls", files=form))
        created = await caller.until("session.created")
        await caller.leave()

    assert created["session"]["instructions"] == "Mine."


async def test_the_sideband_sees_the_call_and_may_act_in_it() -> None:
    async with (
        server() as practice,
        calling(practice) as caller,
        connect(f"{practice.url}/realtime?call_id={caller.call_id}") as sideband,
    ):
        created = await receive(sideband)
        session = {"type": "realtime", "instructions": "From beside."}
        await send(sideband, "session.update", session=session)
        assert (await caller.until("session.updated"))["session"]["instructions"] == "From beside."
        caller.say("hello")
        done = await until(sideband, "response.done")

    assert created["type"] == "session.created"
    assert done["response"]["status"] == "completed"


async def test_hanging_up_ends_the_call_and_its_sideband() -> None:
    async with (
        server() as practice,
        calling(practice) as caller,
        connect(f"{practice.url}/realtime?call_id={caller.call_id}") as sideband,
        rest(practice) as client,
    ):
        await receive(sideband)
        hung_up = await client.post(f"calls/{caller.call_id}/hangup")
        with pytest.raises(ConnectionClosed):
            await until(sideband, "never")
        await caller.ended()
        again = await client.post(f"calls/{caller.call_id}/hangup")

    assert hung_up.status_code == 200
    assert again.status_code == 404


async def test_a_call_ends_when_its_caller_leaves() -> None:
    async with server() as practice:
        async with calling(practice) as caller:
            url = f"{practice.url}/realtime?call_id={caller.call_id}"
            sideband = await connect(url)
            await receive(sideband)
        with pytest.raises(ConnectionClosed):
            await until(sideband, "never")


@pytest.mark.parametrize("call_id", ["rtc_unknown", "x" * 200])
async def test_a_sideband_to_no_call_is_refused(call_id: str) -> None:
    async with server() as practice:
        with pytest.raises(InvalidStatus, match="404"):
            await connect(f"{practice.url}/realtime?call_id={call_id}")


async def test_a_client_secret_opens_no_sideband() -> None:
    async with server() as practice:
        token = await secret(practice)
        async with calling(practice, token) as caller:
            with pytest.raises(InvalidStatus, match="404"):
                await connect(
                    f"{practice.url}/realtime?call_id={caller.call_id}",
                    additional_headers={"Authorization": f"Bearer {token}"},
                )


@pytest.mark.parametrize("offer", ["", "junk", "v=0\r\n"])
async def test_an_offer_that_makes_no_sense_is_refused(offer: str) -> None:
    async with server() as practice, rest(practice, await secret(practice)) as client:
        refused = await client.post("calls", content=offer, headers=SDP)

    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "invalid_offer"


async def test_an_offer_that_aiortc_can_neither_answer_nor_close_is_refused_too() -> None:
    caller = Caller()
    sdp = await caller.offer()
    first_sound = next(line for line in sdp.splitlines() if line.startswith("m=audio"))
    async with server() as practice, rest(practice, await secret(practice)) as client:
        half = sdp.replace(f"{first_sound}\r\n", "")
        refused = await client.post("calls", content=half, headers=SDP)
    await caller.leave()

    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "invalid_offer"


async def test_a_session_that_expires_ends_the_call() -> None:
    async with server(session_seconds=0.5) as practice, calling(practice) as caller:
        error = (await caller.until("error"))["error"]
        await caller.ended()

    assert error["code"] == "session_expired"


class Pipe:
    """A data channel that brings whatever a test wants."""

    label = webrtc.CHANNEL

    def __init__(self) -> None:
        self.on_message: Any = None

    def on(self, event: str, listener: Any) -> None:
        if event == "message":
            self.on_message = listener


async def test_a_caller_who_says_more_than_can_be_read_ends_the_call() -> None:
    channel, pipe = webrtc.Channel(), Pipe()
    channel.adopt(pipe)
    message = "x" * (webrtc.MOST_UNREAD_BYTES // 8)
    for _ in range(8):
        pipe.on_message(message)
    read = [len(await anext(channel.messages())) for _ in range(4)]
    assert read == [len(message)] * 4
    for _ in range(100):
        pipe.on_message(message)
    left = [text async for text in channel.messages()]
    assert len(left) == 8
