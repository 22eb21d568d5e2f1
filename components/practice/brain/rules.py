"""What the practice server answers: a few rules that do what they say, and no more.

Rule: nothing is pretended. What the rules do not know is answered with an example of what they do
know; the functions that a client declares come before the rules. An answer takes about three
seconds at most, unless somebody asked for a count, a repetition or what a function gives.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from components.practice.brain import sums, tool_calls
from components.practice.brain.number_words import with_digits
from components.practice.brain.tool_calls import Ask, Call
from components.practice.engine.images import size_of

__all__ = [
    "EXAMPLES",
    "GREETING",
    "GUIDED_GREETING",
    "HELP",
    "STOPPING",
    "TOUR",
    "Call",
    "Context",
    "Random",
    "Remind",
    "Say",
    "Step",
    "known",
    "plain",
    "unsure",
]

Random = Callable[[], float]
"""Gives numbers from 0 up to, but not including, 1."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this text."""

    text: str


@dataclass(frozen=True, slots=True)
class Remind:
    """Speak this if the user is silent for so long after the answer."""

    text: str
    after_s: float


Step = Say | Call | Remind
"""Of an answer."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an answer may depend on beside the last words."""

    items: Sequence[Mapping[str, Any]] = ()
    """The conversation in the API's shape, oldest first."""
    tools: Sequence[Mapping[str, Any]] = ()
    """Declared functions in the API's shape."""
    tool_choice: str | Mapping[str, Any] = "auto"
    seconds: float = 0.0
    """How long the user spoke; 0 if the last words were typed."""
    silence_s: float = 0.0
    """How long the silence was by which the end of the speech was known; 0 if there was none."""
    guided: bool = False
    """Whether there is a tour to offer."""


HELP: Final = "Ask for the time, a sum, dice or a count."
GREETING: Final = "Hello! Try: what time is it?"
GUIDED_GREETING: Final = "Hello! Ask me the time, or for the tour."
TOUR: Final = "take the tour"
EXAMPLES: Final = ("what time is it?", "flip a coin", "what day is it?")
"""One of them is named whenever something was not understood; `TOUR` before, if there is one."""
_UNKNOWN: Final = "I don't know that."
_NO_EYES: Final = "I can't look into it."
_NO_WORDS: Final = "I missed that."
_TRY: Final = " Try: "
_TYPE: Final = " Type: "
_MOST_READ: Final = 400


def known(words: str | None, context: Context, now: datetime, rng: Random) -> Say | Call | None:
    """The answer to the user's last words, spoken or typed; None if the rules know none.

    `words` is None if there is nobody to understand speech, "" if no words could be made out. When
    the newest item is a function's output, that is what the answer is about.
    """
    if outputs := _newest_outputs(context.items):
        return Say(outputs)
    pictures = _pictures(context.items)
    if words is None or not words.strip():
        return Say(f"{pictures} {_NO_EYES}") if pictures else None
    if plain(words) not in STOPPING and not _has_called(context):
        wanted = tool_calls.wanted(_turns(context.items, words), context.tools, context.tool_choice)
        if isinstance(wanted, Ask):
            return Say(wanted.question)
        if wanted is not None:
            return wanted
    answer = _by_rule(words, context, now, rng)
    if pictures:
        return Say(f"{pictures} {answer or _NO_EYES}")
    return Say(answer) if answer is not None else None


def _pictures(items: Sequence[Mapping[str, Any]]) -> str:
    """What can be said of the images in the user's last turn; nothing without one."""
    content = next((i.get("content") for i in reversed(items) if i.get("role") == "user"), ())
    parts = [part for part in content or () if part.get("type") == "input_image"]
    sizes = [" by ".join(map(str, size_of(part["image_url"]))) for part in parts]
    if not sizes:
        return ""
    count = "a picture" if len(sizes) == 1 else f"{len(sizes)} pictures"
    return f"I got {count} of {' and '.join(sizes)} points."


def unsure(words: str | None, context: Context) -> Say:
    """What is said to words that `known` has no answer to: one example, another each time."""
    if words is None and context.seconds <= 0:
        return Say(_greeting(context))
    examples = (TOUR, *EXAMPLES) if context.guided else EXAMPLES
    answers = [text for role, text in _messages(context.items) if role == "assistant"]
    tried = sum(_TRY in text or _TYPE in text for text in answers)
    example = examples[tried % len(examples)]
    closed = example if example.endswith("?") else f"{example}."
    if words is None:
        return Say(f"{_NO_WORDS}{_TYPE}{closed}")
    return Say(f"{_UNKNOWN if words.strip() else _NO_WORDS}{_TRY}{closed}")


def _has_called(context: Context) -> bool:
    """Whether these words have led to a call before, and nobody insists on another."""
    for item in reversed(context.items):
        if item.get("type") == "function_call":
            return context.tool_choice in ("auto", "none")
        if item.get("role") == "user":
            break
    return False


def _greeting(context: Context) -> str:
    return GUIDED_GREETING if context.guided else GREETING


def _by_rule(words: str, context: Context, now: datetime, rng: Random) -> str | None:
    text = with_digits(words.replace("\u2019", "'"))
    bare = plain(text)
    if re.fullmatch(_HELLO, bare):
        return _greeting(context)
    for pattern, answer in _FIXED:
        if re.fullmatch(pattern, bare):
            return answer
    if re.fullmatch(_AGAIN, bare):
        return _again(context.items)
    if (result := sums.answer(text)) is not None:
        return result
    for pattern, rule in _RULES:
        if found := re.search(pattern, bare):
            return rule(found, now, rng)
    return None


def plain(text: str) -> str:
    """Lower-case words with single spaces and no marks; a leading or closing politeness removed."""
    words = " ".join(re.sub(r"[^\w' ]+|_", " ", text.lower()).split())
    return re.sub(r"^(?:ok|okay|so|well|please) | (?:please|now)$", "", words)


STOPPING: Final = frozenset(
    ("stop", "stop it", "stop talking", "be quiet", "quiet", "never mind", "nevermind", "cancel")
)
_POLITE: Final = r"(?:(?:can|could) you |(?:can|could) you please |i want you to )?(?:please )?"
_AGAIN: Final = (
    rf"{_POLITE}(?:repeat(?: that| it| please)?|say (?:that|it) again)|what did you say|pardon|"
    "(?:1|once) more(?: time)?|again"
)
_HELLO: Final = r"(?:hello|hi|hey)(?: there)?|good (?:morning|afternoon|evening)"
_FIXED: Final = (
    ("|".join(sorted(STOPPING)), "All right."),
    (r"thank you.*|thanks.*", "You're welcome."),
    (r"(?:good)?bye(?: bye)?|good night|see you(?: later)?", "Goodbye!"),
    (
        r"how are you.*|how's it going",
        "I am only a program, and it runs well.",
    ),
    (
        r"who are you.*|what are you|what(?:'s| is) your name",
        "A practice server without a language model.",
    ),
    (rf"{_POLITE}help(?: me)?|what can (?:you do|i (?:say|ask(?: you)?)).*", HELP),
)


def _again(items: Sequence[Mapping[str, Any]]) -> str:
    said = [text for role, text in _messages(items) if role == "assistant" and text]
    if not said:
        return "I have not said anything yet."
    return f"I said: {said[-1].removeprefix('I said: ')}"


def _time(_: re.Match[str], now: datetime, __: Random) -> str:
    return f"It is {now.hour % 12 or 12}:{now:%M} {'AM' if now.hour < 12 else 'PM'}."


def _date(found: re.Match[str], now: datetime, _: Random) -> str:
    # Names of our own: strftime's follow the locale, the voice is English.
    month = _MONTHS[now.month - 1]
    match found["part"]:
        case "year":
            return f"It is {now.year}."
        case "month":
            return f"It is {month}."
        case _:
            return f"It is {_DAYS[now.weekday()]}, {month} {now.day}."


_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MOST_DICE: Final = 10
_MOST_DICE_NAMED: Final = 3
_MOST_COUNTED: Final = 100


def _dice(found: re.Match[str], _: datetime, rng: Random) -> str:
    count = int(found["count"] or 1)
    if not 1 <= count <= _MOST_DICE:
        return f"I roll 1 to {_MOST_DICE} dice."
    sides = int(found["sides"] or 6)
    thrown = [_pick(rng, 1, sides) for _ in range(count)]
    if count == 1:
        return f"You rolled a {thrown[0]}."
    if count > _MOST_DICE_NAMED:
        return f"{count} dice make {sum(thrown)}."
    return f"{', '.join(map(str, thrown[:-1]))} and {thrown[-1]} make {sum(thrown)}."


def _coin(_: re.Match[str], __: datetime, rng: Random) -> str:
    return "Heads." if rng() < 0.5 else "Tails."


def _random(found: re.Match[str], _: datetime, rng: Random) -> str:
    ends = int(found["first"] or 1), int(found["last"] or 100)
    return f"{_pick(rng, min(ends), max(ends))}."


def _count(found: re.Match[str], _: datetime, __: Random) -> str:
    first, last = int(found["first"] or 1), int(found["last"])
    if abs(last - first) >= _MOST_COUNTED:
        return f"I count at most {_MOST_COUNTED} numbers."
    step = 1 if last >= first else -1
    return ", ".join(str(number) for number in range(first, last + step, step)) + "."


def _pick(rng: Random, first: int, last: int) -> int:
    return first + int(rng() * (last - first + 1))


_RULES: Final[tuple[tuple[str, Callable[[re.Match[str], datetime, Random], str]], ...]] = (
    (r"\bwhat time\b|\btime is it\b|\bthe time\b", _time),
    (
        r"\bwhat(?:'s|s| is)?(?: the| today's)? (?P<part>date|day|month|year)\b"
        r"|\b(?:the|today's) date\b|\bwhat(?:'s| is) today\b",
        _date,
    ),
    (
        r"\b(?:roll|throw)\b(?: (?:a|an|the|my|me|some))*(?: (?P<count>\d{1,6}))?"
        r"(?: (?P<sides>[1-9]\d{0,2}) sided)? (?:dice|die)\b",
        _dice,
    ),
    (r"\b(?:flip|toss)\b.*\bcoin\b", _coin),
    (
        r"\brandom number\b(?:.*?\b(?P<first>\d{1,9}) (?:and|to) (?P<last>\d{1,9})\b)?",
        _random,
    ),
    (r"\bcount\b(?:.*?\bfrom (?P<first>\d{1,6}))?.*?\bto (?P<last>\d{1,6})\b", _count),
)


def _newest_outputs(items: Sequence[Mapping[str, Any]]) -> str:
    """What functions gave back since the last message, to be read aloud; empty if nothing."""
    calls = [item for item in items if item.get("type") == "function_call"]
    named = {item.get("call_id"): item.get("name") for item in calls}
    read: list[str] = []
    for item in reversed(items):
        if item.get("type") != "function_call_output":
            break
        name = tool_calls.spoken_name(named.get(item.get("call_id")) or "the function")
        read.insert(0, f"{name} says: {_readable(str(item.get('output', '')))}")
    return _shortened(" ".join(read), _MOST_READ)


def _readable(output: str) -> str:
    """A function's output, usually JSON, as words."""
    try:
        text = _in_words(json.loads(output))
    except (ValueError, RecursionError):
        text = output
    text = " ".join(text.split()) or "nothing"
    return text if text[-1] in ".!?" else f"{text}."


def _in_words(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(
                f"{tool_calls.spoken_name(key)} is {_in_words(field)}"
                for key, field in value.items()
            )
        case list():
            return ", ".join(_in_words(field) for field in value)
        case bool():
            return "yes" if value else "no"
        case None:
            return "nothing"
        case _:
            return str(value)


def _shortened(text: str, most: int) -> str:
    """The text with a mark at its end, cut at a word if it is too long to be spoken."""
    if len(text) > most:
        return f"{text[:most].rsplit(' ', 1)[0]} …"
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _messages(items: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Role and words of each message."""
    messages = [item for item in items if item.get("type") == "message"]
    return [(message.get("role", ""), _words(message)) for message in messages]


def _words(message: Mapping[str, Any]) -> str:
    parts = message.get("content") or ()
    return " ".join(part.get("text") or part.get("transcript") or "" for part in parts).strip()


def _turns(items: Sequence[Mapping[str, Any]], words: str) -> list[str]:
    """What user and assistant said in turn; the last is what the user said now."""
    turns: list[tuple[str, str]] = []
    for role, text in _messages(items):
        if role in ("user", "assistant"):
            turns.append((role, text))
    if turns and turns[-1][0] == "user":
        turns.pop()
    spoken = [text for _, text in turns]
    return [*spoken, words]
