"""Whether the Realtime server takes the key, knows the models and begins a session.

Rule: nothing here costs money: models are looked up, and a session is opened and configured, in
which nothing is said. The key is in the head of a request and in no finding.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from components.doctor.findings import Finding, failed, ok, warning
from components.protocol.addresses import headers, realtime_url
from components.protocol.events import ErrorEvent, SessionCreated, SessionUpdated
from components.protocol.failures import failure_of_error, failure_of_status
from components.protocol.options import SessionOptions, relax, session_update
from components.settings import Settings
from components.upstream.client import LOOPBACK, Upstream, UpstreamError, open_upstream
from components.upstream.configuration import session_options

REQUEST_LIMIT_S: Final = 10.0
SESSION_LIMIT_S: Final = 10.0
MOST_TRIES: Final = 6
"""Updates of a session; each leaves one thing out that the server has refused."""
KEY, MODEL, TRANSCRIPTION, SESSION = "Key", "Model", "Transcription model", "Session"
NO_LIST: Final = (404, 405, 501)
"""What servers answer that have no list of models."""


async def examine_server(settings: Settings) -> list[Finding]:
    """Key, models and session, in this order; what cannot be looked up is left to the session."""
    url = realtime_url(settings.base_url, settings.model)
    about = headers(url, settings.api_key)
    findings, has_list = await _key(url, about)
    if has_list:
        findings.append(await _model(url, about, settings.model))
        if settings.transcription_model:
            findings.append(await _transcription(url, about, settings.transcription_model))
    if findings[0].verdict != "failed":
        findings.append(await _session(url, about, session_options(settings)))
    return findings


async def _key(url: str, about: Mapping[str, str]) -> tuple[list[Finding], bool]:
    """About the key, and whether the server tells of its models."""
    host = urlsplit(url).hostname or ""
    answer = await _get(url, "/models", about)
    if isinstance(answer, str):
        return [failed(KEY, answer, "Check the network and REALTIME_BASE_URL.")], False
    status = answer.status_code
    if answer.is_success:
        found = f"{host} takes it." if about else f"{host} needs none."
        return [ok(KEY, found)], True
    if status in NO_LIST:
        return [ok(KEY, f"{host} has no list of models; the session will tell.")], False
    if status == 403:
        found = f"{host} does not let it list models; the session will tell."
        return [warning(KEY, found)], False
    sentence = failure_of_status(status, answer.content).sentence
    return [(warning if status == 429 else failed)(KEY, sentence)], False


async def _model(url: str, about: Mapping[str, str], model: str) -> Finding:
    answer = await _get(url, f"/models/{quote(model, safe='')}", about)
    if isinstance(answer, str):
        return warning(MODEL, answer)
    if answer.is_success:
        return ok(MODEL, f"{model} can be used.")
    if answer.status_code in (403, 404):
        found = f"this key cannot use {model}, or there is no such model."
        return failed(MODEL, found, "Check REALTIME_MODEL and what the key's project may use.")
    return warning(MODEL, failure_of_status(answer.status_code, answer.content).sentence)


async def _transcription(url: str, about: Mapping[str, str], model: str) -> Finding:
    answer = await _get(url, f"/models/{quote(model, safe='')}", about)
    if not isinstance(answer, str) and answer.is_success:
        return ok(TRANSCRIPTION, f"{model} can be used.")
    found = (
        f"{model} cannot be used with this key; calls go on with another, or without your words."
    )
    return warning(TRANSCRIPTION, found, "Check REALTIME_TRANSCRIPTION_MODEL.")


async def _get(url: str, path: str, about: Mapping[str, str]) -> httpx.Response | str:
    """The answer, or why there is none."""
    host = urlsplit(url).hostname or ""
    try:
        async with httpx.AsyncClient(
            trust_env=host not in LOOPBACK, timeout=REQUEST_LIMIT_S
        ) as client:
            return await client.get(_http(url, path), headers=about)
    except httpx.TimeoutException:
        return f"{host} does not answer."
    except (httpx.HTTPError, httpx.InvalidURL):
        return f"{host} cannot be reached."


def _http(url: str, path: str) -> str:
    """An address beside that of the sessions."""
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}[parts.scheme]
    pairs = [pair for pair in parts.query.split("&") if pair and not pair.startswith("model=")]
    base = parts.path.removesuffix("/realtime")
    return urlunsplit((scheme, parts.netloc, base + path, "&".join(pairs), ""))


async def _session(url: str, about: Mapping[str, str], options: SessionOptions) -> Finding:
    """Open one, as a call does, and ask for all that a call asks for."""
    begun = time.monotonic()
    try:
        async with asyncio.timeout(SESSION_LIMIT_S):
            upstream = await open_upstream(url, about)
            try:
                return await _configured(upstream, options, begun)
            finally:
                await upstream.close()
    except UpstreamError as error:
        return failed(SESSION, error.failure.sentence)
    except TimeoutError:
        found = "the server opens a connection but does not begin a session."
        return failed(SESSION, found, "Check REALTIME_BASE_URL: it may be no Realtime API.")


async def _configured(upstream: Upstream, wanted: SessionOptions, begun: float) -> Finding:
    options, tries, greeted = wanted, 1, False
    upstream.send(session_update(options, "doctor"))
    async for event in upstream.events():
        greeted = greeted or isinstance(event, SessionCreated)
        if isinstance(event, SessionUpdated):
            return _begun(wanted, options, time.monotonic() - begun, greeted)
        if isinstance(event, ErrorEvent):
            relaxed = relax(options, event.error) if tries < MOST_TRIES else None
            if relaxed is None:
                return failed(SESSION, f"it was refused. {failure_of_error(event.error).sentence}")
            options, tries = relaxed, tries + 1
            upstream.send(session_update(options, "doctor"))
    raise TimeoutError


def _begun(wanted: SessionOptions, got: SessionOptions, took_s: float, greeted: bool) -> Finding:
    ready = f"ready after {took_s * 1000:.0f} ms"
    if got != wanted:
        found = f"{ready}, but the server refuses some of the settings; calls go on without them."
        return warning(SESSION, found, "Look at REALTIME_TRANSCRIPTION_MODEL and turn detection.")
    if not greeted:
        return warning(SESSION, f"{ready}, but the server does not greet as the API does.")
    return ok(SESSION, f"{ready}, as the current protocol has it.")
