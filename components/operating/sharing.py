"""A public link to the page, by Gradio's share server.

Rule: whatever keeps it from being made is one sentence, and the app goes on without it.
"""

import logging
import secrets
from typing import Final
from urllib.parse import urlsplit

import httpx
from gradio import networking, tunneling
from gradio.exceptions import ChecksumMismatchError

log = logging.getLogger(__name__)

_UNREACHABLE: Final = "Gradio's share server cannot be reached"
_REASONS: Final = (
    (ChecksumMismatchError, "the program that makes it is not the one that Gradio published"),
    (httpx.HTTPError, _UNREACHABLE),
    (RuntimeError, _UNREACHABLE),
    (OSError, "the program that makes it cannot be stored or started here"),
)
"""The first kind of error that fits says why; what else there is comes of the server's refusal."""
_REFUSED: Final = "Gradio's share server did not give one"


class ShareError(Exception):
    """There is no link; the text is a sentence for the owner."""


def public_link(host: str, port: int) -> str:
    """A link under which everybody finds the page that is served here; `ShareError` if there is
    none. May take a minute; the link holds until `end_links`, for a week at the most."""
    tunneling.print = _say  # it prints the log of its program
    try:
        address = networking.setup_tunnel(host, port, secrets.token_urlsafe(32), None, None)
    except Exception as error:  # the program and its download have many ways to fail
        log.debug("no public link", exc_info=error)
        why = next((why for kind, why in _REASONS if isinstance(error, kind)), _REFUSED)
        raise ShareError(
            f"There is no public link: {why}. The app goes on without, with its settings for the "
            "public; start it without --share to have them all."
        ) from error
    return urlsplit(str(address))._replace(scheme="https").geturl()


def end_links() -> None:
    """The links of this process lead nowhere from now on."""
    for tunnel in tunneling.CURRENT_TUNNELS:
        tunnel.kill()


def _say(*values: object, **_: object) -> None:
    log.debug("Gradio says: %s", values)
