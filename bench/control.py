"""Orders between the bench and the processes it starts: one JSON object per line, over pipes.

Rule: a child lives no longer than its standard input, so that nothing is left behind however the
bench ends.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import orjson

ROOT: Final = Path(__file__).parents[1]
LINE_LIMIT: Final = 1 << 28
"""Bytes; minutes of recorded audio in one answer."""
PATIENCE_S: Final = 30.0
GOODBYE_S: Final = 5.0
_ENDED: Final = "a process of the bench has ended"

Order = Callable[..., Awaitable[Any]]


async def serve(orders: Mapping[str, Order]) -> None:
    """The child's side: carry out orders, several at a time, until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library may print is no answer
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        task = asyncio.create_task(_carry_out(orders, orjson.loads(line), answers))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _carry_out(orders: Mapping[str, Order], message: dict[str, Any], answers: Any) -> None:
    try:
        answer = {"answer": await orders[message["order"]](**message["arguments"])}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    answers.write(orjson.dumps({"id": message["id"], **answer}) + b"\n")
    answers.flush()


class Child:
    """A process that takes orders."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._gone = False

    async def ask(self, order: str, **arguments: Any) -> Any:
        """The answer to an order; `RuntimeError` if it fails or the child is gone."""
        if self._gone:
            raise RuntimeError(_ENDED)
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        line = orjson.dumps({"id": number, "order": order, "arguments": arguments})
        assert self._process.stdin
        self._process.stdin.write(line + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            return await answer

    async def listen(self) -> None:
        """Hand out answers until the child's output ends."""
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            message = orjson.loads(line)
            future = self._waiting.pop(message["id"])
            if future.done():
                continue
            if "error" in message:
                future.set_exception(RuntimeError(message["error"]))
            else:
                future.set_result(message["answer"])
        self._gone = True
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(RuntimeError(_ENDED))


@asynccontextmanager
async def child(module: str) -> AsyncIterator[Child]:
    """`python -m module` with `serve` in it, for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_LIMIT,
        start_new_session=True,  # an interrupt at the keyboard is for the bench alone
    )
    made = Child(process)
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        assert process.stdin
        process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GOODBYE_S)
        if process.returncode is None:
            process.kill()
            await process.wait()
        await listening
