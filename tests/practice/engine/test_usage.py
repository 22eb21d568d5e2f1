from tests.images import png, url_of
from tests.practice.drive import Drive

VAD = {"type": "server_vad", "silence_duration_ms": 500}


def test_usage_counts_tokens_and_what_was_cached() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.update(instructions="x" * 400)

    _, first = drive.answered_turn("Good day to you.")
    _, second = drive.answered_turn("Good day to you.")
    one = first.event("response.done")["response"]["usage"]
    two = second.event("response.done")["response"]["usage"]

    assert one["input_token_details"]["audio_tokens"] == 15
    assert one["input_token_details"]["text_tokens"] == 100
    assert one["input_token_details"]["cached_tokens"] == 0
    assert one["output_token_details"] == {"text_tokens": 4, "audio_tokens": 16}
    assert one["total_tokens"] == 15 + 100 + 20
    assert two["input_token_details"]["audio_tokens"] == 15 + 16 + 15
    assert two["input_token_details"]["cached_tokens_details"]["text_tokens"] == 64


def test_images_are_counted_apart_and_cached_apart() -> None:
    drive = Drive()
    picture = {"type": "input_image", "image_url": url_of(png(), "png")}
    item = {"type": "message", "role": "user", "content": [picture]}
    drive.send("conversation.item.create", item=item)
    one = drive.say(drive.think(drive.send("response.create")), "A.").event("response.done")
    two = drive.say(drive.think(drive.send("response.create")), "A.").event("response.done")

    details = [done["response"]["usage"]["input_token_details"] for done in (one, two)]
    assert [d["image_tokens"] for d in details] == [765, 765]
    assert [d["cached_tokens_details"]["image_tokens"] for d in details] == [0, 704]
