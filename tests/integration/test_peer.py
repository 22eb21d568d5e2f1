"""Callers without a browser against the whole app and its practice server: ear to ear."""

import asyncio

import httpx
import pytest

from tests.peer import Peer, caller
from tests.running import running_app
from tests.speech import speech

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with running_app(tmp_path_factory.mktemp("app"), MAX_CALLS="3") as url:
        yield url


async def connected(peer):
    await peer.sees(type="state", connection="connected")


async def test_spoken_question_is_answered_aloud(app):
    async with caller(app) as peer:
        await connected(peer)
        peer.microphone.say(speech("what time is it"))
        await peer.sees(type="state", user="speaking")
        await peer.sees(type="state", user="listening", assistant="thinking")
        await peer.sees(type="state", assistant="speaking")
        await peer.hears(500)
        peer.forget()
        await peer.sees(type="state", assistant="idle")


async def test_levels_follow_both_voices(app):
    async with caller(app) as peer:
        await connected(peer)
        peer.microphone.say(speech("hello"))
        await peer.hears(300)

        levels = [m for m in peer.messages if m["type"] == "levels"]
        assert max(m["user"] for m in levels) > -40
        assert max(m["assistant"] for m in levels) > -40
        assert min(m["user"] for m in levels) < -50


async def test_barge_in_stops_the_sound(app):
    async with caller(app) as peer:
        await connected(peer)
        peer.send(type="say", text="count to thirty")
        await peer.hears(1000)
        peer.forget()
        peer.microphone.say(speech("stop"))
        await peer.sees(type="state", user="speaking", assistant="idle")
        heard = peer.heard_ms
        await peer.sees(type="state", user="listening")

        # What was on the network at that moment, and no more.
        assert peer.heard_ms - heard <= 200


async def test_typed_line_is_answered_aloud(app):
    async with caller(app) as peer:
        await connected(peer)
        peer.send(type="say", text="what is 3 plus 4?")
        await peer.hears(300)


async def test_three_people_talk_at_once(app):
    async def talk():
        async with caller(app) as peer:
            await connected(peer)
            peer.microphone.say(speech("what time is it"))
            await peer.sees(type="state", assistant="speaking")
            await peer.hears(500)

    await asyncio.gather(talk(), talk(), talk())


async def test_full_house_refuses_and_has_room_again_after_a_hang_up(app):
    async with caller(app) as first, caller(app) as second, caller(app) as third:
        for peer in (first, second, third):
            await connected(peer)
        with pytest.raises(ConnectionError, match="concurrency_limit_reached"):
            async with caller(app):
                pass
    async with asyncio.timeout(20):
        while True:
            try:
                async with caller(app) as peer:
                    await connected(peer)
                    return
            except ConnectionError:
                await asyncio.sleep(0.1)


@pytest.mark.parametrize("offer", [{"sdp": "junk"}, {"sdp": None}, {"sdp": "v=0", "type": "?"}])
async def test_offer_that_makes_no_sense_takes_no_place(app, offer):
    for _ in range(4):
        with pytest.raises(ConnectionError, match="offer_not_understood"):
            await Peer().offer(app, {"type": "offer", **offer})
    async with caller(app) as peer:
        await connected(peer)


async def test_hang_up_is_answered_with_the_end(app):
    async with caller(app) as peer:
        await connected(peer)
        peer.send(type="hangup")
        await peer.sees(type="state", connection="ended")


async def test_page_names_no_host_but_its_own(app):
    async with httpx.AsyncClient(trust_env=False) as client:
        page = (await client.get(app)).text

    assert "fonts.googleapis.com" not in page
