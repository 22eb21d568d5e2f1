"""How media finds its way: the STUN and TURN servers that both peers are told of.

Rule: for a page that only this machine can open, no STUN or TURN server is asked. TURN
credentials are fetched for each call, as they expire; a provider that does not give any is named in
one sentence.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

from components.settings import Settings, TurnCredentials

IceConfiguration = dict[str, Any]
"""An `RTCConfiguration` as browsers and fastrtc take it: `{"iceServers": [...]}`."""

STUN: Final = {"urls": "stun:stun.cloudflare.com:3478"}
CREDENTIALS_LIFE_S: Final = 24 * 3600
FETCH_LIMIT_S: Final = 8.0
CLOUDFLARE_URL: Final = "https://rtc.live.cloudflare.com/v1/turn/keys"
TWILIO_URL: Final = "https://api.twilio.com/2010-04-01/Accounts"
HUGGING_FACE_URL: Final = "https://turn.fastrtc.org/credentials"


class TurnError(Exception):
    """No TURN credentials; the text is a sentence for the user."""


def server_configuration(settings: Settings) -> IceConfiguration:
    """What our own peer asks. Never None: fastrtc would ask Google's server before each answer."""
    if not settings.reachable:
        return {"iceServers": []}
    if settings.turn and settings.turn.provider == "static":
        return {"iceServers": [STUN, _static(settings.turn)]}
    return {"iceServers": [STUN]}


def browser_configuration(settings: Settings) -> IceConfiguration | Callable[[], IceConfiguration]:
    """What the browser asks: a fixed answer, or a function that fetches one for each call.

    It is a plain function because fastrtc recognises nothing else as one, and a function even for a
    fixed TURN server because fastrtc writes a dict into the page, where anyone can read it.
    """
    turn = settings.turn
    if not settings.reachable or turn is None:
        return server_configuration(settings)

    def fetch() -> IceConfiguration:
        return {"iceServers": [STUN, *turn_servers(turn)]}

    return fetch


def turn_servers(turn: TurnCredentials) -> list[Mapping[str, Any]]:
    """The TURN servers of a provider, with fresh credentials; `TurnError` if it gives none."""
    if turn.provider == "static":
        return [_static(turn)]
    try:
        response = httpx.request(**_request(turn), timeout=FETCH_LIMIT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TurnError(
            f"{_NAMES[turn.provider]} gives no TURN credentials: it cannot be reached. "
            "Try again in a minute."
        ) from error
    if response.is_error:
        raise TurnError(
            f"{_NAMES[turn.provider]} refuses TURN credentials (HTTP {response.status_code}). "
            f"Check {_VARIABLES[turn.provider]}."
        )
    try:
        return _servers(response.json())
    except (ValueError, KeyError, TypeError) as error:
        raise TurnError(f"{_NAMES[turn.provider]} sent no usable TURN credentials.") from error


def _static(turn: TurnCredentials) -> Mapping[str, str]:
    return {"urls": turn.url, "username": turn.user, "credential": turn.secret}


def _request(turn: TurnCredentials) -> dict[str, Any]:
    bearer = {"Authorization": f"Bearer {turn.secret}"}
    match turn.provider:
        case "cloudflare":
            return {
                "method": "POST",
                "url": f"{CLOUDFLARE_URL}/{turn.user}/credentials/generate-ice-servers",
                "headers": bearer,
                "json": {"ttl": CREDENTIALS_LIFE_S},
            }
        case "twilio":
            return {
                "method": "POST",
                "url": f"{TWILIO_URL}/{turn.user}/Tokens.json",
                "auth": (turn.user, turn.secret),
                "data": {"Ttl": str(CREDENTIALS_LIFE_S)},
            }
        case _:
            return {
                "method": "GET",
                "url": HUGGING_FACE_URL,
                "headers": bearer,
                "params": {"ttl": CREDENTIALS_LIFE_S},
            }


def _servers(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The list in a provider's answer: Twilio spells it in its own way, some send a single one."""
    servers = answer["iceServers"] if "iceServers" in answer else answer["ice_servers"]
    if isinstance(servers, Mapping):
        servers = [servers]
    kept = [
        {key: server[key] for key in ("urls", "username", "credential") if key in server}
        for server in servers
        if "urls" in server
    ]
    if not any("credential" in server for server in kept):
        raise ValueError("no server with credentials")
    return list(kept)


_NAMES: Final = {
    "cloudflare": "Cloudflare",
    "twilio": "Twilio",
    "huggingface": "Hugging Face",
}
_VARIABLES: Final = {
    "cloudflare": "CLOUDFLARE_TURN_KEY_ID and CLOUDFLARE_TURN_KEY_API_TOKEN",
    "twilio": "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
    "huggingface": "HF_TOKEN",
}
