"""A WebSocket as a wire: what is left of it when one side goes."""

import pytest
from websockets.exceptions import ConnectionClosed

from components.practice.server import outlet
from tests.practice.socket_client import realtime, receive, running, send, until


async def test_a_connection_that_is_cut_is_gone_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as server, realtime(server) as socket:
        await receive(socket)
        monkeypatch.setattr(outlet, "MOST_UNSENT_BYTES", 0)
        await send(socket, "input_audio_buffer.clear")
        with pytest.raises(ConnectionClosed) as closed:
            await until(socket, "never")

    assert closed.value.rcvd is None
