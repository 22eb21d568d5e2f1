"""The session with the server: how far it is, what it is asked for, when it is renewed.

Rule: the table below holds every change of state; what is not in it changes nothing. An option is
in force once the server has confirmed it, and what it refuses of a ready session stays as it was.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from typing import Any, Final

from components.core.conversation import Connection
from components.core.liveness import NO_REACTION, NOT_ANSWERED, Liveness
from components.core.outputs import Complain, Output, Reconnect, Renew, Send
from components.core.retries import Retries
from components.protocol.errors import ServerError
from components.protocol.events import ErrorEvent, ServerEvent, SessionCreated, SessionUpdated
from components.protocol.failures import Failure, Severity, failure_of_error
from components.protocol.options import (
    Refused,
    SessionOptions,
    changes,
    relax,
    session_change,
    session_update,
)

CREATED_LIMIT_S: Final = 8.0
"""A server that has said nothing by then is no Realtime API, or is stuck."""
UPDATED_LIMIT_S: Final = 5.0
"""A server that has not confirmed the settings by then never will."""
RENEW_AFTER_S: Final = 55 * 60.0
"""OpenAI ends a session after an hour; it is renewed before, when nobody speaks."""
RENEW_BEFORE_S: Final = 5 * 60.0
"""So long before the moment at which the server itself says it will end the session."""
SHORTEST_SESSION_S: Final = 60.0
"""No session is renewed sooner, whatever the server says of its end."""
MOST_UPDATES: Final = 10
"""That a server may leave unanswered; a page can send changes faster than anyone confirms them."""
TOO_FAST: Final = "The server has not yet answered the changes before this one. Try again."
SAYS_NOTHING: Final = "The server took the call but says nothing. Check REALTIME_BASE_URL."


class State(StrEnum):
    """How far the session is."""

    IDLE = auto()
    CONNECTING = auto()
    """The first socket is being opened."""
    GREETING = auto()
    """The socket stands and the settings are sent; the server has not said anything."""
    CONFIGURING = auto()
    """The server has begun a session; it has not confirmed the settings."""
    READY = auto()
    LOST = auto()
    """Another socket is to be opened in the place of one that broke."""
    OVER = auto()


class Step(StrEnum):
    """What moves it on."""

    CONNECT = auto()
    OPENED = auto()
    GREETED = auto()
    CONFIRMED = auto()
    """By the server, or by its silence."""
    BROKEN = auto()
    END = auto()


TRANSITIONS: Final[Mapping[State, Mapping[Step, State]]] = {
    State.IDLE: {
        Step.CONNECT: State.CONNECTING,
        Step.OPENED: State.GREETING,
        Step.END: State.OVER,
    },
    State.CONNECTING: {
        Step.OPENED: State.GREETING,
        Step.END: State.OVER,
    },
    State.GREETING: {
        Step.GREETED: State.CONFIGURING,
        Step.CONFIRMED: State.READY,  # some servers confirm and never greet
        Step.BROKEN: State.LOST,
        Step.END: State.OVER,
    },
    State.CONFIGURING: {
        Step.CONFIRMED: State.READY,
        Step.BROKEN: State.LOST,
        Step.END: State.OVER,
    },
    State.READY: {
        Step.OPENED: State.GREETING,  # a renewal: another socket has taken the place of this one
        Step.BROKEN: State.LOST,
        Step.END: State.OVER,
    },
    State.LOST: {
        Step.OPENED: State.GREETING,
        Step.BROKEN: State.LOST,
        Step.END: State.OVER,
    },
    State.OVER: {},
}

_SHOWN: Final[Mapping[State, Connection]] = {
    State.CONNECTING: Connection.CONNECTING,
    State.READY: Connection.CONNECTED,
    State.LOST: Connection.RECONNECTING,
}
"""In all other states the connection is called what it was called before."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Between a call and its server."""

    confirmed: SessionOptions
    """What is in force."""
    wanted: SessionOptions
    """What is in force once the server has confirmed all that it was asked for."""
    refusals: Mapping[str, str]
    """Why it refused the last change of an option, by the option's name."""


class Link:
    """One call's session with the server, over one socket after the other."""

    def __init__(
        self, options: SessionOptions, *, chance: Callable[[], float], refused: Refused
    ) -> None:
        """`chance` gives numbers from 0 to 1, so that calls lost together do not all come back
        together. `refused` is what this process has learned of servers."""
        self.state = State.IDLE
        self.connection = Connection.IDLE
        self.interrupts = not options.push_to_talk
        """Whether the server itself cancels a response when the user begins to speak."""
        self._refusals: dict[str, str] = {}
        self._refused = refused
        self._wanted = refused.without(options)
        self._asked = self._confirmed = self._wanted
        self._unrelaxed = self._wanted
        """What this socket was asked for first."""
        self._updates: OrderedDict[str, Mapping[str, Any]] = OrderedDict()
        """The updates that the server has not answered, and what each of them changes; nothing, if
        it holds everything."""
        self._chance = chance
        self._retries = Retries()
        self._liveness = Liveness()
        self._was_ready = False
        self._silent_until: float | None = None
        self._renew_at: float | None = None
        self._unix_offset_s = 0.0
        self._ids = 0

    @property
    def options(self) -> SessionOptions:
        """What is in force, or asked for as long as nothing is."""
        return self._confirmed if self.ready else self._wanted

    @property
    def agreement(self) -> "Agreement":
        """How far the server has gone along with what is wanted of it."""
        return Agreement(self.options, self._wanted, self._refusals)

    @property
    def ready(self) -> bool:
        """Whether the server takes sound and words."""
        return self.state is State.READY

    @property
    def over(self) -> bool:
        return self.state is State.OVER

    @property
    def may_reconnect(self) -> bool:
        """Whether a session that breaks now is taken up again: only one that was ready once."""
        return self._was_ready and self._retries.left and not self.over

    # What the shell and the user do.

    def connect(self) -> None:
        """The shell has begun to open the first socket."""
        self._step(Step.CONNECT)

    def opened(self, now: float, unix_s: float) -> list[Output]:
        """A socket stands. The settings go out before the server speaks: a round trip less.

        `unix_s` is the time by the calendar, in which servers say when they end a session.
        """
        if not self._step(Step.OPENED):
            return []
        self._unix_offset_s = unix_s - now
        self._renew_at = now + RENEW_AFTER_S
        self._silent_until = now + CREATED_LIMIT_S
        self._liveness.reacted()
        self._liveness.asked(NOT_ANSWERED, now)
        self._unrelaxed = self._wanted
        return self._configure()

    def change(self, options: SessionOptions) -> list[Output]:
        """The user wants other settings: one update with what has changed.

        Before the session is ready they wait for it. The model stays that of the socket, and what
        a server has refused before is not asked for again, as it would take the rest with it.
        """
        before = self._wanted
        again = changes(before, options)
        if len(self._updates) >= MOST_UPDATES:
            self._refusals = {**self._refusals, **dict.fromkeys(again, TOO_FAST)}
            return []
        self._wanted = self._refused.without(replace(options, model=before.model))
        self._refusals = {name: why for name, why in self._refusals.items() if name not in again}
        return self._update(before, self._wanted) if self.ready else []

    def broken(self) -> list[Output]:
        """The session is gone, and another one is wanted."""
        if not self._step(Step.BROKEN):
            return []
        self._silent_until = self._renew_at = None
        self._updates.clear()
        self._liveness.reacted()
        return [Reconnect(self._retries.pause_s(self._chance()))]

    def end(self, connection: Connection) -> None:
        """The call is over."""
        if self._step(Step.END):
            self.connection = connection

    # Whether the server reacts.

    def asked(self, now: float) -> None:
        """Something was said that the server answers at once."""
        self._liveness.asked(NO_REACTION, now)

    def listen(self, pcm: bytes) -> None:
        """20 ms of microphone went out in which turn detection would notice speech."""
        self._liveness.listen(pcm)

    def reacted(self) -> None:
        """Anything has come from the server."""
        self._liveness.reacted()

    def silence(self, now: float) -> str:
        """What to say of a server that does not react; empty if it does."""
        return self._liveness.sentence(now)

    # What the server says, and what time does.

    def receive(self, event: ServerEvent, now: float) -> list[Output]:
        """A server event; an error is for `refuses`."""
        match event:
            case SessionCreated(expires_at=expires_at):
                self._expires(expires_at, now)
                if self._step(Step.GREETED):
                    self._silent_until = now + UPDATED_LIMIT_S
            case SessionUpdated(expires_at, interrupts):
                # They, not our wishes, say who cancels on a barge-in. Where a server does not tell,
                # we cancel as well: one time too many is a benign error.
                self.interrupts = interrupts
                self._expires(expires_at, now)
                return self._confirm(now)
        return []

    def refuses(self, event: ErrorEvent) -> list[Output] | None:
        """What an error means that is about an update of ours; None if it is not."""
        error = event.error
        if not self._is_meant(error):
            return None
        changed = self._updates.pop(error.event_id or next(iter(self._updates)))
        return self._take_back(changed, error) if changed else self._relax(error)

    def tick(self, now: float) -> list[Output]:
        """Time has passed."""
        self._retries.tick(now)
        if self._silent_until is not None and now >= self._silent_until:
            return self._give_up_waiting(now)
        return []

    def renew(self, now: float) -> list[Output]:
        """Nobody speaks or is about to: another session may take the place of an old one."""
        if self._renew_at is None or now < self._renew_at:
            return []
        self._renew_at = None
        return [Renew()]

    def _step(self, step: Step) -> bool:
        """Whether the table knows this step from here."""
        after = TRANSITIONS[self.state].get(step)
        if after is None:
            return False
        self.state = after
        self.connection = _SHOWN.get(after, self.connection)
        return True

    def _give_up_waiting(self, now: float) -> list[Output]:
        """The server is silent: either it never spoke, or it does not confirm settings."""
        if self.state is State.CONFIGURING:
            return self._begin(now)
        if self.may_reconnect:
            return self.broken()
        return [Complain(Failure(Severity.PERMANENT, SAYS_NOTHING))]

    def _configure(self) -> list[Output]:
        """Ask for everything that is wanted, as the server knows nothing yet."""
        self._asked = self._wanted
        event_id = self._id()
        self._updates.clear()
        self._updates[event_id] = {}
        return [Send(session_update(self._asked, event_id))]

    def _update(self, before: SessionOptions, after: SessionOptions) -> list[Output]:
        event_id = self._id()
        event = session_change(before, after, event_id)
        if event is None:
            return []
        self._updates[event_id] = changes(before, after)
        return [Send(event)]

    def _confirm(self, now: float) -> list[Output]:
        """The oldest update that was not answered is in force."""
        changed = self._updates.popitem(last=False)[1] if self._updates else {}
        if not self.ready:
            return self._begin(now)
        if not changed:  # all of it: a slow server has refused some of that in the meantime
            self._refused.learn(self._unrelaxed, self._asked)
        self._confirmed = replace(self._confirmed, **changed)
        return []

    def _begin(self, now: float) -> list[Output]:
        """The session is as it was asked for, as far as anyone knows."""
        if not self._step(Step.CONFIRMED):
            return []
        self._silent_until = None
        self._was_ready = True
        self._retries.ready(now)
        self._confirmed = self._asked
        self._refused.learn(self._unrelaxed, self._asked)
        self._wanted = self._refused.without(self._wanted)
        return self._update(self._confirmed, self._wanted)

    def _is_meant(self, error: ServerError) -> bool:
        """Whether an error is about an update; one that names no event is about the oldest that was
        not answered, unless a ready session has only left its first settings unconfirmed."""
        if error.event_id:
            return error.event_id in self._updates
        oldest = next(iter(self._updates.values()), None)
        awaited = bool(oldest) if self.ready else oldest is not None
        return awaited and failure_of_error(error).severity is Severity.NOTICE

    def _relax(self, error: ServerError) -> list[Output]:
        """The settings were refused before the session is ready: what is optional gives way."""
        relaxed = relax(self._asked, error)
        if relaxed is None and self._was_ready and self._unrelaxed != self._confirmed:
            # A change that was under way when the last session broke; this is tried once.
            relaxed = self._unrelaxed = self._confirmed
        if relaxed is None:
            sentence = f"The server refuses the settings. {failure_of_error(error).sentence}"
            return [Complain(Failure(Severity.PERMANENT, sentence))]
        self._wanted = replace(self._wanted, **changes(self._asked, relaxed))
        if self.ready:  # a server that had not answered in time
            self._confirmed = self._wanted
        return self._configure()

    def _take_back(self, changed: Mapping[str, Any], error: ServerError) -> list[Output]:
        """A change was refused: what it was about stays as it is, unless it is asked for again."""
        later = {name for update in self._updates.values() for name in update}
        back = {name: getattr(self._confirmed, name) for name in changed if name not in later}
        self._wanted = replace(self._wanted, **back)
        failure = failure_of_error(error)
        self._refusals = {**self._refusals, **dict.fromkeys(back, failure.sentence)}
        return [Complain(failure, f"The server refuses the change. {failure.sentence}")]

    def _expires(self, expires_at: float | None, now: float) -> None:
        """The server says when it ends the session (Unix time); what is past or absurd is not."""
        if expires_at is None or self._renew_at is None:
            return
        left_s = expires_at - self._unix_offset_s - now
        if left_s > 0:
            after_s = max(left_s - RENEW_BEFORE_S, left_s / 2, SHORTEST_SESSION_S)
            self._renew_at = min(self._renew_at, now + after_s)

    def _id(self) -> str:
        """An id of our own: the server's errors come back with it."""
        self._ids += 1
        return f"settings_{self._ids}"
