"""The short-lived keys for browsers: who holds one may begin sessions that it describes.

Rule: its lifetime limits when a session begins, not how long it lasts.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.practice.engine.schema import RefusedError, anything, integer, one_of, record
from components.practice.engine.sessions import (
    Session,
    initial_session,
    is_realtime_model,
    updated_session,
)
from components.practice.engine.validate import check_event
from components.settings import PRACTICE_MODEL

PREFIX: Final = "ek_"
DEFAULT_SECONDS: Final = 600
MOST: Final = 10_000
"""Keys that are valid at one time."""

_REQUEST: Final = record(
    {},
    {
        "expires_after": record({}, {"anchor": one_of("created_at"), "seconds": integer(10, 7200)}),
        "session": anything,
    },
)


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A key, until when it is valid (by the calendar, seconds), and for which session."""

    value: str
    expires_at: int
    wanted: Session


class ClientSecrets:
    """Those that this server has given out."""

    def __init__(self) -> None:
        self._valid: dict[str, ClientSecret] = {}

    def mint(self, request: object, unix_time: float) -> ClientSecret:
        """A key as the body of a request asks for it; raises `RefusedError`."""
        _REQUEST(request, "")
        assert isinstance(request, Mapping)
        wanted = wanted_session(request.get("session", {"type": "realtime"}))
        seconds = request.get("expires_after", {}).get("seconds", DEFAULT_SECONDS)
        self._valid = {v: s for v, s in self._valid.items() if unix_time < s.expires_at}
        if len(self._valid) >= MOST:
            raise RefusedError("Too many client secrets are valid.", "rate_limit_exceeded")
        secret = ClientSecret(PREFIX + secrets.token_hex(16), int(unix_time) + seconds, wanted)
        self._valid[secret.value] = secret
        return secret

    def session(self, value: str, unix_time: float) -> Session | None:
        """What the holder of a key wants its session to be; None if the key is not valid."""
        secret = self._valid.get(value)
        return secret.wanted if secret is not None and unix_time < secret.expires_at else None


def wanted_session(session: object) -> Session:
    """A description of a session, known to be well formed; raises `RefusedError`."""
    checked: dict[str, Any] = check_event({"type": "session.update", "session": session})["session"]
    model = checked.get("model", PRACTICE_MODEL)
    if not is_realtime_model(model):
        raise RefusedError(
            f"The model '{model[:80]}' does not exist or you do not have access to it.",
            "model_not_found",
            "session.model",
        )
    return {**checked, "model": model}


def shown_session(wanted: Session, session_id: str) -> Session:
    """The effective session, as it is shown before it begins; raises `RefusedError`."""
    from_scratch = initial_session(wanted["model"], session_id, 0, (), True)
    return updated_session(from_scratch, wanted, has_spoken=False)
