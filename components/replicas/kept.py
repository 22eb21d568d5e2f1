"""What another replica needs of a call so that it goes on there, and how that is kept.

Rule: it is kept under a hash of the tab's secret key, and encrypted with another: who reads the
store finds neither keys nor words. No key of a visitor is ever part of it. What another version has
written is read as far as it is understood; if not at all, nothing is known.
"""

import logging
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from hashlib import sha256

import orjson
from cryptography.fernet import Fernet, InvalidToken
from pydantic import TypeAdapter, ValidationError

from components.core.conversation import Conversation, Message

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """Of a tab's newest call."""

    conversation: Conversation
    """The times of its messages are those of the calendar, in seconds since 1970."""
    running: bool = False
    """Whether the call had not ended when this was written."""
    own_key: bool = False
    """Whether its visitor had brought a key along, which is nowhere any more."""
    lasted_s: float = 0.0
    cost: float = 0.0
    """In US dollars, as it counts towards a limit."""
    place: str = ""
    """What the store knows its place by."""


_KEPT: TypeAdapter[Kept] = TypeAdapter(Kept)


def name_of(key: str) -> str:
    """Under what the call of a tab is kept."""
    return f"call:{sha256(f'name {key}'.encode()).hexdigest()}"


def sealed(kept: Kept, key: str) -> bytes:
    """To be read by who has the tab's key."""
    ahead_s = time.time() - time.monotonic()
    shown = replace(kept, conversation=_shifted(kept.conversation, ahead_s))
    return _cipher(key).encrypt(orjson.dumps(shown))


def opened(value: bytes, key: str) -> Kept | None:
    """What was sealed; None if it cannot be read."""
    try:
        kept = _KEPT.validate_json(_cipher(key).decrypt(value))
    except (InvalidToken, ValidationError) as error:
        log.info("! what another replica has kept cannot be read (%s)", type(error).__name__)
        return None
    ahead_s = time.time() - time.monotonic()
    return replace(kept, conversation=_shifted(kept.conversation, -ahead_s))


def _cipher(key: str) -> Fernet:
    return Fernet(urlsafe_b64encode(sha256(f"words {key}".encode()).digest()))


def _shifted(conversation: Conversation, by_s: float) -> Conversation:
    """The same on another clock: each process has its own."""
    messages = tuple(_moved(message, by_s) for message in conversation.messages)
    return replace(conversation, messages=messages)


def _moved(message: Message, by_s: float) -> Message:
    since_s = None if message.since_s is None else message.since_s + by_s
    until_s = None if message.until_s is None else message.until_s + by_s
    return replace(message, since_s=since_s, until_s=until_s)
