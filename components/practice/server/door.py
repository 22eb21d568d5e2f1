"""Who may come in, and what the others are told.

Rule: without a key, pages of other machines do not get in at all. A key is compared in constant
time and is part of no message.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from components.practice.engine.sessions import is_realtime_model
from components.practice.server.client_secrets import PREFIX

KEY_PROTOCOL: Final = "openai-insecure-api-key."
BETA_PROTOCOL: Final = "openai-beta.realtime-v1"
FORBIDDEN: Final = "Pages of other machines may not use the practice server."
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


def error(code: str | None, message: str, param: str | None = None) -> dict[str, Any]:
    """The body of an error, as the API words it."""
    kind = "invalid_request_error"
    return {"error": {"type": kind, "code": code, "message": message, "param": param}}


def wrong_key(given: str, key: str) -> dict[str, Any] | None:
    """Why a server's key is not taken; None if it is. Without a `key` any will do."""
    if given.startswith(PREFIX) or (key and not hmac.compare_digest(given.encode(), key.encode())):
        return error("invalid_api_key", "Incorrect API key provided.")
    return None


def wrong_session(model: str, beta: bool) -> tuple[int, str, str] | None:
    """Close code, error code and message for a WebSocket that may not stay."""
    if beta:
        message = "The Realtime Beta API is no longer supported. Use the GA API."
        return 4000, "beta_api_shape_disabled", message
    if not model:
        return 4000, "missing_model", "You must provide a model parameter."
    if not is_realtime_model(model):
        message = f"The model '{model[:80]}' does not exist or you do not have access to it."
        return 4004, "model_not_found", message
    return None


def key_of(headers: Mapping[str, str], protocols: Sequence[str] = ()) -> str:
    """The key of a bearer header, or of the subprotocol that browsers have to use instead."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    keys = (p for p in protocols if p.startswith(KEY_PROTOCOL))
    return next(keys, "").removeprefix(KEY_PROTOCOL)


def is_local(origin: str | None) -> bool:
    """Programs send no origin; a page of this machine has a local one."""
    if origin is None:
        return True
    try:
        return urlsplit(origin).hostname in _LOCAL
    except ValueError:
        return False
