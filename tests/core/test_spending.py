"""What each turn has used, however late and however often the server tells of it."""

from components.core.spending import EARLIER, MOST_OPEN, MOST_ROWS, Spending
from components.protocol.errors import ServerError
from components.protocol.events import (
    BufferCommitted,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    TranscriptionDone,
)
from components.protocol.usage import Usage


def done(response_id: str, usage: Usage) -> ResponseDone:
    return ResponseDone(response_id, "completed", (), ServerError(), usage)


def written(item_id: str, seconds: float) -> TranscriptionDone:
    return TranscriptionDone(item_id, 0, "words", Usage(transcription_s=seconds))


def told(spending: Spending) -> list[tuple[int, str, Usage]]:
    return [(row.turn, row.transcription_model, row.usage) for row in spending.rows]


def test_a_turn_holds_its_answer_and_the_transcript_of_its_question() -> None:
    spending = Spending()
    spending.receive(SessionCreated(None, "", "whisper-1"), 0, 0.0)
    spending.receive(BufferCommitted("i1", None), 1, 1.0)
    spending.receive(ResponseCreated("r1"), 1, 1.1)
    spending.receive(written("i1", 2.0), 1, 1.5)
    assert spending.revision == 1
    spending.receive(done("r1", Usage(input_text=10, output_audio=5)), 1, 2.0)
    assert spending.revision == 2
    both = Usage(input_text=10, output_audio=5, transcription_s=2.0)
    assert told(spending) == [(1, "whisper-1", both)]
    assert spending.rows[0].at == 2.0


def test_what_is_reported_late_belongs_to_the_turn_in_which_it_began() -> None:
    spending = Spending()
    spending.receive(BufferCommitted("i1", None), 1, 1.0)
    spending.receive(ResponseCreated("r1"), 1, 1.0)
    spending.receive(SpeechStarted("i2"), 1, 2.0)
    spending.receive(ResponseCreated("r2"), 2, 3.0)
    spending.receive(done("r2", Usage(output_text=2)), 2, 3.5)
    spending.receive(done("r1", Usage(output_text=1)), 2, 4.0)
    spending.receive(written("i1", 1.0), 2, 4.0)
    assert told(spending) == [
        (1, "", Usage(output_text=1, transcription_s=1.0)),
        (2, "", Usage(output_text=2)),
    ]


def test_what_the_assistant_says_before_anybody_asks_comes_first() -> None:
    spending = Spending()
    spending.receive(done("r1", Usage(output_text=3)), 0, 1.0)
    assert told(spending) == [(EARLIER, "", Usage(output_text=3))]


def test_an_answer_without_a_figure_is_counted_as_one() -> None:
    spending = Spending()
    spending.receive(done("r1", Usage(unreported=1)), 1, 1.0)
    assert spending.rows[0].usage.unreported == 1


def test_another_transcription_model_has_a_row_of_its_own_as_its_price_is_another() -> None:
    spending = Spending()
    spending.receive(SessionUpdated(None, True, "whisper-1"), 1, 1.0)
    spending.receive(written("i1", 1.0), 1, 1.0)
    spending.receive(SessionUpdated(None, True, "gpt-transcribe"), 1, 2.0)
    spending.receive(written("i2", 2.0), 1, 2.0)
    assert told(spending) == [
        (1, "whisper-1", Usage(transcription_s=1.0)),
        (1, "gpt-transcribe", Usage(transcription_s=2.0)),
    ]


def test_the_oldest_turns_become_one_and_the_sum_stays() -> None:
    spending = Spending()
    turns = MOST_ROWS + 10
    for turn in range(1, turns + 1):
        spending.receive(done(f"r{turn}", Usage(output_text=1)), turn, float(turn))
    assert len(spending.rows) == MOST_ROWS
    assert (spending.rows[0].turn, spending.rows[0].usage) == (EARLIER, Usage(output_text=11))
    assert [row.turn for row in spending.rows[1:]] == list(range(12, turns + 1))


def test_a_server_with_a_new_transcription_model_for_every_sound_has_bounded_turns() -> None:
    spending = Spending()
    for n in range(3 * MOST_ROWS):
        spending.receive(SessionUpdated(None, True, f"model {n}"), 1, 1.0)
        spending.receive(written(f"i{n}", 1.0), 1, 1.0)
    assert len(spending.rows) == MOST_ROWS
    assert [row.transcription_model for row in spending.rows if row.turn == EARLIER][-1] == ""
    assert sum(row.usage.transcription_s for row in spending.rows) == 3 * MOST_ROWS


def test_a_server_that_never_reports_is_not_remembered_for_ever() -> None:
    spending = Spending()
    for n in range(MOST_OPEN + 1):
        spending.receive(ResponseCreated(f"r{n}"), n, 1.0)
    spending.receive(done("r0", Usage(output_text=1)), 99, 2.0)
    spending.receive(done("r1", Usage(output_text=1)), 99, 2.0)
    assert [row.turn for row in spending.rows] == [1, 99]
