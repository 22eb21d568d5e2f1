"""Whether the packages that this app stands on are those that it was tested with."""

import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Final

from components.doctor.findings import Finding, failed, ok, warning

CHECK: Final = "Versions"
PYTHONS: Final = ((3, 11), (3, 13))
"""The oldest and the newest Python that it was tested with."""
REQUIREMENTS: Final = Path(__file__).resolve().parents[2] / "requirements.txt"


def examine_software(
    python: tuple[int, int] = (sys.version_info.major, sys.version_info.minor),
    version: Callable[[str], str] = metadata.version,
) -> Finding:
    """Compare what is installed with what is pinned; `version` tells that of a package."""
    name = f"Python {python[0]}.{python[1]}"
    if python < PYTHONS[0]:
        return failed(CHECK, f"{name} is too old.", "Use Python 3.11, 3.12 or 3.13.")
    different = [
        f"{package} {_installed(package, version)} instead of {wanted}"
        for package, wanted in pins().items()
        if _installed(package, version) != wanted
    ]
    if different:
        fix = "Install what was tested: pip install -r requirements.txt"
        return warning(CHECK, f"{', '.join(different)}.", fix)
    if python > PYTHONS[1]:
        return warning(CHECK, f"{name} is newer than any that was tested.")
    listed = ", ".join(f"{package} {wanted}" for package, wanted in pins().items())
    return ok(CHECK, f"{name}, {listed}.")


def pins() -> dict[str, str]:
    """The packages that are pinned to one version, because another can break the sound."""
    lines = REQUIREMENTS.read_text("utf-8").splitlines()
    pinned = [line.partition("==") for line in lines if "==" in line and ";" not in line]
    return {package.strip(): wanted.strip() for package, _, wanted in pinned}


def _installed(package: str, version: Callable[[str], str]) -> str:
    try:
        return version(package)
    except metadata.PackageNotFoundError:
        return "(missing)"
