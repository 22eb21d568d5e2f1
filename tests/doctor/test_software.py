"""Whether what is installed is what was tested."""

import sys
from importlib import metadata

import pytest

from components.doctor.software import examine_software, pins


def pinned(package: str) -> str:
    return pins()[package]


def test_what_the_tests_run_with_is_what_is_pinned() -> None:
    assert set(pins()) == {"gradio", "fastrtc", "aiortc"}
    assert examine_software((3, 11)).verdict == "ok"
    assert sys.version_info[:2] >= (3, 11)


@pytest.mark.parametrize(
    ("python", "verdict"), [((3, 10), "failed"), ((3, 13), "ok"), ((3, 14), "warning")]
)
def test_python_is_judged_by_its_version(python: tuple[int, int], verdict: str) -> None:
    assert examine_software(python, pinned).verdict == verdict


def test_another_version_of_what_carries_the_sound_is_named() -> None:
    def other(package: str) -> str:
        if package == "aiortc":
            raise metadata.PackageNotFoundError
        return "6.0" if package == "gradio" else pinned(package)

    found = examine_software((3, 11), other)

    assert found.verdict == "warning"
    assert found.found == "gradio 6.0 instead of 5.50.0, aiortc (missing) instead of 1.16.0."
    assert "requirements.txt" in found.fix
