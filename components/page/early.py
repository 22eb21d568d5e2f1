"""Names to the browser at once what it would find only after three rounds of loading.

Rule: only files that are there; a file that another release of fastrtc or Gradio names otherwise is
left out, and the page loads it when it finds it.
"""

import re
from pathlib import Path
from typing import Final

import fastrtc
import gradio as gr

_CHUNK: Final = re.compile(r'from "\./([\w-]+\.js)"')
_ASSETS: Final = Path(gr.__file__).parent / "templates" / "frontend" / "assets"


def early_links() -> str:
    """The value of the page's `Link` header; relative, so that it holds behind any root path."""
    return ", ".join(f"<{name}>; rel=modulepreload" for name in _names())


def _names() -> list[str]:
    component = fastrtc.WebRTC
    folder = Path(fastrtc.__file__).parent / component.TEMPLATE_DIR / "component"
    under = f"gradio_api/custom_component/{component.get_component_class_id()}/client/component"
    index = folder / "index.js"
    chunks = _CHUNK.findall(index.read_text("utf-8")) if index.is_file() else []
    found = [f"{under}/{name}" for name in ("index.js", *chunks) if (folder / name).is_file()]
    return found + [f"assets/{path.name}" for path in sorted(_ASSETS.glob("Blocks-*.js"))]
