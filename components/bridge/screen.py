"""The newest transcript of a call, for the page that watches it.

Rule: a snapshot is whole, and the newest wins; one that nobody took in time is forgotten. The page
that asks again does so because its stream of snapshots is dead: the stream before ends.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from components.core.conversation import Conversation

BREATH_S: Final = 0.03
"""From news after a rest to its snapshot, on which Gradio works for some ten milliseconds: the
sound of a reply comes right behind the news that there is one, and goes first."""


class Screen:
    """Shows conversations to one watcher, the newest, at its own pace."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self._newest = 0  # of those who have begun to watch
        self._closed = False
        self._changed = asyncio.Event()

    def show(self, conversation: Conversation) -> bool:
        """Give the watcher this conversation, unless it has its messages already; whether it did.

        All else reaches the page by another way; the same messages once more, a moment later, would
        bring back what the page has been told to forget.
        """
        if conversation.messages == self.conversation.messages:
            return False
        self.conversation = conversation
        self._wake()
        return True

    def close(self) -> None:
        """End all snapshots, after the last one."""
        self._closed = True
        self._wake()

    async def snapshots(self, pause_s: float) -> AsyncIterator[Conversation]:
        """The conversation now, and whenever it has changed, but never more often than `pause_s`.

        To the end, or until somebody else begins to watch.
        """
        shown: Conversation | None = None
        self._newest += 1
        number = self._newest
        self._wake()
        while number == self._newest and not (self._closed and shown is self.conversation):
            changed = self._changed
            if shown is not self.conversation:
                shown = self.conversation
                yield shown
                await asyncio.sleep(pause_s)
            if number == self._newest and not self._closed and shown is self.conversation:
                await changed.wait()
                await asyncio.sleep(BREATH_S)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
