"""The app to compare with: a Realtime bridge written the way fastrtc's documentation shows.

A queue in, a queue out: whole deltas are put as they come, `clear_queue` stops the sound when the
user speaks, fastrtc does the rest. GA event names, the same Gradio page around it.
"""

import argparse
import asyncio
import base64
import json
from typing import Any

import gradio as gr
import numpy as np
from fastrtc import AdditionalOutputs, AsyncStreamHandler, WebRTC, wait_for_item
from websockets.asyncio.client import ClientConnection, connect

RATE = 24_000


class PlainHandler(AsyncStreamHandler):  # type: ignore[misc]  # fastrtc ships no types
    """One call."""

    def __init__(self, upstream: str) -> None:
        super().__init__("mono", output_sample_rate=RATE, input_sample_rate=RATE)
        self.upstream = upstream
        self.connection: ClientConnection | None = None
        self.output_queue: asyncio.Queue[Any] = asyncio.Queue()

    def copy(self) -> "PlainHandler":
        return PlainHandler(self.upstream)

    async def start_up(self) -> None:
        url = f"{self.upstream}/realtime?model=bench"
        async with connect(url, proxy=None, max_size=None) as connection:
            session = {"type": "realtime", "instructions": "Be brief."}
            await connection.send(json.dumps({"type": "session.update", "session": session}))
            self.connection = connection
            async for message in connection:
                await self.handle(json.loads(message))

    async def handle(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "response.output_audio.delta":
                samples = np.frombuffer(base64.b64decode(event["delta"]), np.int16)
                await self.output_queue.put((RATE, samples.reshape(1, -1)))
            case "input_audio_buffer.speech_started":
                self.clear_queue()
            case "response.output_audio_transcript.done":
                words = {"role": "assistant", "content": event.get("transcript", "")}
                await self.output_queue.put(AdditionalOutputs(words))

    async def receive(self, frame: tuple[int, Any]) -> None:
        if self.connection is None:
            return
        audio = base64.b64encode(frame[1].squeeze().tobytes()).decode()
        await self.connection.send(
            json.dumps({"type": "input_audio_buffer.append", "audio": audio})
        )

    async def emit(self) -> Any:
        return await wait_for_item(self.output_queue)

    async def shutdown(self) -> None:
        if self.connection:
            await self.connection.close()
            self.connection = None


def build(upstream: str, calls: int) -> gr.Blocks:
    """The page: fastrtc's component and a transcript."""
    nobody: dict[str, Any] = {"iceServers": []}
    with gr.Blocks(analytics_enabled=False) as demo:
        transcript = gr.Chatbot(type="messages")
        call = WebRTC(
            elem_id="call",
            mode="send-receive",
            modality="audio",
            full_screen=False,
            rtc_configuration=nobody,
            server_rtc_configuration=nobody,
        )
        call.stream(PlainHandler(upstream), inputs=[call], outputs=[call], concurrency_limit=calls)
        call.on_additional_outputs(
            lambda messages, words: [*messages, words],
            inputs=[transcript],
            outputs=[transcript],
            concurrency_limit=calls,
        )
    return demo


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--calls", type=int, required=True)
    arguments = parser.parse_args()
    build(arguments.upstream, arguments.calls).launch(
        server_name="127.0.0.1", server_port=arguments.port, ssr_mode=False, quiet=True
    )


if __name__ == "__main__":
    main()
