"""The memory of this process: what the searches for garbage leave out, and what goes back.

Rule: nothing here changes what is held; only when it is looked through, and who has what is free.
"""

import ctypes
import gc
import sys


def keep_what_is_there() -> None:
    """Take all that exists out of the search for garbage, for ever.

    At the end of the start that is so much that a search takes 40 ms, in which no sound passes, and
    comes so rarely that what ended calls leave piles up.
    """
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Let the system have what is free. glibc keeps it, and is the only one that can be asked."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other libraries have none
        if trim is not None:
            trim(0)
