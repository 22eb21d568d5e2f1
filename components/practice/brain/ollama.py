"""Looks for an Ollama on this machine, whose models can think for the practice server.

Rule: a look ends within half a second and never fails. What is no Ollama, has no model that
talks, or would pass on to another machine what is said here, counts as none.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from components.settings import ChatModel

ADDRESS: Final = "http://127.0.0.1:11434"
LIMIT_S: Final = 0.5
_MOST_BYTES: Final = 1024 * 1024


async def find(address: str = ADDRESS) -> ChatModel | None:
    """The model of this Ollama that was fetched or changed last; None if there is none."""
    try:
        async with asyncio.timeout(LIMIT_S):
            listed = json.loads(await _listed(address))
    except (TimeoutError, OSError, httpx.HTTPError, ValueError, RecursionError):
        return None
    models = listed.get("models") if isinstance(listed, Mapping) else None
    names = [_talking(model) for model in models] if isinstance(models, list) else []
    name = next(filter(None, names), "")
    return ChatModel(f"{address}/v1", name) if name else None


async def _listed(address: str) -> bytes:
    # Its address is plain HTTP; reading the certificates that others need would take 50 ms.
    transport = httpx.AsyncHTTPTransport(verify=False, trust_env=False)
    body = b""
    async with (
        httpx.AsyncClient(transport=transport, timeout=LIMIT_S) as client,
        client.stream("GET", f"{address}/api/tags") as response,
    ):
        response.raise_for_status()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > _MOST_BYTES:
                return b""
    return body


def _talking(model: Any) -> str:
    """The name of a model that answers in words, and here; empty for another."""
    match model:
        case {"remote_host": str(host)} if host:
            return ""
        case {"name": str(name), "details": {"family": str(family)}}:
            return "" if "bert" in family or "embed" in name else name
        case {"name": str(name)}:
            return "" if "embed" in name else name
        case _:
            return ""
