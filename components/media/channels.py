"""What a page may do with the association below its data channel.

Rule: one channel; of what comes over it, little is kept and little of the processor's time is
taken, whatever the page sends. A page that goes beyond that loses its connection, in one log line.
aiortc itself sets no bound: it keeps every fragment of a message that has no end, looks through all
of them for each that follows, and a message that is no text ends in a traceback.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from aiortc import RTCPeerConnection
from OpenSSL import SSL

from components.media.at_once import at_once
from components.media.bucket import TokenBucket

log = logging.getLogger(__name__)

MOST_FRAGMENTS: Final = 1024
"""Of messages that are not complete, or out of order: a megabyte in pieces of a network's size."""
MOST_STREAMS: Final = 16
MOST_CLOSED: Final = 8
"""Channels besides the first, which are closed one by one, before all of them are."""
CHUNKS_PER_S: Final = 200
MOST_CHUNKS: Final = 1200
"""In a rush. A page acknowledges some twenty messages a second, and sends one or two."""

Adopt = Callable[[Any], None]


def keep_one_channel(pc: RTCPeerConnection, adopt: Adopt, hang_up: Callable[[], None]) -> None:
    """Give the first data channel to `adopt`, close all others, and bound what comes over it.

    `hang_up` closes the connection, and may be called more than once.
    """
    association = _Association(adopt, hang_up)
    # fastrtc's own listener would send back whatever comes, over every channel.
    pc.remove_all_listeners("datachannel")
    pc.on("datachannel", association.opened)
    if pc.sctp is not None:
        association.watch(pc.sctp)


class _OverboardError(Exception):
    """More than any page needs; the text says of what."""


class _Association:
    def __init__(self, adopt: Adopt, hang_up: Callable[[], None]) -> None:
        self._adopt = adopt
        self._hang_up = hang_up
        self._channels = 0
        self._over = False
        self._chunks = TokenBucket(CHUNKS_PER_S, MOST_CHUNKS)

    def opened(self, channel: Any) -> None:
        """A channel; never raises."""
        self._channels += 1
        channel.remove_all_listeners("message")
        if self._channels == 1:
            self._adopt(channel)
        elif self._channels <= MOST_CLOSED:
            channel.close()
        else:
            self._end("channels")

    def watch(self, sctp: Any) -> None:
        """Stand before aiortc's transport, which looks these methods up anew for each packet."""
        for channel in list(sctp._data_channels.values()):  # before the answer was known
            self.opened(channel)
        sctp._handle_data = self._packets(sctp, sctp._handle_data)
        sctp._receive_chunk = self._counted(sctp._receive_chunk)
        sctp._data_channel_flush = _without_task(sctp._data_channel_flush)

    def _packets(
        self, sctp: Any, stock: Callable[[bytes], Awaitable[None]]
    ) -> Callable[[bytes], Awaitable[None]]:
        async def handle_data(data: bytes) -> None:
            if self._over:
                return
            try:
                await stock(data)
                _check(sctp)
            except ConnectionError:  # which aiortc expects
                raise
            except _OverboardError as error:
                self._end(str(error))
            except Exception as error:
                self._end(f"what nobody understands ({type(error).__name__})")

        return handle_data

    def _counted(self, stock: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        async def receive_chunk(chunk: Any) -> None:
            if self._chunks.take(1, time.monotonic()) < 1:
                raise _OverboardError("messages")
            if sum(last - first for first, last in getattr(chunk, "gaps", ())) > MOST_FRAGMENTS:
                raise _OverboardError("gaps")  # aiortc would note each number that lies in one
            await stock(chunk)

        return receive_chunk

    def _end(self, of_what: str) -> None:
        if not self._over:
            self._over = True
            log.info("! a page sends more than any page does, of %s: it is hung up on", of_what)
            self._hang_up()


def _without_task(
    stock: Callable[[], Coroutine[Any, Any, None]],
) -> Callable[[], "asyncio.Future[None]"]:
    """Send what waits before aiortc makes a task of that, for each message."""

    def flush() -> "asyncio.Future[None]":
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            at_once(stock())
        except (ConnectionError, SSL.Error):  # the connection itself reports its end
            done.set_result(None)
        except Exception as error:
            done.set_exception(error)
        else:
            done.set_result(None)
        return done

    return flush


def _check(sctp: Any) -> None:
    streams = sctp._inbound_streams
    if len(streams) > MOST_STREAMS:
        raise _OverboardError("streams")
    fragments = sum(len(stream.reassembly) for stream in streams.values())
    if fragments > MOST_FRAGMENTS or len(sctp._sack_misordered) > MOST_FRAGMENTS:
        raise _OverboardError("fragments")
    if sctp._advertised_rwnd < 0:  # what is left of a megabyte
        raise _OverboardError("unfinished messages")
