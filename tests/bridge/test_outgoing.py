"""What a page is told that takes its messages slowly, or not at all."""

import orjson
import pytest

from components.bridge.outgoing import BEHIND_LIMIT_S, MOST_BUFFERED_BYTES, Outgoing


class Channel:
    """Takes what it is given, and keeps it for as long as nobody drains it."""

    readyState = "open"  # noqa: N815  # the names of the WebRTC standard
    bufferedAmountLowThreshold = 0  # noqa: N815

    def __init__(self):
        self.bufferedAmount = 0
        self.sent = []
        self._listeners = {}

    def on(self, event, listener):
        self._listeners[event] = listener

    def send(self, text):
        self.bufferedAmount += len(text)
        self.sent.append(orjson.loads(text))

    def drain(self):
        self.bufferedAmount = 0
        self._listeners["bufferedamountlow"]()


class Page:
    def __init__(self):
        self.channel = Channel()
        self.given_up = 0
        self.outgoing = Outgoing(self.channel, self._give_up)

    def _give_up(self):
        self.given_up += 1

    def tell(self, type_, now=0.0, **fields):
        self.outgoing.put({"type": type_, **fields}, now)

    def fill(self, now=0.0):
        self.tell("filler", now, text="x" * MOST_BUFFERED_BYTES)
        self.channel.sent.clear()


@pytest.fixture
def page():
    return Page()


def test_messages_leave_at_once(page):
    page.tell("levels", user=1)
    page.tell("levels", user=2)

    assert [message["user"] for message in page.channel.sent] == [1, 2]


def test_of_each_type_the_newest_waits_in_the_order_of_the_newest(page):
    page.fill()
    for n in range(3):
        page.tell("state", n=n)
        page.tell("levels", n=n)
    page.tell("state", n=3)
    assert page.channel.sent == []

    page.channel.drain()
    assert page.channel.sent == [{"type": "levels", "n": 2}, {"type": "state", "n": 3}]


def test_what_waits_is_sent_before_what_comes(page):
    page.fill()
    page.tell("state", n=1)
    page.channel.bufferedAmount = 0
    page.tell("stop")
    assert page.channel.sent == []

    page.channel.drain()
    assert [message["type"] for message in page.channel.sent] == ["state", "stop"]
    page.tell("levels")
    assert len(page.channel.sent) == 3


def test_however_much_is_said_little_is_kept(page):
    for n in range(10_000):
        page.tell("levels", n / 20_000, n=n)
        page.tell("state", n / 20_000, notice="x" * 100)

    assert page.channel.bufferedAmount < MOST_BUFFERED_BYTES + 1000
    assert len(page.outgoing._waiting) == 2


def test_page_that_stays_behind_is_given_up(page):
    page.fill()
    page.tell("levels", now=1)
    page.tell("levels", now=BEHIND_LIMIT_S)
    assert not page.given_up

    page.tell("levels", now=BEHIND_LIMIT_S + 1.1)
    assert page.given_up


def test_page_that_catches_up_is_not_given_up(page):
    page.fill()
    page.tell("levels", now=1)
    page.channel.drain()
    page.fill(now=BEHIND_LIMIT_S)
    page.tell("levels", now=BEHIND_LIMIT_S + 2)

    assert not page.given_up


def test_closed_channel_is_told_nothing(page):
    page.fill()
    page.tell("state")
    page.channel.readyState = "closed"
    page.tell("levels")
    page.channel.drain()

    assert page.channel.sent == []
