"""The page of `outgrow steer`: from steer.json to one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from outgrow.report import svg, theme
from outgrow.report.page import HERE, environment
from outgrow.report.theme import colour
from outgrow.report.words import Headline, interval, percent, point_interval, points, share
from outgrow.store import disk

WIDTH = 640
PAINT = {"strong": "floor", "small": "control", "tuned small": "contrast", "proxy": "method", "tuned strong": "ceiling"}
SAYS = {
    "strong": "the strong model as it is", "small": "the small model as it is", "tuned small": "the small model, tuned",
    "proxy": "the strong model, steered by the small one", "tuned strong": "the strong model, tuned itself",
}  # fmt: skip


def write(facts: dict[str, Any], folder: Path) -> Path:
    """Write steer.html into `folder`, and return its path."""
    disk.write(folder / "steer.html", render(facts))
    return folder / "steer.html"


def render(facts: dict[str, Any]) -> str:
    """The page as one HTML text, which fetches nothing."""
    rows = [
        {**row, "says": SAYS[row["name"]], "speed": row["seconds"] and row["tokens"] / row["seconds"]}
        for row in facts["rows"]
    ]
    return environment().get_template("steered.html.j2").render(
        facts=facts, rows=rows, says=SAYS, headline=headline(facts), aside=aside(facts), cost=cost(facts),
        chart=Markup(svg.draw(_chart(rows), f"{facts['metric']} on the test half, with 95% intervals")),
        style=Markup(theme.style() + "\n" + (HERE / "page.css").read_text(encoding="utf-8")),
    )  # fmt: skip


def headline(facts: dict[str, Any]) -> Headline:
    """How much of what tuning gains is gained by steering; first of all whether there is anything to gain."""
    at, closed = {row["name"]: row for row in facts["rows"]}, facts["closed"]
    scores = Markup(
        "On {:,} test items of <b>{}</b> the strong model scores <b>{}</b>, steered <b>{}</b>, tuned itself <b>{}</b>; the tuned small model scores <b>{}</b>."
    ).format(
        facts["test"],
        facts["task"],
        *(percent(at[name]["score"]) for name in ("strong", "proxy", "tuned strong", "tuned small")),
    )
    if closed["value"] is None:
        label = (
            "Tuning the strong model makes it worse"
            if closed["status"] == "ceiling below floor"
            else "There is no gap to close"
        )
        why = Markup(
            " Tuning the strong model itself changes it by {} points {}: {}, and no share of that can be given."
        ).format(points(closed["gap"]), point_interval(closed["gap_ci"]), closed["status"])
        return Headline("unclear", label, scores + why)
    text = Markup(
        "Proxy-tuning closes <b>{}</b>{} of the gap that tuning the strong model itself would close. "
    ).format(share(closed["value"]), f" {interval(closed['ci'], 0)}" if closed["ci"] else "")
    if closed["ci"] and closed["ci"][0] > 0:
        return Headline("yes", f"Steering closes {share(closed['value'])} of the gap", text + scores)
    if closed["ci"] and closed["ci"][1] <= 0:
        return Headline("no", "Steering does not help", text + scores)
    return Headline("unclear", "Nobody can tell whether steering helps", text + scores)


def aside(facts: dict[str, Any]) -> str:
    """Whether the strong model adds anything to the small one that steers it."""
    more = facts["proxy_over_tuned_small"]
    low, high = more["ci"] or (None, None)
    ahead = f"{points(more['value']).lstrip('+−')} points {'ahead of' if more['value'] >= 0 else 'behind'} the tuned small model alone {point_interval(more['ci'])}".rstrip()
    if low is not None and low > 0:
        return f"Steered, the strong model is {ahead}: it is more than the small one's echo."
    if high is not None and high < 0:
        return f"Steered, the strong model is {ahead}: the small one alone is the better and the cheaper choice here."
    return f"Steered, the strong model is {ahead}: the small one alone may do as well, and costs less."


def cost(facts: dict[str, Any]) -> str:
    """What a token costs steered, against the parts that it is made of."""
    each = {row["name"]: row["seconds"] / row["tokens"] for row in facts["rows"] if row["tokens"]}
    parts = [each.get(name) for name in ("strong", "tuned small", "small")]
    if not each.get("proxy") or None in parts:
        return ""
    whole = sum(parts)
    return (
        f"A steered token took {1000 * each['proxy']:.1f} ms; one of each of its three parts alone {1000 * whole:.1f} ms together "
        f"({1000 * parts[0]:.1f} of the strong model). Lengths of answers differ, and so do the batches: bench/proxy.py measures it with both equal."
    )


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A line for each model: its score and the interval."""
    values = [
        {
            "name": row["says"],
            "kind": row["name"],
            "at": row["score"],
            "low": (row["score_ci"] or [row["score"]] * 2)[0],
            "high": (row["score_ci"] or [row["score"]] * 2)[1],
            "tip": f"{row['says']}: {percent(row['score'])} {interval(row['score_ci'])}",
        }
        for row in rows
    ]
    y = {
        "field": "name",
        "type": "nominal",
        "sort": [v["name"] for v in values],
        "axis": {"title": None, "labelLimit": 260, "labelColor": colour("ink")},
    }
    x = {
        "type": "quantitative",
        "scale": {"domain": [0, max(0.05, *(v["high"] for v in values))], "nice": True},
        "axis": {"format": ".0%", "title": "score on the test half"},
    }
    paint = {
        "field": "kind",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": list(PAINT), "range": [colour(c) for c in PAINT.values()]},
    }
    return {
        "width": WIDTH,
        "height": {"step": 28},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": paint},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 95},
                "encoding": {
                    "y": y,
                    "x": {**x, "field": "at"},
                    "color": paint,
                    "description": {"field": "tip", "type": "nominal"},
                },
            },
        ],
    }
