"""The scripted Realtime server, a process of its own: it does what it is told, and keeps the times.

It judges nothing and hears nothing. Every time is `time.monotonic_ns`, one clock for all processes
of a machine.
"""

import asyncio
import base64
import functools
import time
from contextlib import suppress
from typing import Any, Final

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bench import control
from bench.signals import API_RATE, chirp

DELTA_S: Final = 0.2
PACE: Final = 4
"""Times faster than speech: how real servers send."""
TALK_S: Final = 4.0
TALK_PAUSE_S: Final = 0.4
TALK_HERTZ: Final = 500.0


class Call:
    """One connection of a client."""

    def __init__(self, socket: ServerConnection) -> None:
        self.configured = asyncio.Event()
        self.appended: list[tuple[int, str]] = []
        self.events: list[tuple[int, dict[str, Any]]] = []
        self.spoken: list[tuple[int, float]] = []
        """(time of the first delta, seconds) of each reply."""
        self._socket = socket
        self._replies = 0
        self._speaking: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        await self.send("session.created", session={"type": "realtime"})
        async for text in self._socket:
            now = time.monotonic_ns()
            event = orjson.loads(text)
            if event["type"] == "input_audio_buffer.append":
                self.appended.append((now, event["audio"]))
                continue
            self.events.append((now, event))
            if event["type"] == "session.update":
                await self.send("session.updated", session=event["session"])
                self.configured.set()

    async def send(self, type_: str, **fields: Any) -> int:
        """Send an event; the time just before."""
        text = orjson.dumps({"type": type_, **fields}).decode()
        now = time.monotonic_ns()
        with suppress(ConnectionClosed):
            await self._socket.send(text)
        return now

    async def reply(self, seconds: float, hertz: float) -> int:
        """Begin to send a reply; the time of its first delta."""
        begun: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._speaking = asyncio.create_task(self._speak(seconds, hertz, begun))
        return await begun

    async def talk(self) -> None:
        """Reply after reply, until `hush`."""
        begun: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._speaking = asyncio.create_task(self._talk(begun))
        await begun

    async def hush(self) -> None:
        """End what is being said, as servers do when a response is cancelled."""
        if self._speaking:
            await self.cut()
            await self._done("cancelled")

    async def cut(self) -> None:
        """No delta follows."""
        if self._speaking:
            self._speaking.cancel()
            with suppress(asyncio.CancelledError):
                await self._speaking
            self._speaking = None

    async def interrupt(self) -> int:
        """The user speaks. The time of `speech_started`."""
        await self.cut()
        item_id = f"user_{self._replies}"
        sent = await self.send("input_audio_buffer.speech_started", item_id=item_id)
        await self._done("cancelled")
        return sent

    async def caption(self, words: list[str], every_s: float) -> list[int]:
        """Write down what the user says, word by word; the time of each word."""
        item = {"id": "user_words", "type": "message", "role": "user", "content": []}
        await self.send("input_audio_buffer.committed", item_id=item["id"], previous_item_id=None)
        await self.send("conversation.item.added", item=item, previous_item_id=None)
        times = []
        for word in words:
            await asyncio.sleep(every_s)
            times.append(
                await self.send(
                    "conversation.item.input_audio_transcription.delta",
                    item_id=item["id"],
                    content_index=0,
                    delta=f"{word} ",
                )
            )
        return times

    async def _talk(self, begun: "asyncio.Future[int]") -> None:
        while True:
            started = asyncio.get_running_loop().time()
            await self._speak(TALK_S, TALK_HERTZ, begun)
            begun = asyncio.get_running_loop().create_future()
            pause = started + TALK_S + TALK_PAUSE_S - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, pause))

    async def _speak(self, seconds: float, hertz: float, begun: "asyncio.Future[int]") -> None:
        self._replies += 1
        ids = {"response_id": f"response_{self._replies}", "item_id": f"item_{self._replies}"}
        part = {**ids, "output_index": 0, "content_index": 0}
        item = {"id": ids["item_id"], "type": "message", "role": "assistant", "content": []}
        await self.send("response.created", response={"id": ids["response_id"], "output": []})
        await self.send("response.output_item.added", **part, item=item)
        await self.send("response.content_part.added", **part, part={"type": "audio"})
        due = asyncio.get_running_loop().time()
        for delta in _deltas(seconds, hertz):
            sent = await self.send("response.output_audio.delta", **part, delta=delta)
            if not begun.done():
                self.spoken.append((sent, seconds))
                begun.set_result(sent)
            await self.send("response.output_audio_transcript.delta", **part, delta="and so ")
            due += DELTA_S / PACE
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        await self.send("response.output_audio.done", **part)
        await self.send("response.output_audio_transcript.done", **part)
        await self._done("completed")

    async def _done(self, status: str) -> None:
        response = {
            "id": f"response_{self._replies}",
            "status": status,
            "output": [{"id": f"item_{self._replies}"}],
        }
        await self.send("response.done", response=response)


@functools.cache
def _deltas(seconds: float, hertz: float) -> list[str]:
    pcm = chirp(seconds, hertz).tobytes()
    size = round(2 * API_RATE * DELTA_S)
    return [
        base64.b64encode(pcm[at : at + size]).decode("ascii") for at in range(0, len(pcm), size)
    ]


class Server:
    """Calls are numbered from 0, in the order in which they came."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._came = asyncio.Condition()
        self.port = 0

    async def handle(self, socket: ServerConnection) -> None:
        call = Call(socket)
        async with self._came:
            self._calls.append(call)
            self._came.notify_all()
        with suppress(ConnectionClosed):
            await call.listen()
        await call.cut()

    async def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1"

    async def configured(self, call: int) -> None:
        """Wait until this call exists and its settings are confirmed."""
        async with self._came:
            await self._came.wait_for(lambda: len(self._calls) > call)
        await self._calls[call].configured.wait()

    async def reply(self, call: int, seconds: float, hertz: float) -> int:
        return await self._calls[call].reply(seconds, hertz)

    async def interrupt(self, call: int) -> int:
        return await self._calls[call].interrupt()

    async def talk(self, call: int) -> None:
        await self._calls[call].talk()

    async def hush(self) -> None:
        for call in self._calls:
            await call.hush()

    async def caption(self, call: int, words: list[str], every_s: float) -> list[int]:
        return await self._calls[call].caption(words, every_s)

    async def spoken(self, call: int) -> list[tuple[int, float]]:
        return self._calls[call].spoken

    async def events(self, call: int, type_: str) -> list[tuple[int, dict[str, Any]]]:
        return [(ns, event) for ns, event in self._calls[call].events if event["type"] == type_]

    async def appended(self, call: int, since: int, until: int) -> dict[str, Any]:
        """What came in a time (ns): all PCM as base64, and (samples so far, ns) per append."""
        pcm = bytearray()
        arrivals = []
        for ns, audio in self._calls[call].appended:
            if since <= ns < until:
                pcm += base64.b64decode(audio)
                arrivals.append((len(pcm) // 2, ns))
        return {"pcm": base64.b64encode(pcm).decode("ascii"), "arrivals": arrivals}


async def main() -> None:
    """Serve on a free port until the bench ends."""
    server = Server()
    names = "address configured reply interrupt talk hush caption spoken events appended"
    async with serve(server.handle, "127.0.0.1", 0, compression=None, max_size=None) as listening:
        server.port = next(iter(listening.sockets)).getsockname()[1]
        await control.serve({name: getattr(server, name) for name in names.split()})


if __name__ == "__main__":
    asyncio.run(main())
