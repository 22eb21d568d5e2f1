"""What the failures of a Realtime server mean for a call, in a sentence that says what to do.

Rule: a failure is judged by its code, then its type, then its message, and by nothing
else. What a server says is shown short, on one line, without keys.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import orjson

from components.protocol.errors import MOST_READ, ServerError, server_error
from components.protocol.fields import at


class Severity(StrEnum):
    """What a failure means for the call."""

    PERMANENT = "permanent"
    """Trying again is no use: the user has to change something."""
    TRANSIENT = "transient"
    BENIGN = "benign"
    """A race that harms nobody."""
    NOTICE = "notice"
    """The call goes on, but the user should know."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, judged, in one sentence that says what to do."""

    severity: Severity
    sentence: str


def failure_of_error(error: ServerError) -> Failure:
    """Judge the error of an event, or of a failed response's `status_details`."""
    if known := _known(error.code, error.type):
        return known
    if _BENIGN_WORDS.search(error.message) or _INVALID_ITEM.search(error.code):
        return Failure(Severity.BENIGN, safe(error.message))
    if worded := _worded(error.message):
        return worded
    words = error.message or error.code or error.type or "an error"
    return Failure(Severity.NOTICE, f"The server reports: {safe(words)}")


def failure_of_close(code: int, reason: str) -> Failure:
    """Judge how a socket was closed, by the code and its reason `<type>.<code>`."""
    type_, _, name = reason.rpartition(".")
    named = _known(name, type_) or _worded(reason)
    if named and named not in _GO_ON:
        return named
    if named in (_SERVER_ERROR, _OVERLOADED, _TIMED_OUT) or code not in (1008, 3000, 4000, 4004):
        return _lost(code)
    why = safe(reason).strip(".") or f"close code {code}"
    return Failure(
        Severity.PERMANENT,
        f"The server refused the call: {why}. Check OPENAI_API_KEY, REALTIME_BASE_URL and "
        "REALTIME_MODEL.",
    )


def failure_of_own_close(code: int) -> Failure:
    """Judge why we had to close a socket, by the code that was sent (RFC 6455, 7.4.1)."""
    if code == 1009:
        return Failure(
            Severity.TRANSIENT,
            "The server sent a message that is too large for a call. Check REALTIME_BASE_URL.",
        )
    if code in (1002, 1007, 1008):
        return Failure(
            Severity.TRANSIENT,
            f"The server breaks the rules of WebSocket ({code}). Check REALTIME_BASE_URL.",
        )
    return _lost(code)


def failure_of_status(status: int, body: bytes = b"") -> Failure:
    """Judge the HTTP answer to a refused WebSocket handshake; some say more in its body."""
    error = _error_in(body)
    known = _known(error.code, error.type)
    if known and known not in _GO_ON:
        return known
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500 or known:
        return Failure(
            Severity.TRANSIENT, f"The server is in trouble (HTTP {status}). Try again in a minute."
        )
    if words := safe(error.message).rstrip("."):
        return Failure(
            Severity.PERMANENT,
            f"The server refused the call (HTTP {status}): {words}. Check REALTIME_BASE_URL and "
            "REALTIME_MODEL.",
        )
    return Failure(
        Severity.PERMANENT,
        f"There is no Realtime API at this address (HTTP {status}). Check REALTIME_BASE_URL and "
        "REALTIME_MODEL.",
    )


def of_own_key(failure: Failure) -> Failure:
    """What a failure means for a visitor who has brought the key of the call himself."""
    return _OF_OWN_KEY.get(failure, failure)


def class_of(failure: Failure) -> str:
    """One word for what has failed, for who counts failures; `other` where there is none."""
    return _CLASSES.get(failure, "other")


def _lost(code: int) -> Failure:
    if code == 1009:
        return TOO_LARGE
    return Failure(
        Severity.TRANSIENT, f"The connection to the model was lost ({code}). Start the call again."
    )


def _known(code: str, type_: str) -> Failure | None:
    """The failure that the error's code names, or else its type."""
    return next((_BY_CODE[name] for name in (code, type_) if name in _BY_CODE), None)


def _worded(message: str) -> Failure | None:
    """The failure that the words of a server without codes tell of."""
    return next((failure for words, failure in _BY_WORDS if words.search(message)), None)


def safe(words: str) -> str:
    """A server's words, fit for the page and the log: short, on one line, without keys."""
    line = " ".join(without_keys(words[:MOST_READ]).split())
    line = "".join(character for character in line if character.isprintable())
    return line if len(line) <= 300 else f"{line[:299]}…"


def without_keys(words: str) -> str:
    """The text with what looks like a key taken out; servers repeat a wrong one."""
    return re.sub(r"\b(sk|ek)[-_][\w*.-]+", "(key)", words)


OUR_FAULT: Final = Failure(
    Severity.PERMANENT,
    "Something went wrong in this app. Start the call again; the log says more.",
)
"""What a fault of this program, on whichever route, means for the call."""
_WRONG_KEY: Final = Failure(
    Severity.PERMANENT, "The server does not accept the key. Check OPENAI_API_KEY and restart."
)
_NO_MODEL: Final = Failure(
    Severity.PERMANENT,
    "This key cannot use the model, or the model does not exist. Check REALTIME_MODEL.",
)
_NO_CREDIT: Final = Failure(
    Severity.PERMANENT,
    "The account has no credit left. Add credit with your provider, then start again.",
)
_OF_OWN_KEY: Final[Mapping[Failure, Failure]] = {
    _WRONG_KEY: Failure(
        Severity.PERMANENT, "The server does not accept your key. Check it, then enter it again."
    ),
    _NO_MODEL: Failure(
        Severity.PERMANENT, "Your key cannot use the model, or the model does not exist."
    ),
}
_BUSY: Final = Failure(
    Severity.TRANSIENT, "The server is busy: too many requests. Wait a minute, then try again."
)
_SERVER_ERROR: Final = Failure(
    Severity.TRANSIENT, "The server had an error of its own. Say it again."
)
_OVERLOADED: Final = Failure(
    Severity.TRANSIENT, "The server is overloaded. Wait a moment, then say it again."
)
_TIMED_OUT: Final = Failure(Severity.TRANSIENT, "The server took too long to answer. Say it again.")
_BENIGN: Final = Failure(Severity.BENIGN, "")
TOO_LARGE: Final = Failure(
    Severity.TRANSIENT,
    "A message was too large for the server, which hung up. Start again with shorter ones.",
)
_CLASSES: Final[Mapping[Failure, str]] = {
    OUR_FAULT: "app",
    _WRONG_KEY: "key",
    _NO_MODEL: "model",
    _NO_CREDIT: "credit",
    _BUSY: "busy",
    _SERVER_ERROR: "server",
    _OVERLOADED: "overloaded",
    _TIMED_OUT: "timeout",
}
_GO_ON: Final = (_SERVER_ERROR, _OVERLOADED, _TIMED_OUT, _BENIGN)
"""These advise to go on, which a closed socket does not let anyone do."""

_BY_CODE: Final[Mapping[str, Failure]] = {
    "invalid_api_key": _WRONG_KEY,
    "invalid_authentication": _WRONG_KEY,
    "authentication_error": _WRONG_KEY,
    "unauthorized": _WRONG_KEY,
    "permission_error": _NO_MODEL,
    "unsupported_country_region_territory": Failure(
        Severity.PERMANENT,
        "The provider does not serve this country. Use another server by REALTIME_BASE_URL.",
    ),
    "account_deactivated": Failure(
        Severity.PERMANENT, "The account of this key is closed. Use another OPENAI_API_KEY."
    ),
    "model_not_found": _NO_MODEL,
    "invalid_model": Failure(
        Severity.PERMANENT, "This model cannot hold a realtime call. Change REALTIME_MODEL."
    ),
    "missing_model": _NO_MODEL,
    "beta_api_shape_disabled": Failure(
        Severity.PERMANENT,
        "The server wants another version of the protocol. Check REALTIME_BASE_URL.",
    ),
    "model_load_error": Failure(
        Severity.PERMANENT, "The server could not load the model. Look at the server's own log."
    ),
    "insufficient_quota": _NO_CREDIT,
    "credit_balance_exhausted": _NO_CREDIT,
    "billing_hard_limit_reached": _NO_CREDIT,
    "call_id_not_found": Failure(
        Severity.PERMANENT, "The server does not know this call any more. Start a new one."
    ),
    "session_limit_reached": Failure(
        Severity.TRANSIENT, "The server has no room for another call. Try again in a minute."
    ),
    "session_expired": Failure(
        Severity.TRANSIENT, "The call reached the server's time limit. Start a new one."
    ),
    "rate_limit_exceeded": _BUSY,
    "rate_limit_error": _BUSY,
    "inference_rate_limit_exceeded": _BUSY,
    "server_error": _SERVER_ERROR,
    "internal_error": _SERVER_ERROR,
    "internal_server_error": _SERVER_ERROR,
    "overloaded": _OVERLOADED,
    "overloaded_error": _OVERLOADED,
    "engine_overloaded": _OVERLOADED,
    "service_unavailable": _OVERLOADED,
    "timeout": _TIMED_OUT,
    "timeout_error": _TIMED_OUT,
    "request_timeout": _TIMED_OUT,
    "response_cancel_not_active": _BENIGN,
    "conversation_already_has_active_response": _BENIGN,
    "input_audio_buffer_commit_empty": _BENIGN,
}

_BY_STATUS: Final[Mapping[int, Failure]] = {
    401: _WRONG_KEY,
    403: _WRONG_KEY,
    402: _NO_CREDIT,
    429: _BUSY,
    408: Failure(Severity.TRANSIENT, "The server took too long to answer. Try again in a minute."),
}

# Compatible servers leave `code` out; these words are what their messages share. What is said of
# `session.truncation` is about the settings.
_BENIGN_WORDS: Final = re.compile(
    "no active response|already has an active response|truncat(?!ion)|already shorter than"
    "|buffer too small",
    re.IGNORECASE,
)
_BY_WORDS: Final = tuple(
    (re.compile(words, re.IGNORECASE), failure)
    for words, failure in (
        (r"exceeded your (current )?quota|insufficient (quota|credit|balance|funds)", _NO_CREDIT),
        (r"(incorrect|invalid) api[ _-]?key", _WRONG_KEY),
        (r"rate limit|too many requests", _BUSY),
        (r"overloaded|temporarily unavailable", _OVERLOADED),
        (r"timed out|time-?out\b", _TIMED_OUT),
    )
)
_INVALID_ITEM: Final = re.compile(r"^item_(retrieve|truncate|delete)_invalid_item_id$")


def _error_in(body: bytes) -> ServerError:
    """The error in the JSON of a refused handshake; empty if there is none."""
    try:
        answer = orjson.loads(body)
    except ValueError:
        return ServerError()
    return server_error(at(answer, "error")) if isinstance(answer, dict) else ServerError()
