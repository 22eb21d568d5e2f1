"""The events that tell a client what its user said.

Rule: the deltas of a transcript together are what `completed` says, with the usage; without words
it is `failed`.
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
    "message": "The practice server has no ears here, or too many speak to it at once.",
    "param": None,
}


_EVENT: Final = "conversation.item.input_audio_transcription"


def announce_words(outbox: Outbox, item: Item, words: str) -> None:
    """Send the next words of a user's transcript."""
    item.announced += words
    outbox.emit(f"{_EVENT}.delta", item_id=item.id, content_index=0, delta=words)


def announce_transcript(outbox: Outbox, item: Item) -> None:
    """Send a user's transcript, and write it into the item's content; or say why there is none."""
    address: dict[str, Any] = {"item_id": item.id, "content_index": 0}
    if not item.recognised:
        error = _UNINTELLIGIBLE if item.recognised == "" else _NO_EARS
        outbox.emit(f"{_EVENT}.failed", **address, error=error)
        return
    for part in item.content or ():
        part.text = item.recognised
    if rest := item.recognised.removeprefix(item.announced):
        announce_words(outbox, item, rest)
    usage = _usage(item, item.recognised)
    outbox.emit(f"{_EVENT}.completed", **address, transcript=item.recognised, usage=usage)


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
