"""What comes from a peer: counted, and handed on in the moment in which it comes.

aiortc would have each datagram wait in a queue for a task to run, which costs more than to decode
what is in it.

Rule: a peer that sends more than any browser does is hung up on, whatever it is; what nobody can
read costs nothing more. What goes past the queue is sound, and what comes for the data channel: to
handle these nothing has to be waited for. The handshake before them and the goodbye wait as ever.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from aiortc import clock
from aiortc.rtp import is_rtcp
from OpenSSL import SSL
from pylibsrtp import Error as SrtpError

from components.media.at_once import at_once
from components.media.bucket import TokenBucket

log = logging.getLogger(__name__)

DATAGRAMS_PER_S: Final = 400
MOST_DATAGRAMS: Final = 2400
"""In a rush. A browser sends some seventy a second; after a network's stall, those of its time."""
MOST_DATAGRAM_BYTES: Final = 2048
"""No network between browsers carries more in one."""
MOST_RECORD_BYTES: Final = 1500
"""As aiortc reads them."""
_DTLS: Final = range(20, 64)
_SRTP: Final = range(128, 192)
"""First bytes (RFC 7983)."""


class Arrivals:
    """Stands before the queue of a connection; `hang_up` may be called more than once."""

    def __init__(self, dtls: Any, hang_up: Callable[[], None]) -> None:
        """`dtls` is aiortc's transport."""
        self._dtls = dtls
        self._hang_up = hang_up
        self._bucket = TokenBucket(DATAGRAMS_PER_S, MOST_DATAGRAMS)
        self._over = False
        connection = dtls.transport._connection
        self._wait: Callable[[bytes, int], None] = connection.data_received
        connection.data_received = self.take
        for protocol in connection._protocols:
            # asyncio would get a quarter of a megabyte for each datagram, and give it back.
            if hasattr(protocol.transport, "max_size"):
                protocol.transport.max_size = MOST_DATAGRAM_BYTES + 1

    def take(self, data: bytes, component: int) -> None:
        """A datagram, as aioice has it from the network; never raises."""
        if not self._allowed(data):
            return
        try:
            taken = self._record(data) if data[0] in _DTLS else self._packet(data)
        except ConnectionError:
            self._hang_up()
        except Exception:
            log.exception("! a packet could not be handled")
            self._hang_up()
        else:
            if not taken:
                self._wait(data, component)

    def _packet(self, data: bytes) -> bool:
        """Whether it was sound, or nobody's."""
        srtp = self._dtls._rx_srtp
        if srtp is None or data[0] not in _SRTP or is_rtcp(data):
            return False
        try:
            packet = srtp.unprotect(data)
        except (SrtpError, ValueError):  # of somebody else; longer than the library takes
            return True
        at_once(self._dtls._handle_rtp_data(packet, arrival_time_ms=clock.current_ms()))
        return True

    def _record(self, data: bytes) -> bool:
        """Whether it was for the data channel, or nobody's."""
        if self._dtls._task is None or self._dtls._data_receiver is None:
            return False
        self._dtls._ssl.bio_write(data)
        try:
            message = self._dtls._ssl.recv(MOST_RECORD_BYTES)
        except SSL.ZeroReturnError:  # the goodbye, which aiortc will find again
            return False
        except SSL.Error:
            message = b""
        at_once(self._dtls._write_ssl())
        if message:
            at_once(self._dtls._data_receiver._handle_data(message))
        return True

    def _allowed(self, data: bytes) -> bool:
        if self._over:
            return False
        if self._bucket.take(1, time.monotonic()) < 1:
            self._over = True
            log.info("! a page sends more packets than any page does: it is hung up on")
            self._hang_up()
            return False
        return 0 < len(data) <= MOST_DATAGRAM_BYTES
