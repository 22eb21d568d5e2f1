"""The documents name only what is there, and their commands run as they are written."""

import functools
import importlib.util
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from components.doctor.software import pins
from components.protocol.addresses import realtime_url
from components.settings import load
from tests.documents import (
    DOCUMENTS,
    ROOT,
    Block,
    anchors,
    assignments,
    blocks,
    code,
    flags,
    links,
    modules,
    spans,
    targets,
)
from tests.running import environment, free_port, usual_signals

README = (ROOT / "README.md").read_text("utf-8")
TEXTS = [pytest.param(path, path.read_text("utf-8"), id=path.name) for path in DOCUMENTS]
ANY = pytest.mark.parametrize(("path", "text"), TEXTS)
OTHERS = {"http", "pip", "venv", "pytest", "pip_audit"}
"""Modules that are not ours."""
START_S = 20
DOCUMENTED = [
    "README.md",
    "SECURITY.md",
    "hosting.md",
    "operating.md",
    "practice.md",
    "voice-button.md",
]
"""For who runs the app; those for who changes it name constants beside variables."""


def test_every_document_is_looked_at():
    assert {"README.md", "CONTRIBUTING.md", "architecture.md"} <= {path.name for path in DOCUMENTS}
    assert sum(len(links(path.read_text("utf-8"))) for path in DOCUMENTS) > 30


@ANY
def test_links_lead_to_what_is_there(path, text):
    for link in links(text):
        name, _, anchor = link.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), f"{path.name} leads to {link}"
        if anchor:
            assert anchor in anchors(there.read_text("utf-8")), f"{path.name} leads to {link}"


@ANY
def test_files_that_are_named_are_there(path, text):
    top = "|".join(each.name for each in ROOT.iterdir() if each.is_dir())
    for span in spans(text):
        if re.fullmatch(rf"({re.escape(top)}|{top})/[\w./-]*", span):
            assert (ROOT / span).exists(), f"{path.name} names {span}"


@ANY
def test_commands_that_are_named_are_there(path, text):
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert targets(text) <= made
    assert flags(text) <= flags_of_the_app()
    for name in modules(text) - OTHERS:
        spec = importlib.util.find_spec(name)
        assert spec, f"{path.name} runs {name}"
        if spec.submodule_search_locations:
            assert importlib.util.find_spec(f"{name}.__main__"), f"{path.name} runs {name}"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_variables_that_are_named_can_be_set(name):
    (path,) = (path for path in DOCUMENTS if path.name == name)
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", code(path.read_text("utf-8"))))
    known = {"SPACE_ID", *re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)}
    for compose in (ROOT / "deploy").glob("compose*.yaml"):
        known.update(re.findall(r"\$\{([A-Z_]+)", compose.read_text()))

    assert named <= known
    assert named or name == "SECURITY.md"


@functools.cache
def flags_of_the_app() -> set[str]:
    told = subprocess.run(
        [sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(re.findall(r"--[a-z]+", told.stdout))


def shell_of_the_readme() -> list[Block]:
    return [block for block in blocks(README) if block.language == "sh"]


def test_what_the_readme_sets_can_be_used():
    """Also where a key or a server is needed to go on."""
    seen = {}
    for block in shell_of_the_readme():
        for command in block.commands:
            if variables := dict(assignments(command)):
                variables = {name: value.replace("…", "x") for name, value in variables.items()}
                found = load([], variables, Path("there-is-no-such-file"))
                assert not found.practice
                seen[found.base_url] = realtime_url(found.base_url, found.model)

    assert seen == {
        "https://api.openai.com/v1": "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1",
        "https://your-resource.openai.azure.com/openai/v1": (
            "wss://your-resource.openai.azure.com/openai/v1/realtime?model=your-deployment"
        ),
        "http://localhost:8080/v1": "ws://localhost:8080/v1/realtime?model=gpt-realtime",
        "http://127.0.0.1:8765/v1": "ws://127.0.0.1:8765/v1/realtime?model=gpt-realtime-2.1",
    }


def test_advisories_are_told_of_the_versions_that_are_asked_for():
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    told = re.findall(r"([A-Za-z][\w-]*) (\d+(?:\.\d+)+)", text)
    asked = {}
    for name in ("requirements.txt", "requirements-local.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith("#"):
                requirement = Requirement(line)
                asked[requirement.name] = requirement.specifier

    assert dict(pins()).items() <= {name.lower(): version for name, version in told}.items()
    for name, version in told:
        assert version in asked.get(name.lower(), SpecifierSet()), f"{name} {version}"
    assert {"starlette", "uvicorn", "faster-whisper"} <= {name.lower() for name, _ in told}


def test_hooks_and_the_public_host_run_what_everybody_runs():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    entries = re.findall(r"^ +entry: (.*)$", hooks, re.M)
    makefile = (ROOT / "Makefile").read_text().replace("$(NPM)", "npm")
    made = [f"make {name}" for name in re.findall(r"^([a-z]+):", makefile, re.M)]

    assert len(entries) == 3
    assert all(entry in made or f"\t{entry}\n" in makefile for entry in entries)
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    assert re.findall(r"run: (bash .*)", workflow) == ["bash .ci/run"]


def test_pictures_are_small():
    pictures = list((ROOT / "docs" / "images").iterdir())

    assert len(pictures) > 10
    for picture in pictures:
        most = 400_000 if picture.suffix == ".webp" else 150_000
        assert picture.stat().st_size < most, picture.name
        assert picture.name in README, picture.name


@pytest.mark.integration
def test_the_readmes_commands_run_as_they_are_written(tmp_path):
    """Those that need nothing from outside, in their order; the port alone is another."""
    for name in ("app.py", "components", "requirements.txt"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    port = free_port()
    offline = [
        command.replace("8765", str(port))
        for block in shell_of_the_readme()
        if not block.needs
        for command in block.commands
    ]
    assert [".venv/bin/python app.py --doctor" in command for command in offline] == [
        True,
        False,
        True,
    ]
    with subprocess.Popen(
        ["sh", "-c", f"exec {offline[1]}"],
        cwd=tmp_path,
        env=environment(),
        preexec_fn=usual_signals,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            assert f":{port}" in server.stdout.readline()
            with socket.create_connection(("127.0.0.1", port), START_S):
                pass
            for command in (offline[0], offline[2]):
                ended = subprocess.run(
                    ["sh", "-c", command],
                    cwd=tmp_path,
                    env=environment(),
                    capture_output=True,
                    text=True,
                    timeout=50,
                    check=False,
                )
                assert ended.returncode == 0, ended.stdout
        finally:
            server.terminate()
