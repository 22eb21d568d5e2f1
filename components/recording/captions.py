"""When each message is heard in a recording.

Rule: a message begins where its voice does. Servers tell of a voice some time after it began, and
the ledger of sound knows when a reply is heard to a tenth of a second; the sound itself knows it to
20 ms. A message without a voice near it keeps the time at which it was shown.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from components.core.conversation import Conversation, Message
from components.recording.voices import Voices

NOTICED_WITHIN_S: Final = 1.5
"""So long after its beginning a server may tell of a user's voice."""
LEDGER_OFF_S: Final = 0.5
SPARE_S: Final = 0.1


def aligned(
    conversation: Conversation, heard_since: Mapping[str, float], begun: float, voices: Voices
) -> Conversation:
    """The messages of a recording, with times in seconds of it.

    `begun` is its first moment, on the clock of the call, and `heard_since` when the first word of
    each item was heard, on the same clock. What was over before is left out.
    """
    messages = tuple(
        _aligned(message, heard_since.get(message.item_id), begun, voices)
        for message in conversation.messages
        if message.until_s is not None and message.until_s >= begun
    )
    return replace(conversation, messages=messages)


def _aligned(message: Message, heard_since: float | None, begun: float, voices: Voices) -> Message:
    since, until = (_after(begun, moment) for moment in (message.since_s, message.until_s))
    if message.role == "user":
        near = _between(voices.user.onsets, since - NOTICED_WITHIN_S, since + SPARE_S)
        since = max(near, default=since)
    elif heard_since is not None:
        heard = _after(begun, heard_since)
        near = _between(voices.assistant.onsets, heard - LEDGER_OFF_S, heard + LEDGER_OFF_S)
        since = min(near, key=lambda onset: abs(onset - heard), default=heard)
    return replace(message, since_s=since, until_s=max(since, until))


def _after(begun: float, moment: float | None) -> float:
    return max(0.0, (moment or begun) - begun)


def _between(onsets: list[float], first: float, last: float) -> list[float]:
    return [onset for onset in onsets if first <= onset <= last]
