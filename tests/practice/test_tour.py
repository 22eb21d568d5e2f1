"""The tour over a real socket: a client that hears, speaks, talks over the count, and types."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from components.audio import BYTES_PER_MS, encode
from components.practice.brain import tour
from components.practice.brain.rules import Remind
from components.practice.brain.tour import WELCOME
from tests.practice.fakes import SILENCE_MS, SPEECH_MS, FakeEars
from tests.practice.socket_client import answer, realtime, running, send, until

WORD_MS = 200
"""The fake voice takes so long for each."""


@pytest.fixture(params=[("Not op ed",), ("",), (None,)], ids=["nonsense", "no words", "no ears"])
async def socket(request: pytest.FixtureRequest) -> AsyncIterator[ClientConnection]:
    """A session with ears that understand nothing."""
    async with running(ears=FakeEars(request.param)) as server, realtime(server) as socket:
        detection = {"type": "server_vad", "silence_duration_ms": 500}
        session = {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
        await send(socket, "session.update", session=session)
        yield socket


async def begin_to_speak(socket: ClientConnection, length_ms: int) -> None:
    pcm = SPEECH_MS * length_ms
    for start in range(0, len(pcm), 20 * BYTES_PER_MS):
        frame = encode(pcm[start : start + 20 * BYTES_PER_MS])
        await send(socket, "input_audio_buffer.append", audio=frame)


async def fall_silent(socket: ClientConnection) -> dict[str, Any]:
    """The answer to what was said."""
    await send(socket, "input_audio_buffer.append", audio=encode(SILENCE_MS * 600))
    return dict((await until(socket, "response.done"))["response"])


def item_of(response: dict[str, Any]) -> dict[str, Any]:
    return dict(response["output"][0])


def words_of(response: dict[str, Any]) -> str:
    return str(item_of(response)["content"][0]["transcript"])


async def test_the_tour_goes_to_its_end_whatever_the_ears_make_of_it(
    socket: ClientConnection,
) -> None:
    assert words_of(await answer(socket, "Take the tour")) == WELCOME

    await begin_to_speak(socket, 1400)
    counting = await fall_silent(socket)
    counted = words_of(counting)
    assert counted.startswith(
        "I heard you for 1.4 seconds; half a second after you stopped I knew. "
        "Now I count. Talk over me. 1, 2, 3, "
    )

    heard_ms = WORD_MS * counted.split(" ").index("11,") + WORD_MS // 2
    await begin_to_speak(socket, 400)
    await send(
        socket,
        "conversation.item.truncate",
        item_id=item_of(counting)["id"],
        content_index=0,
        audio_end_ms=heard_ms,
    )
    assert words_of(await fall_silent(socket)) == (
        "You stopped me at eleven; what came after is struck through in the transcript. "
        "Now type something."
    )

    assert words_of(await answer(socket, "lorem ipsum")) == "I read it at once. That was the tour."
    assert words_of(await answer(socket, "lorem ipsum")).startswith("I don't know that. Try: ")


async def test_the_tour_is_left_by_a_typed_question(socket: ClientConnection) -> None:
    await answer(socket, "take the tour")

    assert words_of(await answer(socket, "12 plus 30")) == "12 plus 30 is 42."
    await begin_to_speak(socket, 1000)
    assert "I heard you for" not in words_of(await fall_silent(socket))


async def test_who_stays_silent_is_asked_for_the_microphone(
    socket: ClientConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tour, "SILENCE", Remind(tour.SILENCE.text, 0.05))
    await answer(socket, "take the tour")
    asked = (await until(socket, "response.done"))["response"]
    await begin_to_speak(socket, 1400)

    assert words_of(asked) == "I hear nothing. Is your microphone on?"
    assert words_of(await fall_silent(socket)).startswith("I heard you for 1.4 seconds; half a")
