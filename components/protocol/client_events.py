"""The client events we send.

Rule: our side speaks the GA protocol only.
"""

from components.audio import encode
from components.protocol.fields import Json


def append_audio(pcm: bytes) -> str:
    """The text of an `input_audio_buffer.append`; by hand, as it is sent 50 times a second."""
    return f'{{"type":"input_audio_buffer.append","audio":"{encode(pcm)}"}}'


def user_message(item_id: str, text: str, image_url: str = "") -> Json:
    """A typed turn: words, an image, or both; the image as a data URL.

    The event is named like its item: what the server says of the event is about that.
    """
    content = [{"type": "input_text", "text": text}] if text else []
    if image_url:
        content.append({"type": "input_image", "image_url": image_url})
    return {
        "type": "conversation.item.create",
        "event_id": item_id,
        "item": {
            "id": item_id,
            "type": "message",
            "role": "user",
            "content": content,
        },
    }


def truncate(item_id: str, content_index: int, audio_end_ms: int, event_id: str) -> Json:
    """What the user has heard of an item; the API refuses more than it has sent."""
    return {
        "type": "conversation.item.truncate",
        "event_id": event_id,
        "item_id": item_id,
        "content_index": content_index,
        "audio_end_ms": audio_end_ms,
    }
