"""What a Hugging Face Space reads at the head of the README."""

import re
from pathlib import Path

import yaml

from components.doctor.software import pins

ROOT = Path(__file__).parents[2]
LONGEST_DESCRIPTION = 60
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def front_matter():
    found = re.match(r"---\n(.*?)\n---\n", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert found
    return yaml.safe_load(found[1])


def test_the_space_runs_this_app_with_the_gradio_that_it_is_tested_with():
    head = front_matter()

    assert (head["sdk"], head["sdk_version"]) == ("gradio", pins()["gradio"])
    assert (ROOT / head["app_file"]).name == "app.py"
    assert head["python_version"] in ("3.11", "3.12", "3.13")


def test_the_space_has_a_title_and_a_card_that_are_taken():
    head = front_matter()

    assert head["title"]
    assert len(head["short_description"]) <= LONGEST_DESCRIPTION
    assert {head["colorFrom"], head["colorTo"]} <= COLOURS
    assert head["license"] == "mit"


def test_the_six_steps_leave_out_the_tests_and_nothing_that_the_app_needs():
    steps = (ROOT / "docs" / "hosting.md").read_text()
    left_out = re.findall(r'--exclude "(.*?)"', steps)

    assert left_out == ["tests/*", "bench/*", ".*"]
    assert len(re.findall(r"^\d\. \*\*", steps, flags=re.MULTILINE)) == 6
