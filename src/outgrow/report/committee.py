"""The page of a committee: curves over k, what a verifier is worth, and what it all cost, from committee.json alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from outgrow.report.page import figures, fill
from outgrow.report.words import Headline, compared, interval, percent, point_interval, points, sentence

CHOICES = {
    "single": "a single answer",
    "majority": "the majority",
    "coverage": "at least one is right (coverage)",
    "verified": "chosen by {}",
    "voted": "the majority of what {} leaves",
}
MOST_LEVELS = 8
REACHED = 0.01
"""A verifier that leaves less than this share of the items reaches the coverage."""


@dataclass(frozen=True)
class CommitteeSide:
    """The answers of one side, the weak models or the strong one, and what choosing among them is worth."""

    who: str
    title: str
    most: int
    """Answers an item, at most."""
    figures: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    """The figures of `most` answers, each with its name and its gap."""
    members: list[dict[str, Any]]
    quality: list[dict[str, Any]]
    cost: list[dict[str, Any]]
    alone: float | None
    """Beside weak models: how often a single answer of the strong one is right."""
    against: bool
    """Whether rows say how far they are ahead of a single answer of the strong model."""


def render(facts: dict[str, Any]) -> str:
    """The page as one HTML text, which fetches nothing."""
    return fill(
        "committee",
        facts=facts,
        headline=headline(facts),
        benches=[(bench, figures("committee", "bench", bench)) for bench in benches(facts)],
        charts=figures("committee", "page", facts),
        levels=facts["agreement"][:MOST_LEVELS],
        both=both,
        source=_source(facts),
        versions=facts.get("versions"),
    )


def render_several(every: list[dict[str, Any]]) -> str:
    """Committees side by side, as one HTML text."""
    return fill(
        "committees",
        every=[(facts, headline(facts)) for facts in every],
        charts=figures("committee", "several", every),
        versions=every[0].get("versions"),
    )


def headline(facts: dict[str, Any]) -> Headline:
    """What choosing is worth here, in a sentence or two; first of all whether that can be said."""
    who, most, enough = facts["figures"][0]["who"], facts["most"], facts["enough"]
    at = {(f["choice"], f["verifier"]): f["right"] for f in facts["figures"] if f["who"] == who and f["k"] == most}
    single, covered = at["single", None], at["coverage", None]
    best = max((k for k in at if k[0] == "verified"), key=lambda k: at[k]["value"], default=None)
    text = _scores(facts, who, at)
    if best:
        says = Markup("; the answer chosen by <b>{}</b> is right on <b>{}</b> {}")
        text += says.format(best[1], percent(at[best]["value"]), interval(at[best]["ci"]))
    text += "."
    if not enough["holds"]:
        why = Markup(
            "First of all: coverage is {}, and should be at least {} and {} times the score of a single answer ({}), "
            "or miss at most half of what that misses. "
        ).format(
            percent(covered["value"]), percent(enough["least"], 0), enough["times"], percent(single["value"])
        )  # fmt: skip
        return Headline("unclear", "These items do not show what a committee is worth", why + text)
    if best is None:
        return Headline("unclear", "No verifier checked the answers", text)
    over, left = _gap(facts, who, best, most)
    ahead = next((one["ahead"] for one in facts.get("against") or () if _key(one) == (*best, most)), None)
    if ahead:
        says = Markup(" That is <b>{} points</b> {} {} a single answer of the strong model.")
        where = "ahead of" if ahead["value"] >= 0 else "behind"
        text += says.format(points(ahead["value"]).lstrip("+−"), point_interval(ahead["ci"]), where)
        if ahead["ci"] and ahead["ci"][0] > 0:
            return Headline("yes", "The committee beats a single answer of the strong model", text)
    if over["ci"] and over["ci"][0] <= 0 < over["ci"][1]:
        return Headline("unclear", "Not clear whether the verifier chooses better than a majority vote", text)
    if not over["ci"] or over["ci"][1] <= 0:
        return Headline("no", "The verifier chooses no better than a majority vote", text)
    reach = (at[best]["value"] - single["value"]) / max(covered["value"] - single["value"], 1e-9)
    if left["value"] < REACHED:
        label = "The verifier reaches the coverage"
    elif reach < 1:
        label = f"The verifier reaches {percent(reach, 0)} of what there is to gain"
    else:
        label = "The verifier helps"
    return Headline("yes", label, text)


def benches(facts: dict[str, Any]) -> list[CommitteeSide]:
    """The sides that answered, in the order of committee.json."""
    return [_bench(facts, who) for who in dict.fromkeys(f["who"] for f in facts["figures"])]


def called(choice: str, verifier: str | None) -> str:
    """A way to choose, in words."""
    return CHOICES[choice].format(verifier)


def both(figure: dict[str, Any] | None) -> str:
    """A share and its interval."""
    if figure is None or figure["value"] is None:
        return ""
    return f"{percent(figure['value'])} {interval(figure['ci'])}".strip()


def _scores(facts: dict[str, Any], who: str, at: dict[tuple[str, str | None], dict[str, Any]]) -> Markup:
    """Coverage, a single answer, the majority and the best member, as the start of a sentence."""
    text = Markup(
        "Of {} answers to each of {:,} items, at least one is right on <b>{}</b> of items (coverage), a single answer "
        "on <b>{}</b>, the majority on <b>{}</b>"
    ).format(
        facts["most"],
        facts["items"],
        *(percent(at[name, None]["value"]) for name in ("coverage", "single", "majority")),
    )
    members = [member for member in facts["members"] if member["who"] == who]
    if len(members) > 1:
        ahead = max(members, key=lambda member: member["right"]["value"])
        says = Markup("; the best model alone, {}, is right on <b>{}</b>")
        text += says.format(ahead["name"], percent(ahead["right"]["value"]))
    return text


def _gap(
    facts: dict[str, Any], who: str, best: tuple[str, str | None], k: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    gap = next(g for g in facts["gaps"] if (g["who"], g["choice"], g["verifier"], g["k"]) == (who, *best, k))
    return gap["over_majority"], gap["left"]


def _bench(facts: dict[str, Any], who: str) -> CommitteeSide:
    found = [figure for figure in facts["figures"] if figure["who"] == who]
    most = max(figure["k"] for figure in found)
    strong = (f for f in facts["figures"] if (f["who"], f["choice"]) == ("strong", "single"))
    alone = next((figure["right"]["value"] for figure in strong), None) if who == "weak" else None
    return CommitteeSide(
        who=who,
        title="Answers of the weak models" if who == "weak" else "Answers of the strong model",
        most=most,
        figures=found,
        rows=[_row(facts, figure) for figure in found if figure["k"] == most],
        members=[member for member in facts["members"] if member["who"] == who],
        quality=[entry for entry in facts["quality"] if entry["who"] == who and entry["answers"]],
        cost=[entry for entry in facts["cost"] if entry["who"] == who],
        alone=alone,
        against=who == "weak" and bool(facts.get("against")),
    )


def _row(facts: dict[str, Any], figure: dict[str, Any]) -> dict[str, Any]:
    same = (figure["who"], figure["choice"], figure["verifier"], figure["k"])
    gap = next((g for g in facts["gaps"] if (g["who"], g["choice"], g["verifier"], g["k"]) == same), None)
    beyond = (one for one in facts.get("against") or () if same[0] == "weak" and _key(one) == _key(figure))
    ahead = next((one["ahead"] for one in beyond), None)
    return {"name": called(figure["choice"], figure["verifier"]), **figure, "gap": gap, "ahead": ahead}


def _key(row: dict[str, Any]) -> tuple[str, str | None, int]:
    return row["choice"], row["verifier"], row["k"]


def _source(facts: dict[str, Any]) -> str:
    """Where the items come from, and how answers were compared."""
    counts = "".join(f"; {name}: {number:,}" for name, number in facts["counts"].items())
    checked = f"; what is shown is checked by {facts['own_check']}" if facts["own_check"] else ""
    how = sentence((compared(facts) or f"gold: {facts['scorer']}") + checked)
    of = f"{facts['of']}; {facts['items']:,} items in {facts['groups']:,} groups{counts}."
    return f"{of} {how} Figures in brackets are 95% intervals, by resampling groups of items."
