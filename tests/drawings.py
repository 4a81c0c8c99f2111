"""Where the words of a drawn chart stand: boxes of its texts, with a width estimated from the font size."""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from itertools import combinations

WIDE_LETTERS, NARROW_LETTERS = "mwMW%@", "fijlrtI1.,:;'|![]() "
TOUCH = 1.0
"""Pixels by which two boxes may overlap unseen."""


@dataclass(frozen=True)
class Box:
    text: str
    left: float
    right: float
    top: float
    bottom: float

    def meets(self, other: Box) -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > TOUCH and down > TOUCH


def boxes(svg: str) -> list[Box]:
    """Every text of an SVG that `report.svg.draw` made, in the coordinates of its view box."""
    found: list[Box] = []
    root = ET.fromstring(svg)
    left, top, *_ = map(float, root.get("viewBox").split())
    _walk(root, -left, -top, {}, found)
    return found


def _walk(element: ET.Element, x: float, y: float, style: dict[str, str], found: list[Box]) -> None:
    style = {**style, **element.attrib}
    turned = "rotate" in element.get("transform", "")
    if match := re.match(r"translate\((-?[\d.]+)[, ]+(-?[\d.]+)\)", element.get("transform", "")):
        x, y = x + float(match[1]), y + float(match[2])
    if element.tag.endswith("}text") and not turned and float(style.get("opacity", 1)) > 0:
        text = "".join(part for part in (element.text, *(child.tail for child in element)) if part)
        size = float(re.match(r"[\d.]+", style.get("font-size", "12"))[0])
        width = _width(text) * size * (1.05 if style.get("font-weight") in ("600", "bold") else 1)
        start = x - width * {"end": 1.0, "middle": 0.5}.get(style.get("text-anchor", "start"), 0.0)
        if text.strip():
            found.append(Box(text, start, start + width, y - 0.74 * size, y + 0.22 * size))
    for child in element:
        _walk(child, x, y, style, found)


def _width(text: str) -> float:
    """In parts of the font size; a little more than most sans-serif fonts take."""
    return sum(
        1.0 if unicodedata.east_asian_width(one) in "WF"
        else 0.9 if one in WIDE_LETTERS
        else 0.31 if one in NARROW_LETTERS
        else 0.69 if one.isupper()
        else 0.57
        for one in text
    )  # fmt: skip


def faults(svg: str) -> list[str]:
    """Texts that overprint one another or leave the picture."""
    width = float(ET.fromstring(svg).get("viewBox").split()[2])
    texts = boxes(svg)
    said = [f"{a.text!r} overprints {b.text!r}" for a, b in combinations(texts, 2) if a.meets(b)]
    return said + [f"{one.text!r} leaves the picture" for one in texts if one.left < -2 or one.right > width + 2]
