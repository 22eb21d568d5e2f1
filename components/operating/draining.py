"""How the app comes to its end while calls are under way: they may finish, and no others begin.

Rule: it takes no longer than the limit, and a second signal ends the wait at once.
"""

import signal
import time
from collections.abc import Callable, Iterable
from typing import Final

from components.core.places import Places

STOPPING: Final = "This app is being stopped and takes no new calls. Try again in a minute."
SLICE_S: Final = 0.1
"""Between two looks at the calls, and the longest that a second signal waits."""


def drain(
    places: Places, limit_s: float, ends: Iterable[int], announce: Callable[[str], None]
) -> None:
    """Wait until the calls under way have ended, `limit_s` have passed or a signal of `ends` comes.

    Belongs to the main thread, as signals do. Without calls it returns at once.
    """
    places.close(STOPPING)
    calls = places.followed
    if not calls:
        return
    announce(f"No new calls; those under way ({calls}) may go on for {limit_s:g} s.")
    hurried: list[int] = []
    before = {number: signal.signal(number, lambda n, _: hurried.append(n)) for number in ends}
    until = time.monotonic() + limit_s
    while places.followed and not hurried and time.monotonic() < until:
        time.sleep(SLICE_S)
    for number, handler in before.items():
        signal.signal(number, handler)
