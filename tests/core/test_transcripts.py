"""The transcripts that the app and the voice button must both make of the same events.

Only the app knows what was heard: `heard` of a message, and what a new session is told (`replay`),
are compared here alone.
"""

import json
from pathlib import Path

import pytest

from components.core.conversation import Conversation, archive, heard_up_to, interrupt, lose
from components.core.history import replay
from components.core.transcript import reduce
from components.protocol.reading import server_event

CASES = sorted((Path(__file__).parents[1] / "transcripts").glob("*.json"))


def after(conversation, step):
    """The conversation after one step of a case: an event of the server, or what we do."""
    match step["type"]:
        case "interrupt":
            return interrupt(conversation, step["item_id"])
        case "heard":
            return heard_up_to(conversation, step["item_id"], step["characters"])
        case "lose":
            return lose(conversation)
        case "archive":
            return archive(conversation)
    return reduce(conversation, server_event(step))


def shown(message, expected):
    """What a case tells of a message; of what was heard only some tell."""
    told = {"role": message.role, "status": message.status, "text": message.text}
    if "heard" in expected:
        told["heard"] = message.text[: message.heard]
    return told


def said(event):
    """Who said what, in an event that tells a new session of it."""
    item = event["item"]
    return {"role": item["role"], "text": item["content"][0]["text"]}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_transcript_is_the_one_of_the_case(path):
    case = json.loads(path.read_text("utf-8"))
    conversation = Conversation()
    for step in case["events"]:
        conversation = after(conversation, step)
    pairs = zip(conversation.messages, case["messages"], strict=True)
    assert [shown(*pair) for pair in pairs] == case["messages"], case["why"]
    if "replay" in case:
        assert [said(event) for event in replay(conversation)] == case["replay"], case["why"]
