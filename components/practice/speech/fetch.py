"""Fetches a model from the Hugging Face hub into its cache, for `python -m components.practice`.

Rule: size and licence are named before anything large is asked for, and whatever keeps a model away
is one sentence.
"""

import errno
import re
import shutil
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import httpx
from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import RepositoryNotFoundError

from components.practice.speech import hub
from components.practice.speech.hub import Model
from components.practice.speech.weights import WeightsError

_LIMIT_S: Final = 10.0
_LICENCE: Final = re.compile(r"License: *(\S.*)")
_MB: Final = 1_000_000


def fetch(name: str, say: Callable[[str], None]) -> None:
    """Fetch a model; `say` gets a line before and one after. Raises `WeightsError`."""
    model = hub.named(name)
    try:
        _fetch(model, say)
    except RepositoryNotFoundError:
        raise WeightsError(_unknown(model)) from None
    except (httpx.HTTPError, OSError) as error:
        raise WeightsError(_why(error)) from error


def _fetch(model: Model, say: Callable[[str], None]) -> None:
    about = HfApi().model_info(model.repository, timeout=_LIMIT_S)
    files = _files(model, [sibling.rfilename for sibling in about.siblings or ()])
    sizes = HfApi().get_paths_info(model.repository, files)
    size = sum(getattr(found, "size", 0) for found in sizes)
    licence = _licence(model, about)
    place = Path(constants.HF_HUB_CACHE)
    say(f"{model.name}: {size / _MB:,.1f} MB, licence: {licence}.")
    say(f"From {model.repository} at {constants.ENDPOINT} into {place}:")
    _require_room(place, size)
    for file in files:
        hf_hub_download(model.repository, file)
    say(f"It is here. The app uses it with {model.variable}={model.name}")


def _files(model: Model, there: Sequence[str]) -> list[str]:
    """The paths of a model's files among those that its repository has."""
    for pattern in model.files:
        if not any(fnmatch(path, pattern) for path in there):
            raise WeightsError(_unknown(model))
    patterns = (*model.files, *model.more)
    return [path for path in there if any(fnmatch(path, pattern) for pattern in patterns)]


def _licence(model: Model, about: Any) -> str:
    if model.card:
        card = Path(hf_hub_download(model.repository, model.card))
        found = _LICENCE.search(card.read_text("utf-8", errors="replace"))
        return found[1].strip() if found else f"see {model.card}"
    return str((about.card_data or {}).get("license") or "not named")


def _require_room(place: Path, size: int) -> None:
    """Raise `WeightsError` where a disk has less room than that."""
    there = next(folder for folder in (place, *place.parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    if free < size:
        raise WeightsError(f"There is no room for it: {there} has {free / _MB:,.1f} MB.")


def _unknown(model: Model) -> str:
    return f"The hub has no model {model.name} in {model.repository}."


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"There is no room for it at {constants.HF_HUB_CACHE}."
    return f"The hub at {constants.ENDPOINT} cannot be reached, or broke off its answer."
