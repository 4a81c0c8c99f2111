"""The page of `outgrow steer`: from steer.json to one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from outgrow.report.page import figures, fill
from outgrow.report.words import Headline, interval, percent, point_interval, points, sentence, share
from outgrow.store import disk

NAMES = {
    "strong": "the strong model as it is", "small": "the small model as it is", "tuned small": "the small model, tuned",
    "proxy": "the strong model, steered by the small one", "tuned strong": "the strong model, tuned itself",
}  # fmt: skip


def write(facts: dict[str, Any], folder: Path) -> Path:
    """Write steer.html into `folder`, and return its path."""
    disk.write(folder / "steer.html", render(facts))
    return folder / "steer.html"


def render(facts: dict[str, Any]) -> str:
    """The page as one HTML text, which fetches nothing."""
    return fill(
        "proxy_tuning",
        facts=facts,
        names=NAMES,
        headline=headline(facts),
        aside=aside(facts),
        cost=cost(facts),
        charts=figures("proxy_tuning", "page", facts),
        source=f"{facts['source']}. Seed {facts['seed']}. {sentence(facts['engine'])} "
        "Figures in brackets are 95% intervals.",
    )


def headline(facts: dict[str, Any]) -> Headline:
    """How much of what tuning gains is gained by steering; first of all whether there is anything to gain."""
    at, closed = {row["name"]: row for row in facts["rows"]}, facts["closed"]
    scores = Markup(
        "On {:,} test items of <b>{}</b> the strong model scores <b>{}</b>, steered <b>{}</b>, tuned itself <b>{}</b>; "
        "the tuned small model scores <b>{}</b>."
    ).format(
        facts["test"],
        facts["task"],
        *(percent(at[name]["score"]) for name in ("strong", "proxy", "tuned strong", "tuned small")),
    )
    if closed["value"] is None:
        below = closed["status"] == "ceiling below floor"
        label = "Tuning the strong model makes it worse" if below else "There is no gap to close"
        why = Markup(
            " Tuning the strong model itself changes it by {} points {}: {}, so no share of the gap can be given."
        ).format(points(closed["gap"]), point_interval(closed["gap_ci"]), closed["status"])
        return Headline("unclear", label, scores + why)
    text = Markup(
        "Proxy-tuning closes <b>{}</b>{} of the gap that tuning the strong model itself would close. "
    ).format(share(closed["value"]), f" {interval(closed['ci'], 0)}" if closed["ci"] else "")
    if closed["ci"] and closed["ci"][0] > 0:
        return Headline("yes", f"Steering closes {share(closed['value'])} of the gap", text + scores)
    if closed["ci"] and closed["ci"][1] <= 0:
        return Headline("no", "Steering does not help", text + scores)
    return Headline("unclear", "Not clear whether steering helps", text + scores)


def aside(facts: dict[str, Any]) -> str:
    """Whether the strong model adds anything to the small one that steers it."""
    more = facts["proxy_over_tuned_small"]
    low, high = more["ci"] or (None, None)
    where = "ahead of" if more["value"] >= 0 else "behind"
    ahead = (
        f"{points(more['value']).lstrip('+−')} points {where} the tuned small model alone {point_interval(more['ci'])}"
    )
    ahead = ahead.rstrip()
    if low is not None and low > 0:
        return f"Steered, the strong model is {ahead}: it adds to what the small one has learned."
    if high is not None and high < 0:
        return f"Steered, the strong model is {ahead}: the small one alone is the better and the cheaper choice here."
    return f"Steered, the strong model is {ahead}: the small one alone may do as well, and costs less."


def cost(facts: dict[str, Any]) -> str:
    """What a token costs steered, against the parts that it is made of."""
    each = {row["name"]: 1000 * row["seconds"] / row["tokens"] for row in facts["rows"] if row["tokens"]}
    if any(not each.get(name) for name in ("proxy", "strong", "tuned small", "small")):
        return ""
    whole = sum(each[name] for name in ("strong", "tuned small", "small"))
    return (
        f"A steered token took {each['proxy']:.1f} ms; a token of each of its three parts {whole:.1f} ms together "
        f"({each['strong']:.1f} of the strong model). Lengths of answers differ, and so do the batches: bench/proxy.py "
        "measures it with both equal."
    )
