"""Sound over a bad network: it reaches the Realtime server in order and in time.

Judged is the sound that the server received, not what some recogniser makes of it.
"""

import base64
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from components.audio import SAMPLE_RATE, encode
from tests.arrival import NOTE_STEPS, arrival, is_whole, melody
from tests.network import Network
from tests.peer import RATE, caller
from tests.running import running_app
from tests.scripted import scripted_server

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

NOTES = 50
"""Three seconds."""
WRONG_OF_A_PACKET = 3
"""Steps: a packet lies across two of them, and the decoder needs another one to recover."""
MOST_LONGER_MS = 60
NAMES = {"loss": "lost", "reorder": "reordered", "duplicate": "duplicated"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server():
    async with scripted_server() as scripted:
        yield scripted


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def app(server, tmp_path_factory):
    settings: dict[str, Any] = {"REALTIME_BASE_URL": server.url, "MAX_STARTS_PER_MINUTE": "1000"}
    with running_app(tmp_path_factory.mktemp("app"), **settings) as url:
        yield url


def received(client):
    """All sound so far, as the server counts it."""
    appends = client.of("input_audio_buffer.append")
    pcm = b"".join(base64.b64decode(event["audio"]) for event in appends)
    return np.frombuffer(pcm, np.int16)


async def answer(client, samples):
    """A spoken reply, as the API sends it."""
    of = {"response_id": "r1", "item_id": "a1", "output_index": 0, "content_index": 0}
    item = {"id": "a1", "type": "message", "role": "assistant", "content": []}
    await client.send("response.created", response={"id": "r1", "status": "in_progress"})
    await client.send("response.output_item.added", response_id="r1", output_index=0, item=item)
    await client.send("response.output_audio.delta", **of, delta=encode(samples.tobytes()))
    await client.send("response.output_audio.done", **of)
    await client.send("response.done", response={"id": "r1", "status": "completed", "output": []})


@pytest.mark.parametrize(
    "faults",
    [
        {},
        {"loss": 0.05},
        {"reorder": 0.05},
        {"duplicate": 0.05},
        {"loss": 0.03, "reorder": 0.03, "duplicate": 0.03, "delay_s": 0.05},
    ],
    ids=lambda faults: "-".join(faults) or "none",
)
async def test_sound_arrives_in_order_and_in_time_and_its_answer_is_heard(server, app, faults):
    network = Network(**faults)
    async with caller(app, network) as peer:
        client = await server.connection()
        await client.greet()
        await peer.sees(type="state", connection="connected")
        # Speak late enough: of sound that is lost before any has come, nobody can know.
        await client.expect("input_audio_buffer.append", 10)
        peer.microphone.say(melody(NOTES, RATE))
        sent = melody(NOTES, SAMPLE_RATE)
        while not is_whole(received(client), sent, SAMPLE_RATE):
            appends = len(client.of("input_audio_buffer.append"))
            await client.expect("input_audio_buffer.append", appends + 10)
        arrived = arrival(received(client), sent, SAMPLE_RATE)

        await answer(client, sent)
        await peer.hears(1000)
        states = {each["connection"] for each in peer.messages if each["type"] == "state"}

    gone = sum(faults.get(fault, 0) for fault in ("loss", "reorder"))
    assert arrived.wrong <= WRONG_OF_A_PACKET * gone * NOTES * NOTE_STEPS
    assert abs(arrived.longer_ms) <= MOST_LONGER_MS
    assert states <= {"connecting", "connected"}
    assert all(network.met[NAMES[fault]] for fault in faults if fault in NAMES)
