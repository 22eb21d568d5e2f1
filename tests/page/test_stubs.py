import subprocess
import sys

import pytest

from tests.running import ROOT, environment

GRADIO = """
import ast, sys
parsed = []
parse = ast.parse
ast.parse = lambda source, *rest, **more: parsed.append(source) or parse(source, *rest, **more)
{first}
import gradio
sources = sum("class Chatbot(" in str(source) for source in parsed)
print(sources, gradio.Chatbot.like.event_name, len(gradio.Chatbot.EVENTS))
"""
LEAVE = "from components.page.stubs import leave_stubs; leave_stubs(); leave_stubs()"


@pytest.mark.integration
def test_gradio_is_the_same_without_its_stubs_being_written():
    written, left = (imported(first) for first in ("", LEAVE))

    assert int(written[0]) > 0
    assert int(left[0]) == 0
    assert left[1:] == written[1:]


def imported(first: str) -> list[str]:
    """How often the source of a component was read, and what the component is."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GRADIO.format(first=first)],
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    return ended.stdout.split()
