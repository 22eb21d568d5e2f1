"""What is asked of the Realtime server on behalf of a browser: a token, or the answer to its offer.

Rule: the session is described here, by the settings, and never by who asks; the key goes into the
head of the request and nowhere else. Functions are declared where our server will run them: in a
call whose offer takes our way. A token's call has nobody who could, so its session has none.
"""

import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import httpx
import orjson

from components.access.visitor import identifier
from components.protocol.addresses import headers, realtime_url
from components.protocol.errors import ServerError, server_error
from components.protocol.failures import Failure, Severity, failure_of_status, safe
from components.protocol.fields import Json, at
from components.protocol.options import Refused, SessionOptions, relax, session_update
from components.settings import Settings
from components.upstream.configuration import session_options

log = logging.getLogger(__name__)

TOKEN_SECONDS: Final = 30
"""A browser fetches its token just before it calls; some ask for the microphone in between. A token
holds a place as long as it is good, used or not."""
REQUEST_LIMIT_S: Final = 10.0
MOST_ATTEMPTS: Final = 5
GONE: Final = (404, 410)
"""The statuses with which a server says that it knows no such call."""
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class MintingError(Exception):
    """The server gives nothing; `status` is ours to answer with, the text a sentence."""

    def __init__(self, status: int, sentence: str, failure: Failure | None = None) -> None:
        """`failure` is what the server's refusal means; None if there was no answer to judge."""
        super().__init__(sentence)
        self.status = status
        self.failure = failure or Failure(Severity.TRANSIENT, sentence)


@dataclass(frozen=True, slots=True)
class Token:
    """A short-lived key, and when it expires (seconds by the calendar)."""

    value: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A call that a server has taken."""

    sdp: str
    call_id: str


class HangUp(StrEnum):
    """What came of the wish to end a call."""

    DONE = auto()
    GONE = auto()
    """The server knows no such call, or none any more."""
    REFUSED = auto()
    """The call may go on."""


class Minting:
    """Talks to the server of the settings."""

    def __init__(self, settings: Settings, refused: Refused) -> None:
        """`refused` is what this process has learned of servers."""
        self._refused = refused
        self._socket_url = realtime_url(settings.base_url, settings.model)
        self._headers = headers(self._socket_url, settings.api_key)
        self._key = settings.api_key
        options = session_options(settings)
        if options.push_to_talk:  # the voice button has no key to hold: nobody would end the turns
            options = replace(options, turn_detection="server_vad")
        self._options = options
        self._host = urlsplit(self._socket_url).hostname or ""
        # Made once, as reading all certificates takes the time of a frame.
        self._tls = ssl.create_default_context()

    @property
    def calls_url(self) -> str:
        """Where a browser sends its offer."""
        return self._url("/calls")

    def sideband_url(self, call_id: str) -> str:
        """Where a server listens to a call."""
        parts = urlsplit(self._socket_url)
        query = "&".join([*self._query, f"call_id={call_id}"])
        return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))

    @property
    def headers(self) -> Mapping[str, str]:
        """What authorises us."""
        return self._headers

    async def token(self, visitor: str) -> Token:
        """A fresh token for who asks from the address `visitor`; raises `MintingError`."""
        lifetime = {"anchor": "created_at", "seconds": TOKEN_SECONDS}
        response = await self._asked(
            replace(self._options, tools=()),
            lambda session: {
                "url": self._url("/client_secrets"),
                "json": {"expires_after": lifetime, "session": session},
            },
            visitor,
        )
        try:
            answer = response.json()
            return Token(str(answer["value"]), int(answer["expires_at"]))
        except (ValueError, KeyError, TypeError) as error:
            raise MintingError(502, f"{self._host} sent something that is no token.") from error

    async def answer(self, offer: str, visitor: str) -> Answer:
        """The answer to the offer of a browser at the address `visitor`; raises `MintingError`."""
        response = await self._asked(
            self._options,
            lambda session: {
                "url": self.calls_url,
                "files": {
                    "sdp": (None, offer, "application/sdp"),
                    "session": (None, orjson.dumps(session), "application/json"),
                },
            },
            visitor,
        )
        call_id = response.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if not response.text.startswith("v=0") or not call_id:
            raise MintingError(502, f"{self._host} sent something that is no answer to a call.")
        return Answer(response.text, call_id)

    async def hang_up(self, call_id: str) -> HangUp:
        """End a call; asks once."""
        try:
            url = self._url(f"/calls/{call_id}/hangup")
            status = (await self._post({"url": url}, self._headers)).status_code
        except MintingError as error:
            log.info("! a call cannot be hung up: %s", error)
            return HangUp.REFUSED
        if status in GONE:
            return HangUp.GONE
        return HangUp.DONE if 200 <= status < 300 else HangUp.REFUSED

    async def _asked(
        self, wanted: SessionOptions, request: Callable[[Json], Mapping[str, Any]], visitor: str
    ) -> httpx.Response:
        """The answer to a request that describes a session; what a server refuses is left out."""
        options = asked = self._refused.without(wanted)
        about = headers(self._socket_url, self._key, identifier(visitor, self._key))
        for _ in range(MOST_ATTEMPTS):
            response = await self._post(request(_session(options)), about)
            if response.status_code != 400:
                break
            relaxed = relax(options, _error_of(response))
            if relaxed is None:
                break
            options = relaxed
        if response.is_success:
            self._refused.learn(asked, options)
            return response
        raise self._refusal(response)

    async def _post(self, request: Mapping[str, Any], about: Mapping[str, str]) -> httpx.Response:
        # A proxy of the environment knows nothing of a server on this machine.
        trust_env = self._host not in LOOPBACK
        try:
            async with httpx.AsyncClient(
                verify=self._tls, trust_env=trust_env, timeout=REQUEST_LIMIT_S
            ) as client:
                return await client.post(headers=about, **request)
        except httpx.TimeoutException as error:
            raise MintingError(504, f"{self._host} does not answer. Try again.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise MintingError(502, f"{self._host} cannot be reached. Try again.") from error

    def _refusal(self, response: httpx.Response) -> MintingError:
        words = safe(_error_of(response).message)
        log.info("! %s refused (%s): %s", self._host, response.status_code, words)
        failure = failure_of_status(response.status_code, response.content)
        busy = response.status_code == 429 or response.status_code >= 500
        return MintingError(503 if busy else 502, failure.sentence, failure)

    def _url(self, path: str) -> str:
        parts = urlsplit(self._socket_url)
        scheme = {"ws": "http", "wss": "https"}[parts.scheme]
        return urlunsplit((scheme, parts.netloc, parts.path + path, "&".join(self._query), ""))

    @property
    def _query(self) -> list[str]:
        """What the address carries beside the model."""
        pairs = urlsplit(self._socket_url).query.split("&")
        return [pair for pair in pairs if pair and not pair.startswith("model=")]


def _session(options: SessionOptions) -> Json:
    """The session as a browser is to have it; WebRTC brings its own audio formats."""
    session = dict(session_update(options, "")["session"])
    audio = session["audio"]
    without = {
        side: {name: value for name, value in audio[side].items() if name != "format"}
        for side in ("input", "output")
    }
    return {**session, "model": options.model, "audio": without}


def _error_of(response: httpx.Response) -> ServerError:
    try:
        answer = response.json()
    except ValueError:
        return ServerError()
    return server_error(at(answer, "error")) if isinstance(answer, dict) else ServerError()
