"""The conversation's items, as a client meets them."""

from typing import Any

from components.audio import BYTES_PER_MS, decode, encode
from components.practice.engine.items import (
    MAX_AUDIO_BYTES,
    Conversation,
    Item,
    Part,
    Tokens,
    item_from,
)
from components.practice.engine.outputs import Recognise, Think
from tests.images import png, url_of
from tests.practice.drive import Drive, Outputs, audio

PCM = {"input_audio": "audio/pcm", "output_audio": "audio/pcm"}
VAD = {"type": "server_vad", "silence_duration_ms": 500}


def test_items_go_where_they_are_told() -> None:
    drive = Drive()
    drive.type("a", id="a")

    root = drive.send(
        "conversation.item.create",
        previous_item_id="root",
        item={
            "id": "r",
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "Be kind."}],
        },
    )
    between = drive.send(
        "conversation.item.create",
        previous_item_id="r",
        item={
            "id": "b",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "b"}],
        },
    )
    think: Think = drive.send("response.create").one(Think)

    assert root.events[0]["previous_item_id"] is None
    assert between.events[0]["previous_item_id"] == "r"
    assert [item["id"] for item in think.items] == ["r", "b", "a"]


def test_an_id_is_used_once_and_a_predecessor_must_exist() -> None:
    drive = Drive()
    drive.type("a", id="a")
    content = [{"type": "input_text", "text": "b"}]
    item = {"type": "message", "role": "user", "content": content}

    reused = drive.type("again", id="a")
    lost = drive.send("conversation.item.create", previous_item_id="no", item=item)

    assert reused.error["code"] == "item_create_duplicate_item_id"
    assert reused.error["param"] is None
    assert lost.error["param"] == "previous_item_id"


def test_deleted_items_are_gone() -> None:
    drive = Drive()
    drive.type("a", id="a")

    assert drive.send("conversation.item.delete", item_id="a").types == [
        "conversation.item.deleted"
    ]
    assert drive.send("response.create").one(Think).items == ()


def test_truncating_cuts_sound_and_words() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    item_id, _ = drive.answered_turn("One two three four.")

    cut = drive.send(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=400
    )
    item = drive.send("conversation.item.retrieve", item_id=item_id).events[0]["item"]

    assert cut.event("conversation.item.truncated")["audio_end_ms"] == 400
    assert item["content"][0]["transcript"] == "One two "
    assert len(decode(item["content"][0]["audio"])) == 400 * 48


def test_truncating_refuses_what_it_cannot_cut() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    item_id, _ = drive.answered_turn("One two three four.")
    drive.type("a", id="typed")

    def cut(item_id: str, index: int, end_ms: int) -> dict[str, Any]:
        return drive.send(
            "conversation.item.truncate",
            item_id=item_id,
            content_index=index,
            audio_end_ms=end_ms,
        ).error

    assert cut(item_id, 0, 801)["message"] == "Audio content of 800ms is already shorter than 801ms"
    assert cut(item_id, 0, 801)["code"] is None
    assert cut(item_id, 1, 0)["param"] == "content_index"
    assert cut("typed", 0, 0)["message"] == "Only model output audio messages can be truncated"


def test_sound_in_odd_pieces_is_as_long_as_all_of_its_bytes() -> None:
    """A client that adds up what it has got may cut there."""
    drive = Drive()
    response_id = drive.think(Outputs([*drive.type("hi"), *drive.send("response.create")]))
    drive.engine.say(response_id, "One.", drive.now)
    sound = [bytes(BYTES_PER_MS // 2)] * 9
    outputs = Outputs(
        [output for pcm in sound for output in drive.engine.spoken(response_id, pcm, "", drive.now)]
    )
    item_id = outputs.events[0]["item"]["id"]

    def cut(end_ms: int) -> Outputs:
        return drive.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=end_ms
        )

    assert cut(5).error["message"] == "Audio content of 4ms is already shorter than 5ms"
    assert cut(4).types == ["conversation.item.truncated"]


def test_an_image_is_shown_as_it_came() -> None:
    drive = Drive()
    image = {"type": "input_image", "image_url": url_of(png(), "png"), "detail": "low"}

    created = drive.send(
        "conversation.item.create", item={"type": "message", "role": "user", "content": [image]}
    )

    assert created.events[0]["item"]["content"] == [image]


def test_an_item_with_a_broken_image_is_refused() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,aaaa"}
    refused = Drive().send(
        "conversation.item.create", item={"type": "message", "role": "user", "content": [image]}
    )

    assert refused.error["param"] == "item.content[0].image_url"


def test_an_item_with_broken_audio_is_refused() -> None:
    content = [{"type": "input_audio", "audio": "*"}]
    refused = Drive().send(
        "conversation.item.create", item={"type": "message", "role": "user", "content": content}
    )

    assert refused.error["param"] == "item.content[0].audio"


def test_a_function_call_is_an_item_without_content() -> None:
    drive = Drive()
    call = {"type": "function_call", "name": "look", "arguments": '{"at": 1}'}
    drive.send("conversation.item.create", item=call)

    think: Think = drive.send("response.create").one(Think)

    assert think.items[0]["arguments"] == '{"at": 1}'
    assert "content" not in think.items[0]


def test_tokens_are_counted_by_kind() -> None:
    fields = {"type": "message", "role": "user"}
    spoken = Item("a", fields, [Part("input_audio", "twelve chars", bytearray(), 48_000)])
    typed = Item("b", fields, [Part("input_text", "twelve chars")])
    answered = Item("c", fields, [Part("output_audio", "twelve chars", bytearray(), 48_000)])
    call = Item("d", {"type": "function_call", "name": "look", "arguments": "{}"})

    assert spoken.tokens() == Tokens(0, 10)
    assert typed.tokens() == Tokens(3, 0)
    assert answered.tokens() == Tokens(3, 20)
    assert call.tokens() == Tokens(2, 0)


def test_context_shows_what_was_recognised_unless_it_was_written_down() -> None:
    fields = {"type": "message", "role": "user"}
    recognised = Item("a", fields, [Part("input_audio", None)], recognised="hello")
    written = Item("b", fields, [Part("input_audio", "Hello!")], recognised="hello")

    assert recognised.context()["content"][0]["transcript"] == "hello"
    assert written.context()["content"][0]["transcript"] == "Hello!"


def test_the_sound_of_old_items_is_not_kept_but_their_length_is() -> None:
    conversation = Conversation()
    half = MAX_AUDIO_BYTES // 2
    fields = {"type": "message", "role": "user"}
    for name in ("old", "new", "newest"):
        part = Part("input_audio", None, bytearray(half), half)
        conversation.insert(Item(name, fields, [part]))

    parts = [item.content[0] for item in conversation.items if item.content]
    assert [len(part.pcm) for part in parts] == [0, half, half]
    assert parts[0].audio_ms == half // 48


def test_words_are_spread_over_their_sound() -> None:
    part = Part("output_audio")
    part.speak(bytes(200 * 48), "One two ")
    part.speak(bytes(200 * 48), "")
    part.speak(bytes(200 * 48), "three.")

    assert part.words == [(0, "One "), (100 * 48, "two "), (400 * 48, "three.")]
    assert part.audio_ms == 600


def test_sentences_that_end_within_a_millisecond_lose_nothing_of_their_length() -> None:
    part = Part("output_audio")
    for word in ("One. ", "Two. ", "Three. ", "Four."):
        part.speak(bytes(200 * 48 + 46), word)
    assert part.audio_ms == 803

    part.truncate(602)  # the fourth begins after 602.9 ms
    assert part.text == "One. Two. Three. "


def test_audio_given_as_an_item_keeps_its_length_and_transcript() -> None:
    sound = {"type": "input_audio", "audio": encode(bytes(4800)), "transcript": "hello"}

    item = item_from({"type": "message", "role": "user", "content": [sound]}, "a", PCM)

    assert item.content == [Part("input_audio", "hello", bytearray(4800), 4800)]


def test_an_assistants_sound_from_the_client_is_kept_and_not_listened_to() -> None:
    drive = Drive()
    part = {"type": "output_audio", "transcript": "Good day.", "audio": audio(1000)}
    item = {"id": "a1", "type": "message", "role": "assistant", "content": [part]}

    created = drive.send("conversation.item.create", item=item)
    drive.send("conversation.item.truncate", item_id="a1", content_index=0, audio_end_ms=400)
    kept = drive.send("conversation.item.retrieve", item_id="a1")

    assert not [output for output in created if isinstance(output, Recognise)]
    [content] = kept.event("conversation.item.retrieved")["item"]["content"]
    assert content == {**part, "transcript": "Good ", "audio": audio(400)}


def test_who_thinks_sees_what_was_sent_of_an_answer_and_what_was_heard_of_it() -> None:
    drive = Drive()
    item_id, _ = drive.answered_turn("one two three four")
    for end_ms in (300, 100):
        drive.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=end_ms
        )
    think: Think = drive.send("response.create").one(Think)
    retrieved = drive.send("conversation.item.retrieve", item_id=item_id)

    (part,) = think.items[-1]["content"]
    assert part["transcript"] == "one "
    assert part["sent"] == "one two three four"
    assert "sent" not in retrieved.events[0]["item"]["content"][0]
