"""Short-lived keys: for what, and for how long."""

from typing import Any

import pytest

from components.practice.engine.schema import RefusedError
from components.practice.server import client_secrets
from components.practice.server.client_secrets import ClientSecrets, shown_session

NOW = 1_790_000_000.5


def request(seconds: Any = 60, **session: Any) -> dict[str, Any]:
    return {
        "expires_after": {"anchor": "created_at", "seconds": seconds},
        "session": {"type": "realtime", **session},
    }


def test_a_key_carries_its_session_until_it_expires() -> None:
    secrets = ClientSecrets()
    secret = secrets.mint(request(instructions="Be brief."), NOW)

    assert secret.value.startswith("ek_")
    assert secret.expires_at == 1_790_000_060
    wanted = secrets.session(secret.value, NOW + 59)
    assert wanted is not None
    assert wanted["instructions"] == "Be brief."
    assert secrets.session(secret.value, NOW + 60) is None


def test_an_empty_request_gets_the_defaults() -> None:
    secret = ClientSecrets().mint({}, NOW)

    assert secret.expires_at == 1_790_000_600
    assert secret.wanted["model"] == "practice-engine"


@pytest.mark.parametrize("seconds", [9, 7201, "60", 1.5])
def test_a_lifetime_has_bounds(seconds: Any) -> None:
    with pytest.raises(RefusedError) as refusal:
        ClientSecrets().mint(request(seconds), NOW)

    assert refusal.value.param == "expires_after.seconds"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "invalid_type"),
        ({"extra": 1}, "unknown_parameter"),
        ({"session": {"type": "transcription"}}, "invalid_value"),
        ({"session": {"type": "realtime", "model": "gpt-9"}}, "model_not_found"),
        ({"session": {"type": "realtime", "voice": "marin"}}, "unknown_parameter"),
    ],
)
def test_what_cannot_be_a_session_is_refused(body: Any, code: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        ClientSecrets().mint(body, NOW)

    assert refusal.value.code == code


def test_what_nobody_has_minted_is_no_key() -> None:
    assert ClientSecrets().session("ek_made_up", NOW) is None


def test_expired_keys_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_secrets, "MOST", 1)
    secrets = ClientSecrets()
    secrets.mint(request(), NOW)
    with pytest.raises(RefusedError, match="Too many"):
        secrets.mint(request(), NOW + 59)

    assert secrets.mint(request(), NOW + 60)


def test_the_effective_session_is_shown() -> None:
    secret = ClientSecrets().mint(request(model="gpt-realtime-2.1"), NOW)
    shown = shown_session(secret.wanted, "sess_1")

    assert (shown["model"], shown["id"], shown["expires_at"]) == ("gpt-realtime-2.1", "sess_1", 0)
    assert shown["audio"]["output"]["voice"] == "marin"
