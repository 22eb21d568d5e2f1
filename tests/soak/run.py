"""A crowd calls the whole app for a while and leaves in every ugly way; others attack it.

Before and after, with nobody there, it is written down what the app holds; both must be the same.
In between, the sound of an honest caller must not be late.
"""

import asyncio
import random
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bench.figures import percentile
from components.launch import MOST_SESSIONS
from tests.peer import Peer, caller
from tests.running import ROOT, App, environment, practice_server, started_app
from tests.soak.attackers import ATTACKS
from tests.soak.listener import listening
from tests.soak.relay import Relay, relay
from tests.soak.visits import WAYS, Visitor, Way
from tests.soak.vitals import NOTE, Vitals, memory, vitals

VISITORS = 4
"""At a time; two cores hold half as many again, with the callers and the practice server."""
MOST_CALLS = 32
"""More than visitors: a call whose browser died waits for it, and holds its place."""
WARM_UP_S = 20.0
PAGES = tuple(f"page{number:08}" for number in range(50))
"""What Gradio calls the pages that the visitors have loaded."""
QUIET_S = 45.0
"""From the last visit until no call waits any more."""
SETTLE_S = 40.0
"""fastrtc minds a connection that never stood for 30 s."""
REST_S = 8.0
VISIT_LIMIT_S = 120.0
FULL_HOUSE_PAUSE_S = 0.5
SAMPLE_S = 1.0
ATTACKERS_END_S = 20
MOST_GROWTH_MB = 30.0
MOST_LOG_BYTES = 1_000_000
MOST_WAY_MS = 100.0
"""Of the microphone's way, for 95 % of the marks."""
LEAST_MARKS = 0.9
"""Of those that were sent: an honest caller is heard."""
PROGRAM = Path(__file__).with_name("watched_app.py")


@dataclass
class Report:
    """What a run has seen. `problems` is empty if the app held what it promises."""

    seconds: float
    before: Vitals
    after: Vitals
    survived: Counter[str]
    turned_away: int
    reconnected: int
    begun_again: int
    load: list[int]
    """Sessions with the Realtime server, every second."""
    memory: list[float]
    left_open: int
    """Sockets to the Realtime server, when nobody was there any more."""
    way_ms: Sequence[float]
    """Of the marks in an honest caller's microphone, to the Realtime server."""
    marks: int
    """How many were sent."""
    late_ms: Sequence[float]
    """How late this process itself came to do something, every second: the machine is then slow."""
    attacks: Counter[str]
    log_bytes: int
    problems: list[str]

    def __str__(self) -> str:
        calls = self.survived.total()
        lines = [
            f"{calls} calls in {self.seconds:.0f} s ({60 * calls / self.seconds:.0f} a minute), "
            f"{sum(self.load) / len(self.load):.1f} at a time on average, {max(self.load)} at most",
            f"{self.turned_away} more turned away from a full house",
            f"{self.reconnected} times the server was lost during a call, and the call went on; "
            f"{self.begun_again} times before it began, and the caller was told",
            f"open upstream sockets when all had left: {self.left_open}",
            *(f"  {number:4} x {way}" for way, number in sorted(self.survived.items())),
            "attacks: " + ", ".join(f"{n} x {name}" for name, n in sorted(self.attacks.items())),
            f"microphone's way: median {percentile(self.way_ms, 50):.1f}, 95 % within "
            f"{percentile(self.way_ms, 95):.1f}, at most {max(self.way_ms, default=0):.1f} ms; "
            f"{len(self.way_ms)} of {self.marks} marks came; this process itself was late by "
            f"{percentile(self.late_ms, 50):.1f}, {percentile(self.late_ms, 95):.1f} ms",
            f"log: {self.log_bytes:,} bytes",
            f"before: {self.before}",
            f"after:  {self.after}",
            f"memory in between, in MB: {_curve(self.memory)}",
            *(f"PROBLEM: {problem}" for problem in self.problems or ["none"]),
        ]
        return "\n".join(lines)


@dataclass
class Crowd:
    """The visitors of one stretch of time."""

    url: str
    upstream: Relay
    chance: random.Random
    survived: Counter[str] = field(default_factory=Counter)
    turned_away: int = 0
    reconnected: int = 0
    begun_again: int = 0
    problems: list[str] = field(default_factory=list)

    async def call(self, seconds: float) -> None:
        """Come and go for so long; whoever is there then finishes the visit."""
        closing = time.monotonic() + seconds
        ways = self._rounds()
        async with asyncio.TaskGroup() as group:
            for _ in range(VISITORS):
                group.create_task(self._queue(ways, closing))

    def _rounds(self) -> Iterator[Way]:
        """Every way equally often, in no order."""
        while True:
            yield from self.chance.sample(WAYS, len(WAYS))

    async def _queue(self, ways: Iterator[Way], closing: float) -> None:
        for way in ways:
            if time.monotonic() > closing:
                return
            await self._visit(way)

    async def _visit(self, way: Way) -> None:
        visitor = Visitor(self.url, self.upstream, self.chance, self.chance.choice(PAGES))
        name = way.__name__.replace("_", " ")
        try:
            async with asyncio.timeout(VISIT_LIMIT_S):
                await way(visitor)
            self.survived[name] += 1
        except Exception as error:  # whatever it is, it is a finding, and the others go on
            if "concurrency_limit_reached" in str(error):
                self.turned_away += 1
                await asyncio.sleep(FULL_HOUSE_PAUSE_S)
            else:
                self.problems.append(f"{name}: {type(error).__name__} {error} ({_where(error)})")
        finally:
            self.reconnected += visitor.broken
            self.begun_again += visitor.refused
            await visitor.go_home()


def _curve(sizes: list[float]) -> str:
    """Ten values, evenly spaced in time, and the largest."""
    step = max(1, len(sizes) // 10)
    return ", ".join(f"{size:.0f}" for size in sizes[::step]) + f"; at most {max(sizes):.0f}"


def _where(error: Exception) -> str:
    """What the visitor was about to do."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.line for frame in frames if Path(frame.filename).name == "visits.py"]
    return " > ".join(line for line in lines if line)


async def soak(folder: Path, seconds: float, seed: int = 1) -> Report:
    """Run the app in this folder, which keeps its log, and wear it for so long."""
    async with _house(folder) as (app, upstream):
        note = folder / "note.json"
        chance = random.Random(seed)
        # Memory stays where the fullest house has brought it, so that comes first.
        await _load_pages(app)
        problems = await _places(app)
        await Crowd(app.url, upstream, chance).call(WARM_UP_S)
        await _quiet(upstream)
        before = await _at_rest(app, note)

        crowd = Crowd(app.url, upstream, chance)
        begun = time.monotonic()
        async with listening(app.url, upstream) as listener:
            since = time.monotonic_ns()
            with _attacked(app.url, folder) as attacks:
                load, sizes, late_ms = await _watched(crowd, seconds, app)
                way_ms, marks = listener.way_ms(since)
        took = time.monotonic() - begun
        problems += crowd.problems + _lateness(way_ms, marks)
        problems += [f"no {attack.__name__}" for attack in ATTACKS if not attacks[attack.__name__]]
        try:
            await _quiet(upstream)
        except TimeoutError:
            problems.append(f"{upstream.open} calls never ended")
        left_open = upstream.open
        after = await _settled(app, note, before)
        problems += _growth(before, after) + await _places(app)
        if "Traceback" in app.log.read_text(errors="replace"):
            problems.append(f"a traceback in {app.log}")
        if app.log.stat().st_size > MOST_LOG_BYTES:
            problems.append(f"{app.log.stat().st_size:,} bytes of log")
        return Report(
            seconds=took,
            before=before,
            after=after,
            survived=crowd.survived,
            turned_away=crowd.turned_away,
            reconnected=crowd.reconnected,
            begun_again=crowd.begun_again,
            load=load,
            memory=sizes,
            left_open=left_open,
            way_ms=way_ms,
            marks=marks,
            late_ms=late_ms,
            attacks=attacks,
            log_bytes=app.log.stat().st_size,
            problems=problems,
        )


@asynccontextmanager
async def _house(folder: Path) -> AsyncIterator[tuple[App, Relay]]:
    """The app, whose calls go through a proxy to a practice server."""
    with practice_server() as server:
        async with relay(server) as upstream:
            settings: dict[str, Any] = {
                NOTE: str(folder / "note.json"),
                "REALTIME_BASE_URL": upstream.url,
                "MAX_CALLS": str(MOST_CALLS),
                "MAX_STARTS_PER_MINUTE": "10000",
            }
            with started_app(folder, program=PROGRAM, **settings) as app:
                yield app, upstream


async def _watched(
    crowd: Crowd, seconds: float, app: App
) -> tuple[list[int], list[float], list[float]]:
    """Let the crowd call; the number of sessions, the memory, and our lateness, every second."""
    calling = asyncio.create_task(crowd.call(seconds))
    load, sizes, late_ms = [], [], []
    while not calling.done():
        load.append(crowd.upstream.open)
        sizes.append(memory(app.pid))
        due = time.monotonic() + SAMPLE_S
        await asyncio.wait([calling], timeout=SAMPLE_S)
        late_ms.append(max(0.0, 1000 * (time.monotonic() - due)))
    await calling
    return load, sizes, late_ms


@contextmanager
def _attacked(url: str, folder: Path) -> Iterator[Counter[str]]:
    """Inside, attackers are at work; afterwards it is known how often each attack was made."""
    attacks: Counter[str] = Counter()
    with (folder / "attackers.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.attackers", url],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        yield attacks
    finally:
        process.terminate()
        told, _ = process.communicate(timeout=ATTACKERS_END_S)
        assert process.returncode == 0, (folder / "attackers.log").read_text()
        attacks.update(orjson.loads(told))


def _lateness(way_ms: Sequence[float], marks: int) -> list[str]:
    """What an honest caller had to suffer."""
    problems = []
    if percentile(way_ms, 95) > MOST_WAY_MS:
        problems.append(f"the microphone was {percentile(way_ms, 95):.0f} ms late")
    if len(way_ms) < LEAST_MARKS * marks:
        problems.append(f"of {marks} marks of the microphone {len(way_ms)} came")
    return problems


async def _quiet(upstream: Relay) -> None:
    """Wait until no call is left."""
    await upstream.until(lambda: upstream.open == 0, QUIET_S)


async def _at_rest(app: App, note: Path) -> Vitals:
    """What the app holds once that has not changed for a while."""
    holds, since = await _vitals(app, note), time.monotonic()
    while time.monotonic() < since + REST_S:
        await asyncio.sleep(1)
        now = await _vitals(app, note)
        if (now.tasks, now.objects, now.files) != (holds.tasks, holds.objects, holds.files):
            since = time.monotonic()
        holds = now
    return holds


async def _settled(app: App, note: Path, before: Vitals) -> Vitals:
    """What the app holds in the end: what belongs to the last calls takes a moment to go."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        after = await _vitals(app, note)
        if not _growth(before, after) or time.monotonic() > deadline:
            return after
        await asyncio.sleep(1)


async def _vitals(app: App, note: Path) -> Vitals:
    return await asyncio.to_thread(vitals, app.pid, note)


def _growth(before: Vitals, after: Vitals) -> list[str]:
    """What there is more of than before."""
    problems = []
    if after.memory > before.memory + MOST_GROWTH_MB:
        problems.append(f"{after.memory - before.memory:.1f} MB more memory")
    if after.threads - after.pooled > before.threads - before.pooled:
        problems.append(f"{after.threads - before.threads} more threads")
    if after.files > before.files:
        problems.append(f"{after.files - before.files} more open files")
    for more, what in (
        (after.tasks - before.tasks, "tasks"),
        (after.objects - before.objects, "objects of calls"),
    ):
        if more:
            problems.append(f"more {what}: {dict(more)}")
    return problems


async def _load_pages(app: App) -> None:
    """As many as Gradio remembers: some 40 KB each, up to a limit, and that is meant to be so."""
    peer = Peer()
    for number in range(MOST_SESSIONS):
        peer.session_hash = f"loaded{number:06}"
        await peer.transcript(app.url)


async def _places(app: App) -> list[str]:
    """All calls that the app promises to take get in at once, and not one more."""
    async with AsyncExitStack() as stack:
        for place in range(MOST_CALLS):
            try:
                peer = await stack.enter_async_context(caller(app.url))
                await peer.sees(type="state", connection="connected")
            except (ConnectionError, TimeoutError) as error:
                return [f"only {place} of {MOST_CALLS} callers get in: {error}"]
    return []
