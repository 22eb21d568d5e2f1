"""The scripts and styles of the page and of the voice button, read from their folders.

Rule: each is delivered in one piece, its sources joined in the order in which they need each other.
"""

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent

_PAGE_SCRIPTS: Final = (
    *("key.js", "gradio.js", "microphone.js", "component.js", "connection.js", "rejoin.js"),
    *("sound.js", "figures.js", "levels.js", "page.js"),
)
_WIDGET_SCRIPTS: Final = ("widget.js",)


def page_head() -> str:
    """What the page needs in its `<head>`.

    Inlined, so that it works behind any root path and through the share tunnel. The style does not
    go through Gradio's `css`, which rewrites its selectors.
    """
    style = _read("page/page.css")
    return f"<style>{style}</style>" + "".join(
        f"<script>{_read(f'page/{name}')}</script>" for name in _PAGE_SCRIPTS
    )


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
    return "\n".join(_read(f"widget/{name}") for name in _WIDGET_SCRIPTS)


def demo_page() -> str:
    """A page with nothing on it but the voice button, in HTML."""
    return _read("widget/demo.html")


def _read(name: str) -> str:
    return (_HERE / name).read_text("utf-8")
