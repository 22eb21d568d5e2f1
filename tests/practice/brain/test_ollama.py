import asyncio
import json
from typing import Any

import pytest

from components.practice.brain import ollama
from components.practice.brain.ollama import find
from components.settings import ChatModel
from tests.practice.chat_endpoint import Exchange, endpoint

LLAMA = {"name": "llama3.2:latest", "details": {"family": "llama"}}
QWEN = {"name": "qwen3:4b", "details": {"family": "qwen3"}}
EMBEDDING = {"name": "nomic-embed-text:latest", "details": {"family": "nomic-bert"}}
ELSEWHERE = {"name": "gpt-oss:120b-cloud", "remote_host": "https://ollama.com:443"}


async def found(text: str, status: str = "200 OK") -> tuple[ChatModel | None, list[str], str]:
    """What is found at an address that answers so, what it was asked, and the address."""
    asked: list[str] = []

    async def answer(exchange: Exchange) -> None:
        asked.append(exchange.head.partition("\r\n")[0])
        await exchange.start(status)
        await exchange.write(text)

    async with endpoint(answer) as url:
        address = url.removesuffix("/v1")
        return await find(address), asked, address


async def test_the_newest_model_is_found_at_its_chat_address() -> None:
    model, asked, address = await found(json.dumps({"models": [LLAMA, QWEN]}))

    assert model == ChatModel(f"{address}/v1", "llama3.2:latest")
    assert asked == ["GET /api/tags HTTP/1.1"]


@pytest.mark.parametrize(
    "models",
    [
        [EMBEDDING, ELSEWHERE, QWEN],
        [{"name": "mxbai-embed-large"}, {"name": ""}, 7, {"name": 7}, {"name": "qwen3:4b"}],
    ],
)
async def test_what_does_not_talk_or_is_elsewhere_is_passed_over(models: list[Any]) -> None:
    model, _, _ = await found(json.dumps({"models": models}))

    assert model is not None
    assert model.model == "qwen3:4b"


@pytest.mark.parametrize(
    "text",
    [
        *("", "<html>", "[" * 100_000, "[]", "{}", '{"models": 1}', '{"models": []}'),
        json.dumps({"models": [EMBEDDING, ELSEWHERE]}),
        json.dumps({"models": [LLAMA], "more": "x" * 2_000_000}),
    ],
)
async def test_nonsense_is_no_model(text: str) -> None:
    assert (await found(text))[0] is None


async def test_a_refusal_is_no_model() -> None:
    assert (await found(json.dumps({"models": [LLAMA]}), "404 Not Found"))[0] is None


async def test_where_nobody_answers_there_is_none() -> None:
    async with endpoint(lambda exchange: exchange.start()) as url:
        pass
    assert await find(url.removesuffix("/v1")) is None


async def test_what_hangs_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ollama, "LIMIT_S", 0.05)

    async def answer(exchange: Exchange) -> None:
        await exchange.start()
        while True:
            await exchange.write(" ")
            await asyncio.sleep(0.01)

    async with endpoint(answer) as url:
        assert await find(url.removesuffix("/v1")) is None
