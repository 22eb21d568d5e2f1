"""Asks an OpenAI-compatible chat endpoint and streams its answer, sentence by sentence.

Rule: every wait has a limit, and whatever goes wrong is a `ChatError` with one sentence. The key
and any credentials in the address appear in none of them.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

import httpx

from components.practice.brain.chat_wire import Answer, EventStream, WireError, error_text, request
from components.practice.brain.rules import Call, Say
from components.settings import ChatModel

_TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0, read=30.0)
"""A local model may have to be loaded first; but nobody waits in silence for longer."""
_ANSWER_LIMIT_S: Final = 120.0
_MOST_ERROR_BYTES: Final = 64 * 1024


class ChatError(Exception):
    """The endpoint gave no answer, or broke off; the message is a sentence for the user."""


class Chat:
    """One chat endpoint. `client` belongs to the caller, who closes it.

    The caller also decides about proxies: make the client with `trust_env=False` if the endpoint is
    on this machine, or a proxy of the environment will be asked for it.
    """

    def __init__(self, model: ChatModel, client: httpx.AsyncClient) -> None:
        self._model = model
        self._client = client
        url = httpx.URL(model.base_url)
        self._where = url.netloc.decode()
        path = url.path.rstrip("/").removesuffix("/chat/completions")
        self._url = url.copy_with(path=f"{path}/chat/completions")

    async def answer(
        self,
        items: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] = (),
        instructions: str = "",
    ) -> AsyncGenerator[Say | Call, None]:
        """The answer to a conversation: sentences as they come, then the calls of functions.

        `items` and `tools` are in the Realtime API's shape. Raises `ChatError`, also after some
        sentences. Closing the iterator closes the HTTP stream, so that the model stops writing.
        """
        body = request(self._model.model, items, instructions, tools)
        key = self._model.api_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            async with self._client.stream(
                "POST", self._url, json=body, headers=headers, timeout=_TIMEOUT
            ) as response:
                if response.status_code != httpx.codes.OK:
                    raise ChatError(await self._refusal(response))
                async for step in _steps(response):
                    yield step
        except WireError as error:
            raise ChatError(str(error)) from error
        except httpx.ConnectTimeout as error:
            raise ChatError(f"The chat endpoint at {self._where} cannot be reached.") from error
        except httpx.TimeoutException as error:
            raise ChatError(f"The chat endpoint at {self._where} does not answer.") from error
        except httpx.ConnectError as error:
            raise ChatError(
                f"The chat endpoint at {self._where} cannot be reached; is it running?"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise ChatError(f"The chat endpoint at {self._where} broke off its answer.") from error

    async def _refusal(self, response: httpx.Response) -> str:
        """Why the endpoint did not answer, in a sentence that says what to do."""
        status = response.status_code
        if status in (401, 403):
            return "The chat endpoint refuses the key; check PRACTICE_LLM_API_KEY."
        if status == 404:
            return (
                f"The chat endpoint knows no model {self._model.model!r}, or is not at this "
                "address; check PRACTICE_LLM_MODEL and PRACTICE_LLM_BASE_URL."
            )
        if status == 429:
            return "The chat endpoint has too much to do, or its credit is used up; try later."
        if status >= 500:
            return f"The chat endpoint at {self._where} has failed (HTTP {status})."
        return f"The chat endpoint refuses the request (HTTP {status}): {await _reason(response)}"


async def _steps(response: httpx.Response) -> AsyncGenerator[Say | Call, None]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ANSWER_LIMIT_S
    stream, answer = EventStream(), Answer()
    spoke = False
    async for text in response.aiter_text():
        for data in stream.feed(text):
            for say in answer.feed(data):
                spoke = True
                yield say
        if answer.finished:
            break
        # Comments that keep the connection open would hold off the read limit for ever.
        if loop.time() > deadline:
            raise ChatError("The chat endpoint takes too long for its answer.")
    rest = answer.end()
    for step in rest:
        yield step
    if not (spoke or rest):
        raise ChatError("The chat endpoint gave an empty answer.")


async def _reason(response: httpx.Response) -> str:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _MOST_ERROR_BYTES:
            break
    try:
        return error_text(json.loads(body))
    except (ValueError, RecursionError):
        return error_text(body.decode(errors="replace") or "no reason given")
