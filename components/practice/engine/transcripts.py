"""The events that tell a client what its user said.

Rule: a transcript is one delta and its `completed` with the usage; without words it is `failed`.
The usage is what the transcription model is billed by: tokens, or seconds.
"""

from collections.abc import Mapping
from typing import Any, Final

from components.practice.engine.items import USER_MS_PER_TOKEN, Item, text_tokens
from components.practice.engine.outputs import Outbox

_UNINTELLIGIBLE: Final = {
    "type": "transcription_error",
    "code": "audio_unintelligible",
    "message": "The audio could not be transcribed.",
    "param": None,
}
_BILLED_BY_TOKENS: Final = ("gpt-4o-transcribe", "gpt-4o-mini-transcribe")
_NO_EARS: Final = {
    "type": "transcription_error",
    "code": "transcription_unavailable",
    "message": "The practice server has no speech recogniser here.",
    "param": None,
}


def announce_transcript(outbox: Outbox, item: Item) -> None:
    """Send a user's transcript, and write it into the item's content; or say why there is none."""
    prefix = "conversation.item.input_audio_transcription"
    address: dict[str, Any] = {"item_id": item.id, "content_index": 0}
    if not item.recognised:
        error = _UNINTELLIGIBLE if item.recognised == "" else _NO_EARS
        outbox.emit(f"{prefix}.failed", **address, error=error)
        return
    for part in item.content or ():
        part.text = item.recognised
    usage = _usage(item, item.recognised)
    outbox.emit(f"{prefix}.delta", **address, delta=item.recognised)
    outbox.emit(f"{prefix}.completed", **address, transcript=item.recognised, usage=usage)


def _usage(item: Item, words: str) -> Mapping[str, Any]:
    if not (item.transcription_model or "").startswith(_BILLED_BY_TOKENS):
        return {"type": "duration", "seconds": item.audio_ms / 1000}
    audio = item.audio_ms // USER_MS_PER_TOKEN
    text = text_tokens(len(words))
    return {
        "type": "tokens",
        "total_tokens": audio + text,
        "input_tokens": audio,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
        "output_tokens": text,
    }
