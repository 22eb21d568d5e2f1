"""How Piper is asked to speak as one of the API's ten voices.

Rule: most of its voices are one person's; the ten are then this person at ten pitches, at the same
pace. A model of ten persons or more speaks as its first ten.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.practice.speech import hub
from components.practice.speech.voice import Synthesiser
from components.settings import VOICES

PITCHES: Final = {
    "verse": 0.84,
    "ash": 0.88,
    "cedar": 0.92,
    "echo": 0.96,
    "marin": 1.0,
    "ballad": 1.04,
    "alloy": 1.08,
    "sage": 1.12,
    "coral": 1.16,
    "shimmer": 1.2,
}
_DEFAULT: Final = "marin"
_LONGEST: Final = 120
"""Characters that are ready after half a second."""


def piper(model: Path | None = None) -> Synthesiser:
    """Piper with this voice (its `.onnx`); None takes that of the package."""
    name = model.stem if model else hub.USUAL_VOICE
    return Synthesiser(
        f"Piper {_person(name)}",
        "piper-tts",
        "piper",
        "components.practice.speech.piper_worker",
        _request,
        () if model is None else (str(model),),
        _LONGEST,
    )


def _person(name: str) -> str:
    """Who speaks, by the name of a model: language, person and quality."""
    parts = name.split("-")
    return parts[1].replace("_", " ").title() if len(parts) == 3 else name


def _request(text: str, voice: str, speed: float) -> Mapping[str, Any]:
    known = voice if voice in PITCHES else _DEFAULT
    return {
        "text": text,
        "speaker": VOICES.index(known),
        "pitch": PITCHES[known],
        "speed": min(max(speed, 0.25), 1.5),
    }
