"""The Grafana dashboard asks for what the app tells, and for nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from components.core.timing import Step, Turn
from components.operating.metrics import Metrics
from components.protocol.errors import ServerError
from components.protocol.events import ResponseDone
from components.protocol.failures import OUR_FAULT
from components.protocol.usage import Usage

DASHBOARD = json.loads(
    (Path(__file__).parents[2] / "deploy" / "grafana-dashboard.json").read_text("utf-8")
)
FUNCTIONS = {"sum", "by", "rate", "increase", "histogram_quantile"}
GRAFANA = {"instance", "le"}
"""Labels that Prometheus adds, and those of a histogram."""


def exported() -> dict[str, set[str]]:
    """The names of all samples of an app in which everything has happened, with their labels."""
    metrics = Metrics("gpt-realtime-2.1")
    meter = metrics.call("bridged", 0.0)
    meter.joined(1.0)
    meter.joined(2.0)
    meter.failed(OUR_FAULT)
    meter.receive(ResponseDone("r", "completed", (), ServerError(), Usage(input_text=1)))
    meter.turns([Turn(1, "spoken", 0.0, {Step.SENT: 1.0})])
    meter.over("hung_up")
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }


def expressions() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def names_in(expression: str) -> set[str]:
    """The metrics that an expression asks for."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)", "", expression)
    return set(re.findall(r"[a-z_]\w+", bare)) - FUNCTIONS


def labels_in(expression: str) -> set[str]:
    by = ",".join(re.findall(r"by \(([^)]*)\)", expression))
    selected = re.findall(r"(\w+)=~?\"", expression)
    return {label.strip() for label in by.split(",") if label.strip()} | set(selected)


def test_every_metric_of_the_dashboard_exists_with_its_labels():
    known = exported()
    for expression in expressions():
        names = names_in(expression)
        assert names, expression
        assert names <= set(known), expression
        labels = set().union(*(known[name] for name in names))
        assert labels_in(expression) <= labels | GRAFANA, expression


def test_every_metric_of_ours_is_shown():
    def family(name: str) -> str:
        return re.sub(r"_(total|created|bucket|sum|count)$", "", name)

    shown = {family(name) for expression in expressions() for name in names_in(expression)}
    ours = {family(name) for name in exported() if name.startswith("voice_")}

    assert ours <= shown


def test_panels_neither_overlap_nor_share_a_number():
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    cells = [
        (column, row)
        for panel in DASHBOARD["panels"]
        for place in [panel["gridPos"]]
        for column in range(place["x"], place["x"] + place["w"])
        for row in range(place["y"], place["y"] + place["h"])
    ]

    assert len(set(numbers)) == len(numbers)
    assert len(set(cells)) == len(cells)
    assert all(column < 24 for column, _ in cells)
