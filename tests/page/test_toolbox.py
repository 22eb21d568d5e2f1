"""The pane of the tools: what the model is told of a function, and a form to try it."""

import re
from typing import Annotated, Literal

from pydantic import Field

from components.page.toolbox import pane
from components.tools import TOOLS, tool


def every_kind(
    text: Annotated[str, Field(description="Any <words>.")],
    count: int,
    share: float = 0.5,
    loud: bool = True,
    unit: Literal["km", "miles"] = "km",
    places: tuple[str, ...] = ("Oslo",),
    optional: str | None = None,
    direction: Literal["up", "down"] | None = None,
) -> str:
    """Takes <all> kinds of arguments."""
    return f"{text}{count}{share}{loud}{unit}{places}{optional}{direction}"


def test_each_function_has_a_switch_its_description_and_its_schema() -> None:
    html = pane(TOOLS)
    for each in TOOLS:
        assert f'role="switch" name="{each.name}" checked' in html
        assert each.description.split(",")[0] in html
        assert f'data-try="{each.name}"' in html
    assert "&quot;properties&quot;" in html


def test_each_argument_has_a_field_of_its_kind_with_its_default() -> None:
    html = pane((tool(every_kind),))
    fields = re.findall(r'<(\w+)[^>]*? name="(\w+)" data-kind="(\w+)"( required)?', html)
    assert fields == [
        ("input", "text", "text", " required"),
        ("input", "count", "integer", " required"),
        ("input", "share", "number", ""),
        ("input", "loud", "boolean", ""),
        ("select", "unit", "choice", ""),
        ("textarea", "places", "json", ""),
        ("input", "optional", "text", ""),
        ("select", "direction", "choice", ""),
    ]
    assert 'data-kind="number" value="0.5"' in html
    assert 'data-kind="boolean" checked' in html
    assert "<option selected>km</option>" in html
    assert "[&quot;Oslo&quot;]</textarea>" in html


def test_what_a_function_says_of_itself_is_escaped() -> None:
    html = pane((tool(every_kind),))
    assert "Any &lt;words&gt;." in html
    assert "Takes &lt;all&gt; kinds" in html


def test_an_app_without_functions_says_so() -> None:
    assert "This app has none." in pane(())
