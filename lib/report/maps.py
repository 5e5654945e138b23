"""Maps of absolute residuals on the sky and in the focal plane, as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.focal_plane import nearest_distance
from skyaccept.lib.report import plots
from skyaccept.lib.report.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axes, spots
from skyaccept.lib.report.text import number
from skyaccept.lib.results.model import Result
from skyaccept.lib.results.records import GroupsRecord, SkyRecord

COLORS = 7
_LEGEND = 96  # width of it
_LEAST = 0.15  # smallest range of the colours to either side, over the median, so that noise is no pattern
_DETECTOR = 0.42  # half the side of a detector over the distance of neighbours


def sky(result: Result) -> str:
    """Draw the median absolute residual on the sky; "" without data."""
    found = plots.dependence(result).get("sky")
    if not found:
        return ""
    columns, width = found["columns"], found["width"]
    cell = np.arange(len(found["size"]))
    x = np.asarray(found["corner"][0] + (cell % columns + 0.5) * width, dtype=np.float64)
    y = np.asarray(found["corner"][1] + (cell // columns + 0.5) * width, dtype=np.float64)
    ra, dec = found["center"]
    label = f"degrees east of RA {ra:.4f}, north of Dec {dec:+.4f}"
    return _map(result, "Median absolute residual on the sky", label, (x, y), found, (), width / 2)


def focal_plane(result: Result, places: Mapping[str, Sequence[float]]) -> str:
    """Draw the median absolute residual by detector, at known places.

    "" with fewer than two.
    """
    found = plots.dependence(result).get("detectors")
    if not found or len(found["name"]) < 2:
        return ""
    names = [f"detector {name}" for name in found["name"]]
    if not all(name in places for name in found["name"]):
        title = f"{len(names)} detectors in order of their numbers"
        order = range(1, len(names) + 1)
        return plots.sizes(result, found, names, list(order), (0.0, len(names) + 1.0), title, "detector")
    x, y = np.array([places[name] for name in found["name"]], dtype=np.float64).T
    half = _DETECTOR * float(np.median(nearest_distance(np.stack([x, y], axis=1))))
    title = "Median absolute residual by detector"
    return _map(result, title, "degrees from the middle of the field", (x, y), found, names, half or 0.5)


def _map(
    result: Result,
    title: str,
    label: str,
    places: tuple[FloatArray, FloatArray],
    found: SkyRecord | GroupsRecord,
    names: Sequence[str],
    half: float,
) -> str:
    """Draw squares of half width ``half`` at places, coloured by size.

    East is to the left.
    """
    values, numbers = np.array(found["size"], dtype=np.float64), found["number"]
    seen = np.isfinite(values)
    if not seen.any():
        return ""
    x, y = places
    right = RIGHT + _LEGEND
    across, down = WIDTH - LEFT - right, HEIGHT - TOP - BOTTOM
    low_x, high_x, low_y, high_y = x.min() - half, x.max() + half, y.min() - half, y.max() + half
    scale = max((high_x - low_x) / across, (high_y - low_y) / down) or 1.0  # degrees by unit of the picture
    middle_x, middle_y = (low_x + high_x) / 2, (low_y + high_y) / 2
    frame = Axes(
        (float(middle_x + scale * across / 2), float(middle_x - scale * across / 2)),
        (float(middle_y - scale * down / 2), float(middle_y + scale * down / 2)),
        right,
    )
    edges = _edges(values[seen])
    color = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, COLORS - 1)
    side = half / scale
    drawn = []
    square = f"m-{side:.1f} -{side:.1f}h{2 * side:.1f}v{2 * side:.1f}h-{2 * side:.1f}z"
    for k in range(COLORS):
        chosen = np.flatnonzero(seen & (color == k)).tolist()
        if chosen:
            path = "".join(f"M{frame.x(x[c]):.1f} {frame.y(y[c]):.1f}{square}" for c in chosen)
            named = [names[c] for c in chosen] if names else ()
            drawn.append(
                spots(
                    path, f"c{k}", names=named, numbers=[numbers[c] for c in chosen], values=[values[c] for c in chosen]
                )
            )
    return frame.draw(f"{title} ({plots.unit(result)})", label, "", "".join(drawn) + _legend(edges))


def _edges(values: FloatArray) -> FloatArray:
    """Return the bounds of the colours.

    They enclose most of the values, and at least the range of noise.
    """
    low, high = np.quantile(values, [0.02, 0.98])
    middle = float(np.median(values))
    least = max(_LEAST * middle, 1e-9)
    return np.linspace(max(0.0, min(low, middle - least)), max(high, middle + least), COLORS + 1)


def _legend(edges: FloatArray) -> str:
    """Draw the colours from the smallest at the bottom, with the values between them."""
    x, height = WIDTH - RIGHT - _LEGEND + 18, (HEIGHT - TOP - BOTTOM) / COLORS
    drawn = []
    for k in range(COLORS):
        y = HEIGHT - BOTTOM - (k + 1) * height
        drawn.append(f'<rect class="c{k}" x="{x}" y="{y:.1f}" width="16" height="{height:.1f}"/>')
    for k, edge in enumerate(edges):
        y = HEIGHT - BOTTOM - k * height
        drawn.append(f'<text class="tick" x="{x + 20}" y="{y + 4:.1f}">{number(float(edge))}</text>')
    return "".join(drawn)
