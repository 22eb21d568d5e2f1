"""Imports Gradio without the stub files that it would write, which takes half of the app's start.

Gradio 5 parses the source of each of its 80 components whenever it is imported, to write a `.pyi`
beside it. Those it ships are complete, and nothing reads them while the app runs.
Rule: for all else Gradio is as its authors made it.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Final

_WRITER: Final = "gradio.component_meta"


def leave_stubs() -> None:
    """From now on, importing Gradio writes none; without effect if it has been imported."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds the one module that writes them, and nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _WRITER:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Loads it as usual, then puts a function that does nothing in the place of the one that
    writes."""

    def __init__(self, usual: Loader) -> None:
        self._usual = usual

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._usual.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._usual.exec_module(module)
        module.__dict__["create_or_modify_pyi"] = _write_none


def _write_none(*_: object) -> None:
    pass
