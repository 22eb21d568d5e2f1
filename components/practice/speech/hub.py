"""Models that somebody has chosen: in a folder, or by their name on the Hugging Face hub.

Rule: only the hub's cache is looked into; nothing here asks the network.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from huggingface_hub import try_to_load_from_cache

from components.practice.speech.weights import WeightsError

FETCH: Final = "python -m components.practice fetch"
USUAL_EARS: Final = "base"
USUAL_VOICE: Final = "en_US-joe-medium"
EARS_FILES: Final = ("model.bin", "config.json", "tokenizer.json", "vocabulary.*")
"""As faster-whisper takes a model of Whisper."""
_EARS_MORE: Final = ("preprocessor_config.json",)
"""Which some models have as well."""
_SIZES: Final = ("tiny", "base", "small", "medium", "large-v3")
_TURBO: Final = "large-v3-turbo"
_REPOSITORY: Final = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_VOICE: Final = re.compile(r"(([a-z]{2,3})_[A-Z]{2,3})-([^-/.]+)-([a-z_]+)")
_EARS_NAMES: Final = f"a size of Whisper ({', '.join(_SIZES)}, {_TURBO}) or OWNER/NAME on the hub"
_VOICE_NAME: Final = "a voice of Piper such as de_DE-thorsten-medium"


@dataclass(frozen=True, slots=True)
class Model:
    """A model on the hub."""

    name: str
    repository: str
    files: tuple[str, ...]
    """Paths, or patterns of them, of which it needs each."""
    variable: str
    """The setting that chooses it."""
    more: tuple[str, ...] = ()
    """Patterns of files that it may have."""
    card: str = ""
    """The file that names its licence, if its repository has several."""


def ears(name: str) -> Model:
    """The model of Whisper with this name; `WeightsError` if it cannot be one."""
    if name in _SIZES:
        repository = f"Systran/faster-whisper-{name}"
    elif name == _TURBO:
        repository = f"mobiuslabsgmbh/faster-whisper-{name}"
    elif _REPOSITORY.fullmatch(name):
        repository = name
    else:
        raise WeightsError(f"{name} is neither a folder here nor {_EARS_NAMES}.")
    return Model(name, repository, EARS_FILES, "PRACTICE_EARS_MODEL", _EARS_MORE)


def voice(name: str) -> Model:
    """The voice of Piper with this name; `WeightsError` if it cannot be one."""
    parts = _VOICE.fullmatch(name)
    if parts is None:
        raise WeightsError(f"{name} is neither a folder here nor {_VOICE_NAME}.")
    region, language, person, quality = parts.groups()
    folder = f"{language}/{region}/{person}/{quality}"
    return Model(
        name,
        "rhasspy/piper-voices",
        (f"{folder}/{name}.onnx", f"{folder}/{name}.onnx.json"),
        "PRACTICE_VOICE_MODEL",
        card=f"{folder}/MODEL_CARD",
    )


def named(name: str) -> Model:
    """What `fetch` brings by this name; raises `WeightsError`."""
    if _VOICE.fullmatch(name):
        return voice(name)
    try:
        return ears(name)
    except WeightsError:
        raise WeightsError(f"{name} is neither {_EARS_NAMES}, nor {_VOICE_NAME}.") from None


def ears_folder(chosen: str) -> Path | None:
    """The folder with the chosen model for the ears, or with the usual one; None if only that is
    not in the hub's cache. `WeightsError` if a chosen one is not there, or lacks a file."""
    if chosen and (folder := Path(chosen)).is_dir():
        if missing := _missing(folder, EARS_FILES):
            raise WeightsError(f"The folder {chosen} has no {missing}.")
        return folder
    found = _cached(ears(chosen or USUAL_EARS), bool(chosen))
    return found and found.parent


def voice_file(chosen: str) -> Path | None:
    """The `.onnx` of the chosen voice, as `ears_folder` finds ears."""
    if chosen and (folder := Path(chosen)).is_dir():
        voices = sorted(folder.glob("*.onnx"))
        found = next((voice for voice in voices if Path(f"{voice}.json").is_file()), None)
        if found is None:
            raise WeightsError(f"The folder {chosen} has no .onnx with its .onnx.json.")
        return found
    return _cached(voice(chosen or USUAL_VOICE), bool(chosen))


def _cached(model: Model, required: bool) -> Path | None:
    """The first of a model's files in the hub's cache, if that has all of them."""
    found = try_to_load_from_cache(model.repository, model.files[0])
    names = [file.rpartition("/")[2] for file in model.files]
    if isinstance(found, str) and not _missing(Path(found).parent, names):
        return Path(found)
    if required:
        raise WeightsError(f"{model.name} is not here; to bring it: {FETCH} {model.name}")
    return None


def _missing(folder: Path, files: Sequence[str]) -> str:
    """The first of these files, or patterns of them, that a folder has not; empty if it has all."""
    return next((file for file in files if not any(folder.glob(file))), "")
