"""The page of a committee: curves over k, what a verifier is worth, and what it all cost, from committee.json alone."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from outgrow.report import svg, theme
from outgrow.report.page import HERE, environment
from outgrow.report.theme import apart, colour, cut
from outgrow.report.words import Headline, amount, compared, interval, percent, point_interval, points, seconds

WIDTH, HEIGHT, LABELS = 640, 330, 250
LOOK = {"coverage": ("ceiling", [6, 3]), "majority": ("floor", [1, 0]), "single": ("control", [2, 3])}
VERIFIERS = ("method", "contrast", "ochre", "sky", "ink")
CHOICES = {
    "single": "a single answer",
    "majority": "the majority",
    "coverage": "at least one is right (coverage)",
    "verified": "chosen by {}",
    "voted": "the majority of what {} leaves",
}
MOST_LEVELS = 8


def render(facts: dict[str, Any]) -> str:
    """The page as one HTML text, which fetches nothing."""
    who = list(dict.fromkeys(f["who"] for f in facts["figures"]))
    return (
        environment()
        .get_template("committee.html.j2")
        .render(
            facts=facts,
            rounds=Markup(svg.draw(rounds(facts["rounds"]), "a single answer over rounds of self-improvement"))
            if facts.get("rounds")
            else "",
            headline=headline(facts),
            benches=[_bench(facts, one) for one in who],
            levels=facts["agreement"][:MOST_LEVELS],
            compared=compared(facts),
            percent=percent,
            interval=interval,
            points=points,
            point_interval=point_interval,
            seconds=seconds,
            amount=amount,
            both=_both,
            style=Markup(theme.style() + "\n" + (HERE / "page.css").read_text(encoding="utf-8")),
        )
    )


def render_several(every: list[dict[str, Any]]) -> str:
    """Committees side by side, as one HTML text."""
    return (
        environment()
        .get_template("committees.html.j2")
        .render(
            every=[(facts, headline(facts)) for facts in every],
            picture=Markup(svg.draw(picture(every), "share right over the number of answers, task by task")),
            style=Markup(theme.style() + "\n" + (HERE / "page.css").read_text(encoding="utf-8")),
        )
    )


def picture(every: list[dict[str, Any]]) -> dict[str, Any]:
    """The curves of each committee's first bench, two beside one another."""
    panels = []
    for facts in every:
        drawn = chart(facts, facts["figures"][0]["who"], 270, 220)
        title = facts["task"] + ("" if facts["enough"]["holds"] else " (too little to choose from)")
        panels.append(
            {
                **{k: v for k, v in drawn.items() if k not in ("autosize", "padding")},
                "title": {"text": cut(title, 60), "anchor": "start", "color": colour("ink")},
            }
        )
    return {"concat": panels, "columns": 2, "spacing": 34, "padding": {"left": 4, "right": 8, "top": 8, "bottom": 4}}


def headline(facts: dict[str, Any]) -> Headline:
    """What choosing is worth here, in a sentence or two; first of all whether that can be said."""
    who, most, enough = facts["figures"][0]["who"], facts["most"], facts["enough"]
    at = {(f["choice"], f["verifier"]): f["right"] for f in facts["figures"] if f["who"] == who and f["k"] == most}
    single, majority, covered = (at[name, None] for name in ("single", "majority", "coverage"))
    best = max((k for k in at if k[0] == "verified"), key=lambda k: at[k]["value"], default=None)
    text = Markup(
        "Of {} answers to each of {:,} items one at least is right on <b>{}</b>, a single one on <b>{}</b>, their majority on <b>{}</b>"
    ).format(most, facts["items"], percent(covered["value"]), percent(single["value"]), percent(majority["value"]))
    members = [m for m in facts["members"] if m["who"] == who]
    if len(members) > 1:
        ahead = max(members, key=lambda m: m["right"]["value"])
        text += Markup("; the best of the models, {}, alone is right on <b>{}</b>").format(
            ahead["name"], percent(ahead["right"]["value"])
        )
    text += (
        Markup("; the choice of <b>{}</b> is right on <b>{}</b> {}.").format(
            best[1], percent(at[best]["value"]), interval(at[best]["ci"])
        )
        if best
        else Markup(".")
    )
    if not enough["holds"]:
        why = f"coverage is {percent(covered['value'])}, and should be at least {percent(enough['least'], 0)} and {enough['times']} times the score of a single answer ({percent(single['value'])})"
        return Headline(
            "unclear",
            "These items do not show what a committee is worth",
            Markup("First of all: {}. ").format(why) + text,
        )
    if best is None:
        return Headline("unclear", "Nobody checked the answers", text)
    over, left = _gap(facts, who, best, most)
    if over["ci"] and over["ci"][0] > 0:
        reach = (at[best]["value"] - single["value"]) / max(covered["value"] - single["value"], 1e-9)
        label = (
            "The verifier reaches the coverage"
            if left["value"] < 0.01
            else f"The verifier reaches {percent(reach, 0)} of what there is to gain"
            if reach < 1
            else "The verifier helps"
        )
        return Headline("yes", label, text)
    return Headline("no", "The verifier chooses no better than a vote", text)


def _gap(facts: dict[str, Any], who: str, best: tuple[str, str], k: int) -> tuple[dict, dict]:
    gap = next(g for g in facts["gaps"] if (g["who"], g["choice"], g["verifier"], g["k"]) == (who, *best, k))
    return gap["over_majority"], gap["left"]


def _bench(facts: dict[str, Any], who: str) -> dict[str, Any]:
    figures = [f for f in facts["figures"] if f["who"] == who]
    most = max(f["k"] for f in figures)
    return {
        "who": who,
        "most": most,
        "title": "Answers of the weak models" if who == "weak" else "Answers of the strong model",
        "members": [m for m in facts["members"] if m["who"] == who],
        "chart": Markup(svg.draw(chart(facts, who), f"share right over the number of answers, {who}"))
        if most > 1
        else "",
        "rows": [_row(facts, f) for f in figures if f["k"] == most],
        "quality": [q for q in facts["quality"] if q["who"] == who and q["answers"]],
        "cost": [c for c in facts["cost"] if c["who"] == who],
    }


def _row(facts: dict[str, Any], figure: dict[str, Any]) -> dict[str, Any]:
    same = (figure["who"], figure["choice"], figure["verifier"], figure["k"])
    gap = next((g for g in facts["gaps"] if (g["who"], g["choice"], g["verifier"], g["k"]) == same), None)
    return {"name": CHOICES[figure["choice"]].format(figure["verifier"]), **figure, "gap": gap}


def _both(figure: dict[str, Any] | None) -> str:
    return "" if figure is None or figure["value"] is None else f"{percent(figure['value'])} {interval(figure['ci'])}"


def chart(facts: dict[str, Any], who: str, width: int = WIDTH, height: int = HEIGHT) -> dict[str, Any]:
    """Share right over k with bands, a line a choice; the strong model alone as a level."""
    figures = [f for f in facts["figures"] if f["who"] == who]
    checks = list(dict.fromkeys(f["verifier"] for f in figures if f["verifier"]))
    lines = [("coverage", None), *(("verified", v) for v in checks), ("majority", None), ("single", None)]
    ks = sorted({f["k"] for f in figures})
    x = {
        "field": "k",
        "type": "quantitative",
        "scale": {"type": "log", "base": 2, "domain": [ks[0], ks[-1]], "nice": False},
        "axis": {"title": "answers to choose from", "values": ks, "format": "d", "grid": False},
    }
    y = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": {"format": ".0%", "tickCount": 5, "title": None}}
    layers, ends = [], []
    for choice, check in lines:
        shade, dash = LOOK.get(choice) or (VERIFIERS[checks.index(check) % len(VERIFIERS)], [1, 0])
        rows = [f for f in figures if (f["choice"], f["verifier"]) == (choice, check)]
        values = [
            {
                "k": f["k"],
                "at": f["right"]["value"],
                "low": (f["right"]["ci"] or [f["right"]["value"]])[0],
                "high": (f["right"]["ci"] or [f["right"]["value"]])[-1],
                "says": f"{CHOICES[choice].format(check)}, {f['k']} answers: {_both(f['right'])}",
            }
            for f in rows
        ]
        layers += _line(values, colour(shade), dash, x, y)
        ends.append(
            (values[-1]["at"], f"{CHOICES[choice].format(check)} {percent(values[-1]['at'], 0)}", colour(shade))
        )
    alone = (
        next((f["right"]["value"] for f in facts["figures"] if f["who"] == "strong" and f["choice"] == "single"), None)
        if who == "weak"
        else None
    )
    if alone is not None:
        layers.append(
            {
                "data": {"values": [{"at": alone}]},
                "mark": {"type": "rule", "strokeWidth": 1.5, "strokeDash": [8, 4], "color": colour("ink")},
                "encoding": {"y": {**y, "field": "at"}},
            }
        )
        ends.append((alone, f"the strong model alone {percent(alone, 0)}", colour("ink")))
    return _labelled(layers, ends, y, width, height)


def rounds(rows: list[dict[str, Any]], width: int = WIDTH, height: int = 240) -> dict[str, Any]:
    """A single answer's score over rounds, a line a way to keep answers."""
    numbers = sorted({row["round"] for row in rows})
    x = {
        "field": "k",
        "type": "quantitative",
        "scale": {"domain": [0, numbers[-1]], "nice": False},
        "axis": {"title": "round", "values": numbers, "format": "d", "grid": False},
    }
    ends = [e for row in rows for e in (row["single"]["ci"] or [row["single"]["value"]])]
    domain = theme.domain(*ends, among=(0, 1))
    y = {
        "type": "quantitative",
        "scale": {"domain": domain, "nice": False, "zero": False},
        "axis": {"format": ".0%", "tickCount": 5, "title": None},
    }
    layers, last = [], []
    ways = list(dict.fromkeys(row["by"] for row in rows))
    for way, shade in zip(ways, ("control", "contrast", "method"), strict=True):
        values = [
            {
                "k": row["round"],
                "at": row["single"]["value"],
                "low": (row["single"]["ci"] or [row["single"]["value"]])[0],
                "high": (row["single"]["ci"] or [row["single"]["value"]])[-1],
                "says": f"{way}, round {row['round']}: {_both(row['single'])}",
            }
            for row in rows
            if row["by"] == way
        ]
        layers += _line(values, colour(shade), [1, 0], x, y)
        last.append((values[-1]["at"], f"{way} {percent(values[-1]['at'])}", colour(shade)))
    return _labelled(layers, last, y, width, height)


def _labelled(
    layers: list[dict], ends: list[tuple[float, str, str]], y: dict, width: int, height: int
) -> dict[str, Any]:
    """The layers with a name at the right end of each line."""
    low, high = y["scale"]["domain"]
    places = apart([end[0] for end in ends], 19 / height * (high - low))
    for (_, text, shade), place in zip(ends, places, strict=True):
        mark = {"type": "text", "align": "left", "x": width + 10, "color": shade, "fontWeight": 600}
        layers.append(
            {
                "data": {"values": [{"at": place, "text": cut(text, 42)}]},
                "mark": mark,
                "encoding": {"y": {**y, "field": "at"}, "text": {"field": "text"}},
            }
        )
    return {
        "width": width,
        "height": height,
        "autosize": "none",
        "padding": {"left": 48, "right": LABELS, "top": 14, "bottom": 46},
        "layer": layers,
    }


def _line(values: list[dict[str, Any]], shade: str, dash: list[int], x: dict, y: dict) -> list[dict[str, Any]]:
    """A band, a line and its points."""
    data = {"values": values}
    return [
        {
            "data": data,
            "mark": {"type": "area", "color": shade, "opacity": 0.13},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": data,
            "mark": {"type": "line", "color": shade, "strokeWidth": 2.5, "strokeDash": dash},
            "encoding": {"x": x, "y": {**y, "field": "at"}},
        },
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "size": 42, "opacity": 1, "color": shade},
            "encoding": {"x": x, "y": {**y, "field": "at"}, "description": {"field": "says", "type": "nominal"}},
        },
    ]
