"""What a peer may do over its association, with two real ones."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from OpenSSL import SSL

from components.media import channels as module
from components.media.channels import MOST_CLOSED, MOST_STREAMS, keep_one_channel
from tests.attacks import Attacker

LIMIT_S = 30
ENDLESS = 10**9
"""Of what is counted: a busy machine's sockets lose many of a rush."""


class House:
    """Our end of a connection, and the peer at its other one."""

    def __init__(self):
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.adopted = []
        self.heard = []
        self.hung_up = asyncio.Event()
        self.pc.on("datachannel", self._stock)

    def _stock(self, channel):
        """As fastrtc does."""
        channel.on("message", lambda text: channel.send(f"Server received: {text}"))

    def adopt(self, channel):
        self.adopted.append(channel)
        channel.on("message", self.heard.append)

    @property
    def sctp(self):
        return self.pc.sctp

    def open(self, label):
        channel = self.peer.createDataChannel(label)
        channel.received = []
        channel.on("message", channel.received.append)
        return channel

    async def until(self, condition):
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110  # aiortc tells nobody
                await asyncio.sleep(0.01)

    async def ends(self):
        async with asyncio.timeout(LIMIT_S):
            await self.hung_up.wait()


@asynccontextmanager
async def house(watched=True):
    found = House()
    first = found.open("text")
    await found.peer.setLocalDescription(await found.peer.createOffer())
    await found.pc.setRemoteDescription(found.peer.localDescription)
    await found.pc.setLocalDescription(await found.pc.createAnswer())
    if watched:
        keep_one_channel(found.pc, found.adopt, found.hung_up.set)
    await found.peer.setRemoteDescription(found.pc.localDescription)
    try:
        await found.until(lambda: first.readyState == "open")
        yield found, first, Attacker(found.peer)
    finally:
        await found.peer.close()
        await found.pc.close()


async def test_the_first_channel_is_ours_and_echoes_nothing():
    async with house() as (found, first, _):
        first.send("hello")
        await found.until(lambda: found.heard == ["hello"])

        assert [channel.label for channel in found.adopted] == ["text"]
        assert first.received == []
        assert not found.hung_up.is_set()


async def test_message_to_the_page_leaves_without_a_task():
    async with house() as (found, first, _):
        before = asyncio.all_tasks()
        found.adopted[0].send("Hello")
        assert asyncio.all_tasks() == before

        await found.until(lambda: first.received == ["Hello"])


@pytest.mark.parametrize("error", [ConnectionError("not connected"), SSL.Error()])
async def test_message_to_a_page_that_is_gone_is_no_error(error):
    async def flush():
        raise error

    await module._without_task(flush)()


async def test_other_errors_of_a_message_are_told_to_who_waits_for_it():
    async def flush():
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        await module._without_task(flush)()


async def test_every_other_channel_is_closed_and_echoes_nothing():
    async with house() as (found, first, _):
        second = found.open("second")
        await found.until(lambda: second.readyState != "connecting")
        while second.readyState == "open":
            second.send("x" * 1000)
            await asyncio.sleep(0.001)

        assert second.received == []
        assert len(found.adopted) == 1
        first.send("still here")
        await found.until(lambda: found.heard == ["still here"])


async def test_channels_that_were_there_before_are_not_forgotten():
    async with house(watched=False) as (found, first, _):
        second = found.open("second")
        await found.until(lambda: second.readyState == "open")
        keep_one_channel(found.pc, found.adopt, found.hung_up.set)
        first.send("hello")
        await found.until(lambda: second.readyState == "closed" and found.heard)

        assert [channel.label for channel in found.adopted] == ["text"]
        assert first.received == []


async def test_who_opens_channels_without_end_is_hung_up_on():
    async with house() as (found, _first, _):
        for n in range(MOST_CLOSED + 1):
            found.open(str(n))
        await found.ends()

        assert len(found.adopted) == 1


async def test_connection_without_an_association_is_left_alone():
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    keep_one_channel(pc, print, print)

    assert pc.listeners("datachannel")
    await pc.close()


@pytest.mark.parametrize(
    "attack",
    [
        lambda attacker: attacker.endless_message(ENDLESS, 1100),
        lambda attacker: attacker.endless_message(ENDLESS, 1),
        lambda attacker: attacker.many_streams(60 * MOST_STREAMS),
        lambda attacker: attacker.holes(ENDLESS),
        lambda attacker: attacker.gaps(),
        lambda attacker: attacker.messages(ENDLESS),
        lambda attacker: attacker.heartbeats(ENDLESS),
        lambda attacker: attacker.no_text(),
        lambda attacker: attacker.channel_again(),
    ],
    ids=["endless", "crumbs", "streams", "holes", "gaps", "messages", "beats", "no text", "again"],
)
async def test_what_no_page_sends_ends_its_connection_in_one_line(attack, caplog):
    caplog.set_level("INFO", "components")
    async with house() as (found, _first, attacker):
        begun = time.process_time()
        attacking = asyncio.ensure_future(attack(attacker))
        await found.ends()
        spent = time.process_time() - begun
        attacking.cancel()

        held = sum(len(each.reassembly) for each in found.sctp._inbound_streams.values())
        assert held <= module.MOST_FRAGMENTS + 1
        assert len(found.sctp._sack_misordered) <= module.MOST_FRAGMENTS + 1
        assert spent < 4  # of both ends together
    assert caplog.text.count("hung up") == 1
    assert "Traceback" not in caplog.text


async def test_a_message_as_long_as_aiortc_takes_is_heard():
    async with house() as (found, first, _):
        first.send("x" * 65_000)
        first.send("short")
        await found.until(lambda: len(found.heard) == 2)

        assert list(map(len, found.heard)) == [65_000, 5]
        assert not found.hung_up.is_set()
