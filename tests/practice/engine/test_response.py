"""One answer, as a client meets it."""

from dataclasses import replace
from typing import Any

from components.practice.engine.engine import counting_ids
from components.practice.engine.items import Conversation, Item, Part
from components.practice.engine.outputs import Outbox, Think
from components.practice.engine.response import Plan, Response
from tests.practice.drive import Drive, Outputs

VAD = {"type": "server_vad", "silence_duration_ms": 500}
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}


def test_the_answer_waits_for_the_words() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    outputs = Outputs([*drive.user_sounds(1000, 0.9), *drive.user_sounds(500, 0.0)])

    assert "response.created" in outputs.types
    assert "Think" not in outputs.types


def test_late_results_of_an_interrupted_answer_are_ignored() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    response_id = drive.think(drive.spoken_turn())
    drive.user_sounds(200, 0.9)

    assert drive.say(response_id, "Too late.") == []
    assert drive.sound(response_id, "Too late.") == []
    assert drive.engine.call(response_id, "look", "{}", 0) == []
    assert drive.engine.said(response_id, 0) == []
    assert drive.engine.fail(response_id, "x", "x", 0) == []


def test_an_answer_truncated_under_way_stays_cut() -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "interrupt_response": False})
    response_id = drive.think(drive.spoken_turn())
    drive.engine.say(response_id, "One two three.", 0)
    item_id = drive.sound(response_id, "One two ").event("response.output_item.added")["item"]["id"]
    drive.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=200)

    drive.sound(response_id, "three.")
    item = drive.send("conversation.item.retrieve", item_id=item_id).events[0]["item"]

    assert item["content"][0]["transcript"] == "One "


def test_text_answers_have_no_sound() -> None:
    drive = Drive()
    drive.update(output_modalities=["text"])
    drive.type("a")

    answered = drive.say(drive.think(drive.send("response.create")), "Two words.")

    assert answered.types == [
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert answered.event("response.output_text.done")["text"] == "Two words."
    usage = answered.event("response.done")["response"]["usage"]
    assert usage["output_token_details"] == {"text_tokens": 3, "audio_tokens": 0}


def test_a_function_call_and_its_output() -> None:
    drive = Drive()
    drive.update(tools=[TOOL], tool_choice={"type": "function", "name": "look"})
    drive.type("look")
    response_id = drive.think(drive.send("response.create"))
    called = Outputs(
        [
            *drive.engine.call(response_id, "look", '{"at":"me"}', 0),
            *drive.engine.thought(response_id, 0),
        ]
    )
    call = called.event("response.function_call_arguments.done")

    output = drive.send(
        "conversation.item.create",
        item={"type": "function_call_output", "call_id": call["call_id"], "output": "seen"},
    )
    think: Think = drive.send("response.create").one(Think)

    assert called.types == [
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert (call["name"], call["arguments"]) == ("look", '{"at":"me"}')
    assert called.event("response.output_item.added")["item"]["arguments"] == ""
    assert output.types == ["conversation.item.added", "conversation.item.done"]
    assert think.items[-1]["output"] == "seen"


def test_speech_and_a_call_in_one_answer() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    response_id = drive.think(drive.spoken_turn())
    speak = Outputs(drive.engine.say(response_id, "One moment.", 0))
    waiting = drive.engine.call(response_id, "look", "{}", 0)
    drive.engine.thought(response_id, 0)
    drive.sound(response_id, "One moment.")

    rest = Outputs(drive.engine.said(response_id, 0))

    assert speak.types == ["Speak"]
    assert waiting == []
    response = rest.event("response.done")["response"]
    assert [item["type"] for item in response["output"]] == ["message", "function_call"]
    assert rest.event("response.function_call_arguments.done")["output_index"] == 1


def test_sentences_of_one_answer_are_one_message() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    response_id = drive.think(drive.spoken_turn())
    for sentence in ("Hello.", "How are you?", "  ", "Well? "):
        drive.engine.say(response_id, sentence, 0)
    drive.engine.thought(response_id, 0)

    outputs: list[Any] = []
    for sentence in ("Hello.", "How are you?", "Well? "):
        outputs += drive.sound(response_id, sentence)
        outputs += drive.engine.spoken(response_id, b"", "", 0)
        outputs += drive.engine.said(response_id, 0)

    done = Outputs(outputs).event("response.output_audio_transcript.done")
    assert done["transcript"] == "Hello. How are you? Well? "


def test_an_answer_stops_at_its_token_limit() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.update(max_output_tokens=10)

    answered = drive.say(drive.think(drive.spoken_turn()), "One two three four five six.")
    response = answered.event("response.done")["response"]

    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"
    assert response["output"][0]["content"][0]["transcript"] == "One two three "
    assert response["usage"]["output_token_details"] == {"text_tokens": 4, "audio_tokens": 12}
    assert "Cancel" in answered.types


def test_a_text_answer_stops_at_its_token_limit() -> None:
    drive = Drive()
    drive.type("a")
    created = drive.send(
        "response.create", response={"output_modalities": ["text"], "max_output_tokens": 1}
    )

    answered = drive.say(drive.think(created), "abcd efgh ijkl")

    assert answered.event("response.output_text.done")["text"] == "abcd efgh"
    assert answered.event("response.done")["response"]["status"] == "incomplete"


def test_a_call_beyond_the_token_limit_is_marked() -> None:
    drive = Drive()
    created = drive.send("response.create", response={"max_output_tokens": 1})

    called = Outputs(drive.engine.call(drive.think(created), "look", '{"at":"something"}', 0))

    assert called.event("response.done")["response"]["status"] == "incomplete"


def test_an_answer_that_fails_says_why() -> None:
    drive = Drive()
    response_id = drive.think(drive.send("response.create"))

    failed = Outputs(drive.engine.fail(response_id, "server_error", "Broken.", 0))
    response = failed.event("response.done")["response"]

    assert response["status"] == "failed"
    assert response["status_details"]["error"] == {
        "type": "server_error",
        "code": "server_error",
        "message": "Broken.",
    }
    assert response["usage"] is None


def response(prompt: str = "", **changes: Any) -> tuple[Response, Outbox]:
    """A response on its own, begun."""
    outbox = Outbox(counting_ids())
    plan = Plan(
        modality="audio",
        voice="marin",
        output_format={"type": "audio/pcm", "rate": 24_000},
        speed=1.0,
        instructions="",
        tools=(),
        tool_choice="auto",
        max_output_tokens="inf",
        metadata=None,
        conversation_id=None,
        context=(),
        prompt=prompt,
    )
    begun = Response("resp", replace(plan, **changes), outbox, Conversation())
    begun.start_when_transcribed()
    return begun, outbox


def test_given_words_are_said_without_thinking() -> None:
    _, outbox = response("Still there?")

    assert Outputs(outbox.drain()).types == ["response.created", "Speak"]


def test_given_words_may_be_too_many() -> None:
    begun, outbox = response("far too many words", modality="text", max_output_tokens=1)

    assert begun.status == "incomplete"
    assert "Think" not in Outputs(outbox.drain()).types


def test_thinking_begins_once() -> None:
    begun, outbox = response()
    begun.start_when_transcribed()

    assert Outputs(outbox.drain()).types == ["response.created", "Think"]


def test_nothing_is_said_after_the_last_word() -> None:
    begun, outbox = response()
    begun.say("The end.")
    begun.thought()
    outbox.drain()

    begun.say("More.")
    begun.call("look", "{}")
    begun.said()

    assert begun.done
    assert outbox.drain() == []


def test_sound_without_a_sentence_is_ignored() -> None:
    begun, outbox = response()
    outbox.drain()

    begun.spoken(bytes(960), "What?")
    begun.said()

    assert outbox.drain() == []


def test_a_response_that_is_done_stays_so() -> None:
    begun, outbox = response()
    begun.say("Well, ")
    begun.finish("cancelled", "client_cancelled")
    outbox.drain()

    begun.say("More.")
    begun.call("look", "{}")
    begun.thought()
    begun.spoken(bytes(960), "Well, ")
    begun.said()

    assert outbox.drain() == []
    assert begun.status == "cancelled"


def test_an_answer_beside_the_conversation_is_in_no_conversation() -> None:
    begun, outbox = response()
    begun.say("Aside.")
    begun.spoken(bytes(960), "Aside.")
    begun.said()
    begun.thought()
    begun.announce(None)

    outputs = Outputs(outbox.drain())
    assert not any(type_.startswith("conversation.") for type_ in outputs.types)
    assert outputs.event("response.done")["response"]["conversation_id"] is None


def test_typed_words_are_the_last_words() -> None:
    typed = Item("a", {"type": "message", "role": "user"}, [Part("input_text", "hello")])
    _, outbox = response(context=(typed,))

    think: Think = Outputs(outbox.drain()).one(Think)
    assert (think.words, think.seconds) == ("hello", 0.0)


def test_sound_given_without_words_is_only_so_long() -> None:
    sound = Part("input_audio", None, bytearray(48_000), 48_000)
    _, outbox = response(context=(Item("a", {"type": "message", "role": "user"}, [sound]),))

    think: Think = Outputs(outbox.drain()).one(Think)
    assert (think.words, think.seconds) == (None, 1.0)
