"""The client events we send, judged by the SDK."""

import pytest

from components.audio import decode
from components.protocol.client_events import append_audio, truncate, user_message
from components.protocol.images import image_of
from tests.images import jpeg
from tests.wire import validate_client_event


@pytest.mark.parametrize(
    ("event", "what"),
    [
        ({"type": "session.update", "session": {"voice": "marin"}}, "validation error"),
        ({"type": "session.update", "session": {"type": "realtime", "voice": "x"}}, "voice"),
        ({"type": "session.updated", "session": {"type": "realtime"}}, "validation error"),
        ({"type": "response.cancel", "id": "1"}, "no id"),
        ({"type": "input_audio_buffer.append", "audio": 7}, "validation error"),
        (
            {
                "type": "conversation.item.create",
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "hi", "colour": 1}],
                },
            },
            "item.content.colour",
        ),
    ],
)
def test_the_judge_refuses_what_the_api_would(event, what):
    with pytest.raises(ValueError, match=what):
        validate_client_event(event)


def test_audio_a_typed_turn_and_a_truncate_are_events_of_the_api():
    text = append_audio(b"\x01\x02\xff\xfe")

    append = validate_client_event(text)
    said = validate_client_event(user_message("item_1", 'a "quote" and ü'))
    cut = validate_client_event(truncate("item_2", 0, 1234, "cut_1"))

    assert decode(append.audio) == b"\x01\x02\xff\xfe"
    assert (said.item.id, said.item.role) == ("item_1", "user")
    assert said.item.content[0].text == 'a "quote" and ü'
    assert (cut.item_id, cut.content_index, cut.audio_end_ms) == ("item_2", 0, 1234)
    assert (said.event_id, cut.event_id) == ("item_1", "cut_1")


@pytest.mark.parametrize(
    ("text", "kinds"), [("What is it?", ["input_text", "input_image"]), ("", ["input_image"])]
)
def test_an_image_goes_along_with_words_or_alone(text, kinds):
    url = image_of(jpeg()).url

    said = validate_client_event(user_message("item_1", text, url))

    assert [part.type for part in said.item.content] == kinds
    assert said.item.content[-1].image_url == url
