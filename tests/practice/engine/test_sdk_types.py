"""Every client event that the SDK's types allow, with each of its optional fields as null."""

import re
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from openai import BaseModel
from openai.types.realtime import RealtimeClientEvent, RealtimeResponseCreateParams

from components.practice.engine.outputs import Think
from components.practice.engine.schema import RefusedError
from components.practice.engine.validate import check_event
from tests.practice.drive import Drive

SCALARS = {str: "look", int: 1, float: 0.5, bool: True, object: "look"}
SERVER = {"server_url": "https://example.com/mcp"}
NAMED = {"image_url": "data:image/png;base64,AAAA", "model": "gpt-transcribe", **SERVER}
"""Fields whose texts have a form that no type tells."""
ALWAYS = ("type", "name", "text", "model")
"""Fields that their neighbours need, though the types do without."""


def variants(of: Any) -> Iterator[tuple[str, Any]]:
    """Values of a type, the plainest first; each with the path of what is null in it, or ""."""
    origin, arguments = get_origin(of), get_args(of)
    if origin is Annotated:
        yield from variants(arguments[0])
    elif origin is Literal:
        yield "", arguments[0]
    elif origin in (Union, types.UnionType):
        for member in arguments:
            if member is not type(None):
                yield from variants(member)
    elif origin is list:
        for path, value in variants(arguments[0]):
            yield path, [value]
    elif origin is dict:
        yield "", {}
    elif isinstance(of, type) and issubclass(of, BaseModel):
        yield from models(of)
    else:
        yield "", SCALARS[of]


def models(of: type[BaseModel]) -> Iterator[tuple[str, dict[str, Any]]]:
    fields = of.model_fields
    plain = {
        name: plainest(name, field.annotation)
        for name, field in fields.items()
        if field.is_required() or name in ALWAYS
    }
    yield "", plain
    yield "*", {**dict.fromkeys(fields), **plain}
    for name, field in fields.items():
        if not field.is_required():
            yield name, {**plain, name: None}
        for path, value in variants(field.annotation):
            if isinstance(value, dict | list):
                yield f"{name}.{path}" if path else "", {**plain, name: value}


def plainest(name: str, annotation: Any) -> Any:
    return NAMED.get(name) or next(variants(annotation))[1]


NULLED = [(path, event) for path, event in variants(RealtimeClientEvent)]


def unheard_of(event: Mapping[str, Any], refusal: RefusedError) -> bool:
    """Whether the event asks for what this server has not, nulls or no nulls."""
    is_transcription = event.get("session", {}).get("type") == "transcription"
    return is_transcription or "'mcp" in refusal.message


def is_the_apis_own(path: str, refusal: RefusedError) -> bool:
    """Whether null at the path is refused as the API refuses it: by name, as it wants a value.

    It wants one in every field of a session, and everywhere where a kind is told by it, or where
    the kind is nothing without it.
    """
    named = re.sub(r"\[0\]", "", refusal.param or "")
    wanted = path.startswith("session.") or path.endswith((".type", ".text", ".name"))
    at_it = named == path or (path.endswith("*") and named.startswith(path[:-1]))
    return wanted and at_it and refusal.code in ("invalid_type", "missing_required_parameter")


def test_null_for_an_optional_field_is_accepted_or_refused_as_the_api_does() -> None:
    wrong = []
    for path, event in NULLED:
        try:
            check_event(event)
        except RefusedError as refusal:
            if not unheard_of(event, refusal) and not is_the_apis_own(path, refusal):
                wrong.append((path, refusal.message, event))

    assert not wrong


def test_all_kinds_of_events_and_the_deepest_nulls_are_among_the_tried() -> None:
    assert len({event["type"] for _, event in NULLED}) == 11
    paths = {path for path, _ in NULLED}
    assert {
        "response.instructions",
        "response.audio.output.voice",
        "response.input.content.transcript",
        "session.audio.input.transcription.language",
        "previous_item_id",
    } <= paths


@pytest.mark.parametrize("name", sorted(RealtimeResponseCreateParams.model_fields))
def test_null_in_a_response_means_what_the_session_has(name: str) -> None:
    drive = Drive()
    plain = drive.send("response.create").one(Think)
    drive = Drive()

    asked = drive.send("response.create", response={name: None})

    assert asked.one(Think) == plain
