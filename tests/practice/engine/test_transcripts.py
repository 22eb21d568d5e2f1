import pytest

from components.practice.engine.outputs import Think
from tests.practice.drive import Drive

VAD = {"type": "server_vad", "silence_duration_ms": 500}


def test_transcription_has_a_price_too() -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    completed = drive.spoken_turn("hello there").event(
        "conversation.item.input_audio_transcription.completed"
    )

    assert completed["usage"]["input_token_details"]["audio_tokens"] == 15
    assert completed["usage"]["output_tokens"] == 3


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
    assert (think.words, think.seconds) == (words, 1.0)


def test_without_transcription_only_the_brain_learns_the_words() -> None:
    drive = Drive()
    drive.turn_detection(VAD, transcribe=False)

    asked = drive.spoken_turn("secret words")

    assert not any("transcription" in type_ for type_ in asked.types)
    think: Think = asked.one(Think)
    assert think.words == "secret words"
    assert think.items[0]["content"][0]["transcript"] == "secret words"
