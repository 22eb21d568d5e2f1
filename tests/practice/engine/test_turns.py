from typing import Any

import pytest

from components.practice.engine.turns import Started, Stopped, TurnDetector

SERVER_VAD = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 200}


def detector(hop_ms: int = 20, position_ms: int = 0, **settings: Any) -> TurnDetector:
    turns = TurnDetector(hop_ms, position_ms)
    turns.configure({**SERVER_VAD, **settings})
    return turns


def changes(turns: TurnDetector, *probabilities: float) -> list[Started | Stopped]:
    return [change for p in probabilities if (change := turns.hop(p)) is not None]


def test_speech_starts_at_its_first_voiced_hop() -> None:
    assert changes(detector(), *[0.0] * 5, *[0.9] * 5) == [Started(100)]


def test_four_voiced_hops_are_too_few() -> None:
    assert changes(detector(), *[0.9] * 4, *[0.0] * 10) == []


def test_voiced_hops_need_not_follow_each_other() -> None:
    assert changes(detector(), 0.9, 0.9, 0.0, 0.9, 0.9, 0.0, 0.9) == [Started(0)]


def test_voiced_hops_must_lie_within_the_window() -> None:
    assert changes(detector(), *[0.9, 0.0, 0.0] * 10) == []


def test_three_hops_of_silero_are_enough() -> None:
    assert changes(detector(hop_ms=32), 0.9, 0.9, 0.9) == [Started(0)]


def test_a_hop_longer_than_the_window_is_enough_alone() -> None:
    assert changes(detector(hop_ms=200), 0.9) == [Started(0)]


def test_speech_stops_after_a_full_silence() -> None:
    turns = detector()

    assert changes(turns, *[0.9] * 10, *[0.0] * 10) == [Started(0), Stopped(400, 200)]
    assert not turns.speaking


def test_a_word_breaks_the_silence() -> None:
    found = changes(detector(), *[0.9] * 10, *[0.0] * 9, 0.9, *[0.0] * 10)

    assert found == [Started(0), Stopped(600, 400)]


@pytest.mark.parametrize(("probability", "stops"), [(0.36, False), (0.34, True)])
def test_the_end_has_a_lower_threshold(probability: float, stops: bool) -> None:
    found = changes(detector(), *[0.9] * 5, *[probability] * 10)

    assert (len(found) == 2) is stops


def test_threshold_is_the_sessions() -> None:
    assert changes(detector(threshold=0.95), *[0.9] * 20) == []


@pytest.mark.parametrize(
    ("eagerness", "silence_ms"), [("high", 400), ("medium", 800), ("auto", 800), ("low", 1600)]
)
def test_eagerness_is_a_length_of_silence(eagerness: str, silence_ms: int) -> None:
    turns = TurnDetector(20, 0)
    turns.configure({"type": "semantic_vad", "eagerness": eagerness})

    assert changes(turns, *[0.9] * 5, *[0.0] * 100) == [Started(0), Stopped(100 + silence_ms, 100)]


def test_positions_count_from_where_listening_began() -> None:
    assert changes(detector(position_ms=5000), *[0.9] * 5) == [Started(5000)]


def test_a_stopped_turn_can_start_anew() -> None:
    turns = detector()
    changes(turns, *[0.9] * 5)
    turns.stop()

    assert not turns.speaking
    assert changes(turns, *[0.9] * 5) == [Started(100)]
