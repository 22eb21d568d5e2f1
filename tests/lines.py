"""What a server says of items and their words, by hand, and the transcript after it."""

from components.core.conversation import (
    Conversation,
)
from components.core.transcript import reduce
from components.protocol.reading import server_event

NOT_GIVEN = object()


def after(*events, start=None):
    conversation = start or Conversation()
    for event in events:
        conversation = reduce(conversation, server_event(event))
    return conversation


def item(item_id, role="user", previous=NOT_GIVEN, text=None, done=False):
    content = [{"type": "input_text", "text": text}] if text is not None else []
    event = {
        "type": "conversation.item.done" if done else "conversation.item.added",
        "item": {"id": item_id, "type": "message", "role": role, "content": content},
    }
    return event if previous is NOT_GIVEN else {**event, "previous_item_id": previous}


def started(item_id):
    return {"type": "input_audio_buffer.speech_started", "item_id": item_id, "audio_start_ms": 0}


def stopped(item_id):
    return {"type": "input_audio_buffer.speech_stopped", "item_id": item_id, "audio_end_ms": 9}


def committed(item_id, previous=NOT_GIVEN):
    event = {"type": "input_audio_buffer.committed", "item_id": item_id}
    return event if previous is NOT_GIVEN else {**event, "previous_item_id": previous}


def said(item_id, text, kind="completed", index=0):
    return {
        "type": f"conversation.item.input_audio_transcription.{kind}",
        "item_id": item_id,
        "content_index": index,
        "delta" if kind == "delta" else "transcript": text,
    }


def spoke(item_id, text, kind="delta", index=0):
    return {
        "type": f"response.output_audio_transcript.{kind}",
        "item_id": item_id,
        "content_index": index,
        "delta" if kind == "delta" else "transcript": text,
    }


def wrote(item_id, text, kind="delta"):
    return {
        "type": f"response.output_text.{kind}",
        "item_id": item_id,
        "content_index": 0,
        "delta" if kind == "delta" else "text": text,
    }


def ids(conversation):
    return [message.item_id for message in conversation.messages]
