"""The compose files: every word of them is one of the Compose Specification."""

from pathlib import Path

import pytest
import yaml
from compose_spec.models import ComposeSpecification
from pydantic import ValidationError

from components.settings import load
from tests.deploy.image import named, variables

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy").glob("compose*.yaml"))


def read(path):
    return yaml.safe_load(path.read_text())


def checked(content):
    """`ValidationError` for a word that nobody knows, at any depth; `x-` is for one's own."""
    known = {word: value for word, value in content.items() if not word.startswith("x-")}
    return ComposeSpecification.model_validate(known, extra="forbid")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_compose_file_says_nothing_that_an_engine_would_not_understand(path):
    assert checked(read(path)).services


def test_the_check_of_compose_files_knows_a_word_that_does_not_exist():
    with pytest.raises(ValidationError):
        checked({"services": {"app": {"image": "a", "read_onyl": True}}})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_app_of_a_compose_file_is_this_image_with_no_more_rights_than_it_needs(path):
    apps = [each for each in read(path)["services"].values() if each.get("build")]

    assert apps
    for app in apps:
        folder = (path.parent / app["build"]["context"]).resolve()
        assert (folder / app["build"]["dockerfile"]).is_file()
        assert app["read_only"]
        assert app["tmpfs"] == [variables()["HOME"]]
        assert app["cap_drop"] == ["ALL"]
        assert app["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_app_of_a_compose_file_has_settings_that_can_be_used(path):
    example = {"${TURN_CREDENTIAL:?}": "secret", "${TURN_HOST:?}": "turn.example.org"}
    for app in read(path)["services"].values():
        if not app.get("build"):
            continue
        given = app.get("environment", {})
        filled = {name: str(value) for name, value in given.items()}
        for placeholder, value in example.items():
            filled = {name: text.replace(placeholder, value) for name, text in filled.items()}
        load([], {**variables(), **filled}, Path("there-is-no-such-file"))


def test_the_app_is_served_where_the_image_says():
    [port] = [each.rest for each in named("EXPOSE")]
    settings = load([], variables(), Path("there-is-no-such-file"))

    assert (settings.host, settings.port) == ("0.0.0.0", int(port))
