"""What of Gradio's web server this app's page needs, and what a page may say to it.

Rule: all that is not named here is closed. What passes is rebuilt from the parts that were checked,
so that nothing else reaches Gradio, which answers what it does not expect with a traceback.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final, Literal

import orjson

Door = Literal["public", "members", "closed"]

_API: Final = "/gradio_api"
COMPONENT_SERVER: Final = (f"{_API}/component_server", f"{_API}/component_server/")
JOIN: Final = f"{_API}/queue/join"
DATA: Final = f"{_API}/queue/data"
RUN: Final = f"{_API}/run/predict"
"""Where Gradio runs events that do not queue."""
STARTUP: Final = f"{_API}/startup-events"
"""What the app requests of itself, once, when it starts."""
CONFIG: Final = "/config"
"""The layout as JSON, for callers without a browser; the page holds a copy of it."""
LOGIN: Final = ("/login", "/login/")

_PUBLIC: Final = ("/", "/theme.css", "/favicon.ico", "/robots.txt", *LOGIN)
"""Paths of the login page and of its files: open to everybody."""
_PUBLIC_FOLDERS: Final = ("/assets/", "/static/")
_MEMBERS: Final = (CONFIG, "/logout", JOIN, RUN, DATA, *COMPONENT_SERVER)
_MEMBERS_FOLDER: Final = f"{_API}/custom_component/"

EVENTS: Final = frozenset({"follow", "recall", "save_words", "start_anew", "transcript"})
"""The Gradio events of our own layout, by their `api_name`."""
FUNCTIONS: Final = frozenset({"offer", "quit_output_stream", "turn"})
"""The functions of fastrtc's component that the page calls."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A name of a session, a connection or a call, as the page makes it up."""
_CANDIDATE: Final = re.compile(
    r"(candidate:[\w+/]{1,64} [12] (udp|tcp) [0-9]{1,10} [\w.:-]{1,255} [0-9]{1,5} "
    r"typ (host|srflx|prflx|relay)( [ -~]*)?)?",
    re.IGNORECASE | re.ASCII,
)
"""An ICE candidate (RFC 8839), or the empty one after the last."""
_LONGEST_CANDIDATE: Final = 1000
_LONGEST_OFFER: Final = 65_536
_LONGEST_TEXT: Final = 256
_MOST_WISHES: Final = 40
_LONGEST_KEY: Final = 400


class BadRequestError(Exception):
    """The body is none that the page sends; the text is a sentence for the answer."""


def door(path: str, own: Sequence[str]) -> Door:
    """Who may go to a path, given without the root path; `own` are the addresses that we added."""
    if path in _PUBLIC or path.startswith(_PUBLIC_FOLDERS):
        return "public"
    if path in _MEMBERS or path in own or path.startswith(_MEMBERS_FOLDER):
        return "members"
    return "closed"


def from_other_site(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a page of another site makes this request; `headers` have lower-case names.

    Gradio's CORS lets every site in, and its login goes along. Following a link is no such request.
    """
    if method == "OPTIONS":  # a browser asks so before it crosses sites, and never otherwise
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        is_link = method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"
        return not is_link and site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return False
    _, _, authority = origin.lower().partition("://")
    forwarded = headers.get("x-forwarded-host", "").partition(",")[0].strip()
    return not authority or authority not in (headers.get("host", "").lower(), forwarded.lower())


def visitor_of(host: str) -> str:
    """One name for one visitor: the address, or the network that an IPv6 visitor has for itself."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False))


def component_request(body: bytes, has: Callable[[int, str], bool]) -> bytes:
    """The checked body of a request to a component's function.

    `has` knows whether a component has a function. `BadRequestError` if the page would not ask so.
    """
    asked = _object(body)
    match asked:
        case {"fn_name": str(name), "component_id": int(number), "session_hash": str(session)} if (
            name in FUNCTIONS and _is_name(session) and has(number, name)
        ):
            kept = {"fn_name": name, "component_id": number, "session_hash": session}
            return orjson.dumps({**kept, "data": _component_data(name, asked.get("data"))})
    raise BadRequestError("The page has no such function.")


def event_request(body: bytes, inputs: Callable[[int], Sequence[bool] | None]) -> bytes:
    """The checked body of a request for one of our Gradio events.

    `inputs` has, for each input of an event, whether it takes an object; None if the event is none
    of ours. `BadRequestError` if the page would not ask so.
    """
    match _object(body):
        case {"fn_index": int(number), "session_hash": str(session), "data": list(data)} as asked:
            takes = inputs(number)
            trigger = asked.get("trigger_id")
            if takes is None or not _is_name(session) or not isinstance(trigger, int | None):
                raise BadRequestError("The page has no such event.")
            if len(data) != len(takes) or not all(map(_is_input, data, takes)):
                raise BadRequestError("The page has no such data for this event.")
            kept = {"fn_index": number, "session_hash": session, "trigger_id": trigger}
            return orjson.dumps({**kept, "data": data, "event_data": None})
    raise BadRequestError("The page has no such event.")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequestError("The request is not JSON.") from None
    if not isinstance(found, dict):
        raise BadRequestError("The request is not a JSON object.")
    return found


def _component_data(name: str, data: Any) -> dict[str, Any]:
    """The data for a function; empty if it is not understood, which the function answers."""
    match name, data:
        case "quit_output_stream", {"webrtc_id": str(webrtc_id)} if _is_name(webrtc_id):
            return {"webrtc_id": webrtc_id}
        case "offer", {"webrtc_id": str(webrtc_id)} if _is_name(webrtc_id):
            offer = _offer(data)
            return offer and {**offer, "webrtc_id": webrtc_id}
    return {}


def _offer(data: Mapping[str, Any]) -> dict[str, Any]:
    """An offer or an ICE candidate; an empty dict if no browser makes such a one."""
    match data:
        case {"type": "offer", "sdp": str(sdp)} if len(sdp) <= _LONGEST_OFFER:
            key = data.get("key")
            kept: dict[str, Any] = {"key": key} if isinstance(key, str) and _is_name(key) else {}
            if wishes := _wishes(data.get("wishes")):
                kept["wishes"] = wishes
            if own := data.get("api_key"):  # which may be none, and is then told so
                kept["api_key"] = own if isinstance(own, str) and len(own) <= _LONGEST_KEY else "?"
            return {**kept, "type": "offer", "sdp": sdp, "rejoin": data.get("rejoin") is True}
        case {"type": "ice-candidate", "candidate": {"candidate": str(candidate)} as found} if len(
            candidate
        ) <= _LONGEST_CANDIDATE and _CANDIDATE.fullmatch(candidate):
            media, line = found.get("sdpMid"), found.get("sdpMLineIndex")
            if isinstance(media, str | None) and isinstance(line, int | None):
                where = {"sdpMid": media, "sdpMLineIndex": line}
                return {"type": "ice-candidate", "candidate": {"candidate": candidate, **where}}
    return {}


def _wishes(data: Any) -> dict[str, Any]:
    """Settings that the page wants, by their names; what they say is judged by the call."""
    if not isinstance(data, Mapping) or len(data) > _MOST_WISHES:
        return {}
    return {
        name: value
        for name, value in data.items()
        if _is_name(name) and isinstance(value, str | int | float | None)
    }


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text))


def _is_input(value: Any, takes_object: bool) -> bool:
    """Whether a value fits an input: a short text or None; not None where an object is taken."""
    match value:
        case str():
            return len(value) <= _LONGEST_TEXT
        case {"textbox": "", "webrtc_id": str(webrtc_id), **rest}:
            return takes_object and _is_name(webrtc_id) and not rest
        case _:
            return value is None and not takes_object
