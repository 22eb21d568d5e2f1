"""Which response is under way, which is still to be asked for, and which nobody wants any more.

Rule: one response at a time in the conversation, as the API allows no more; a second is asked for
when the first has ended (protocol digest 5.10, 7.3). Turn detection begins responses by itself.
"""

from dataclasses import dataclass
from typing import Final

BEGIN_LIMIT_S: Final = 10.0
"""A response that was asked for and has not begun by then will not come."""
MOST_REPEATS: Final = 2
"""A response that fails is asked for again, so many times in a row."""
MOST_UNWANTED: Final = 64
"""Responses that are remembered as unwanted; a server that never ends one loses the oldest."""


@dataclass(slots=True)
class _Response:
    id: str = ""
    """Empty until it has begun."""
    request: str = ""
    """`event_id` of our `response.create`; empty if turn detection begins it."""
    until: float | None = None
    """When to give up waiting for it to begin; None once it has begun."""
    unwanted: bool = False
    """The user has moved on: what it still brings is neither played nor shown."""


class Responses:
    """Told of what the server does and the user wants; says what to do about it."""

    def __init__(self) -> None:
        self._current: _Response | None = None
        self._wanted = False
        self._again_at: float | None = None
        self._repeats = 0
        self._unwanted: dict[str, None] = {}

    @property
    def thinking(self) -> bool:
        """Whether an answer is on its way that the user still wants."""
        return self._current is not None and not self._current.unwanted

    @property
    def busy(self) -> bool:
        """Whether a response is under way or asked for, wanted or not."""
        return self._current is not None or self._wanted or self._again_at is not None

    def expect(self, now: float) -> None:
        """The user has stopped speaking: turn detection will begin a response."""
        if self._current is None:
            self._current = _Response(until=now + BEGIN_LIMIT_S)

    def want(self) -> None:
        """Something was said that has to be answered, whenever the server is free."""
        self._drop_wishes()
        self._wanted = True

    def want_again(self, at: float) -> bool:
        """The server had no room for a response: ask once more, not before then; if it is worth it.

        What else the user says meanwhile takes its place.
        """
        if self._repeats >= MOST_REPEATS:
            return False
        self._repeats += 1
        self._again_at = at
        return True

    @property
    def due(self) -> bool:
        """Whether to ask for a response now; if so, say under which id by `requested`."""
        return self._wanted and self._current is None

    def requested(self, event_id: str, now: float) -> None:
        """A `response.create` has been sent."""
        self._wanted = False
        self._current = _Response(request=event_id, until=now + BEGIN_LIMIT_S)

    def refused(self, event_id: str, because_of_another: bool, now: float) -> bool:
        """An event of ours was refused, by its id; whether it was the request.

        Another response may be why; a server that names no id can mean only the request by that.
        """
        current = self._current
        if current is None or not current.request:
            return False
        if event_id != current.request and (event_id or not because_of_another):
            return False
        self._current = None
        if because_of_another:
            # It may have begun already, and been taken for the one that was asked for.
            until = None if current.id else now + BEGIN_LIMIT_S
            self._current = _Response(id=current.id, until=until)
            self._wanted = self._wanted or not current.unwanted
        return not current.unwanted

    def created(self, response_id: str) -> bool:
        """A response has begun; whether the user still wants it."""
        if self._current is None or self._current.id:
            self._current = _Response()
        self._current.id = response_id
        self._current.until = None
        self._unwanted.pop(response_id, None)
        if self._current.unwanted:
            self._forget(response_id)
        return not self._current.unwanted

    def done(self, response_id: str) -> bool:
        """A response has ended; one may end that never began, around an interruption.

        Whether it was the one that the user waits for.
        """
        self._unwanted.pop(response_id, None)
        current = self._current
        if current is None or (response_id and current.id not in ("", response_id)):
            return False
        self._current = None
        return not current.unwanted

    def completed(self) -> None:
        """A response has come to a good end: the server has room again."""
        self._repeats = 0

    def interrupt(self) -> bool:
        """The user speaks: what is under way is not wanted, what was only expected never comes.

        Whether a response had begun.
        """
        self._drop_wishes()
        if self._current is None:
            return False
        if not self._current.id and not self._current.request:
            self._current = None
            return False
        self._current.unwanted = True
        if self._current.id:
            self._forget(self._current.id)
        return bool(self._current.id)

    def dismiss(self) -> None:
        """The user wants no answer to anything said so far."""
        self._drop_wishes()
        if self._current is not None:
            self._current.unwanted = True

    @property
    def to_cancel(self) -> str:
        """The id of the response that is under way and unwanted; empty if there is none."""
        return self._current.id if self._current and self._current.unwanted else ""

    def is_unwanted(self, response_id: str) -> bool:
        """Whether what belongs to this response comes too late."""
        return response_id in self._unwanted

    def expire(self, now: float) -> None:
        """Stop waiting for a response that has not begun in time, or to ask for one again."""
        if self._current and self._current.until is not None and now >= self._current.until:
            self._current = None
        if self._again_at is not None and now >= self._again_at:
            self._again_at = None
            self._wanted = True

    def reset(self) -> None:
        """The server has forgotten all of them."""
        self._current = None
        self._drop_wishes()
        self._unwanted.clear()

    def _drop_wishes(self) -> None:
        self._wanted = False
        self._again_at = None
        self._repeats = 0

    def _forget(self, response_id: str) -> None:
        self._unwanted[response_id] = None
        if len(self._unwanted) > MOST_UNWANTED:
            del self._unwanted[next(iter(self._unwanted))]
