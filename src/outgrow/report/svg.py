"""A Vega-Lite spec drawn once, as a still SVG that takes its colours and its font from the page around it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from outgrow.core.progress import visible
from outgrow.report.theme import CONFIG, light
from outgrow.store import disk

NAMESPACE = "http://www.w3.org/2000/svg"
VEGA_LITE = "6.1"
SUFFIXES = (".pdf", ".svg", ".png")
"""Of files that a chart can be saved as."""
DROPPED = (
    "class",
    "role",
    "aria-roledescription",
    "aria-label",
    "aria-hidden",
    "pointer-events",
    "font-family",
    "stroke-miterlimit",
)
WORDS = ("circle", "path", "rect", "line", "text")


def draw(spec: dict[str, Any], alt: str) -> str:
    """The spec as SVG text, with `alt` for people who cannot see it; descriptions of marks become titles (tooltips)."""
    import vl_convert

    ET.register_namespace("", NAMESPACE)
    root = ET.fromstring(vl_convert.vegalite_to_svg(_complete(spec), vl_version=VEGA_LITE))
    width = root.get("width")
    _clean(root)
    for name in ("version", "width", "height"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", visible(alt))
    root.set("style", f"max-width:{width}px")
    return ET.tostring(root, encoding="unicode")


def paint(spec: dict[str, Any], out: Path, scale: float) -> None:
    """The spec as a PNG file in light colours."""
    import vl_convert

    text = light(json.dumps({**_complete(spec), "background": "white"}))
    disk.write(Path(out), vl_convert.vegalite_to_png(text, vl_version=VEGA_LITE, scale=scale))


def save(spec: dict[str, Any], out: Path) -> None:
    """The spec as a file of one of SUFFIXES, in light colours on white."""
    import vl_convert

    if out.suffix == ".png":
        paint(spec, out, scale=2)
        return
    text = light(json.dumps({**_complete(spec), "background": "white"}))
    draw_as = vl_convert.vegalite_to_pdf if out.suffix == ".pdf" else vl_convert.vegalite_to_svg
    disk.write(out, draw_as(text, vl_version=VEGA_LITE))


def _complete(spec: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "config": CONFIG, **_drawable(spec)}


def _drawable(part: Any) -> Any:
    """The same without control characters, over which vl-convert would end the whole process."""
    if isinstance(part, str):
        return visible(part)
    if isinstance(part, dict):
        return {visible(name): _drawable(value) for name, value in part.items()}
    return [_drawable(value) for value in part] if isinstance(part, list | tuple) else part


def _clean(element: ET.Element) -> bool:
    """Strip what a still picture does not need; False if nothing of the element is left to see."""
    says, hidden = element.get("aria-label"), element.get("class") in ("background", "foreground")
    if element.get("display") == "none" or (hidden and not element.get("fill") and not element.get("stroke")):
        return False
    mark = element.get("role") == "graphics-symbol" and element.tag.split("}")[1] in WORDS
    for name in DROPPED:
        element.attrib.pop(name, None)
    for name in ("d", "transform", "x", "y", "x2", "y2", "width", "height"):
        if (number := element.get(name)) is not None:
            element.set(name, re.sub(r"-?\d+\.\d{2,}", _round, number))
    for child in list(element):
        if not _clean(child):
            element.remove(child)
    if mark and says:
        title = ET.Element(f"{{{NAMESPACE}}}title")
        title.text = says
        element.insert(0, title)
    return element.tag != f"{{{NAMESPACE}}}g" or len(element) > 0


def _round(match: re.Match) -> str:
    return f"{float(match[0]):.1f}"
