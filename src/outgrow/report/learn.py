"""The report of `outgrow learn`: from learn.json to one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from outgrow.core.errors import UserError
from outgrow.core.records import dump
from outgrow.report import svg, theme, words
from outgrow.report.page import HERE, environment
from outgrow.report.theme import colour
from outgrow.report.words import Headline, interval, percent, point_interval, points
from outgrow.runs import schema
from outgrow.runs.schema.learn import LearnFile

WIDTH = 640
WORTH = 0.005
"""The difference in accuracy from which the headline says how much gold would show it."""


def read(folder: Path) -> dict[str, Any]:
    """What learn.json says. Raises UserError where there is none."""
    try:
        return dump(schema.read(Path(folder) / "learn.json", LearnFile))
    except OSError:
        raise UserError(f"no finished student in {folder}: give the folder that `outgrow learn` wrote") from None


def render(facts: dict[str, Any]) -> str:
    """The report as one HTML text, which fetches nothing."""
    rows = _labellers(facts["verdict"])
    return (
        environment()
        .get_template("learned.html.j2")
        .render(
            facts=facts,
            rows=rows,
            titled=_titled,
            headline=headline(facts),
            failed=failed(facts),
            aside=aside(facts),
            chart=rows
            and Markup(
                svg.draw(_chart(rows), "Accuracy of the student, of majority and of each voter, with 95% intervals.")
            ),
            style=Markup(theme.style() + "\n" + (HERE / "page.css").read_text(encoding="utf-8")),
            words=words,
        )
    )


def failed(facts: dict[str, Any]) -> bool:
    """Whether the canary failed; a learn.json of before there was one has none."""
    return facts.get("canary", {}).get("passed") is False


def headline(facts: dict[str, Any]) -> Headline:
    """Did the student outgrow its voters? In plain words, or why nobody can tell."""
    found, trust = _answer(facts), facts["trust"]
    if failed(facts):
        return Headline("unclear", "A control failed: not to be relied on", found.text)
    if not trust["lost"]:
        return found
    shares = ", ".join(
        f"{name} ({percent(trust['votes'][name], 0)} of the votes, {percent(trust['labels'][name])} of its labels)"
        for name in trust["lost"]
    )
    text = Markup(
        "<b>The student hardly ever says {}.</b> The label model {} gives {}: where that is a surprise, learn with another --label-model. "
    ).format(
        shares,
        facts["how"]["label_model"],
        ", ".join(f"{name} to {percent(trust['heard'][name])} of items" for name in trust["lost"]),
    )
    return Headline("no", f"The student has lost {' and '.join(trust['lost'])}", text + found.text)


def _answer(facts: dict[str, Any]) -> Headline:
    verdict = facts["verdict"]
    if "rows" not in verdict:
        return Headline("unclear", "Without gold nobody can tell", _untold(facts))
    student = verdict["rows"][0]
    rivals = _rivals(verdict)
    text = Markup("On {:,} items with gold, none of which taught it, the student is right on <b>{}</b>{}.").format(
        verdict["judged"], percent(student["accuracy"]), _after(interval(student["accuracy_ci"]))
    )
    for row in rivals:
        text += Markup(" {}: <b>{}</b>, the student <b>{} points</b>{} {}.").format(
            _called(row),
            percent(row["accuracy"]),
            points(row["gain"]).lstrip("+−"),
            _after(point_interval(row["gain_ci"])),
            "ahead" if row["gain"] >= 0 else "behind",
        )
        if row.get("needed") and abs(row["gain"]) >= WORTH:
            text += Markup(" A difference of that size would show with about {:,} gold labels.").format(row["needed"])
    ahead = [row for row in rivals if row["gain_ci"] and row["gain_ci"][0] > 0]
    behind = [row for row in rivals if row["gain_ci"] and row["gain_ci"][1] < 0]
    if len(ahead) == len(rivals):
        return Headline(
            "yes", "The student outgrew its voters" if len(rivals) > 1 else "The student outgrew its voter", text
        )
    if behind:
        return Headline("no", f"The student is behind {_list(behind)}", text)
    clear = f"ahead of {_list(ahead)}, but " if ahead else ""
    return Headline(
        "unclear",
        f"The student is {clear}not clearly ahead of {_list([row for row in rivals if row not in ahead])}",
        text,
    )


def aside(facts: dict[str, Any]) -> str:
    """What the headline counts as guesses, and how both do where a rival of the student speaks; nothing where all speak always."""
    rows = [row for row in _rivals(facts["verdict"]) if row.get("where")]
    each = [
        f"{_called(row)} scores {percent(row['as_guess'])} with silence as a guess, {percent(row['as_commonest'])} with silence as the commonest class; "
        f"it speaks on {percent(row['spoke'], 0)} of items and is right there on {percent(row['where']['accuracy'])}, the student on "
        f"{percent(row['where']['student'])}{_after('(' + points(row['where']['gain']) + ' points' + _after(point_interval(row['where']['gain_ci'])) + ')')}."
        for row in rows
    ]
    return (
        " ".join(["Silence counts as a guess or as the commonest class, whichever is better.", *each]) if rows else ""
    )


def _labellers(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a verdict, each labeller once: not the label model that is the floor."""
    rows = verdict.get("rows", ())
    floor = next((row for row in rows if row["kind"] == "floor"), None)
    same = [
        row
        for row in rows
        if floor
        and row["kind"] == "label model"
        and (row["accuracy"], row["gain_ci"]) == (floor["accuracy"], floor["gain_ci"])
    ]
    return [row for row in rows if row not in same]


def _titled(row: dict[str, Any]) -> str:
    """What a labeller is called in chart and table."""
    return f"floor: {row['name'].removeprefix('label model: ')}" if row["kind"] == "floor" else row["name"]


def _rivals(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """Who the student is held against: the floor first, then the label model that taught, majority and the best voter."""
    best, rows = ("voter", verdict.get("best")), _labellers(verdict)
    voters = sum(row["kind"] == "voter" for row in rows)
    return [
        row for row in rows
        if row["kind"] in ("floor", "majority", "label model") or ((row["kind"], row["name"]) == best and voters > 1)
    ]  # fmt: skip


def _untold(facts: dict[str, Any]) -> Markup:
    verdict, trust = facts["verdict"], facts["trust"]
    text = Markup(
        "On items that did not teach it, the student repeats what its voters make of them on <b>{}</b>{}."
    ).format(percent(trust["same"]), _after(interval(trust["same_ci"])))
    has = f"{verdict['gold']} gold label{'s' if verdict['gold'] != 1 else ''}" if verdict["gold"] else "gold"
    text += Markup(" Whether it is right where it does not, and they wrong, nobody can tell {} {}.").format(
        "with" if verdict["gold"] else "without", has
    )
    return text + Markup(
        " About <b>{:,} gold labels</b> of items drawn at random would show a gain of {:.0f} points, since the two differ on {} of items; "
        "20 give a first impression."
    ).format(verdict["needed"], 100 * verdict["gain"], percent(verdict["differ"], 0))


def _called(row: dict[str, Any]) -> str:
    known = {
        "floor": f"The floor ({row['name']})",
        "voter": f"The best voter ({row['name']})",
        "label model": f"The {row['name'].replace(': ', ' ')}",
    }
    return known.get(row["kind"]) or words.sentence(row["name"])[:-1]


def _list(rows: list[dict[str, Any]]) -> str:
    called = {"floor": "the floor", "voter": "the best voter", "majority": "majority", "label model": "the label model"}
    names = [called[row["kind"]] for row in rows]
    return " and ".join(sorted(names))


def _after(text: str) -> str:
    return f" {text}" if text else ""


PAINT = {
    "student": "method",
    "floor": "floor",
    "majority": "ceiling",
    "label model": "contrast",
    "other label model": "contrast",
    "voter": "control",
}


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A line for each labeller: accuracy on all items, and its interval."""
    shown = rows[:15]
    values = [
        {
            "name": _titled(row),
            "kind": row["kind"],
            "at": row["accuracy"],
            "low": (row["accuracy_ci"] or [row["accuracy"]] * 2)[0],
            "high": (row["accuracy_ci"] or [row["accuracy"]] * 2)[1],
            "says": f"{row['name']}: {percent(row['accuracy'])} {interval(row['accuracy_ci'])}",
        }
        for row in shown
    ]
    y = {
        "field": "name",
        "type": "nominal",
        "sort": [v["name"] for v in values],
        "axis": {"title": None, "labelLimit": 190, "labelColor": colour("ink")},
    }
    domain = [max(0.0, min(v["low"] for v in values) - 0.02), min(1.0, max(v["high"] for v in values) + 0.02)]
    axis = {"format": ".1~%", "tickCount": 8, "title": "right, of all items with gold"}
    x = {"type": "quantitative", "scale": {"domain": domain, "zero": False, "nice": False}, "axis": axis}
    kinds = [kind for kind in PAINT if any(v["kind"] == kind for v in values)]
    paint = {
        "field": "kind",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": kinds, "range": [colour(PAINT[kind]) for kind in kinds]},
    }
    return {
        "width": WIDTH,
        "height": {"step": 26},
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
                    "description": {"field": "says", "type": "nominal"},
                },
            },
        ],
    }
