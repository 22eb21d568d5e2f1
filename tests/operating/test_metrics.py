"""What is counted of calls, and under which names."""

import pytest

from components.core.conversation import Connection, Conversation
from components.core.timing import Step, Turn
from components.operating.metrics import Meter, Metrics, ending_of
from components.protocol.errors import ServerError
from components.protocol.events import (
    AudioDelta,
    ErrorEvent,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
    TranscriptionDone,
)
from components.protocol.failures import OUR_FAULT
from components.protocol.usage import Usage

MODEL = "gpt-realtime-2.1"
BRIDGED = {"route": "bridged"}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(MODEL)


@pytest.fixture
def meter(metrics: Metrics) -> Meter:
    return metrics.call("bridged", 100.0)


def done(usage: Usage, status: str = "completed", error: ServerError | None = None) -> ResponseDone:
    return ResponseDone("r", status, (), error or ServerError(), usage)


def turn(number: int, felt_s: float | None) -> Turn:
    steps = {} if felt_s is None else {Step.SENT: 10.0 + felt_s}
    return Turn(number, "spoken", 10.0, steps)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_a_call_is_under_way_until_it_has_ended_once(metrics: Metrics, meter: Meter) -> None:
    assert value(metrics, "voice_calls_started_total", **BRIDGED) == 1
    assert value(metrics, "voice_calls_running", **BRIDGED) == 1

    meter.over("hung_up")
    meter.over("failed")

    assert value(metrics, "voice_calls_running", **BRIDGED) == 0
    assert value(metrics, "voice_calls_ended_total", **BRIDGED, ending="hung_up") == 1
    assert value(metrics, "voice_calls_ended_total", **BRIDGED, ending="failed") == 0
    assert value(metrics, "voice_calls_started_total", route="direct") == 0


def test_the_first_browser_joins_and_the_next_ones_come_back(
    metrics: Metrics, meter: Meter
) -> None:
    meter.joined(100.7)
    meter.joined(130.0)

    assert value(metrics, "voice_join_seconds_sum", **BRIDGED) == pytest.approx(0.7)
    assert value(metrics, "voice_join_seconds_count", **BRIDGED) == 1
    assert value(metrics, "voice_rejoins_total", **BRIDGED) == 1


@pytest.mark.parametrize(
    ("connection", "notice", "joined", "ending"),
    [
        (Connection.ENDED, "", True, "hung_up"),
        (Connection.ENDED, "The time for this call is up.", True, "stopped"),
        (Connection.FAILED, "The server does not accept the key.", True, "failed"),
        (Connection.ENDED, "", False, "never_joined"),
    ],
)
def test_an_ending_is_read_off_what_the_page_was_told(
    connection: Connection, notice: str, joined: bool, ending: str
) -> None:
    assert ending_of(Conversation(connection=connection, notice=notice), joined) == ending


def test_tokens_are_counted_by_kind_and_money_by_who_pays(metrics: Metrics, meter: Meter) -> None:
    visitor = metrics.call("bridged", 0.0, own_key=True)
    used = Usage(input_audio=500_000, output_audio=250_000)
    meter.receive(done(used))
    visitor.receive(done(Usage(input_audio=1_000_000)))

    tokens = {"route": "bridged", "payer": "app"}
    assert value(metrics, "voice_tokens_total", **tokens, kind="input_audio") == 500_000
    assert value(metrics, "voice_tokens_total", **tokens, kind="input_text") is None
    assert value(metrics, "voice_cost_dollars_total", **tokens) == pytest.approx(32.0)
    assert value(metrics, "voice_cost_dollars_total", route="bridged", payer="visitor") == 32.0


@pytest.mark.parametrize(
    "news",
    [SessionCreated(None, "", "gpt-transcribe"), SessionUpdated(None, True, "gpt-transcribe")],
)
def test_transcripts_cost_what_the_model_in_force_costs(
    metrics: Metrics, meter: Meter, news: SessionCreated | SessionUpdated
) -> None:
    meter.receive(news)
    meter.receive(TranscriptionDone("i", 0, "hello", Usage(transcription_s=60)))

    assert value(metrics, "voice_transcribed_seconds_total", **BRIDGED) == 60
    paid = value(metrics, "voice_cost_dollars_total", **BRIDGED, payer="app")
    assert paid == pytest.approx(0.0045)


def test_what_has_no_price_is_counted_as_unknown(metrics: Metrics, meter: Meter) -> None:
    metrics.call("bridged", 0.0, model="somebody-s-model").receive(done(Usage(input_text=5)))
    assert value(metrics, "voice_cost_unknown_total", **BRIDGED) == 1
    meter.receive(done(Usage(unreported=1)))
    assert value(metrics, "voice_cost_unknown_total", **BRIDGED) == 2


def test_prices_are_multiplied_where_the_server_is_dear() -> None:
    metrics = Metrics(MODEL, 1.1)
    metrics.call("direct", 0.0).receive(done(Usage(input_audio=1_000_000)))

    paid = value(metrics, "voice_cost_dollars_total", route="direct", payer="app")
    assert paid == pytest.approx(35.2)


def test_failures_are_counted_by_what_they_mean(metrics: Metrics, meter: Meter) -> None:
    meter.failed(OUR_FAULT)
    meter.receive(ErrorEvent(ServerError(code="invalid_api_key")))
    meter.receive(done(Usage(), "failed", ServerError(code="rate_limit_exceeded")))
    meter.receive(ErrorEvent(ServerError(message="something new")))

    def failures(severity: str, class_: str) -> float | None:
        labels = {"severity": severity, "class": class_}
        return value(metrics, "voice_failures_total", **BRIDGED, **labels)

    assert failures("permanent", "app") == 1
    assert failures("permanent", "key") == 1
    assert failures("transient", "busy") == 1
    assert failures("notice", "other") == 1


def test_each_answer_is_counted_once(metrics: Metrics, meter: Meter) -> None:
    first, unanswered, last = turn(1, 0.4), turn(2, None), turn(3, 0.8)
    meter.turns([first])
    meter.turns([first, unanswered])
    meter.turns([first, unanswered, last])

    labels = {**BRIDGED, "kind": "spoken"}
    assert value(metrics, "voice_answer_seconds_count", **labels) == 2
    assert value(metrics, "voice_answer_seconds_sum", **labels) == pytest.approx(1.2)


def test_sound_is_not_counted(metrics: Metrics, meter: Meter) -> None:
    before = metrics.exposition()
    meter.receive(AudioDelta("r", "i", 0, b"\0\0"))

    def ours(text: bytes) -> list[bytes]:
        return [line for line in text.splitlines() if line.startswith(b"voice_")]

    assert ours(metrics.exposition()) == ours(before)
