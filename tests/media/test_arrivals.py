"""What comes from a peer: who gets it, and when it is too much."""

from types import SimpleNamespace

import pylibsrtp
import pytest
from OpenSSL import SSL

from components.media.arrivals import MOST_DATAGRAM_BYTES, MOST_DATAGRAMS, Arrivals

KEY = bytes(range(30))
RTP = bytes([128, 111]) + bytes(18)
"""A header of twelve bytes, and some sound."""
RTCP = bytes([128, 200]) + bytes(18)
DTLS = bytes([22]) + bytes(18)


def srtp(direction):
    return pylibsrtp.Session(pylibsrtp.Policy(key=KEY, ssrc_type=direction))


class Ssl:
    """OpenSSL's end of a connection, on which nothing is encrypted."""

    def __init__(self):
        self.written: list[bytes] = []
        self.error: Exception | None = None

    def bio_write(self, data):
        self.written.append(data)

    def recv(self, most):
        if self.error:
            raise self.error
        return self.written[-1][1:most]


class Dtls:
    """The part of aiortc's transport that takes datagrams, and aioice's connection below it."""

    def __init__(self):
        self.queue: list[bytes] = []
        self.sound: list[bytes] = []
        self.messages: list[bytes] = []
        self.hung_up = 0
        self.error: Exception | None = None
        self.answers = 0
        self._ssl = Ssl()
        self._task: object = None
        self._data_receiver: object = None
        self._rx_srtp = srtp(pylibsrtp.Policy.SSRC_ANY_INBOUND)
        self.sockets = [SimpleNamespace(max_size=262_144), SimpleNamespace()]
        self.connection = SimpleNamespace(
            data_received=lambda data, component: self.queue.append(data),
            _protocols=[SimpleNamespace(transport=each) for each in self.sockets],
        )
        self.transport = SimpleNamespace(_connection=self.connection)
        Arrivals(self, self.hang_up)

    async def _handle_rtp_data(self, data, arrival_time_ms):
        self.sound.append(data)
        if self.error:
            raise self.error

    async def _handle_data(self, data):
        self.messages.append(data)
        if self.error:
            raise self.error

    async def _write_ssl(self):
        self.answers += 1

    def connect(self):
        """The handshake is over, and somebody takes messages."""
        self._task = self._data_receiver = self

    def hang_up(self):
        self.hung_up += 1

    def give(self, *datagrams):
        for datagram in datagrams:
            self.connection.data_received(datagram, 1)


@pytest.fixture
def dtls():
    return Dtls()


@pytest.fixture
def protected():
    return srtp(pylibsrtp.Policy.SSRC_ANY_OUTBOUND).protect(RTP)


def test_sound_does_not_wait(dtls, protected):
    dtls.give(protected)

    assert dtls.sound == [RTP]
    assert dtls.queue == []


def test_what_is_no_sound_waits_for_its_turn(dtls):
    dtls.give(DTLS, RTCP, bytes([200]))

    assert dtls.sound == []
    assert dtls.queue == [DTLS, RTCP, bytes([200])]


def test_what_is_for_the_data_channel_does_not_wait(dtls):
    dtls.connect()
    dtls.give(DTLS)

    assert dtls.messages == [DTLS[1:]]
    assert dtls.answers == 1
    assert dtls.queue == []


def test_handshake_waits_for_who_makes_it(dtls):
    dtls._task = dtls
    dtls.give(DTLS)
    dtls._task, dtls._data_receiver = None, dtls
    dtls.give(DTLS)

    assert dtls.queue == [DTLS, DTLS]
    assert dtls._ssl.written == []


def test_goodbye_is_left_to_aiortc(dtls):
    dtls.connect()
    dtls._ssl.error = SSL.ZeroReturnError()
    dtls.give(DTLS)

    assert dtls.queue == [DTLS]
    assert dtls.answers == 0


def test_record_that_holds_no_message_is_passed_over(dtls):
    dtls.connect()
    dtls._ssl.error = SSL.WantReadError()
    dtls.give(DTLS)

    assert (dtls.messages, dtls.queue, dtls.answers, dtls.hung_up) == ([], [], 1, 0)


@pytest.mark.parametrize(
    ("error", "logged"), [(ConnectionError("closed"), False), (KeyError("a bug"), True)]
)
def test_message_that_breaks_something_ends_its_connection(dtls, caplog, error, logged):
    dtls.connect()
    dtls.error = error
    dtls.give(DTLS)

    assert dtls.hung_up == 1
    assert ("could not be handled" in caplog.text) is logged


def test_sound_waits_until_there_is_a_key(dtls, protected):
    dtls._rx_srtp = None
    dtls.give(protected)

    assert dtls.queue == [protected]


@pytest.mark.parametrize(
    "datagram",
    [bytes([128]), RTP, bytes([128, 111]) + bytes(1600)],
    ids=["short", "foreign", "long"],
)
def test_sound_of_nobody_is_passed_over(dtls, datagram):
    dtls.give(datagram)

    assert (dtls.sound, dtls.queue, dtls.hung_up) == ([], [], 0)


def test_packet_that_breaks_something_ends_its_connection(dtls, protected, caplog):
    dtls.error = KeyError("a bug")
    dtls.give(protected)

    assert dtls.hung_up == 1
    assert "could not be handled" in caplog.text


def test_datagrams_that_no_network_carries_are_passed_over(dtls):
    dtls.give(bytes(MOST_DATAGRAM_BYTES + 1), b"", DTLS)

    assert dtls.queue == [DTLS]


def test_no_more_memory_is_taken_for_a_datagram_than_it_may_have(dtls):
    assert vars(dtls.sockets[0]) == {"max_size": MOST_DATAGRAM_BYTES + 1}
    assert vars(dtls.sockets[1]) == {}


def test_flood_of_datagrams_ends_its_connection_once(dtls, caplog):
    caplog.set_level("INFO", "components")
    dtls.give(*[DTLS] * MOST_DATAGRAMS)
    assert not dtls.hung_up

    dtls.give(*[DTLS] * 2 * MOST_DATAGRAMS)

    assert dtls.hung_up == 1
    assert caplog.text.count("hung up") == 1
    assert MOST_DATAGRAMS <= len(dtls.queue) < 1.5 * MOST_DATAGRAMS
