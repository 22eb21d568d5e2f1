"""What visitors do: each visit is a call, talk, and one of the ways in which calls end.

A visit that returns has met what it should; one that has not raises.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tests.network import Network
from tests.peer import Peer
from tests.soak.relay import ENDINGS, Relay
from tests.soak.vitals import RENEWAL_S
from tests.speech import speech

MOST_TRIES = 4
QUESTIONS = ("what time is it", "count to thirty", "what is 3 plus 4?")
BLIP_S = 1.5


class Visitor:
    """One caller with a purpose, on a page that Gradio knows by a name."""

    def __init__(self, url: str, upstream: Relay, chance: random.Random, page: str) -> None:
        self.broken = 0
        """How often the server was lost, and the call went on."""
        self.refused = 0
        """How often it was lost while the call began, and the caller was told to start again."""
        self._url = url
        self._upstream = upstream
        self._chance = chance
        # All of them together type faster than one visitor may.
        self._peer = Peer(address=f"127.1.{chance.randrange(256)}.{chance.randrange(1, 255)}")
        self._peer.session_hash = page

    async def go_home(self) -> None:
        """Whatever happened: leave nothing of this side running."""
        await self._peer.close()

    # The ways to go.

    async def hang_up(self) -> None:
        await self._talk()
        self._peer.send(type="hangup")
        await self._peer.sees(type="state", connection="ended")

    async def barge_in_and_hang_up(self) -> None:
        await self._talk()
        await self._until_not_lost(self._barge_in)
        await self._peer.hang_up()

    async def die_silently(self) -> None:
        await self._talk()
        await self._peer.vanish()

    async def die_in_the_middle_of_a_sentence(self) -> None:
        await self._join()
        await self._until_not_lost(self._begin_a_sentence)
        await self._peer.vanish()

    async def die_before_the_connection_stands(self) -> None:
        self._peer.network.cut()
        await self._peer.join(self._url)

    async def close_the_tab(self) -> None:
        await self._talk()
        await self._peer.close()

    async def close_the_channel(self) -> None:
        await self._talk()
        self._peer.close_channel()
        await asyncio.sleep(BLIP_S)

    async def lose_the_network_for_a_moment(self) -> None:
        await self._talk()
        self._peer.network.cut(BLIP_S)
        await asyncio.sleep(BLIP_S)
        await self._ask()
        await self._peer.hang_up()

    async def lose_the_network_and_rejoin(self) -> None:
        await self._talk()
        await self._peer.vanish()
        await asyncio.sleep(BLIP_S * self._chance.random())
        self._peer.network = Network()
        self._peer.forget()
        await self._peer.rejoin(self._url)
        await self._ask()
        await self._peer.hang_up()

    async def talk_over_a_bad_network(self) -> None:
        self._peer.network = Network(
            self._chance.getrandbits(32), loss=0.05, reorder=0.05, duplicate=0.05, delay_s=0.03
        )
        await self._talk()
        await self._peer.hang_up()

    async def meet_a_broken_server(self) -> None:
        await self._talk()
        self._upstream.drop(self._chance, share=0.5)  # every visitor must bear it
        await self._ask()
        await self._peer.hang_up()

    async def be_ended_by_the_server(self) -> None:
        await self._talk()
        self._peer.send(type="say", text=self._chance.choice([*ENDINGS]))
        await self._peer.sees(type="state", connection="failed")

    async def hang_up_while_the_session_is_renewed(self) -> None:
        await self._talk()
        await asyncio.sleep(RENEWAL_S + self._chance.random())
        self._peer.send(type="hangup")
        await self._peer.sees(type="state", connection="ended")

    async def offer_junk(self) -> None:
        try:
            await self._peer.offer(self._url, {"type": "offer", "sdp": "junk"})
        except ConnectionError as error:
            if "offer_not_understood" not in str(error):
                raise
        else:
            raise AssertionError("junk was answered")

    # Talking.

    async def _talk(self) -> None:
        await self._join()
        await self._ask()

    async def _join(self) -> None:
        """Start a call; once more if its server was lost before it had begun, as that ends it, or
        if a bad network has lost too much of its beginning, as a person does."""
        for _ in range(MOST_TRIES):
            self._peer.forget()
            await self._peer.join(self._url)
            try:
                if await self._peer.is_now("connected", "failed") == "connected":
                    return
            except TimeoutError:
                if not self._peer.network.loss:
                    raise
            await self._peer.close()
            self.refused += 1
        raise AssertionError("the server was lost too often to begin")

    async def _ask(self) -> None:
        await self._until_not_lost(self._get_an_answer)

    async def _get_an_answer(self) -> None:
        self._peer.send(type="say", text=self._chance.choice(QUESTIONS))
        await self._peer.hears(300)

    async def _barge_in(self) -> None:
        self._peer.send(type="say", text="count to thirty")
        await self._peer.hears(300)
        before = len(self._peer.messages)
        self._peer.microphone.say(speech("stop"))
        await self._peer.sees(since=before, type="state", user="speaking")

    async def _begin_a_sentence(self) -> None:
        before = len(self._peer.messages)
        self._peer.microphone.say(speech("what time is it"))
        await self._peer.sees(since=before, type="state", user="speaking")

    async def _until_not_lost(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do it again when the server was lost meanwhile: it then knows nothing of it."""
        for _ in range(MOST_TRIES):
            await self._peer.is_now("connected")
            before = len(self._peer.messages)
            acting = asyncio.create_task(act())
            lost = asyncio.create_task(
                self._peer.sees(since=before, type="state", connection="reconnecting")
            )
            try:
                await asyncio.wait([acting, lost], return_when=asyncio.FIRST_COMPLETED)
                if acting.done():
                    await acting
                    return
                await lost
                self.broken += 1
            finally:
                acting.cancel()
                lost.cancel()
                await asyncio.gather(acting, lost, return_exceptions=True)
        raise AssertionError("the server was lost too often to tell")


Way = Callable[[Visitor], Awaitable[None]]

WAYS: tuple[Way, ...] = (
    Visitor.hang_up,
    Visitor.barge_in_and_hang_up,
    Visitor.die_silently,
    Visitor.die_in_the_middle_of_a_sentence,
    Visitor.die_before_the_connection_stands,
    Visitor.close_the_tab,
    Visitor.close_the_channel,
    Visitor.lose_the_network_for_a_moment,
    Visitor.lose_the_network_and_rejoin,
    Visitor.talk_over_a_bad_network,
    Visitor.meet_a_broken_server,
    Visitor.be_ended_by_the_server,
    Visitor.hang_up_while_the_session_is_renewed,
    Visitor.offer_junk,
)
