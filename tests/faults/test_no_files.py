"""No more files can be opened: the limit of a process, which sockets count towards, is reached."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.caller import calling

if sys.platform != "win32":
    import resource

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit"),
]


@contextmanager
def no_file_left() -> Iterator[None]:
    """What is open stays so, and nothing more can be opened here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_call_that_gets_no_socket_says_that_it_is_this_server():
    with no_file_left():
        async with calling("ws://127.0.0.1:9/v1") as caller:
            state = await caller.state(connection="failed")

    assert state["notice"].startswith("This server has no room for another connection")
