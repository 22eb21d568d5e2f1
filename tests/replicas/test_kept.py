"""What is kept of a call: whole, unreadable for others, and readable across versions."""

import time

import orjson
import pytest

from components.core.conversation import Conversation, Message, Status
from components.protocol.images import Image
from components.replicas.kept import Kept, _cipher, name_of, opened, sealed

ADA, BOB = "a" * 32, "b" * 32
SAID = Message("1", "user", Status.DONE, ("Where is my order?",), since_s=100.5, until_s=101.0)
SEEN = Message("2", "user", Status.DONE, ("",), image=Image(2, 3, "", "cat.png"))
HEARD = Message("3", "assistant", Status.INTERRUPTED, ("It is on ", "its way."), heard=5)
CALL = Kept(Conversation(messages=(SAID, SEEN, HEARD)), True, True, 12.5, 0.25, "ann 1")


def reads(value, key=ADA) -> Kept:
    found = opened(value, key)
    assert found is not None
    return found


def since(kept):
    return kept.conversation.messages[0].since_s


def test_a_call_is_opened_as_it_was_sealed():
    found = reads(sealed(CALL, ADA))

    assert found == CALL
    assert since(found) == pytest.approx(SAID.since_s, abs=0.5)


def test_the_times_of_messages_are_those_of_the_process_that_opens(monkeypatch):
    value = sealed(CALL, ADA)
    there = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: there - 1000)  # it was started later
    found = reads(value)

    assert since(found) == pytest.approx(100.5 - 1000, abs=0.5)
    assert found.conversation.messages[1].since_s is None


def test_what_is_stored_shows_neither_words_nor_keys():
    value, name = sealed(CALL, ADA), name_of(ADA)

    assert b"order" not in value
    assert ADA not in name
    assert ADA.encode() not in value
    assert name != name_of(BOB)


def test_another_key_opens_nothing():
    assert opened(sealed(CALL, ADA), BOB) is None
    assert opened(b"junk", ADA) is None


def test_another_versions_fields_are_left_out_and_missing_ones_have_their_defaults():
    told = orjson.loads(_cipher(ADA).decrypt(sealed(CALL, ADA)))
    del told["cost"]
    told["mood"] = "good"
    told["conversation"]["messages"][0]["colour"] = "red"
    found = reads(_cipher(ADA).encrypt(orjson.dumps(told)))

    assert (found.cost, found.lasted_s, found.running) == (0.0, 12.5, True)
    assert found.conversation.messages[0].text == SAID.text


def test_what_another_version_says_in_another_way_counts_as_nothing():
    told = {"conversation": {"messages": "none"}}

    assert opened(_cipher(ADA).encrypt(orjson.dumps(told)), ADA) is None
