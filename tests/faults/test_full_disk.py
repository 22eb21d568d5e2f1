"""The whole app on a disk that is full: its log and its trace are lost, and nothing else."""

from pathlib import Path

import pytest

from tests.peer import caller
from tests.running import started_app

FULL = Path("/dev/full")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full"),
]


async def test_calls_begin_talk_and_end_in_order_although_nothing_can_be_written(tmp_path):
    with started_app(tmp_path, "--trace", str(FULL), output=FULL) as app:
        async with caller(app.url) as peer:
            await peer.sees(type="state", connection="connected")
            peer.send(type="say", text="what is 3 plus 4?")
            await peer.hears(300)

            app.process.terminate()
            assert (await peer.sees(type="state", connection="ended"))["notice"]
        assert app.process.wait(10) == 0
