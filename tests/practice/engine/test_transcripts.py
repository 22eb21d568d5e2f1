from typing import Any

import pytest

from components.practice.engine.outputs import Recognise, Think, Transcribe
from tests.practice.drive import Drive, Outputs

TRANSCRIPTION = "conversation.item.input_audio_transcription"
VAD = {"type": "server_vad", "silence_duration_ms": 500}


def usage_with(model: str) -> Any:
    """What the transcript of a turn of one and a half seconds is charged with."""
    drive = Drive()
    drive.turn_detection(VAD)
    drive.update(audio={"input": {"transcription": {"model": model}}})
    turn = drive.spoken_turn("hello there")
    return turn.event("conversation.item.input_audio_transcription.completed")["usage"]


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-4o-mini-transcribe-2025-12-15"])
def test_some_transcription_is_billed_by_tokens(model: str) -> None:
    usage = usage_with(model)

    assert usage["type"] == "tokens"
    assert usage["input_token_details"]["audio_tokens"] == 15
    assert usage["output_tokens"] == 3


@pytest.mark.parametrize(
    "model", ["gpt-transcribe", "gpt-live-transcribe", "gpt-realtime-whisper", "whisper-1"]
)
def test_other_transcription_is_billed_by_time(model: str) -> None:
    assert usage_with(model) == {"type": "duration", "seconds": 1.5}


@pytest.mark.parametrize(
    ("words", "code"), [("", "audio_unintelligible"), (None, "transcription_unavailable")]
)
def test_no_words_are_a_failed_transcription(words: str | None, code: str) -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    asked = drive.spoken_turn(words)
    failed = asked.event("conversation.item.input_audio_transcription.failed")

    assert failed["error"]["code"] == code
    think: Think = asked.one(Think)
    assert (think.words, think.seconds, think.silence_s) == (words, 1.0, 0.5)


def test_words_that_are_understood_before_the_others_are_sent_before_them() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    item_id = drive.user_turn().one(Transcribe).item_id

    first = Outputs(drive.engine.transcribed(item_id, "One."))
    rest = Outputs(drive.engine.transcript(item_id, "One. Two.", drive.now))

    assert first.event(f"{TRANSCRIPTION}.delta")["delta"] == "One."
    assert rest.event(f"{TRANSCRIPTION}.delta")["delta"] == " Two."
    assert rest.event(f"{TRANSCRIPTION}.completed")["transcript"] == "One. Two."
    assert drive.engine.transcribed(item_id, "late") == []


def test_when_all_words_were_sent_before_no_empty_delta_follows() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    item_id = drive.user_turn().one(Transcribe).item_id
    drive.engine.transcribed(item_id, "One.")

    rest = Outputs(drive.engine.transcript(item_id, "One.", drive.now))

    assert f"{TRANSCRIPTION}.delta" not in rest.types
    assert rest.event(f"{TRANSCRIPTION}.completed")["transcript"] == "One."


def test_words_that_nobody_wants_written_down_are_not_sent_early() -> None:
    drive = Drive()
    drive.turn_detection(VAD, transcribe=False)
    item_id = drive.user_turn().one(Transcribe).item_id

    assert drive.engine.transcribed(item_id, "secret") == []


def test_sound_that_a_client_brings_has_the_language_of_its_session() -> None:
    drive = Drive()
    drive.update(audio={"input": {"transcription": {"model": "whisper-1", "language": "de"}}})
    content = [{"type": "input_audio", "audio": "AAAA" * 1600}]
    item = {"type": "message", "role": "user", "content": content}

    assert drive.send("conversation.item.create", item=item).one(Recognise).language == "de"


def test_a_turn_that_the_client_ends_has_no_silence_by_which_its_end_was_known() -> None:
    drive = Drive()
    drive.turn_detection(None)
    drive.user_sounds(1000, 0.9)
    committed = drive.send("input_audio_buffer.commit")
    drive.engine.transcript(committed.one(Transcribe).item_id, "", drive.now)
    think: Think = drive.send("response.create").one(Think)

    assert (think.seconds, think.silence_s) == (1.0, 0.0)


def test_without_transcription_only_the_brain_learns_the_words() -> None:
    drive = Drive()
    drive.turn_detection(VAD, transcribe=False)

    asked = drive.spoken_turn("secret words")

    assert not any("transcription" in type_ for type_ in asked.types)
    think: Think = asked.one(Think)
    assert think.words == "secret words"
    assert think.items[0]["content"][0]["transcript"] == "secret words"
