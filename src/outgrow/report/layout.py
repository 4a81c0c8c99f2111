"""Room for words in a chart: widths of texts, names that fit their place, labels apart, ticks that can be read."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any

ELLIPSIS = "…"
CHARACTERS = {
    0.22: "ijl'|",
    0.28: " !,./:;I[]\\ft",
    0.34: '()-r{}`"',
    0.5: "Jckszvxy^*",
    0.56: "0123456789abdeghnopqu_L?$#",
    0.61: "FTZ+<=>~",
    0.67: "ABEKPSVXY&",
    0.72: "CDHNRUw",
    0.78: "GOQ",
    0.83: "Mm",
    0.94: "W%",
    1.02: "@",
}
"""Widths in parts of the font size, after Helvetica's."""
WIDTHS = {character: share for share, text in CHARACTERS.items() for character in text}
OTHER, FULL = 0.62, 1.0
SLACK = 1.08
"""The page takes whatever sans-serif font there is; some are wider than Helvetica."""
GAP = 14
"""Pixels between two labels of an axis."""


def width(text: str, size: float = 13, bold: bool = False) -> float:
    """Pixels that a text takes, with some slack."""
    known = (WIDTHS.get(one) or (FULL if unicodedata.east_asian_width(one) in "WF" else OTHER) for one in text)
    return SLACK * size * sum(known) * (1.12 if bold else 1.0)


def short(names: Sequence[str], room: float, size: float = 13, bold: bool = False) -> list[str]:
    """The names, each at most `room` pixels wide, shortened in the middle; different names stay different.

    Where the middle is what they differ in, that part of it stays; where nothing else helps, they are numbered.
    """
    made = {name: _middle(name, room, size, bold) for name in names}
    alike: dict[str, list[str]] = {}
    for name, found in made.items():
        alike.setdefault(found, []).append(name)
    taken = set(alike)
    for group in alike.values():
        if len(group) > 1:
            start = next((i for i, letters in enumerate(zip(*group, strict=False)) if len(set(letters)) > 1), 0)
            for name in group:
                if made[name] != name:
                    made[name] = _different(name, start, room, size, bold, taken)
                    taken.add(made[name])
    return [made[name] for name in names]


def _middle(name: str, room: float, size: float, bold: bool, ending: str = "") -> str:
    """As much of both ends as fits."""
    if width(name + ending, size, bold) <= room:
        return name + ending
    for kept in range(len(name) - 1, 1, -1):
        head = kept - kept // 2
        found = name[:head].rstrip() + ELLIPSIS + name[-(kept // 2) :].lstrip() + ending
        if width(found, size, bold) <= room:
            return found
    return ELLIPSIS + ending


def _different(name: str, start: int, room: float, size: float, bold: bool, taken: set[str]) -> str:
    """The name's first letters and what follows the first `start`, which other names share."""
    for kept in range(len(name), 3, -1):
        head = min(4, kept // 3)
        after = name[max(start - 1, head) :][: kept - head]
        found = name[:head] + ELLIPSIS + after + (ELLIPSIS if not name.endswith(after) else "")
        if after and width(found, size, bold) <= room and found not in taken:
            return found
    number = 2
    while (found := _middle(name, room, size, bold, f"·{number}")) in taken:
        number += 1
    return found


def apart(values: Sequence[float], least: float, among: tuple[float, float] | None = None) -> list[float]:
    """Places for labels: the values, moved until neighbours are `least` apart, within `among` where all fit."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    # Labels that touch form a block, which stands around the mean of where its labels want to be.
    blocks: list[list[float]] = []  # [sum of wanted places of the block's first label, labels]
    for rank, i in enumerate(order):
        blocks.append([values[i] - rank * least, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + count]
    starts = [total / count for total, count in blocks for _ in range(int(count))]
    if among is not None:
        low, high = among[0], among[1] - (len(order) - 1) * least
        starts = [min(max(start, low), max(low, high)) for start in starts]
    places = dict(zip(order, (start + rank * least for rank, start in enumerate(starts)), strict=True))
    return [places[i] for i in range(len(values))]


def fitting(places: Sequence[float], texts: Sequence[str], size: float = 12) -> list[int]:
    """Which labels of an axis stand clear of one another: both ends, then as many between as fit, from the start.

    Args:
        places: Middle of each label in pixels, ascending.
        texts: What each label says.
        size: Font size in pixels.
    """
    if not places:
        return []

    def clear(a: int, b: int) -> bool:
        return abs(places[b] - places[a]) >= (width(texts[a], size) + width(texts[b], size)) / 2 + GAP

    last = len(places) - 1
    kept = [last] if last == 0 or not clear(0, last) else [0, last]
    for i in range(1, last):
        if all(clear(i, other) for other in kept):
            kept.append(i)
    return sorted(kept)


def percents(span: Sequence[float], room: float, *, upright: bool = False) -> dict[str, Any]:
    """Ticks of an axis of shares, as Vega-Lite's `values` and `format`: round, all different, and clear of one another.

    Args:
        span: Both ends of the axis.
        room: Its length in pixels.
        upright: Whether the axis is vertical, where labels need their height instead of their width.
    """
    low, high = span
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-6) / 8))
    while True:
        for factor in (1, 2, 5):
            digits = max(0, -math.floor(math.log10(factor * step * 1.0000001)) - 2)
            values = _multiples(low, high, factor * step)
            if upright:
                needed = 34.0
            else:
                needed = max((width(f"{100 * v:.{digits}f}%", 12) for v in values), default=0.0) + 2 * GAP
            if len(values) <= 1 or needed * (high - low) <= factor * step * room:
                return {"values": values, "format": f".{digits}%"}
        step *= 10


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def column(texts: Sequence[str], size: float = 13, bold: bool = False) -> float:
    """Pixels that a column of these texts takes."""
    return max((width(text, size, bold) for text in texts), default=0.0)


def legend(names: Sequence[str], room: float) -> tuple[list[str], dict[str, Any], int]:
    """A legend above a plot: its names, shortened, its Vega-Lite record, and its height in pixels."""
    shown = short(names, room - 34, 12)
    columns = 2 if 2 * (column(shown, 12) + 36) <= room else 1
    lines = math.ceil(len(shown) / columns)
    return shown, {"columns": columns, "offset": 10, "labelLimit": 0}, 18 + 20 * lines
