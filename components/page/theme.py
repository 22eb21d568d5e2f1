"""How Gradio's own parts look; the styles in browser/page do the rest.

Rule: nothing is loaded from another host. Plain names are fonts of the visitor's system.
"""

from typing import Any

import gradio as gr


def theme() -> Any:
    """Gradio's barest theme, with system fonts."""
    return gr.themes.Base(
        primary_hue="blue",
        neutral_hue="stone",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
