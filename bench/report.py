"""The table: each figure for both apps, their ratio, and whether its target is met."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.figures import median, percentile

Raw = Mapping[str, Any]
"""Results by part, as `_MAKERS` names them; a part that was not run is missing."""

HELD_BY_TWO: Final = 28.0
"""Calls that two processes on two cores should hold."""


@dataclass(frozen=True)
class Row:
    """One figure. Targets are bounds: two for ours, the others for ours / plain.

    NaN stands for a figure that there is not.
    """

    name: str
    unit: str
    plain: float
    ours: float
    at_most: float | None = None
    at_least: float | None = None
    ratio_at_most: float | None = None
    ratio_at_least: float | None = None
    goal: float | None = None
    """A ratio that is hoped for beyond the target; not judged."""

    @property
    def ratio(self) -> float:
        if math.isnan(self.plain) or math.isnan(self.ours) or self.plain == 0:
            return math.nan
        return self.ours / self.plain

    @property
    def targets(self) -> str:
        bounds = (
            ("≤ {:g}", self.at_most),
            ("≥ {:g}", self.at_least),
            ("≤ {:g} of plain", self.ratio_at_most),
            ("≥ {:g} of plain", self.ratio_at_least),
            ("goal {:g}", self.goal),
        )
        return ", ".join(form.format(bound) for form, bound in bounds if bound is not None)

    @property
    def met(self) -> bool | None:
        """None if there is no target, or no figure to hold against it."""
        verdicts = []
        for value, bound, sign in (
            (self.ours, self.at_most, 1),
            (self.ours, self.at_least, -1),
            (self.ratio, self.ratio_at_most, 1),
            (self.ratio, self.ratio_at_least, -1),
        ):
            if bound is not None:
                verdicts.append(None if math.isnan(value) else sign * value <= sign * bound)
        if False in verdicts:
            return False
        return None if None in verdicts or not verdicts else True


def rows(raw: Raw) -> list[Row]:
    """All rows of the parts that were run."""
    made: list[Row] = []
    for part, make in _MAKERS.items():
        if part in raw:
            made += make(raw[part])
    return made


def table(made: Sequence[Row]) -> str:
    """The rows as text, in columns."""
    head = ("", "unit", "plain", "ours", "ratio", "target", "met")
    lines = [head, *(_cells(row) for row in made)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = []
    for line in lines:
        cells = [
            cell.rjust(width) if 2 <= i <= 4 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
    return "\n".join([text[0], "-" * (sum(widths) + 2 * len(widths) - 2), *text[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[row.met]
    figures = (_figure(row.plain), _figure(row.ours), _figure(row.ratio, 2))
    return (row.name, row.unit, *figures, row.targets, met)


def _figure(value: float, digits: int | None = None) -> str:
    if math.isnan(value):
        return "-"
    if digits is None:
        digits = 0 if abs(value) >= 100 or value == round(value) else 1
    return f"{value:,.{digits}f}"


def _paths(part: Raw) -> list[Row]:
    plain, ours = part["plain"], part["ours"]
    made = []
    for loss, words in (
        ("0", "microphone → upstream"),
        ("0.02", "microphone, 2 % loss"),
        ("0.1", "microphone, 10 % loss"),
    ):
        one, two = plain["microphone"][loss], ours["microphone"][loss]
        targets: dict[str, float] = {
            "0": {"at_most": 15.0, "ratio_at_most": 0.15},
            "0.02": {"at_most": 25.0, "ratio_at_most": 0.1},
            "0.1": {"ratio_at_most": 0.1},
        }[loss]
        made += [
            Row(f"{words}, median", "ms", one["median_ms"], two["median_ms"], **targets),
            Row(f"{words}, p95", "ms", one["p95_ms"], two["p95_ms"]),
            Row(f"{words}, max", "ms", one["max_ms"], two["max_ms"]),
        ]
        if loss != "0":
            made += [
                Row(f"{words}, growth", "ms", one["growth_ms"], two["growth_ms"], at_most=10.0),
                Row(f"{words}, audio lost on top", "%", _lost(one), _lost(two)),
                Row(
                    f"{words}, time line off",
                    "ms",
                    abs(one["time_line_shift_ms"]),
                    abs(two["time_line_shift_ms"]),
                    at_most=40.0,
                ),
            ]
    for key, words in (("first_sound_ms", "delta → caller"), ("stop_ms", "stop → caller quiet")):
        made += _spread(words, plain[key], ours[key])
    return made + _ten_minutes(plain, ours)


def _ten_minutes(plain: Raw, ours: Raw) -> list[Row]:
    if "ten_minutes" not in ours:
        return []
    made = []
    for loss, words in (("0.02", "2 % loss"), ("0.1", "10 % loss")):
        ends = [app["ten_minutes"][loss]["by_minute_ms"] for app in (plain, ours)]
        last, growth = [e[-1] for e in ends], [e[-1] - e[0] for e in ends]
        made.append(_row(f"microphone, {words}, tenth minute", "ms", last, ratio_at_most=0.1))
        made.append(_row(f"microphone, {words}, growth in ten minutes", "ms", growth, at_most=10.0))
    return made


def _browser(part: Raw) -> list[Row]:
    apps = [part["plain"], part["ours"]]

    def all_of(key: str, app: Raw) -> list[float]:
        return [reply[key] for reply in app["replies"] if key in reply]

    first, stop, missing, later = (
        [all_of(key, app) for app in apps]
        for key in ("first_sound_ms", "silence_ms", "missing_ms", "heard_with_next_reply_ms")
    )
    off = [
        abs(reply["audio_end_ms"] - reply["heard_until_ms"])
        for reply in part["ours"]["replies"]
        if "audio_end_ms" in reply
    ]
    words = part["ours"]["words_ms"]
    nan = math.nan
    return [
        *_spread("delta → sound in Chromium", *first, at_most=120.0, ratio_at_most=0.17),
        *_spread("speech_started → silence in Chromium", *stop, at_most=120.0, ratio_at_most=0.06),
        Row(
            "stopped reply heard with the next one, max",
            "ms",
            *(max(v, default=nan) for v in later),
        ),
        _row(
            "reply that never comes out, max",
            "ms",
            [max(v, default=nan) for v in missing],
            at_most=30.0,
        ),
        Row("truncate against heard, median", "ms", nan, median(off)),
        Row("truncate against heard, max", "ms", nan, max(off, default=nan), at_most=60.0),
        Row("transcript delta → page, p95", "ms", nan, percentile(words, 95), at_most=150.0),
    ]


def _load(part: Raw) -> list[Row]:
    made = []
    for plain, ours in zip(part["plain"], part["ours"], strict=True):
        name = f"CPU per call, {plain['calls']} talking"
        both = [step["cpu_per_call_percent"] for step in (plain, ours)]
        if plain["machine_full"] or ours["machine_full"]:
            made.append(_row(f"{name} (machine full)", "% of a core", both))
        else:
            made.append(_row(name, "% of a core", both, ratio_at_most=1.0, goal=0.6))
    for plain, ours in zip(part["plain"], part["ours"], strict=True):
        calls = plain["calls"]
        for key, words in (
            ("microphone_p95_ms", "microphone p95, worst call"),
            ("longest_gap_ms", "longest gap in a reply"),
        ):
            made.append(Row(f"{words}, {calls} talking", "ms", plain[key], ours[key]))
        key = "machine_idle_percent"
        made.append(Row(f"machine idle, {calls} talking", "%", plain[key], ours[key]))
    last = part["plain"][-1], part["ours"][-1]
    calls = last[0]["calls"]
    made.append(_row(f"memory, {calls} talking", "MB", [step["memory_mb"] for step in last]))
    per_call = [step["memory_per_call_mb"] for step in last]
    made.append(_row(f"memory per call, of {calls}", "MB", per_call))
    return [*made, _real_time(part)]


def _real_time(part: Raw) -> Row:
    """No target where the machine, and not the app, was at its end."""
    held, full = zip(*(_held(part[name]) for name in ("plain", "ours")), strict=True)
    name = "calls that hold real time"
    if any(full):
        return _row(f"{name} (machine full)", "calls", held)
    return _row(name, "calls", held, ratio_at_least=1.0, goal=1.5)


def _replicas(part: Raw) -> list[Row]:
    """Ours alone: a plain handler has nothing that a second process could share."""
    made = []
    for processes, steps in part.items():
        words = "one process" if processes == "1" else f"{processes} processes"
        for step in steps:
            for key, name, unit in (
                ("cpu_per_call_percent", "CPU per call", "% of a core"),
                ("microphone_p95_ms", "microphone p95, worst call", "ms"),
                ("machine_idle_percent", "machine idle", "%"),
            ):
                full = f"{words}: {name}, {step['calls']} talking"
                made.append(Row(full, unit, math.nan, step[key]))
        held, machine_full = _held(steps)
        name = f"{words}: calls that hold real time{' (machine full)' if machine_full else ''}"
        least = HELD_BY_TWO if processes == "2" and not machine_full else None
        made.append(Row(name, "calls", math.nan, held, at_least=least))
    return made


def _start(part: Raw) -> list[Row]:
    return [
        Row("start → page answers", "s", part["plain"], part["ours"]),
        Row("start → page answers, practice mode", "s", math.nan, part["practice"]),
    ]


def _visit(part: Raw) -> list[Row]:
    words = "slow phone: request → Start can be pressed"
    seconds = part["start_s"]
    return [
        Row(f"{words}, median", "s", math.nan, median(seconds), at_most=4.0),
        Row(f"{words}, max", "s", math.nan, max(seconds)),
    ]


def _local(part: Raw) -> list[Row]:
    nan = math.nan
    alone, two = part["first_sound_ms"], part["first_sound_of_two_ms"]
    words = "local parts, end of voice → sound"
    return [
        Row("local ears, work per s of speech", "ms", nan, part["ears_ms_per_s"]),
        Row("local voice, work per s of speech", "ms", nan, part["voice_ms_per_s"]),
        Row(f"{words}, median", "ms", nan, median(alone), at_most=1500.0),
        Row(f"{words}, max", "ms", nan, max(alone)),
        Row(f"{words}, two callers, median", "ms", nan, median(two)),
        Row(f"{words}, two callers, max", "ms", nan, max(two)),
    ]


def _held(steps: Sequence[Raw]) -> tuple[float, bool]:
    """The most calls that held real time, as all smaller numbers did; whether the machine was full
    when the next number did not."""
    most = 0.0
    for step in steps:
        if not step["holds"]:
            return most, step["machine_full"]
        most = float(step["calls"])
    return most, False


def _lost(figures: Raw) -> float:
    return float(100 * (1 - figures["marks"] / figures["sent"])) if figures["sent"] else math.nan


def _row(name: str, unit: str, both: Sequence[float], **targets: float) -> Row:
    """A row of a pair of figures: plain, ours."""
    plain, ours = both
    return Row(name, unit, plain, ours, **targets)


def _spread(
    words: str, plain: Sequence[float], ours: Sequence[float], **targets: float
) -> list[Row]:
    """Median, which the targets are for, 95th percentile and maximum."""
    known = [[v for v in values if not math.isnan(v)] for values in (plain, ours)]
    return [
        _row(f"{words}, median", "ms", [median(v) for v in known], **targets),
        _row(f"{words}, p95", "ms", [percentile(v, 95) for v in known]),
        _row(f"{words}, max", "ms", [max(v, default=math.nan) for v in known]),
    ]


_MAKERS: Final[Mapping[str, Callable[[Raw], list[Row]]]] = {
    "paths": _paths,
    "browser": _browser,
    "load": _load,
    "start": _start,
    "visit": _visit,
    "local": _local,
    "replicas": _replicas,
}
