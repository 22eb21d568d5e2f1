from pathlib import Path

import pytest

from components.practice.speech import hub
from components.practice.speech.weights import WeightsError

EARS = ("model.bin", "config.json", "tokenizer.json", "vocabulary.json")
VOICE = ("de_DE-thorsten-medium.onnx", "de_DE-thorsten-medium.onnx.json")


def filled(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the hub's cache has the files of any model."""
    monkeypatch.setattr(
        hub,
        "try_to_load_from_cache",
        lambda _, name: str(path) if (path := tmp_path / Path(name).name).is_file() else None,
    )
    return tmp_path


def test_a_chosen_folder_must_hold_a_whole_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"has no model\.bin\."):
        hub.ears_folder(str(tmp_path))
    with pytest.raises(WeightsError, match=r"has no \.onnx with its"):
        hub.voice_file(str(filled(tmp_path, "another.onnx")))

    filled(tmp_path, *EARS, *VOICE)
    assert hub.ears_folder(str(tmp_path)) == tmp_path
    assert hub.voice_file(str(tmp_path)) == tmp_path / VOICE[0]


def test_the_usual_models_come_from_the_cache_once_it_is_complete(cache: Path) -> None:
    joe = [name.replace("de_DE-thorsten", "en_US-joe") for name in VOICE]
    filled(cache, EARS[0], joe[0])
    assert hub.ears_folder("") is hub.voice_file("") is None

    filled(cache, *EARS, *joe)
    assert hub.ears_folder("") == cache
    assert hub.voice_file("") == cache / joe[0]


def test_a_model_that_is_named_must_have_been_fetched(cache: Path) -> None:
    with pytest.raises(WeightsError, match=r"fetch small$"):
        hub.ears_folder("small")
    with pytest.raises(WeightsError, match=r"fetch de_DE-thorsten-medium$"):
        hub.voice_file("de_DE-thorsten-medium")

    filled(cache, *EARS, *VOICE)
    assert hub.ears_folder("small") == cache
    assert hub.voice_file("de_DE-thorsten-medium") == cache / VOICE[0]


@pytest.mark.parametrize(
    ("name", "repository", "variable"),
    [
        ("small", "Systran/faster-whisper-small", "PRACTICE_EARS_MODEL"),
        ("large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo", "PRACTICE_EARS_MODEL"),
        ("somebody/whisper-for-cats", "somebody/whisper-for-cats", "PRACTICE_EARS_MODEL"),
        ("pt_BR-faber-medium", "rhasspy/piper-voices", "PRACTICE_VOICE_MODEL"),
        ("es_ES-mls_9972-low", "rhasspy/piper-voices", "PRACTICE_VOICE_MODEL"),
    ],
)
def test_a_name_tells_what_it_is_of(name: str, repository: str, variable: str) -> None:
    model = hub.named(name)
    assert (model.repository, model.variable) == (repository, variable)


@pytest.mark.parametrize("name", ["", "smallest", "/models/large", "../x", "a/b/c", "de-x-y"])
def test_what_is_no_name_is_told_what_names_are(name: str) -> None:
    with pytest.raises(WeightsError, match=r"size of Whisper .* voice of Piper"):
        hub.named(name)
    with pytest.raises(WeightsError, match="neither a folder here nor"):
        hub.ears(name)
    with pytest.raises(WeightsError, match="neither a folder here nor"):
        hub.voice(name)
