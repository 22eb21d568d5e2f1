"""What the official SDK says of the wire: the judge of every event that either end sends.

Rule: the SDK's own parsing is lenient, so that it survives a newer server; here a wrong type, a
missing field and a field that nobody knows are all refused.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson
from openai import BaseModel
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import TypeAdapter

_CLIENT: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)
_SERVER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


def validate_client_event(event: Mapping[str, Any] | str) -> Any:
    """The event as the SDK's type; `ValueError` if it is no client event of the API."""
    return _validated(_CLIENT, event, ())


def validate_server_event(event: Mapping[str, Any] | str, extensions: Collection[str] = ()) -> Any:
    """The event as the SDK's type; `ValueError` if it is no server event of the API.

    `extensions` are paths, such as `session.practice`, of fields that the server adds knowingly.
    """
    return _validated(_SERVER, event, extensions)


def merged(session: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """What a server that holds `session` holds after a `session.update` with `changed`."""
    groups = ("audio", "input", "output")
    inner = {name: merged(session[name], changed[name]) for name in groups if name in changed}
    return {**session, **changed, **inner}


def _validated(
    adapter: TypeAdapter[Any], event: Mapping[str, Any] | str, extensions: Collection[str]
) -> Any:
    text = event if isinstance(event, str) else orjson.dumps(event)
    model: BaseModel = adapter.validate_json(text, strict=True)
    unknown = sorted(set(_unknown_fields(model, "")) - set(extensions))
    if unknown:
        raise ValueError(f"{getattr(model, 'type', '?')}: the API has no {', '.join(unknown)}")
    return model


def _unknown_fields(value: Any, path: str) -> Iterator[str]:
    """The paths of what the models kept but do not define; a list's index is no part of a path."""
    if isinstance(value, BaseModel):
        for name in value.model_extra or ():
            yield f"{path}{name}"
        for name in value.model_fields_set & set(type(value).model_fields):
            yield from _unknown_fields(getattr(value, name), f"{path}{name}.")
    elif isinstance(value, list):
        for inner in value:
            yield from _unknown_fields(inner, path)
