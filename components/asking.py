"""Who is asking: the browser behind the request that is being answered.

Rule: only the guard sets it. fastrtc's server functions get nothing of a request but its data; here
they find whose it is.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Asking:
    """Both are empty where there was no request, or where it did not say."""

    session_hash: str = ""
    """The Gradio session: a secret of one browser tab, made by the tab."""
    visitor: str = ""
    """An address that stands for one visitor, as `admission.visitor_of` writes it."""


asking: Final[ContextVar[Asking]] = ContextVar("asking", default=Asking())  # noqa: B039
