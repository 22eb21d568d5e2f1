"""The transcripts that the app and the voice button must both make of the same events."""

import json
from pathlib import Path

import pytest

from components.core.conversation import Conversation, interrupt
from components.core.transcript import reduce
from components.protocol.reading import server_event

CASES = sorted((Path(__file__).parents[1] / "transcripts").glob("*.json"))


def after(conversation, event):
    """The conversation after one step of a case."""
    if event["type"] == "interrupt":
        return interrupt(conversation, event["item_id"])
    return reduce(conversation, server_event(event))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_transcript_is_the_one_of_the_case(path):
    case = json.loads(path.read_text("utf-8"))
    conversation = Conversation()
    for event in case["events"]:
        conversation = after(conversation, event)
    messages = [{"role": m.role, "status": m.status, "text": m.text} for m in conversation.messages]
    assert messages == case["messages"], case["why"]
