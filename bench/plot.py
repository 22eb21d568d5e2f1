"""Latency against calls, as a PNG. Drawn with Pillow, which Gradio brings: no plotting library."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

WIDTH: Final = 900
HEIGHT: Final = 560
LEFT, TOP, RIGHT, BOTTOM = 90, 70, 30, 70
INK: Final = "#222222"
GRID: Final = "#dddddd"
COLOURS: Final = {"plain": "#c0392b", "ours": "#1f6fb2"}
LEAST_MS: Final = 1.0
"""Where the axis begins; it is logarithmic, as the apps differ by more than a factor of ten."""


def draw(load: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """The microphone's way, median (solid) and worst call's 95th percentile (dashed)."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen = ImageDraw.Draw(image)
    steps = [step for app in load.values() for step in app]
    most_calls = max(step["calls"] for step in steps)
    figures = [step[key] for step in steps for key in ("microphone_median_ms", "microphone_p95_ms")]
    longest = max(figure for figure in figures if math.isfinite(figure))
    decades = max(1, math.ceil(math.log10(longest / LEAST_MS)))

    def at(calls: float, ms: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * calls / most_calls
        height = math.log10(max(ms, LEAST_MS) / LEAST_MS) / decades
        return x, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(height, 1.0)

    for decade in range(decades + 1):
        ms = LEAST_MS * 10**decade
        pen.line([at(0, ms), at(most_calls, ms)], GRID)
        pen.text((LEFT - 10, at(0, ms)[1]), f"{ms:g}", INK, _font(15), anchor="rm")
    for step in load["ours"]:
        x, y = at(step["calls"], LEAST_MS)
        pen.text((x, y + 10), str(step["calls"]), INK, _font(15), anchor="ma")
    pen.text((LEFT, 14), "microphone to upstream, ms", INK, _font(19))
    pen.text((WIDTH / 2, HEIGHT - 14), "calls talking at once", INK, _font(17), anchor="ms")
    for row, (name, app) in enumerate(load.items()):
        colour = COLOURS[name]
        _line(pen, [at(s["calls"], s["microphone_median_ms"]) for s in app], colour, dashed=False)
        _line(pen, [at(s["calls"], s["microphone_p95_ms"]) for s in app], colour, dashed=True)
        label = f"{name}: median solid, p95 of the worst call dashed"
        pen.text((LEFT + 10, 42 + 20 * row), label, colour, _font(15))
    image.save(path)


def _line(
    pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], colour: str, *, dashed: bool
) -> None:
    for (x1, y1), (x2, y2) in pairwise(points):
        pieces = max(1, round(math.hypot(x2 - x1, y2 - y1) / 8)) if dashed else 1
        for piece in range(0, pieces, 2):
            a, b = piece / pieces, (piece + 1) / pieces
            ends = [(x1 + (x2 - x1) * s, y1 + (y2 - y1) * s) for s in (a, b)]
            pen.line(ends, colour, 3)
    for x, y in points:
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), colour)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
