"""`python -m tests.readme`: write the table of settings in README.md anew.

Its rows are what stands under the fields of `Settings`, with their defaults; a test compares them.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

from components.settings import Settings

README = Path(__file__).parents[1] / "README.md"
HEAD = "| Variable | Default | Meaning |\n|---|---|---|\n"
NAMES = re.compile(r"((?:`[A-Z][A-Z_]+`(?:, )?)+): (.*)")
TABLE = re.compile(r"(?<=<!-- python -m tests\.readme writes this table -->\n).*?(?=\n\n)", re.S)
LONGEST = 40
"""A default of more characters is described instead of shown."""


def main() -> None:
    README.write_text(with_table(README.read_text("utf-8")), "utf-8")


def with_table(text: str) -> str:
    """A README with the table as it should be."""
    whole, found = TABLE.subn(lambda _: table(), text)
    if found != 1:
        raise ValueError("README.md has not one place for the table of settings")
    return whole


def table() -> str:
    """The rows of all fields that variables set, in their order."""
    defaults = {each.name: each.default for each in fields(Settings)}
    rows = [
        f"| {row[1]} | {_shown(defaults[name])} | {row[2]} |"
        for name, told in _told()
        if (row := NAMES.fullmatch(told))
    ]
    return HEAD + "\n".join(rows)


def _told() -> Iterator[tuple[str, str]]:
    """Each field of `Settings` that has a text under it, with that text in one line."""
    (definition,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(definition, ast.ClassDef)
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(told))),
            ):
                yield name, " ".join(told.split())


def _shown(default: object) -> str:
    if default in ("", None, ()) or default is MISSING:
        return "none"
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    return f"`{shown}`" if len(shown) <= LONGEST else "a short, friendly text"


if __name__ == "__main__":
    main()
