"""Colours by name, and what every chart shares.

A spec says `"var(--method)"`: the page's style sheet decides what that is in light, in dark and on paper; `light` puts
the light colours in place where there is no style sheet. Blue, vermilion, green and purple after Okabe & Ito, darkened
until they read as text on white; kinds differ by shape as well, so that colour alone never carries a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

LIGHT = {
    "page": "#ffffff",
    "soft": "#f6f7f9",
    "ink": "#1c2128",
    "muted": "#5c6570",
    "line": "#dfe3e8",
    "grid": "#eceff2",
    "accent": "#0b66a8",
    "gap": "#e8f1f9",
    "method": "#0b66a8",
    "floor": "#ad4800",
    "ceiling": "#00765a",
    "gold": "#8f6b00",
    "contrast": "#9b3c7b",
    "control": "#6b7280",
    "bad": "#b3261e",
    "bad-soft": "#fdeceb",
    "good": "#00765a",
    "good-soft": "#e9f5f1",
    "unclear-soft": "#fbf3e4",
    "unclear": "#8a5a00",
    "ochre": "#8f6b00",
    "sky": "#3d97cc",
    "heat-a": "#a8410a",
    "heat-b": "#e9b48f",
    "heat-c": "#eef1f4",
    "heat-d": "#b9d8ee",
    "heat-e": "#69a9d6",
    "heat-f": "#0b66a8",
    "on-heat-a": "#ffffff",
    "on-heat-b": "#1c2128",
    "on-heat-c": "#1c2128",
    "on-heat-d": "#1c2128",
    "on-heat-e": "#1c2128",
    "on-heat-f": "#ffffff",
}
DARK = {
    "page": "#14171b",
    "soft": "#1c2026",
    "ink": "#e8ebee",
    "muted": "#9ea8b3",
    "line": "#323942",
    "grid": "#262c34",
    "accent": "#6db6ee",
    "gap": "#1b2c3b",
    "method": "#6db6ee",
    "floor": "#f0924f",
    "ceiling": "#3fc79b",
    "gold": "#d9b64a",
    "contrast": "#dc95c4",
    "control": "#9aa3af",
    "bad": "#ff8f86",
    "bad-soft": "#3a1d1c",
    "good": "#3fc79b",
    "good-soft": "#15302a",
    "unclear-soft": "#33290f",
    "unclear": "#e9bb5d",
    "ochre": "#d9b64a",
    "sky": "#a9d6f5",
    "heat-a": "#e0793a",
    "heat-b": "#7d4626",
    "heat-c": "#2a3038",
    "heat-d": "#1f4866",
    "heat-e": "#2d74a8",
    "heat-f": "#6db6ee",
    "on-heat-a": "#14171b",
    "on-heat-b": "#ffffff",
    "on-heat-c": "#e8ebee",
    "on-heat-d": "#ffffff",
    "on-heat-e": "#ffffff",
    "on-heat-f": "#14171b",
}

KINDS = ("ceiling", "method", "gold", "floor", "contrast", "control")
LOOKS = {
    "color": ["var(--ceiling)", "var(--method)", "var(--gold)", "var(--floor)", "var(--contrast)", "var(--control)"],
    "shape": ["diamond", "circle", "triangle-down", "square", "triangle-up", "cross"],
    "size": [120, 100, 150, 95, 105, 150],
}
SERIES = ("var(--method)", "var(--contrast)", "var(--ink)", "var(--ochre)", "var(--sky)", "var(--control)")
FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

CONFIG = {
    "font": "Arial, sans-serif",
    "background": None,
    "view": {"stroke": None},
    "axis": {
        "grid": True,
        "gridColor": "var(--grid)",
        "domain": False,
        "ticks": False,
        "labelColor": "var(--muted)",
        "labelFontSize": 12,
        "labelPadding": 8,
        "labelFlush": False,
        "titleColor": "var(--muted)",
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 10,
    },
    "text": {"fontSize": 12, "color": "var(--ink)"},
    "header": {"labelColor": "var(--ink)", "labelFontSize": 13, "labelFontWeight": 600, "title": None},
    "legend": {
        "labelColor": "var(--ink)",
        "labelFontSize": 12,
        "title": None,
        "orient": "top",
        "symbolSize": 90,
        "labelLimit": 190,
        "columnPadding": 14,
        "rowPadding": 5,
    },
}


def colour(name: str) -> str:
    """The colour of that name, for a spec."""
    return f"var(--{name})"


def kinds(channel: str) -> dict[str, Any]:
    """The encoding of a row's kind, by `color`, `shape` or `size`."""
    return {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": list(KINDS), "range": LOOKS[channel]},
        "legend": None,
    }


def light(text: str) -> str:
    """The text with every colour name replaced by the light colour."""
    return re.sub(r"var\(--([a-z-]+)\)", lambda match: LIGHT[match[1]], text)


def style(selector: str = ":root", names: Collection[str] = tuple(LIGHT)) -> str:
    """Both palettes as custom properties; dark on dark screens only, so that paper is always light.

    Args:
        selector: the elements that have the colours.
        names: the colours that are wanted.
    """
    light, dark = (
        ";".join(f"--{name}:{value}" for name, value in palette.items() if name in names) for palette in (LIGHT, DARK)
    )
    return f"{selector}{{{light}}}\n@media screen and (prefers-color-scheme: dark){{{selector}{{{dark}}}}}"


def domain(*values: float | None, around: float = 0.06, among: tuple[float, float] | None = None) -> list[float]:
    """Ends of an axis that holds all values with some air, clipped to `among`."""
    known = [value for value in values if value is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    air = around * max(high - low, 0.02)
    low, high = low - air, high + air
    return [max(low, among[0]), min(high, among[1])] if among else [low, high]
