"""The scripts and styles of the page and of the voice button, read from their folders.

Rule: each is delivered in one piece, its sources joined in the order in which they need each other.
"""

import re
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent

_PAGE_STYLES: Final = ("page/frame.css", "page/dialogue.css", "page/narrow.css")
_SHARED: Final = (
    *("shared/microphone.js", "shared/canvas.js", "shared/states.js"),
    *("shared/backoff.js", "shared/wake.js"),
)
_PAGE_SCRIPTS: Final = (
    *_SHARED,
    *("page/key.js", "page/gradio.js", "page/microphone.js", "page/component.js"),
    *(
        "page/snapshots.js",
        "page/connection.js",
        "page/rejoin.js",
        "page/sound.js",
        "page/figures.js",
    ),
    *("page/timeline.js", "page/levels.js", "page/page.js"),
)
_WIDGET_SCRIPTS: Final = (
    *_SHARED,
    "shared/reduce.js",
    *("widget/sentences.js", "widget/transcript.js", "widget/events.js", "widget/call.js"),
    *("widget/spectrum.js", "widget/style.js", "widget/markup.js", "widget/element.js"),
)

_LEFT_OUT: Final = re.compile(r"^import [^;]*;\n|^export |^ *//.*\n", re.MULTILINE)
"""What ties the sources together as modules, and lines of comment: a browser needs neither."""


def page_head() -> str:
    """What the page needs in its `<head>`.

    Inlined, so that it works behind any root path and through the share tunnel. The style does not
    go through Gradio's `css`, which rewrites its selectors.
    """
    style = "".join(_read(name) for name in _PAGE_STYLES)
    return f"<style>{style}</style><script>{_joined(_PAGE_SCRIPTS)}</script>"


def direct_head() -> str:
    """What the direct route adds to it: the widget, and what ties the widget to the page."""
    style = _read("page/direct.css")
    script = _read("page/direct.js")
    return (
        f'<style>{style}</style><script src="widget.js" data-manual defer></script>'
        f"<script>{script}</script>"
    )


def widget_script() -> str:
    """The voice button, as `/widget.js` delivers it."""
    return _joined(_WIDGET_SCRIPTS)


def demo_page() -> str:
    """A page with nothing on it but the voice button, in HTML."""
    return _read("widget/demo.html")


def _joined(names: tuple[str, ...]) -> str:
    """The modules as one script, which puts nothing of theirs into the page's global scope."""
    bodies = "\n".join(_LEFT_OUT.sub("", _read(name)) for name in names)
    return f'(function () {{\n"use strict";\n{bodies}}})();\n'


def _read(name: str) -> str:
    return (_HERE / name).read_text("utf-8")
