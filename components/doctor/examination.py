"""The order in which an app is examined, and how that is told.

Rule: each finding is told when it is made; nothing that breaks while it looks ends the examination.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from components.doctor.findings import Finding, as_json, failed, is_well, ok
from components.doctor.loopback import examine_loopback
from components.doctor.place import examine_disk, examine_limits, examine_origin
from components.doctor.replicas import examine_replicas
from components.doctor.server import examine_server
from components.doctor.shutdowns import examine_shutdown
from components.doctor.software import examine_software
from components.doctor.telling import SETTINGS, say
from components.doctor.ways import examine_ways
from components.settings import Settings

Look = Callable[[], Awaitable[Sequence[Finding]]]


def examine(settings: Settings) -> int:
    """Examine all, tell each finding; 1 if anything has failed, 0 otherwise."""
    if settings.as_json:
        findings = asyncio.run(_all(settings))
        say(as_json(findings))
    else:
        findings = asyncio.run(_all(settings, lambda finding: say(finding.line)))
    return 0 if is_well(findings) else 1


async def _all(
    settings: Settings, tell: Callable[[Finding], None] = lambda _: None
) -> list[Finding]:
    findings: list[Finding] = []
    for name, look in _looks(settings, datetime.now(UTC).date()):
        try:
            found = await look()
        except Exception as error:  # the next may say why
            found = [failed(name, f"it cannot be examined ({type(error).__name__}: {error}).")]
        for finding in found:
            tell(finding)
        findings += found
    return findings


def _looks(settings: Settings, today: date) -> Iterator[tuple[str, Look]]:
    """What is examined, the cheapest and most telling first."""

    async def settled() -> Sequence[Finding]:
        return [
            ok(SETTINGS, _summary(settings)),
            examine_software(),
            examine_origin(settings),
            examine_limits(settings),
            examine_disk(settings),
            *_futures(settings, today),
        ]

    async def ways() -> Sequence[Finding]:
        return await examine_ways(settings)

    async def server() -> Sequence[Finding]:
        return [] if settings.practice else await examine_server(settings)

    async def loopback() -> Sequence[Finding]:
        return [await examine_loopback()]

    async def replicas() -> Sequence[Finding]:
        return await examine_replicas(settings)

    yield SETTINGS, settled
    yield "Replicas", replicas
    yield "Realtime server", server
    yield "Ways", ways
    yield "Sound through the bridge", loopback


def _futures(settings: Settings, today: date) -> Iterator[Finding]:
    if settings.practice:
        return
    host = urlsplit(settings.base_url).hostname or ""
    yield examine_shutdown("REALTIME_MODEL", settings.model, host, today)
    if settings.transcription_model:
        name = "REALTIME_TRANSCRIPTION_MODEL"
        yield examine_shutdown(name, settings.transcription_model, host, today)


def _summary(settings: Settings) -> str:
    if settings.practice:
        return "practice mode, with the offline server and without a key."
    return f"{settings.model} at {urlsplit(settings.base_url).hostname}."
