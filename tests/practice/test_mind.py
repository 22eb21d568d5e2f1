"""A chat endpoint that thinks for the practice server, from the client's side of the socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from components.audio import encode
from components.practice.brain import chat
from components.practice.brain.ollama import find
from components.settings import ChatModel
from tests.practice.chat_endpoint import Answer, Exchange, endpoint
from tests.practice.fakes import SPEECH_MS
from tests.practice.socket_client import answer, realtime, running, send, until

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@asynccontextmanager
async def thinking(think: Answer) -> AsyncIterator[ClientConnection]:
    """A session with a server for which this endpoint thinks."""
    async with (
        endpoint(think) as url,
        running(chat_model=ChatModel(url, "tiny")) as server,
        realtime(server) as socket,
    ):
        yield socket


async def ask(socket: ClientConnection) -> None:
    content = [{"type": "input_text", "text": "Tell me."}]
    item = {"type": "message", "role": "user", "content": content}
    await send(socket, "conversation.item.create", item=item)
    await send(socket, "response.create")


def words_of(response: dict[str, Any]) -> str:
    return str(response["output"][0]["content"][0]["transcript"])


async def test_a_sentence_is_spoken_while_the_next_is_still_thought_of() -> None:
    heard = asyncio.Event()

    async def think(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.say("The first sentence. ", "And")
        await heard.wait()
        await exchange.say(" the rest.")
        await exchange.finish()

    async with thinking(think) as socket:
        await ask(socket)
        await until(socket, "response.output_audio.delta")
        heard.set()
        response = (await until(socket, "response.done"))["response"]

    assert words_of(response) == "The first sentence. And the rest."


async def test_who_speaks_in_between_stops_the_mind_and_the_voice() -> None:
    stopped = asyncio.Event()

    async def think(exchange: Exchange) -> None:
        await exchange.start()
        try:
            while True:
                await exchange.say("One more sentence. ")
                await asyncio.sleep(0.01)
        except ConnectionError:
            stopped.set()

    async with thinking(think) as socket:
        await ask(socket)
        await until(socket, "response.output_audio.delta")
        await send(socket, "input_audio_buffer.append", audio=encode(SPEECH_MS * 300))
        response = (await until(socket, "response.done"))["response"]
        await asyncio.wait_for(stopped.wait(), 10)

    assert response["status"] == "cancelled"
    assert response["status_details"]["reason"] == "turn_detected"


async def test_instructions_and_functions_reach_the_model_and_outputs_come_back_to_it() -> None:
    bodies: list[Any] = []

    async def think(exchange: Exchange) -> None:
        bodies.append(exchange.body)
        await exchange.start()
        if len(bodies) == 1:
            await exchange.call("get_weather", '{"city": "Bern"}')
        else:
            await exchange.say("It rains in Bern.")
            await exchange.finish()

    async with thinking(think) as socket:
        session = {"type": "realtime", "instructions": "Speak like a pirate.", "tools": [WEATHER]}
        await send(socket, "session.update", session=session)
        await ask(socket)
        asked = (await until(socket, "response.done"))["response"]["output"][0]
        item = {"type": "function_call_output", "call_id": asked["call_id"], "output": "rain"}
        await send(socket, "conversation.item.create", item=item)
        await send(socket, "response.create")
        response = (await until(socket, "response.done"))["response"]

    assert (asked["name"], json.loads(asked["arguments"])) == ("get_weather", {"city": "Bern"})
    assert words_of(response) == "It rains in Bern."
    first, second = bodies
    assert first["messages"][0] == {"role": "system", "content": "Speak like a pirate."}
    assert [tool["function"]["name"] for tool in first["tools"]] == ["get_weather"]
    call, output = second["messages"][-2:]
    assert call["tool_calls"][0]["function"]["name"] == "get_weather"
    assert (output["role"], output["content"]) == ("tool", "rain")


async def hang(exchange: Exchange) -> None:
    await exchange.start()
    await asyncio.Event().wait()


async def die(exchange: Exchange) -> None:
    await exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    await exchange.say("The first sentence. And")


async def talk_nonsense(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.write("data: \x00<html>\n\n")


async def die_in_a_function(exchange: Exchange) -> None:
    await exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    call = {"index": 0, "id": "c", "function": {"name": "get_weather", "arguments": '{"ci'}}
    chunk = {"choices": [{"delta": {"tool_calls": [call]}}]}
    await exchange.write(f"data: {json.dumps(chunk)}\n\n")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (hang, "does not answer."),
        (die, "The first sentence. Here my answer breaks off. The chat endpoint"),
        (talk_nonsense, "not a chat completion."),
        (die_in_a_function, "broke off its answer."),
    ],
)
async def test_a_fault_of_the_endpoint_is_a_sentence_and_the_call_goes_on(
    fault: Answer, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "_TIMEOUT", httpx.Timeout(5, read=0.3))
    answers = iter([fault])

    async def think(exchange: Exchange) -> None:
        if broken := next(answers, None):
            await broken(exchange)
        else:
            await exchange.start()
            await exchange.say("Here I am again.")
            await exchange.finish()

    async with thinking(think) as socket:
        failed = await answer(socket)
        second = await answer(socket)

    assert (failed["status"], second["status"]) == ("completed", "completed")
    assert sentence in words_of(failed)
    assert words_of(second) == "Here I am again."


async def test_an_ollama_that_is_found_thinks_from_the_start_and_is_named() -> None:
    async def ollama(exchange: Exchange) -> None:
        await exchange.start()
        if exchange.head.startswith("GET /api/tags"):
            await exchange.write(json.dumps({"models": [{"name": "llama3.2:latest"}]}))
        else:
            await exchange.say(f"I am {exchange.body['model']}.")
            await exchange.finish()

    async with (
        endpoint(ollama) as url,
        running(look=lambda: find(url.removesuffix("/v1"))) as server,
        realtime(server) as socket,
    ):
        response = await answer(socket)

    assert words_of(response) == "I am llama3.2:latest."
    assert server.parts == {
        "ears": "fake ears",
        "voice": "fake voice",
        "mind": "llama3.2:latest",
    }


async def test_an_ollama_that_is_started_later_thinks_from_the_next_session_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = iter([None, None, ChatModel("http://127.0.0.1:9/v1", "late")])

    async def look() -> ChatModel | None:
        return next(looks)

    told: list[Mapping[str, str]] = []
    async with running(look=look, tell=told.append) as server:
        async with realtime(server) as socket:
            assert words_of(await answer(socket, "12 plus 30")) == "12 plus 30 is 42."
        assert next(looks) is None, "it has looked again at once"
        monkeypatch.setattr("components.practice.server.server.LOOK_AGAIN_S", 0)
        async with realtime(server) as socket:
            assert "cannot be reached" in words_of(await answer(socket, "12 plus 30"))
        async with realtime(server):
            assert server.parts["mind"] == "late"
    assert [parts["mind"] for parts in told] == ["late"]


async def test_a_look_that_finds_nothing_leaves_the_rules() -> None:
    async with endpoint(hang) as url:
        pass
    async with running(look=lambda: find(url.removesuffix("/v1"))) as server:
        assert server.parts["mind"] == ""
        async with realtime(server) as socket:
            assert words_of(await answer(socket, "12 plus 30")) == "12 plus 30 is 42."
