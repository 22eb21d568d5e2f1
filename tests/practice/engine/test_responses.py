"""Several answers, as a client meets them."""

from components.practice.engine.outputs import Cancel, Think
from tests.practice.drive import Drive

VAD = {"type": "server_vad", "silence_duration_ms": 500}
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}


def test_speech_interrupts_the_answer() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    response_id = drive.think(drive.spoken_turn())
    drive.engine.say(response_id, "One two three.", 0)
    drive.sound(response_id, "One two ")

    barge_in = drive.user_sounds(200, 0.9)
    response = barge_in.event("response.done")["response"]

    assert [t for t in barge_in.types if t not in ("Detect", "Recognise")] == [
        "input_audio_buffer.speech_started",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "Cancel",
        "response.done",
        "rate_limits.updated",
    ]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert response["usage"] is None
    assert response["output"][0]["status"] == "incomplete"
    assert response["output"][0]["content"][0]["transcript"] == "One two "


def test_an_answer_that_may_not_be_interrupted_goes_on() -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "interrupt_response": False})
    response_id = drive.think(drive.spoken_turn())

    second = drive.spoken_turn()

    assert "response.done" not in second.types
    assert second.error["code"] == "conversation_already_has_active_response"
    assert response_id in second.error["message"]
    assert second.error["event_id"] is None


def test_cancelling_by_hand() -> None:
    drive = Drive()
    drive.type("a")
    response_id = drive.think(drive.send("response.create"))

    cancelled = drive.send("response.cancel", response_id=response_id)
    response = cancelled.event("response.done")["response"]

    assert cancelled.one(Cancel).response_id == response_id
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert response["output"] == []
    assert drive.send("response.create").types == ["response.created", "Think"]


def test_one_answer_at_a_time() -> None:
    drive = Drive()
    drive.type("a")
    response_id = drive.think(drive.send("response.create"))

    refused = drive.send("response.create", event_id="second")

    assert refused.error["code"] == "conversation_already_has_active_response"
    assert refused.error["event_id"] == "second"
    assert response_id in refused.error["message"]


def test_answers_beside_the_conversation_run_at_the_same_time() -> None:
    drive = Drive()
    drive.type("a", id="a")
    main = drive.think(drive.send("response.create"))
    content = [{"type": "input_text", "text": "Translate."}]
    beside = drive.send(
        "response.create",
        response={
            "conversation": "none",
            "metadata": {"topic": "aside"},
            "output_modalities": ["text"],
            "input": [
                {"type": "item_reference", "id": "a"},
                {"type": "message", "role": "user", "content": content},
            ],
        },
    )

    answered = drive.say(drive.think(beside), "Done so.")
    response = answered.event("response.done")["response"]

    assert beside.one(Think).words == "Translate."
    assert len(beside.one(Think).items) == 2
    assert response["conversation_id"] is None
    assert response["metadata"] == {"topic": "aside"}
    assert not any(type_.startswith("conversation.") for type_ in answered.types)
    assert "response.done" in drive.say(main, "Still here.").types


def test_answers_beside_the_conversation_are_limited() -> None:
    drive = Drive()
    for _ in range(17):
        assert (
            "response.created"
            in drive.send("response.create", response={"conversation": "none"}).types
        )

    refused = drive.send("response.create", response={"conversation": "none"})

    assert "Too many" in refused.error["message"]


def test_speech_leaves_answers_beside_the_conversation_alone() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.send("response.create", response={"conversation": "none"})

    assert "response.done" not in drive.user_sounds(500, 0.9).types


def test_a_request_overrides_the_session_for_one_answer() -> None:
    drive = Drive()
    drive.update(tools=[TOOL])
    drive.type("a")

    created = drive.send(
        "response.create",
        response={
            "instructions": "Only now.",
            "tools": [],
            "tool_choice": "none",
            "max_output_tokens": 9,
            "audio": {"output": {"voice": "verse"}},
        },
    )
    think: Think = created.one(Think)
    response = created.event("response.created")["response"]

    assert (think.instructions, think.tools, think.tool_choice) == ("Only now.", [], "none")
    assert response["max_output_tokens"] == 9
    assert response["audio"]["output"]["voice"] == "verse"
    assert response["metadata"] is None


def test_what_is_not_in_progress_cannot_be_continued_or_cancelled() -> None:
    drive = Drive()

    assert drive.engine.say("resp_none", "Hello.", 0) == []
    assert drive.send("response.cancel").error["code"] == "response_cancel_not_active"


def test_a_reference_must_exist() -> None:
    reference = {"type": "item_reference", "id": "no"}

    refused = Drive().send("response.create", response={"input": [reference]})

    assert refused.error["param"] == "response.input[0].id"


def test_answers_beside_the_conversation_do_not_hinder_the_one_in_it() -> None:
    drive = Drive()
    for _ in range(17):
        drive.send("response.create", response={"conversation": "none"})

    assert drive.send("response.create").types == ["response.created", "Think"]
