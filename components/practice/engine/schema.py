"""What shapes a JSON value may have, and the words for one that has another.

Rule: what is not listed is refused, and the first fault found is the one that is named.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

Check = Callable[[object, str], None]
"""Raises `RefusedError` unless a value may stand at a path."""


class RefusedError(Exception):
    """A client event that is not obeyed; it is answered by an `error` event."""

    def __init__(self, message: str, code: str | None = "invalid_value", param: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param or None


MAX_TEXT: Final = 1_000_000
"""Characters of one text."""


DEEPEST: Final = 64
"""Levels of an object without a fixed form."""


def kind(value: object) -> str:
    """A JSON value's type in words, as error messages say it."""
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return "something else"


_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (type(None), "null"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a decimal"),
    (str, "a string"),
    (list, "an array"),
    (Mapping, "an object"),
)


def _wrong_type(path: str, expected: str, value: object) -> RefusedError:
    return RefusedError(
        f"Invalid type for '{path}': expected {expected}, but got {kind(value)} instead.",
        "invalid_type",
        path,
    )


def string(longest: int = MAX_TEXT, pattern: str = "", shortest: int = 0) -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise _wrong_type(path, "a string", value)
        if not shortest <= len(value) <= longest:
            raise RefusedError(
                f"Invalid '{path}': expected a string of {shortest} to {longest} characters, "
                f"but got one of {len(value)}.",
                param=path,
            )
        if pattern and not re.fullmatch(pattern, value):
            raise RefusedError(f"Invalid '{path}': expected a string like {pattern}.", param=path)

    return check


def integer(least: int, most: int) -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong_type(path, "an integer", value)
        _in_range(value, least, most, path)

    return check


def number(least: float, most: float) -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong_type(path, "a number", value)
        _in_range(value, least, most, path)

    return check


def _in_range(value: float, least: float, most: float, path: str) -> None:
    if not least <= value <= most:
        raise RefusedError(
            f"Invalid '{path}': expected a value from {least} to {most}, but got {value} instead.",
            param=path,
        )


def boolean(value: object, path: str) -> None:
    if not isinstance(value, bool):
        raise _wrong_type(path, "a boolean", value)


def mapping(value: object, path: str) -> None:
    """An object with any fields, as long as it is not nested without end."""
    if not isinstance(value, Mapping):
        raise _wrong_type(path, "an object", value)
    if _is_deep(value, DEEPEST):
        raise RefusedError(f"Invalid '{path}': nested too deeply.", param=path)


def _is_deep(value: object, levels: int) -> bool:
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return levels == 0 or any(_is_deep(inner, levels - 1) for inner in value)


def one_of(*choices: str, why: str = "") -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise _wrong_type(path, f"one of {_quoted(choices)}", value)
        if value not in choices:
            raise _unsupported(value, choices, path, why)

    return check


def _unsupported(value: str, choices: tuple[str, ...], path: str, why: str = "") -> RefusedError:
    reason = f" {why}" if why else ""
    return RefusedError(
        f"Invalid value: '{value[:80]}'. Supported values are: {_quoted(choices)}.{reason}",
        param=path,
    )


def _quoted(choices: tuple[str, ...]) -> str:
    last = f"'{choices[-1]}'"
    return (
        ", ".join(f"'{choice}'" for choice in choices[:-1]) + " and " + last
        if choices[1:]
        else last
    )


def nullable(check: Check) -> Check:
    def check_unless_null(value: object, path: str) -> None:
        if value is not None:
            check(value, path)

    return check_unless_null


def array(check: Check, most: int = 1000, least: int = 0) -> Check:
    def check_each(value: object, path: str) -> None:
        if not isinstance(value, list):
            raise _wrong_type(path, "an array", value)
        if not least <= len(value) <= most:
            raise RefusedError(
                f"Invalid '{path}': expected {least} to {most} elements, but got {len(value)}.",
                param=path,
            )
        for index, element in enumerate(value):
            check(element, f"{path}[{index}]")

    return check_each


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no others."""
    fields = {**required, **(optional or {})}

    def check(value: object, path: str) -> None:
        if not isinstance(value, Mapping):
            raise _wrong_type(path, "an object", value)
        prefix = f"{path}." if path else ""
        for name in required:
            if name not in value:
                raise RefusedError(
                    f"Missing required parameter: '{prefix}{name}'.",
                    "missing_required_parameter",
                    f"{prefix}{name}",
                )
        for name, element in value.items():
            if name not in fields:
                named = f"{prefix}{str(name)[:80]}"
                raise RefusedError(f"Unknown parameter: '{named}'.", "unknown_parameter", named)
            fields[name](element, f"{prefix}{name}")

    return check


def lenient(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """A record in which null stands for a field that is missing, unless it is required."""
    strict = record(required, optional)

    def check(value: object, path: str) -> None:
        if isinstance(value, Mapping):
            value = {k: v for k, v in value.items() if v is not None or k in required}
        strict(value, path)

    return check


def without_nulls(value: Any, free: Collection[str]) -> Any:
    """The same value without fields that are null; what stands in a field of `free` is kept."""
    if isinstance(value, list):
        return [without_nulls(element, free) for element in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: element if name in free else without_nulls(element, free)
        for name, element in value.items()
        if element is not None
    }


def tagged(tag: str, kinds: Mapping[str, Check], why: str = "") -> Check:
    """An object whose field `tag` says which fields it has."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, Mapping):
            raise _wrong_type(path, "an object", value)
        where = f"{path}.{tag}" if path else tag
        if tag not in value:
            raise RefusedError(
                f"Missing required parameter: '{where}'.", "missing_required_parameter", where
            )
        one_of(*kinds, why=why)(value[tag], where)
        kinds[value[tag]](value, path)

    return check


def anything(_value: object, _path: str) -> None:
    """A value that its neighbours decide about."""
