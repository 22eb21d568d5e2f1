"""The official SDK's types as judge of what either end of the wire sends."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel

EXTRA_ALLOWED: Final = {
    # The API sends these although the SDK's type, shared with the request, lacks them.
    "session.id",
    "session.object",
    "session.expires_at",
    # Our own remarks to the client.
    "session.practice",
}


def _by_type(union: Any) -> dict[str, type[BaseModel]]:
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["type"].annotation)[0]: member for member in members}


_SERVER: Final = _by_type(RealtimeServerEvent)
_CLIENT: Final = _by_type(RealtimeClientEvent)


def validate_server_event(event: Mapping[str, Any]) -> None:
    """Raise unless the event is one that the API may send, with no field too many."""
    _validate(_SERVER, event)


def validate_client_event(event: Mapping[str, Any]) -> None:
    """Raise unless the event is one that the API takes, with no field too many."""
    _validate(_CLIENT, event)


def _validate(types: Mapping[str, type[BaseModel]], event: Mapping[str, Any]) -> None:
    assert event.get("type") in types, f"no such event: {event.get('type')!r}"
    parsed = types[event["type"]].model_validate(event, strict=True)
    extra = set(_extra(parsed)) - EXTRA_ALLOWED
    assert not extra, f"{event['type']} has fields that the API does not know: {sorted(extra)}"


def _extra(value: object, path: str = "") -> Iterator[str]:
    """The paths of all fields that the type does not declare."""
    prefix = f"{path}." if path else ""
    match value:
        case BaseModel():
            yield from (f"{prefix}{name}" for name in value.model_extra or ())
            for name in type(value).model_fields:
                yield from _extra(getattr(value, name), f"{prefix}{name}")
        case list():
            for element in value:
                yield from _extra(element, path)
        case _:
            return
