"""A call's page, as the call sees it."""

from collections.abc import Mapping
from typing import Any, Protocol

from components.core.conversation import Conversation


class Page(Protocol):
    """The browser's end of a call, by its connection."""

    def tell(self, message: Mapping[str, Any]) -> None:
        """A message over the data channel."""

    def show(self, conversation: Conversation) -> None:
        """The transcript has changed."""

    def hurry(self) -> None:
        """There is sound to play."""

    def dismiss(self) -> None:
        """The call does without this page from now on: the connection closes."""
