"""The session object, as a client meets it."""

import pytest

from components.practice.engine import sessions
from components.practice.engine.outputs import Speak
from components.practice.engine.sessions import DEFAULT_INSTRUCTIONS
from tests.practice.drive import Drive

VAD = {"type": "server_vad", "silence_duration_ms": 500}


def test_a_session_begins_with_all_its_values() -> None:
    drive = Drive(unix_time=1000, notes=["No ears."], session_seconds=60)

    session = drive.opened.events[0]["session"]

    assert drive.opened.types == ["session.created", "conversation.created"]
    assert session["expires_at"] == 1060
    assert session["instructions"] == DEFAULT_INSTRUCTIONS
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 200
    assert session["practice"]["notes"] == ["No ears."]
    assert "ignores the instructions" in session["practice"]["remarks"][0]


def test_a_chat_model_does_not_ignore_instructions() -> None:
    session = Drive(rules=False).opened.events[0]["session"]

    assert not any("instructions" in remark for remark in session["practice"]["remarks"])


def test_an_update_changes_what_it_names() -> None:
    drive = Drive()

    updated = drive.update(instructions="", audio={"output": {"voice": "cedar"}})
    session = updated.event("session.updated")["session"]

    assert session["instructions"] == ""
    assert session["audio"]["output"]["voice"] == "cedar"
    assert session["audio"]["output"]["speed"] == 1.0
    assert session["audio"]["input"] == drive.opened.events[0]["session"]["audio"]["input"]


def test_one_bad_field_rejects_the_whole_update() -> None:
    drive = Drive()

    refused = drive.update(instructions="New.", reasoning={"effort": "low"})
    session = drive.update().event("session.updated")["session"]

    assert refused.error["param"] == "session.reasoning"
    assert session["instructions"] == DEFAULT_INSTRUCTIONS


def test_a_voice_is_fixed_by_the_first_sound() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.answered_turn()

    refused = drive.update(audio={"output": {"voice": "cedar"}})
    same = drive.update(audio={"output": {"voice": "marin", "speed": 0.5}})
    one_answer = drive.send("response.create", response={"audio": {"output": {"voice": "ash"}}})

    assert refused.error["code"] == "cannot_update_voice"
    assert same.types == ["session.updated"]
    assert one_answer.error["param"] == "response.audio.output.voice"


@pytest.mark.parametrize(
    ("model", "realtime", "reasoning"),
    [
        ("practice-engine", True, False),
        ("gpt-realtime", True, False),
        ("gpt-realtime-2025-08-28", True, False),
        ("gpt-realtime-1.5", True, False),
        ("gpt-realtime-2", True, True),
        ("gpt-realtime-2.1-mini", True, True),
        ("gpt-4o", False, False),
    ],
)
def test_models_are_known_by_name(model: str, realtime: bool, reasoning: bool) -> None:
    assert sessions.is_realtime_model(model) is realtime
    assert sessions.is_reasoning_model(model) is reasoning


def test_only_reasoning_models_take_reasoning() -> None:
    session = Drive("gpt-realtime-2.1").update(reasoning={"effort": "high"}).events[0]["session"]

    assert session["reasoning"] == {"effort": "high"}
    assert Drive().update(reasoning=None).types == ["session.updated"]


def test_the_model_is_the_one_of_the_connection() -> None:
    drive = Drive()

    assert drive.update(model="practice-engine").types == ["session.updated"]
    assert drive.update(model="gpt-realtime").error["param"] == "session.model"


def test_tracing_is_not_changed_once_it_is_on() -> None:
    drive = Drive()
    drive.update(tracing="auto")

    assert drive.update(tracing=None).error["param"] == "session.tracing"
    assert drive.update(tracing="auto").types == ["session.updated"]


def test_a_forced_tool_must_be_declared() -> None:
    drive = Drive()
    choice = {"type": "function", "name": "look"}
    tool = {"type": "function", "name": "look"}

    assert drive.update(tool_choice=choice).error["param"] == "session.tool_choice"
    assert drive.update(tool_choice=choice, tools=[tool]).types == ["session.updated"]


def test_blocks_are_replaced_whole_and_completed_by_defaults() -> None:
    drive = Drive()
    drive.update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.9}}})

    updated = drive.update(
        audio={
            "input": {"format": {"type": "audio/pcm"}, "turn_detection": {"type": "semantic_vad"}}
        }
    )

    audio_input = updated.events[0]["session"]["audio"]["input"]
    assert audio_input["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert audio_input["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }


def test_transcription_without_a_model_has_the_first_there_was() -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    updated = drive.update(audio={"input": {"transcription": {"language": "en"}}})
    asked = drive.spoken_turn("hello there")

    shown = updated.event("session.updated")["session"]["audio"]["input"]["transcription"]
    assert shown == {"model": "whisper-1", "language": "en"}
    assert "conversation.item.input_audio_transcription.completed" in asked.types


def test_a_voice_of_the_clients_own_is_spoken_by_one_that_there_is() -> None:
    drive = Drive()
    voice = {"id": "voice_1"}

    updated = drive.update(audio={"output": {"voice": voice}}, prompt={"id": "p"})
    drive.type("Hello.")
    asked = drive.send("response.create")
    answer = drive.engine.say(drive.think(asked), "Hi.", 0.0)

    session = updated.event("session.updated")["session"]
    assert (session["audio"]["output"]["voice"], session["prompt"]) == (voice, {"id": "p"})
    assert asked.event("response.created")["response"]["audio"]["output"]["voice"] == "voice_1"
    assert [output.voice for output in answer if isinstance(output, Speak)] == ["marin"]
