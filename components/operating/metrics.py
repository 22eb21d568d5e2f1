"""What has happened in this process since it began, counted for Prometheus.

Rule: a call reports through its `Meter`, and only what happens a few times in a turn; a frame or a
delta is never counted. No label holds anything of a visitor: each has a handful of values.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector

from components.core.conversation import Connection, Conversation
from components.core.timing import Turn
from components.protocol.events import (
    ErrorEvent,
    ResponseDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    TranscriptionDone,
)
from components.protocol.failures import Failure, class_of, failure_of_error
from components.protocol.prices import cost
from components.protocol.usage import Usage

Route = Literal["bridged", "direct"]
Ending = Literal["hung_up", "stopped", "failed", "never_joined"]
"""By its user; by a limit or the end of the app; by a failure; its browser never came."""

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_ROUTES: Final[tuple[Route, ...]] = ("bridged", "direct")
_ENDINGS: Final[tuple[Ending, ...]] = ("hung_up", "stopped", "failed", "never_joined")
_ANSWER_S: Final = (0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_JOIN_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
_NO_TOKENS: Final = ("transcription_s", "unreported")


def ending_of(conversation: Conversation, joined: bool) -> Ending:
    """How a call ended, by what its page was told; `joined`: its browser was there."""
    if not joined:
        return "never_joined"
    if conversation.connection is Connection.FAILED:
        return "failed"
    return "stopped" if conversation.notice else "hung_up"


class Metrics:
    """Those of one process. Everything but `exposition` belongs to the event loop of the calls."""

    def __init__(self, model: str = "", surcharge: float = 1.0) -> None:
        """`model` is that of calls which name none; its prices are multiplied by `surcharge`."""
        self.model = model
        self.surcharge = surcharge
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # of Linux alone: CPU, memory, open files
        self.running = Gauge(
            "voice_calls_running", "Calls under way.", ["route"], registry=registry
        )
        self.started = Counter("voice_calls_started", "Calls begun.", ["route"], registry=registry)
        self.ended = Counter(
            "voice_calls_ended", "Calls ended, by ending.", ["route", "ending"], registry=registry
        )
        self.rejoins = Counter(
            "voice_rejoins", "Browsers that came back to their call.", ["route"], registry=registry
        )
        self.failures = Counter(
            "voice_failures",
            "What servers refused or failed, and what failed here, by what it means.",
            ["route", "severity", "class"],
            registry=registry,
        )
        self.answers = Histogram(
            "voice_answer_seconds",
            "From the end of the user's voice (or line) to the first sound of the answer.",
            ["route", "kind"],
            buckets=_ANSWER_S,
            registry=registry,
        )
        self.joins = Histogram(
            "voice_join_seconds",
            "From a browser's offer to its open data channel.",
            ["route"],
            buckets=_JOIN_S,
            registry=registry,
        )
        self.tokens = Counter(
            "voice_tokens",
            "Tokens by kind; cached ones are a part of the input. Payer: app, or the visitor.",
            ["route", "kind", "payer"],
            registry=registry,
        )
        self.transcribed = Counter(
            "voice_transcribed_seconds", "Sound billed by time.", ["route"], registry=registry
        )
        self.dollars = Counter(
            "voice_cost_dollars",
            "US dollars, as far as prices are known.",
            ["route", "payer"],
            registry=registry,
        )
        self.unpriced = Counter(
            "voice_cost_unknown", "Reports without figure or price.", ["route"], registry=registry
        )
        self.draining = Gauge(
            "voice_draining", "1 while no new calls are taken.", registry=registry
        )
        for route in _ROUTES:  # so that a rate has a zero to begin at
            self.running.labels(route)
            self.started.labels(route)
            for ending in _ENDINGS:
                self.ended.labels(route, ending)

    def call(self, route: Route, now: float, *, model: str = "", own_key: bool = False) -> "Meter":
        """A call begins; with `own_key` its visitor pays for it."""
        return Meter(self, route, now, model or self.model, "visitor" if own_key else "app")

    def failed(self, route: Route, failure: Failure) -> None:
        """Something was refused or has failed, perhaps before there was a call."""
        self.failures.labels(route, failure.severity.value, class_of(failure)).inc()

    def exposition(self) -> bytes:
        """All of it, in the text format of Prometheus."""
        return generate_latest(self.registry)


class Meter:
    """Of one call, told of what happens to it; `now` is in seconds of any steady clock."""

    def __init__(self, metrics: Metrics, route: Route, now: float, model: str, payer: str) -> None:
        self._metrics = metrics
        self._route = route
        self._begun = now
        self._model = model
        self._payer = payer
        self._transcription_model = ""
        self._told = 0
        """The newest turn whose answer is counted."""
        self.has_joined = False
        self._over = False
        metrics.started.labels(route).inc()
        metrics.running.labels(route).inc()

    def joined(self, now: float) -> None:
        """A browser is here: the first, or one that comes back."""
        if self.has_joined:
            self.rejoined()
        else:
            self.has_joined = True
            self._metrics.joins.labels(self._route).observe(now - self._begun)

    def rejoined(self) -> None:
        """The call goes on for a browser that had lost it."""
        self._metrics.rejoins.labels(self._route).inc()

    def receive(self, event: ServerEvent) -> None:
        """A server event."""
        match event:
            case (
                SessionCreated(transcription_model=model)
                | SessionUpdated(transcription_model=model)
            ):
                self._transcription_model = model
            case ErrorEvent(error=error):
                self.failed(failure_of_error(error))
            case ResponseDone(status=status, error=error, usage=usage):
                if status == "failed":
                    self.failed(failure_of_error(error))
                self._used(usage)
            case TranscriptionDone(usage=usage):
                self._used(usage)

    def failed(self, failure: Failure) -> None:
        """Something was refused or has failed."""
        self._metrics.failed(self._route, failure)

    def answered(self, seconds: float, kind: str = "spoken") -> None:
        """A turn has its answer."""
        self._metrics.answers.labels(self._route, kind).observe(seconds)

    def turns(self, turns: Sequence[Turn]) -> None:
        """Count the answers to these turns, which change no more, each once."""
        for turn in turns:
            if turn.number > self._told:
                self._told = turn.number
                if turn.felt_s is not None:
                    self.answered(turn.felt_s, turn.kind)

    def over(self, ending: Ending) -> None:
        """The call has ended; counted once."""
        if not self._over:
            self._over = True
            self._metrics.running.labels(self._route).dec()
            self._metrics.ended.labels(self._route, ending).inc()

    def _used(self, usage: Usage) -> None:
        metrics = self._metrics
        for kind, count in asdict(usage).items():
            if count and kind not in _NO_TOKENS:
                metrics.tokens.labels(self._route, kind, self._payer).inc(count)
        metrics.transcribed.labels(self._route).inc(usage.transcription_s)
        price = cost(usage, self._model, self._transcription_model, metrics.surcharge)
        if price is not None:
            metrics.dollars.labels(self._route, self._payer).inc(price.dollars)
        metrics.unpriced.labels(self._route).inc(1 if price is None else price.unknown)
