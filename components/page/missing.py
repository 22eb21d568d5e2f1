"""What Gradio looks for with each event, and is not there.

Rule: what is installed is found as ever.
"""

import sys
from importlib.util import find_spec
from typing import Final

PLOTS: Final = "matplotlib"
"""Looked for before and after each event: without it Python searches all its folders, twice, which
takes a third of the time that a transcript's snapshot costs."""


def remember_missing(name: str = PLOTS) -> None:
    """If there is no module of this name, let it be missed at once from now on."""
    if name not in sys.modules and find_spec(name) is None:
        sys.modules[name] = None  # type: ignore[assignment]  # as the import system documents
