"""The clock of the calendar is set back by an hour, as by a machine that finds its time server."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from components.access.rates import Rates
from tests.peer import Peer, caller
from tests.running import started_app
from tests.speech import speech

PROGRAM = Path(__file__).with_name("faulted_app.py")
HOUR = timedelta(hours=1)


async def gets_an_answer(peer: Peer) -> None:
    before = len(peer.messages)
    peer.send(type="say", text="what is 3 plus 4?")
    await peer.sees(since=before, type="state", assistant="speaking")
    await peer.hears(300)


async def goes_wrong(url: str) -> None:
    """Wait until the app's own answers bear the earlier time; its server looks once a second."""
    now = datetime.now(UTC)
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(10):
        while True:
            told = (await client.get(url)).headers["date"]
            if parsedate_to_datetime(told) < now - HOUR / 2:
                return
            await asyncio.sleep(0.2)


@pytest.mark.integration
async def test_a_call_and_the_next_one_go_on_when_the_clock_is_set_back(tmp_path):
    with started_app(tmp_path, program=PROGRAM) as app:
        async with caller(app.url) as peer:
            await peer.sees(type="state", connection="connected")
            await gets_an_answer(peer)
            os.kill(app.pid, signal.SIGUSR1)
            await goes_wrong(app.url)

            await gets_an_answer(peer)
            before = len(peer.messages)
            peer.microphone.say(speech("what time is it"))
            await peer.sees(since=before, type="state", user="speaking")
            assert any("3 plus 4" in line for line in await peer.transcript(app.url))
            async with caller(app.url) as other:
                await other.sees(type="state", connection="connected")
                await gets_an_answer(other)
            assert "Traceback" not in app.log.read_text(errors="replace")


async def test_counts_of_before_do_not_last_an_hour_longer(monkeypatch):
    rates = Rates()
    assert await rates.admit("1/minute", "start", "somebody")
    assert not await rates.admit("1/minute", "start", "somebody")

    calendar = time.time
    monkeypatch.setattr(time, "time", lambda: calendar() - HOUR.total_seconds())
    assert await rates.admit("1/minute", "start", "somebody")
    assert not await rates.admit("1/minute", "start", "somebody")
