"""The newest transcript, for everyone who watches a call.

Rule: a snapshot is whole, and the newest wins; one that nobody took in time is forgotten.
"""

import asyncio
from collections.abc import AsyncIterator

from components.core.conversation import Conversation


class Screen:
    """Shows conversations to any number of watchers, each at a pace of its own."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.watchers = 0
        self._closed = False
        self._changed = asyncio.Event()

    def show(self, conversation: Conversation) -> None:
        """Give every watcher this conversation, unless they have its messages already.

        All else reaches the page by another way; the same messages once more, a moment later, would
        bring back what the page has been told to forget.
        """
        if conversation.messages != self.conversation.messages:
            self.conversation = conversation
            self._wake()

    def close(self) -> None:
        """End all snapshots, after the last one."""
        self._closed = True
        self._wake()

    async def snapshots(self, pause_s: float) -> AsyncIterator[Conversation]:
        """The conversation now, and whenever it has changed, but never more often; to the end."""
        shown: Conversation | None = None
        self.watchers += 1
        try:
            while not (self._closed and shown is self.conversation):
                changed = self._changed
                if shown is not self.conversation:
                    shown = self.conversation
                    yield shown
                    await asyncio.sleep(pause_s)
                if not self._closed and shown is self.conversation:
                    await changed.wait()
        finally:
            self.watchers -= 1

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
