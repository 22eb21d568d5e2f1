"""What the page's events bring of a call that nobody knows (any more)."""

import asyncio
import warnings
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from components.access.rates import Rates
from components.bridge.calls import Calls
from components.core.places import Places
from components.direct.sideband import Sidebands
from components.page.layout import build
from components.protocol.options import Refused
from components.settings import Settings

SKIPPED = gr.skip()


async def make_page() -> gr.Blocks:
    """In an event loop, as Gradio would otherwise begin one and leave it open."""
    settings = Settings(practice=True)
    places = Places(settings.max_calls, settings.calls_per_visitor)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return build(
            settings,
            Calls(settings, Refused(), places),
            Rates(),
            rtc_configuration={},
            server_rtc_configuration=None,
            watching=Sidebands(settings, places),
        )


@pytest.mark.parametrize(
    ("event", "asked", "brings"),
    [("transcript", ["unknown"], SKIPPED), ("follow", ["unknown", ""], (SKIPPED, SKIPPED))],
)
def test_an_unknown_call_leaves_the_transcript_as_it_is(
    event: str, asked: list[str], brings: Any
) -> None:
    """Gradio gives its components no value at all when an event has brought none."""

    async def brought() -> list[Any]:
        page = await make_page()
        [follow] = [each.fn for each in page.fns.values() if each.api_name == event]
        request = SimpleNamespace(session_hash="session")
        assert follow is not None
        return [shown async for shown in follow(*asked, request)]

    assert asyncio.run(brought()) == [brings]
