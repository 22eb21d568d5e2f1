"""The app as `app.py` starts it; at SIGUSR1 it writes down what it holds, for the soak test.

A program of its own, because the product has no need to tell this.
"""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

import orjson

from app import main
from components.core import link
from tests.soak.vitals import NOTE, RENEWAL_S

OF_A_CALL = frozenset(
    {"Call", "Leg", "Line", "Speaker", "Microphone", "Session", "Upstream", "RTCPeerConnection"}
)
POOL = ("AnyIO worker thread", "asyncio_", "ThreadPoolExecutor")
"""How the threads of pools are named; pools are bounded and keep what they have."""


def write_note(*_: object) -> None:
    """Tasks by coroutine, objects that belong to a call by class, threads that are no pool's."""
    gc.collect()
    tasks: Counter[str] = Counter()
    objects: Counter[str] = Counter()
    for each in gc.get_objects():
        if isinstance(each, asyncio.Task) and not each.done():
            tasks[getattr(each.get_coro(), "__qualname__", "?")] += 1
        elif type(each).__name__ in OF_A_CALL:
            objects[type(each).__name__] += 1
    pooled = sum(thread.name.startswith(POOL) for thread in threading.enumerate())
    note = Path(os.environ[NOTE])
    draft = note.with_suffix(".draft")
    draft.write_bytes(orjson.dumps({"tasks": tasks, "objects": objects, "pooled": pooled}))
    draft.replace(note)


link.RENEW_AFTER_S = RENEWAL_S  # type: ignore[misc]  # hours pass in seconds here
signal.signal(signal.SIGUSR1, write_note)
sys.exit(main())
