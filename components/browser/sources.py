"""The scripts and styles of the page and of the voice button, read from their folders.

Rule: each is delivered in one piece, its sources joined in the order in which they need each other.
"""

import re
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent

_PAGE_STYLES: Final = tuple(
    f"page/{name}.css"
    for name in (
        *("colours", "frame", "transcript", "signs", "bar"),
        *("drawer", "panes", "tools", "cost", "recording", "image", "narrow"),
    )
)
_SHARED: Final = (
    *("shared/microphone.js", "shared/canvas.js", "shared/states.js"),
    *("shared/backoff.js", "shared/wake.js"),
)
_CALL_SCRIPTS: Final = (
    "shared/reduce.js",
    *(
        "widget/sentences.js",
        "widget/transcript.js",
        "widget/pace.js",
        "widget/events.js",
        "widget/call.js",
    ),
)
"""A call of the browser's own, straight to the Realtime server."""
_PAGE_SCRIPTS: Final = (
    *("page/key.js", "page/gradio.js", "page/devicechoices.js", "page/devices.js"),
    *("page/loudness.js", "page/checkup.js"),
    *("page/microphone.js", "page/component.js", "page/snapshots.js"),
    *("page/connection.js", "page/rejoin.js", "page/sound.js"),
    *("page/figures.js", "page/timeline.js", "page/plot.js", "page/levels.js"),
    *("page/transcript.js", "page/download.js", "page/saving.js", "page/drawer.js"),
    *("page/wishes.js", "page/settings.js", "page/eventlist.js", "page/events.js"),
    *("page/toolbox.js", "page/tools.js"),
    *("page/money.js", "page/costpane.js", "page/keyform.js", "page/ownkey.js"),
    "page/rawevents.js",
    *("page/turns.js", "page/waterfall.js", "page/inspector.js"),
    *("page/imagefile.js", "page/image.js"),
    *("page/recording.js", "page/bridged.js"),
    *("page/unzip.js", "page/captions.js", "page/kept.js", "page/player.js"),
)
_DIRECT_SCRIPTS: Final = ("page/direct.js",)
_WIDGET_SCRIPTS: Final = (
    *_SHARED,
    *_CALL_SCRIPTS,
    *("widget/spectrum.js", "widget/style.js", "widget/markup.js", "widget/element.js"),
)

_LEFT_OUT: Final = re.compile(r"^import [^;]*;\n|^export |^ *//.*\n", re.MULTILINE)
"""What ties the sources together as modules, and lines of comment: a browser needs neither."""


def page_head(*, direct: bool) -> str:
    """What the page needs in its `<head>`; `direct` adds the calls of the direct route.

    Inlined, so that it works behind any root path and through the share tunnel. The style does not
    go through Gradio's `css`, which rewrites its selectors.
    """
    style = "".join(_read(name) for name in _PAGE_STYLES)
    scripts = (*_SHARED, *(_CALL_SCRIPTS if direct else ()), *_PAGE_SCRIPTS)
    scripts += (*(_DIRECT_SCRIPTS if direct else ()), "page/page.js")
    return f"<style>{style}</style><script>{_joined(scripts)}</script>"


def widget_script() -> str:
    """The voice button, as `/widget.js` delivers it."""
    return _joined(_WIDGET_SCRIPTS)


def demo_page() -> str:
    """A page with nothing on it but the voice button, in HTML."""
    return _read("widget/demo.html")


def _joined(names: tuple[str, ...]) -> str:
    """The modules as one script, which puts nothing of theirs into the page's global scope."""
    bodies = "\n".join(_LEFT_OUT.sub("", _read(name)) for name in names)
    bodies = bodies.replace("</script", "<\\/script")  # which would end the script, in a text too
    return f'(function () {{\n"use strict";\n{bodies}}})();\n'


def _read(name: str) -> str:
    return (_HERE / name).read_text("utf-8")
