"""What is taken of a browser's session description.

Rule: one microphone, one association for the data channel, one way through the network for both;
whatever else an offer holds costs nothing. What is left of it is answered as usual.
"""

from collections.abc import Sequence
from typing import Final

from components.media.candidates import Candidates

MOST_CHARACTERS: Final = 65_536
"""A browser's offer has some ten thousand."""
MOST_SECTIONS: Final = 32
MOST_CODECS: Final = 256
"""Lines that name a codec; the payload types of one section number 128 at the most."""
_DIRECTIONS: Final = ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")
_END: Final = "a=end-of-candidates"
_CANDIDATE: Final = "a=candidate:"


class OfferError(ValueError):
    """No browser makes such an offer."""


def taken(sdp: str, candidates: Candidates) -> str:
    """The part of an offer that is answered; `OfferError` if there is none.

    The candidates are those that `candidates` takes; sections after the first of sound are
    inactive. All sections must share one way (BUNDLE), as those of browsers do.
    """
    if len(sdp) > MOST_CHARACTERS:
        raise OfferError("too long")
    session, *sections = _sections(sdp)
    if not 0 < len(sections) <= MOST_SECTIONS or sdp.count("a=rtpmap:") > MOST_CODECS:
        raise OfferError("too many sections or codecs")
    if len(sections) > 1 and not _share_one_way(session, sections):
        raise OfferError("more than one way through the network")
    if sum(_kind(section) == "application" for section in sections) > 1:
        raise OfferError("more than one association")
    heard = next((section for section in sections if _kind(section) == "audio"), None)
    kept = [
        section if section is heard or _kind(section) == "application" else _silenced(section)
        for section in sections
    ]
    return "\r\n".join([*session, *_with_candidates(kept, candidates), ""])


def _sections(sdp: str) -> list[list[str]]:
    """The lines of the session, then those of each medium."""
    parts: list[list[str]] = [[]]
    for line in filter(None, sdp.splitlines()):
        if line.startswith("m="):
            parts.append([])
        parts[-1].append(line)
    return parts


def _kind(section: Sequence[str]) -> str:
    return section[0][2:].split(" ", 1)[0]


def _share_one_way(session: Sequence[str], sections: Sequence[Sequence[str]]) -> bool:
    groups = [line[8:].split() for line in session if line.startswith("a=group:")]
    bundled = [words[1:] for words in groups if words[:1] == ["BUNDLE"]]
    names = [line[6:] for section in sections for line in section if line.startswith("a=mid:")]
    return (
        len(bundled) == 1
        and len(set(names)) == len(names) == len(sections)
        and set(bundled[0]) == set(names)
    )


def _silenced(section: list[str]) -> list[str]:
    return [*(line for line in section if line.strip() not in _DIRECTIONS), "a=inactive"]


def _with_candidates(sections: list[list[str]], candidates: Candidates) -> list[str]:
    """All lines. While one of its candidates is left out, an offer does not say that it has named
    all: ICE would give up when no other answers, and the browser's own checks are still to come."""
    lines: list[str] = []
    all_taken = True
    for line in (line for section in sections for line in section):
        if not line.startswith(_CANDIDATE):
            lines.append(line)
        elif candidate := candidates.take(line[len(_CANDIDATE) :]):
            lines.append(_CANDIDATE + candidate.line())
        else:
            all_taken = False
    return [line for line in lines if all_taken or line.strip() != _END]
