"""The packages of `requirements-local.txt`, which bring the neural ears.

Rule: where they are missing their tests are skipped, but never in CI.
"""

import importlib.util
import os

import pytest


def require_local(*packages: str) -> None:
    """Skip the module that calls this, unless these packages are there."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        reason = f"needs requirements-local.txt, which brings {missing[0]}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason, allow_module_level=True)
