"""A tour of a minute for somebody who is new here: a turn, an interruption, a typed line.

Rule: it reacts to speech and silence, not to words, so that it goes on whatever the ears make of
them; only a request to leave, or a typed line that the rules know, ends it early. Where it stands
follows from the conversation alone, and every figure in it was measured.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from components.practice.brain.number_words import words as in_words
from components.practice.brain.rules import (
    GREETING,
    GUIDED_GREETING,
    STOPPING,
    Call,
    Context,
    Remind,
    Say,
    plain,
)
from components.practice.engine.engine import IDLE_PROMPT

WELCOME: Final = "Here is the tour. Say anything."
SILENCE: Final = Remind("I hear nothing. Is your microphone on?", 8.0)
COUNTING: Final = "Now I count. Talk over me."
LAST: Final = 16
"""Counted in some ten seconds, long enough to take heart. What is not heard after the third number
is short enough for the page to show it struck through, unfolded."""
COUNT: Final = ", ".join(str(number) for number in range(1, LAST + 1)) + "."
_NOBODY: Final = "Nobody"
NOBODY: Final = f"{_NOBODY} spoke."
NOW_TYPE: Final = "Now type something."
READ: Final = "I read it at once."
END: Final = "That was the tour."
LEFT: Final = "All right, no tour."
_HEARD: Final = "I heard you for"
_CAN_READ: Final = "I can read as well."
_STOPPED: Final = "You stopped me"
_HALF_A_SECOND: Final = range(450, 551)

_START: Final = re.compile(
    r"(?:(?:can|could) you )?(?:i want |i'd like |i would like )?(?:to )?"
    r"(?:take|start|begin|do|give me|show me)?(?: me on)? ?(?:the|a|your)? ?tour|show me around"
)
_LEAVING: Final = re.compile(
    r"(?:stop|leave|end|quit|cancel|skip) (?:the|this) tour|cancel|never ?mind|(?:good)?bye.*"
)
_LEAST: Final = 11
"""So many characters of an answer are enough to know it by; none of the rules' begins so."""

Item = Mapping[str, Any]
_Place = tuple[str, int]
"""What the tour waits for, and the number that was heard last."""


def sentences(words: str | None, turn: Context, known: Say | Call | None) -> tuple[str, ...]:
    """What the tour says to the user's last turn; nothing if there is no tour or it is over.

    `words` is what the turn was understood as, `known` what would be answered without a tour.
    """
    if turn.items and turn.items[-1].get("type") != "message":
        return ()  # it is a function that has just spoken
    said = plain(words or "")
    if _START.fullmatch(said):
        return (WELCOME,)
    place = _place(turn.items)
    if place is None:
        return ()
    step, number = place
    if _LEAVING.fullmatch(said) or (said in STOPPING and step != "interruption"):
        return (LEFT,)
    typed = turn.seconds <= 0
    if step == "typing":
        return _typing(typed, known)
    if typed and known is not None:
        return ()
    if step == "interruption":
        return (_stopped_at(number), NOW_TYPE)
    return (_CAN_READ if typed else _heard(turn), COUNTING, COUNT, NOBODY, NOW_TYPE)


def _typing(typed: bool, known: Say | Call | None) -> tuple[str, ...]:
    if isinstance(known, Call):
        return ()
    if known is not None:
        return (GREETING if known.text == GUIDED_GREETING else known.text, END)
    return (READ if typed else "I heard that, too.", END)


def _heard(turn: Context) -> str:
    """How long the user spoke, and how the end of it was found."""
    silence_ms = round(turn.silence_s * 1000)
    if not silence_ms:
        return f"{_HEARD} {turn.seconds:.1f} seconds; the end of it you told me."
    after = "half a second" if silence_ms in _HALF_A_SECOND else f"{turn.silence_s:.1f} seconds"
    return f"{_HEARD} {turn.seconds:.1f} seconds; {after} after you stopped I knew."


def _stopped_at(number: int) -> str:
    """`number` is 0 if the client has not told how much was heard."""
    if not number:
        return f"{_STOPPED}, and I was quiet at once."
    where = f"{_STOPPED} at {in_words(number)}"
    return f"{where}; what came after is struck through in the transcript."


def _place(items: Sequence[Item]) -> _Place | None:
    """Where the tour stands after the newest answer; None if that is no part of it.

    What the engine says by itself when nobody has spoken is no answer.
    """
    for item in reversed(items):
        if item.get("type") != "message":
            return None
        if item.get("role") != "assistant":
            continue
        said, heard = _answer(item)
        if len(said) >= _LEAST and not _begins(said, IDLE_PROMPT):
            return _place_after(said, heard, item.get("status") == "incomplete")
    return None


def _answer(item: Item) -> tuple[str, str | None]:
    """The words that were sent, and those that were heard; None if the client has not told."""
    parts = item.get("content") or ()
    text = _joined(parts, "transcript") or _joined(parts, "text")
    said = _joined(parts, "sent")
    return (said, text) if said else (text, None)


def _joined(parts: Sequence[Mapping[str, Any]], name: str) -> str:
    return " ".join(part.get(name) or "" for part in parts).strip()


def _place_after(said: str, heard: str | None, broken_off: bool) -> _Place | None:
    if _begins(said, WELCOME) or _begins(said, SILENCE.text):
        return "speech", 0
    if _begins(said, _STOPPED):
        return "typing", 0
    if not (_begins(said, _HEARD) or _begins(said, _CAN_READ)):
        return None
    numbers = re.findall(r"\d+", _counted(said))
    if heard is None:
        # The answer was sent whole, or its end is known to be missing but not where.
        waiting = ("interruption", 0) if broken_off else ("typing", 0)
        return waiting if numbers else ("speech", 0)
    if _NOBODY in heard:
        return "typing", 0
    numbers = re.findall(r"\d+", _counted(heard))
    return ("interruption", int(numbers[-1])) if numbers else ("speech", 0)


def _begins(said: str, opening: str) -> bool:
    """Whether an answer, or as much as was sent of it, begins so."""
    return said.startswith(opening) or opening.startswith(said)


def _counted(said: str) -> str:
    """What follows the announcement that there will be counting."""
    return said.partition(COUNTING)[2]
