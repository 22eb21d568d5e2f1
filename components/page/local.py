"""Keeps Gradio's page from calling other hosts.

Gradio's HTML names a script on cdnjs, preconnects to Google's fonts, and cannot be told not to.
Offline these stall the first load; online they tell a third party about each visitor.
"""

import re
from typing import Final

from gradio.routes import templates
from jinja2 import BaseLoader, Environment

_FOREIGN: Final = re.compile(
    r"<script\b[^>]*\bsrc=\"https?://[^>]*>\s*</script>|<link\b[^>]*\bhref=\"https?://[^>]*>"
)


class _LocalLoader(BaseLoader):
    """Loads Gradio's templates without the tags that load from another host."""

    def __init__(self, loader: BaseLoader) -> None:
        self._loader = loader

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, object]:  # type: ignore[override]
        source, filename, uptodate = self._loader.get_source(environment, template)
        return without_foreign_tags(source), filename, uptodate


def keep_local() -> None:
    """From now on Gradio serves its page without foreign tags; calling it again is harmless."""
    loader = templates.env.loader
    if not isinstance(loader, _LocalLoader):
        templates.env.loader = _LocalLoader(loader)


def without_foreign_tags(html: str) -> str:
    """The HTML without scripts and links whose address is on another host."""
    return _FOREIGN.sub("", html)
