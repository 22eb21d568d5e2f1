"""What a Dockerfile says, and a folder that holds what it copies, without an engine."""

import json
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


@dataclass(frozen=True)
class Instruction:
    word: str
    rest: str

    @property
    def command(self) -> list[str]:
        """Of one in the form of a list."""
        listed: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return listed


def instructions() -> list[Instruction]:
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [Instruction(*line.split(" ", 1)) for line in lines if line.strip()]


def named(word: str) -> list[Instruction]:
    return [each for each in instructions() if each.word == word]


def variables() -> dict[str, str]:
    """Those that the image sets."""
    pairs = [pair for each in named("ENV") for pair in shlex.split(each.rest)]
    return dict(pair.split("=", 1) for pair in pairs)


def taken_away() -> list[str]:
    """The packages that are installed and then removed."""
    [removal] = re.findall(r"pip uninstall --yes (.*)", "\n".join(i.rest for i in named("RUN")))
    return str(removal).split()


def copy_into(folder: Path) -> None:
    """Put into a folder what the image's has."""
    for each in named("COPY"):
        *sources, target = each.rest.split()
        for source in sources:
            path = ROOT / source
            if path.is_dir():
                shutil.copytree(path, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, folder / target)
