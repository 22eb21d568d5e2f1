"""The input audio buffer and its turns, as a client meets them."""

import pytest

from components.audio import decode
from components.practice.engine.outputs import Detect, Pause, Recognise, Resume
from tests.practice.drive import Drive, Outputs, audio

NO_VAD = None
VAD = {"type": "server_vad", "silence_duration_ms": 500}


def idle_drive(timeout_ms: int | None = 5000) -> Drive:
    drive = Drive()
    drive.turn_detection({**VAD, "idle_timeout_ms": timeout_ms})
    return drive


def test_a_turn_is_one_item_from_the_announcement_on() -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    asked = drive.spoken_turn()
    started = asked.event("input_audio_buffer.speech_started")
    stopped = asked.event("input_audio_buffer.speech_stopped")
    added = asked.event("conversation.item.added")

    assert started["audio_start_ms"] == 0
    assert stopped["audio_end_ms"] == 1500
    assert started["item_id"] == stopped["item_id"] == added["item"]["id"]
    assert added["previous_item_id"] is None
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]


def test_the_start_includes_the_prefix_padding_and_so_does_the_audio() -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "prefix_padding_ms": 300})
    drive.user_sounds(1000, 0.0)

    asked = drive.spoken_turn()
    started = asked.event("input_audio_buffer.speech_started")
    fed = b"".join(output.pcm for output in asked if isinstance(output, Recognise))
    retrieved = drive.send("conversation.item.retrieve", item_id=started["item_id"])
    content = retrieved.event("conversation.item.retrieved")["item"]["content"][0]

    assert started["audio_start_ms"] == 700
    assert len(fed) == len(decode(content["audio"])) == (300 + 1000 + 500) * 48
    assert content["transcript"] == "hello there"


def test_positions_go_on_across_turns() -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "create_response": False})
    drive.spoken_turn()

    second = drive.spoken_turn()

    assert second.event("input_audio_buffer.speech_started")["audio_start_ms"] == 1500
    assert second.event("input_audio_buffer.speech_stopped")["audio_end_ms"] == 3000
    assert "response.created" not in second.types


def test_semantic_turns_end_after_a_pause() -> None:
    drive = Drive()
    drive.turn_detection({"type": "semantic_vad", "eagerness": "high"})
    drive.user_sounds(1000, 0.9)

    assert "input_audio_buffer.speech_stopped" not in drive.user_sounds(380, 0.0).types
    assert "input_audio_buffer.speech_stopped" in drive.user_sounds(20, 0.0).types


def test_nothing_is_detected_without_turn_detection() -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)

    outputs = drive.user_sounds(1000, 0.9)

    assert outputs.types == ["Recognise"]
    assert drive.engine.detected([0.9] * 100, 0) == []


def test_push_to_talk() -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)
    first = drive.user_sounds(300, 0.9).one(Recognise)
    second = drive.user_sounds(200, 0.9).one(Recognise)

    committed = drive.send("input_audio_buffer.commit")
    item_id = committed.event("input_audio_buffer.committed")["item_id"]
    created = drive.send("response.create")
    transcribed = Outputs(drive.engine.transcript(item_id, "hello", 0))

    assert first.item_id == second.item_id == item_id
    assert (len(first.pcm), len(second.pcm)) == (300 * 48, 200 * 48)
    assert committed.types == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "Transcribe",
    ]
    assert created.types == ["response.created"]
    assert transcribed.types[-1] == "Think"


@pytest.mark.parametrize("length_ms", [0, 99])
def test_a_commit_needs_100_ms(length_ms: int) -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)
    drive.user_sounds(length_ms, 0.9)

    refused = drive.send("input_audio_buffer.commit", event_id="c1")

    assert refused.error["code"] == "input_audio_buffer_commit_empty"
    assert refused.error["event_id"] == "c1"
    assert f"only has {length_ms}.00ms" in refused.error["message"]


def test_clearing_forgets_the_audio_but_not_the_position() -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)
    drive.user_sounds(500, 0.9)

    cleared = drive.send("input_audio_buffer.clear")
    drive.user_sounds(200, 0.9)
    committed = drive.send("input_audio_buffer.commit")
    item_id = committed.event("input_audio_buffer.committed")["item_id"]
    item = drive.send("conversation.item.retrieve", item_id=item_id).events[0]["item"]

    assert cleared.types == ["Forget", "input_audio_buffer.cleared"]
    assert len(decode(item["content"][0]["audio"])) == 200 * 48


def test_clearing_ends_the_speech_under_way() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.user_sounds(500, 0.9)

    cleared = drive.send("input_audio_buffer.clear")
    again = drive.user_sounds(500, 0.9)

    assert cleared.types == ["Forget", "input_audio_buffer.cleared"]
    assert again.event("input_audio_buffer.speech_started")["audio_start_ms"] == 500


def test_a_commit_under_turn_detection_ends_the_turn() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.user_sounds(1000, 0.0)
    started = drive.user_sounds(500, 0.9).event("input_audio_buffer.speech_started")

    committed = drive.send("input_audio_buffer.commit")
    quiet = drive.user_sounds(1000, 0.0)

    assert committed.event("input_audio_buffer.committed")["item_id"] == started["item_id"]
    assert "response.created" not in committed.types
    assert quiet.types == ["Detect"]


def test_a_commit_of_quiet_audio_is_recognised_whole() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.user_sounds(500, 0.0)

    committed = drive.send("input_audio_buffer.commit")

    assert len(committed.one(Recognise).pcm) == 500 * 48


def test_a_quiet_buffer_keeps_its_last_minute() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    for _ in range(70):
        drive.user_sounds(1000, 0.0)

    assert len(drive.send("input_audio_buffer.commit").one(Recognise).pcm) == 60_000 * 48


def test_a_turn_without_end_is_ended() -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    outputs = Outputs([output for _ in range(31) for output in drive.user_sounds(10_000, 0.9)])

    assert outputs.event("input_audio_buffer.speech_stopped")["audio_end_ms"] == 300_020


def test_a_full_buffer_refuses_more() -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)
    for _ in range(72):
        drive.user_sounds(10_000, 0.9)

    refused = drive.send("input_audio_buffer.append", audio=audio(1000))

    assert refused.error["code"] == "input_audio_buffer_full"


def test_turn_detection_switched_on_starts_with_the_next_audio() -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)
    drive.user_sounds(1000, 0.9)

    switched = drive.turn_detection(VAD)
    detecting = drive.user_sounds(200, 0.9)

    assert switched.types == ["Forget", "session.updated"]
    assert detecting.one(Detect).reset
    assert detecting.event("input_audio_buffer.speech_started")["audio_start_ms"] == 700


def test_turn_detection_changed_during_speech_keeps_the_turn() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.user_sounds(500, 0.9)

    assert drive.turn_detection({**VAD, "silence_duration_ms": 100}).types == ["session.updated"]
    assert "input_audio_buffer.speech_stopped" in drive.user_sounds(100, 0.0).types


def test_turn_detection_switched_off_during_speech_leaves_the_audio() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.user_sounds(500, 0.9)

    assert drive.turn_detection(NO_VAD).types == ["Forget", "session.updated"]
    assert len(drive.user_sounds(100, 0.9).one(Recognise).pcm) == 600 * 48


def test_the_silence_goes_back_no_further_than_the_timeout() -> None:
    drive = idle_drive()
    drive.answered_turn()
    drive.user_sounds(9000, 0.0)

    silence = drive.tick(30.0).event("input_audio_buffer.timeout_triggered")

    assert (silence["audio_start_ms"], silence["audio_end_ms"]) == (5500, 10_500)


def test_ears_learn_of_a_pause_after_all_that_was_said_and_of_its_end() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.user_sounds(1000, 0.9)

    assert Pause not in map(type, drive.user_sounds(140, 0.0))
    quiet = drive.user_sounds(20, 0.0)
    assert quiet.types[-2:] == ["Recognise", "Pause"]
    assert quiet.one(Pause).item_id == quiet.one(Recognise).item_id
    assert Pause not in map(type, drive.user_sounds(100, 0.0))
    assert drive.user_sounds(20, 0.9).types[-2:] == ["Recognise", "Resume"]

    ended = drive.user_sounds(500, 0.0)
    assert ended.one(Pause).item_id == quiet.one(Pause).item_id
    assert Resume not in map(type, ended)


def test_a_turn_without_a_pause_knows_none_from_the_turn_before() -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "create_response": False})
    drive.spoken_turn()

    assert {Pause, Resume}.isdisjoint(map(type, drive.user_sounds(1000, 0.9)))


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ({"language": "de"}, "de"),
        ({"languages": ["fr"]}, "fr"),
        ({"languages": ["fr", "de"]}, ""),
        ({"languages": []}, ""),
        ({}, ""),
    ],
)
def test_ears_learn_the_language(said: dict[str, object], language: str) -> None:
    drive = Drive()
    transcription = {"model": "gpt-transcribe", **said}
    drive.update(audio={"input": {"turn_detection": VAD, "transcription": transcription}})

    heard = [o for o in drive.user_sounds(1000, 0.9) if isinstance(o, Recognise)]
    assert {output.language for output in heard} == {language}
