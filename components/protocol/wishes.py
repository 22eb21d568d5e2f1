"""What a visitor may wish of a session, by names, and which values are sensible.

Rule: a wish comes from a page or a link, so it may be anything; one that is not sensible changes
nothing and is answered by a sentence. The bounds are the API's own, where it has some.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from components.protocol.fields import clean
from components.protocol.options import SessionOptions
from components.protocol.toolbox import chosen, described

LONGEST_INSTRUCTIONS: Final = 16_000
"""Characters."""
MOST_KEYWORDS: Final = 50
_MODEL: Final = re.compile(r"[A-Za-z0-9][\w.:/-]{0,99}", re.ASCII)
_VOICE: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
_LANGUAGE: Final = re.compile(r"[a-z]{2}", re.ASCII)

Reader = Callable[[Any], Any]
"""The value of an option, of whatever a page sends; `ValueError` with a sentence about it."""


def wished(options: SessionOptions, name: str, value: Any) -> SessionOptions:
    """The options with this wish in them; `ValueError` with a sentence if it is not sensible."""
    if name == "tools":
        return replace(options, tools=chosen(options.functions, value))
    reader = _READERS.get(name)
    if reader is None:
        raise ValueError("There is no such setting.")
    return replace(options, **{name: reader(value)})


def shown(options: SessionOptions) -> Mapping[str, Any]:
    """The values of all settings that can be wished for, as a page sends them."""
    values = {name: getattr(options, name) for name in _READERS}
    return {
        **values,
        "keywords": ", ".join(options.keywords),
        "tools": described(options.functions, options.tools),
    }


def _text(pattern: re.Pattern[str], sentence: str, *, optional: bool = False) -> Reader:
    def read(value: Any) -> str | None:
        if optional and value in (None, ""):
            return None
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(sentence)
        return value

    return read


def _choice(*values: str, optional: bool = False) -> Reader:
    def read(value: Any) -> str | None:
        if optional and value in (None, ""):
            return None
        if value not in values:
            raise ValueError(f"Choose one of: {', '.join(values)}.")
        return str(value)

    return read


def _number(least: float, most: float, *, whole: bool = False, optional: bool = False) -> Reader:
    def read(value: Any) -> float | None:
        if optional and value in (None, ""):
            return None
        if isinstance(value, str):  # as a link has it
            value = float(value) if re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?", value) else None
        sensible = isinstance(value, int | float) and not isinstance(value, bool)
        if not sensible or not least <= value <= most or (whole and value != int(value)):
            kind = "whole number" if whole else "number"
            raise ValueError(f"Choose a {kind} from {least:,} to {most:,}.")
        return int(value) if whole else float(value)

    return read


def _instructions(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("Instructions are text.")
    if len(value) > LONGEST_INSTRUCTIONS:
        raise ValueError(f"Instructions have {LONGEST_INSTRUCTIONS:,} characters at most.")
    return clean(value)


def _keywords(value: Any) -> tuple[str, ...]:
    if not isinstance(value, str) or len(value) > 50 * MOST_KEYWORDS:
        raise ValueError(f"Name up to {MOST_KEYWORDS} words, with commas between them.")
    words = tuple(filter(None, (clean(word).strip() for word in value.split(","))))
    if len(words) > MOST_KEYWORDS:
        raise ValueError(f"Name up to {MOST_KEYWORDS} words, with commas between them.")
    return words


_READERS: Final[Mapping[str, Reader]] = {
    "model": _text(_MODEL, "That is no name of a model."),
    "voice": _text(_VOICE, "That is no name of a voice."),
    "instructions": _instructions,
    "turn_detection": _choice("server_vad", "semantic_vad", "push_to_talk"),
    "vad_threshold": _number(0.0, 1.0),
    "vad_padding_ms": _number(0, 5_000, whole=True),
    "vad_silence_ms": _number(100, 10_000, whole=True),
    "vad_idle_ms": _number(5_000, 30_000, whole=True, optional=True),
    "eagerness": _choice("auto", "low", "medium", "high"),
    "noise_reduction": _choice("near_field", "far_field", optional=True),
    "transcription_model": _text(_MODEL, "That is no name of a model.", optional=True),
    "language": _text(_LANGUAGE, "Name the language by two letters, such as en.", optional=True),
    "keywords": _keywords,
    "speed": _number(0.25, 1.5),
    "effort": _choice("minimal", "low", "medium", "high", "xhigh"),
    "longest_answer": _number(1, 4_096, whole=True, optional=True),
    "retention": _number(0.1, 1.0),
    "first_word": _choice("user", "assistant"),
}
NAMES: Final = (*_READERS, "tools")
"""Of all settings, in the order in which a page shows them."""
