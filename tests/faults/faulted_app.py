"""The app as `app.py` starts it, on a machine that can be broken from outside.

At SIGUSR1 the clock of the calendar is set back by an hour; at SIGUSR2 names are no longer found,
as with a name server that does not answer.
"""

import signal
import socket
import sys
import time
from ipaddress import ip_address
from typing import Any

SET_BACK_S = 3600.0
SILENT_S = 40.0
"""As long as a resolver tries, with two servers and its usual limits."""

calendar, find = time.time, socket.getaddrinfo
set_back_s = 0.0
names_are_down = False


def wrong_time() -> float:
    return calendar() - set_back_s


def find_nothing(host: Any, *rest: Any, **options: Any) -> Any:
    if names_are_down and not is_address(host):
        time.sleep(SILENT_S)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return find(host, *rest, **options)


def is_address(host: Any) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return host is None


def set_clock_back(*_: object) -> None:
    global set_back_s
    set_back_s = SET_BACK_S


def lose_names(*_: object) -> None:
    global names_are_down
    names_are_down = True


time.time = wrong_time
socket.getaddrinfo = find_nothing
signal.signal(signal.SIGUSR1, set_clock_back)
signal.signal(signal.SIGUSR2, lose_names)

from app import main  # noqa: E402  # only what is imported now sees the broken machine

sys.exit(main())
