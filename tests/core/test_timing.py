"""When the steps of a turn happened, and where the time went."""

import pytest

from components.core.timing import (
    MOST_TURNS,
    STEPS,
    Step,
    Timing,
    Turn,
    Voice,
    percentile,
    reason,
    waits,
)
from components.protocol.events import (
    AudioDelta,
    BufferCommitted,
    Other,
    ResponseCreated,
    SpeechStopped,
    TextDelta,
    TranscriptDelta,
)

FRAME_S = 0.02
SOUND = AudioDelta("resp_1", "item_2", 0, bytes(4800))


def frames(timing: Timing, start: float, count: int, level: float) -> float:
    """Frames of one level, one after the other: when the last one ended."""
    for index in range(1, count + 1):
        timing.microphone(level, start + index * FRAME_S)
    return start + count * FRAME_S


def a_spoken_turn(timing: Timing, at: float = 10.0) -> None:
    """Half a second of room, one of voice, half of room; then the answer."""
    end = frames(timing, at, 25, -62.0)
    end = frames(timing, end, 50, -24.0)
    frames(timing, end, 25, -62.0)
    timing.receive(SpeechStopped("item_1"), end + 0.50)
    timing.receive(BufferCommitted("item_1", None), end + 0.51)
    timing.receive(ResponseCreated("resp_1"), end + 0.53)
    timing.receive(TranscriptDelta("resp_1", "item_2", 0, "Hello"), end + 0.80)
    timing.receive(SOUND, end + 0.90)
    timing.sent(-70.0, end + 0.905, end + 0.985)  # silence before the first word
    timing.sent(-30.0, end + 0.91, end + 0.99)
    timing.sent(-30.0, end + 0.93, end + 1.01)


def test_every_step_of_a_spoken_turn_is_kept_from_the_last_sound_of_the_voice_on() -> None:
    timing = Timing()
    a_spoken_turn(timing)
    (turn,) = timing.turns
    assert (turn.number, turn.kind) == (1, "spoken")
    assert turn.began == pytest.approx(11.5)
    assert turn.felt_s == pytest.approx(0.99)
    assert [step for step, _ in waits(turn)] == list(STEPS)
    assert [round(wait, 2) for _, wait in waits(turn)] == [0.5, 0.01, 0.02, 0.27, 0.1, 0.01, 0.08]
    assert reason(turn) == (
        "0.99 s, of which 0.50 s: turn detection waited, to be sure that you had finished."
    )


def test_a_step_counts_once_and_not_after_a_later_one() -> None:
    timing = Timing()
    timing.typed(1.0)
    timing.receive(SOUND, 2.0)
    timing.receive(SOUND, 3.0)
    timing.receive(ResponseCreated("resp_1"), 4.0)
    timing.receive(TextDelta("resp_1", "item_2", 0, "late"), 5.0)
    assert timing.turns[0].steps == {Step.TOKEN: 2.0, Step.AUDIO: 2.0}


@pytest.mark.parametrize("kind", ["typed", "held"])
def test_turns_without_detection_begin_when_they_are_handed_over(kind: str) -> None:
    timing = Timing()
    (timing.typed if kind == "typed" else timing.released)(5.0)
    timing.receive(ResponseCreated("resp_1"), 5.1)
    timing.receive(Other("rate_limits.updated"), 5.1)
    timing.receive(SOUND, 5.4)
    timing.sent(-30.0, 5.4, 5.4)
    (turn,) = timing.turns
    assert (turn.kind, turn.began) == (kind, 5.0)
    assert turn.felt_s == pytest.approx(0.4)
    assert reason(turn) == "0.40 s, of which 0.30 s: the model thought."


def test_a_voice_that_no_level_shows_ends_when_the_server_says_so() -> None:
    timing = Timing()
    timing.receive(SpeechStopped("item_1"), 7.0)
    assert timing.turns[0].began == 7.0


def test_what_no_turn_asked_for_is_no_turn() -> None:
    timing = Timing()
    timing.receive(ResponseCreated("resp_1"), 1.0)
    timing.receive(SOUND, 2.0)
    timing.ran(1.0)
    timing.sent(-30.0, 2.0, 2.1)
    assert timing.turns == []


def test_the_sound_of_an_earlier_answer_is_not_taken_for_the_new_one() -> None:
    timing = Timing()
    timing.typed(1.0)
    timing.sent(-30.0, 1.1, 1.2)
    assert timing.turns[0].steps == {}
    assert reason(timing.turns[0]) == ""


def test_functions_count_apart_from_the_thinking() -> None:
    timing = Timing()
    timing.typed(0.0)
    timing.receive(ResponseCreated("resp_1"), 0.1)
    timing.ran(0.5)
    timing.ran(0.4)
    timing.receive(SOUND, 1.5)
    timing.sent(-30.0, 1.5, 1.5)
    assert reason(timing.turns[0]) == "1.50 s, of which 0.90 s: functions ran."


def test_functions_that_ran_beside_each_other_took_no_longer_than_the_answer() -> None:
    steps = {Step.TOKEN: 1.0, Step.AUDIO: 1.2, Step.SENT: 1.2}
    turn = Turn(1, "typed", 0.0, steps, functions_s=3.0)
    assert reason(turn) == "1.20 s, of which 1.00 s: functions ran."


def test_a_voice_stands_out_of_the_room_and_of_nothing_else() -> None:
    voice = Voice()
    voice.frame(-90.0, 1.0)  # switched off
    voice.frame(-40.0, 2.0)  # a loud room
    voice.frame(-39.0, 3.0)
    assert voice.last == 0.0
    voice.frame(-20.0, 4.0)
    assert voice.last == 4.0
    voice.frame(-40.0, 5.0)
    assert voice.last == 4.0


def test_a_room_that_becomes_louder_is_no_voice_for_long() -> None:
    voice = Voice()
    voice.frame(-60.0, 0.0)
    now = 0.0
    while now < 30.0:
        now += FRAME_S
        voice.frame(-45.0, now)
    assert 2.0 < voice.last < 5.0


def test_the_oldest_turns_of_an_endless_call_are_forgotten() -> None:
    timing = Timing()
    for index in range(MOST_TURNS + 5):
        timing.typed(float(index))
    assert len(timing.turns) == MOST_TURNS
    assert (timing.turns[0].number, timing.turns[-1].number) == (6, MOST_TURNS + 5)


def test_percentiles_are_of_answered_turns() -> None:
    turns = [Turn(n, "typed", 0.0, {Step.SENT: float(n)}) for n in range(1, 21)]
    turns.append(Turn(21, "typed", 0.0))
    assert percentile(turns, 0.5) == 10.0
    assert percentile(turns, 0.95) == 19.0
    assert percentile(turns, 0.0) == 1.0
    assert percentile([], 0.5) is None
