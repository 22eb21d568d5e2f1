import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, aclosing
from typing import Any

import httpx
import pytest

from components.practice.brain.chat import Chat, ChatError
from components.practice.brain.rules import Call, Say
from components.settings import ChatModel
from tests.practice.chat_endpoint import Exchange, endpoint

QUESTION = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def ask(
    client: httpx.AsyncClient, base_url: str, key: str = "", **more: Any
) -> list[Say | Call]:
    chat = Chat(ChatModel(base_url, "tiny", key), client)
    return [step async for step in chat.answer(QUESTION, **more)]


async def refused(client: httpx.AsyncClient, base_url: str, key: str = "") -> str:
    with pytest.raises(ChatError) as failure:
        await ask(client, base_url, key)
    return str(failure.value)


async def test_an_answer_is_streamed_sentence_by_sentence(client: httpx.AsyncClient) -> None:
    go_on = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.say("The first ", "sentence. And ")
        await go_on.wait()
        await exchange.say("the rest.")
        await exchange.finish()

    async with endpoint(answer) as url:
        chat = Chat(ChatModel(url, "tiny"), client)
        async with aclosing(chat.answer(QUESTION)) as steps:
            first = await anext(steps)
            go_on.set()
            rest = [step async for step in steps]

    assert first == Say("The first sentence.")
    assert rest == [Say("And the rest.")]


async def test_the_request_is_that_of_the_chat_api(client: httpx.AsyncClient) -> None:
    got: list[Exchange] = []

    async def answer(exchange: Exchange) -> None:
        got.append(exchange)
        await exchange.start()
        await exchange.call("clock", "{}")

    tool = {"type": "function", "name": "clock", "parameters": {"type": "object"}}
    async with endpoint(answer) as url:
        steps = await ask(client, f"{url}/", "sk-1", tools=[tool], instructions="Be brief.")

    assert steps == [Call("clock", "{}")]
    assert got[0].head.startswith("POST /v1/chat/completions HTTP/1.1")
    assert "authorization: bearer sk-1" in got[0].head.lower()
    assert got[0].body["model"] == "tiny"
    assert got[0].body["stream"] is True
    assert [m["role"] for m in got[0].body["messages"]] == ["system", "user"]
    assert got[0].body["tools"][0]["function"]["name"] == "clock"


async def test_without_a_key_none_is_sent(client: httpx.AsyncClient) -> None:
    heads: list[str] = []

    async def answer(exchange: Exchange) -> None:
        heads.append(exchange.head.lower())
        await exchange.start()
        await exchange.say("Hello.")

    async with endpoint(answer) as url:
        assert await ask(client, f"{url}/chat/completions") == [Say("Hello.")]
    assert heads[0].startswith("post /v1/chat/completions http")
    assert "authorization" not in heads[0]


async def test_leaving_closes_the_stream(client: httpx.AsyncClient) -> None:
    left = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.start()
        try:
            while True:
                await exchange.say("One more sentence. ")
        except ConnectionError:
            left.set()

    async with endpoint(answer) as url:
        chat = Chat(ChatModel(url, "tiny"), client)
        async with aclosing(chat.answer(QUESTION)) as steps:
            await anext(steps)
        await left.wait()


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        ("401 Unauthorized", "", "check PRACTICE_LLM_API_KEY"),
        ("403 Forbidden", "", "check PRACTICE_LLM_API_KEY"),
        ("404 Not Found", "", "'tiny'"),
        ("429 Too Many", "", "try later"),
        ("500 Oops", "", "has failed (HTTP 500)"),
        ("503 Oops", "", "has failed (HTTP 503)"),
        ("400 Bad", '{"error": {"message": "no tools"}}', "(HTTP 400): no tools"),
        ("400 Bad", "plain words", "(HTTP 400): plain words"),
        ("400 Bad", "", "(HTTP 400): no reason given"),
        ("400 Bad", "x" * 200_000, "(HTTP 400): xxx"),
        ("302 Found", "elsewhere", "(HTTP 302): elsewhere"),
    ],
)
async def test_a_refusal_is_one_sentence(
    client: httpx.AsyncClient, status: str, body: str, sentence: str
) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.start(status)
        await exchange.write(body)

    async with endpoint(answer) as url:
        said = await refused(client, url, "sk-secret")

    assert sentence in said
    assert len(said) < 400
    assert "secret" not in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("data: hello\n\n", "not a chat completion"),
        ('data: {"error": "overloaded"}\n\n', "reports: overloaded"),
        ("<html>Welcome</html>\n", "empty answer"),
        ("", "empty answer"),
        ("data: [DONE]\n\n", "empty answer"),
        ("x" * 2_000_000, "without an end"),
    ],
)
async def test_nonsense_is_one_sentence(
    client: httpx.AsyncClient, text: str, sentence: str
) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.write(text)

    async with endpoint(answer) as url:
        assert sentence in await refused(client, url)


async def test_what_is_no_http_is_one_sentence(client: httpx.AsyncClient) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.write("SSH-2.0-OpenSSH_9.2\r\n")

    async with endpoint(answer) as url:
        assert "broke off" in await refused(client, url)


async def test_an_answer_that_breaks_off_keeps_what_was_said(client: httpx.AsyncClient) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        await exchange.say("The first sentence. And")

    async with endpoint(answer) as url:
        chat = Chat(ChatModel(url, "tiny"), client)
        steps = chat.answer(QUESTION)
        assert await anext(steps) == Say("The first sentence.")
        with pytest.raises(ChatError, match="broke off"):
            await anext(steps)


async def test_an_endpoint_that_stays_silent_is_left(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.practice.brain.chat._TIMEOUT", httpx.Timeout(5, read=0.05))

    async def answer(exchange: Exchange) -> None:
        await asyncio.Event().wait()

    async with endpoint(answer) as url:
        assert "does not answer" in await refused(client, url)


async def test_an_endpoint_that_only_keeps_the_line_open_is_left(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.practice.brain.chat._ANSWER_LIMIT_S", 0.05)

    async def answer(exchange: Exchange) -> None:
        await exchange.start()
        while True:
            await exchange.write(": keep-alive\n\n")
            await asyncio.sleep(0.01)

    async with endpoint(answer) as url:
        assert "too long" in await refused(client, url)


async def test_an_endpoint_that_is_not_there_is_named_without_its_password(
    client: httpx.AsyncClient,
) -> None:
    async with endpoint(lambda exchange: exchange.start()) as url:
        pass
    said = await refused(client, url.replace("//", "//me:secret@"))

    assert "cannot be reached; is it running?" in said
    assert "127.0.0.1:" in said
    assert "secret" not in said


async def test_an_endpoint_that_takes_no_connection_is_left(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.practice.brain.chat._TIMEOUT", httpx.Timeout(5, connect=0.2))
    with ExitStack() as stack:
        # A queue of waiting connections that is full: the system drops any further one.
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        said = await refused(client, f"http://127.0.0.1:{listener.getsockname()[1]}/v1")

    assert "cannot be reached" in said
