"""The report of `outgrow learn`: from learn.json to one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from outgrow.core.errors import UserError
from outgrow.core.records import dump
from outgrow.report import gold
from outgrow.report.page import figures, fill
from outgrow.report.words import Headline, interval, percent, point_interval, points, sentence
from outgrow.runs import schema
from outgrow.runs.schema.learn import LearnFile

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
    return fill(
        "learn",
        facts=facts,
        rows=labellers(facts["verdict"]),
        titled=titled,
        headline=headline(facts),
        failed=failed(facts),
        aside=aside(facts),
        gold=gold.said(facts.get("gold")),
        charts=figures("learn", "page", facts),
        source=f"{facts['task']['source']}. Figures in brackets are 95% intervals.",
        versions=facts.get("versions"),
    )


def told(folder: Path) -> str:
    """The report's answer in a few lines, and where everything is."""
    facts = read(folder)
    found = headline(facts)
    files = [("student", folder), ("suggestions", folder / "suggest.csv"), ("report", folder / "report.html")]
    alarm = [f"CONTROL FAILED: canary: {facts['canary']['says']}"] if failed(facts) else []
    return "\n".join(
        [
            *alarm,
            f"{found.label}.",
            found.plain,
            *gold.said(facts.get("gold")),
            *(f"{what}: {path}" for what, path in files if path.exists()),
        ]
    )


def failed(facts: dict[str, Any]) -> bool:
    """Whether the canary failed; a learn.json of before there was one has none."""
    return facts.get("canary", {}).get("passed") is False


def headline(facts: dict[str, Any]) -> Headline:
    """Did the student outgrow its annotators? In plain words, or why it cannot be told."""
    found, trust = _answer(facts), facts["trust"]
    if failed(facts):
        return Headline("unclear", "A control failed: not to be relied on", found.text)
    if not trust["lost"]:
        return found
    shares = ", ".join(
        f"{name} ({percent(trust['votes'][name], 0)} of the votes, {percent(trust['labels'][name])} of its labels)"
        for name in trust["lost"]
    )
    heard = ", ".join(f"{name} to {percent(trust['heard'][name])} of items" for name in trust["lost"])
    text = Markup(
        "<b>The student hardly ever predicts {}.</b> The label model {} gives {}: where that is a surprise, learn with "
        "another --label-model. "
    ).format(shares, facts["how"]["label_model"], heard)
    return Headline("no", f"The student has lost {' and '.join(trust['lost'])}", text + found.text)


def _answer(facts: dict[str, Any]) -> Headline:
    verdict = facts["verdict"]
    if "rows" not in verdict:
        return Headline("unclear", "It takes gold to tell", _untold(facts))
    student, rivals = verdict["rows"][0], _rivals(verdict)
    text = Markup("On {:,} items with gold, none of which taught it, the student is right on <b>{}</b>{}.").format(
        verdict["judged"], percent(student["accuracy"]), _after(interval(student["accuracy_ci"]))
    )
    for row in rivals:
        text += _against(row)
    ahead = [row for row in rivals if row["gain_ci"] and row["gain_ci"][0] > 0]
    behind = [row for row in rivals if row["gain_ci"] and row["gain_ci"][1] < 0]
    if len(ahead) == len(rivals):
        return Headline("yes", f"The student outgrew its annotator{'s' if len(rivals) > 1 else ''}", text)
    if behind:
        return Headline("no", f"The student is behind {_list(behind)}", text)
    clear = f"ahead of {_list(ahead)}, but " if ahead else ""
    others = _list([row for row in rivals if row not in ahead])
    return Headline("unclear", f"The student is {clear}not clearly ahead of {others}", text)


def _against(row: dict[str, Any]) -> Markup:
    """How the student does against one that it is compared with, and how much gold would settle it."""
    text = Markup(" {}: <b>{}</b>, the student <b>{} points</b>{} {}.").format(
        _called(row),
        percent(row["accuracy"]),
        points(row["gain"]).lstrip("+−"),
        _after(point_interval(row["gain_ci"])),
        "ahead" if row["gain"] >= 0 else "behind",
    )
    if row.get("needed") and abs(row["gain"]) >= WORTH:
        text += Markup(" It would take about {:,} gold labels to show a difference of that size.").format(row["needed"])
    return text


def aside(facts: dict[str, Any]) -> str:
    """How abstentions count; nothing where no rival of the student abstains."""
    if not any(row.get("where") for row in _rivals(facts["verdict"])):
        return ""
    return (
        "An abstention counts as a guess or as the commonest class, whichever is better. The table shows both, and "
        "how the student does on the items that each of the others labels."
    )


def labellers(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a verdict, each labeller once: without a label model that is the floor."""
    rows = verdict.get("rows", ())
    floor = next((row for row in rows if row["kind"] == "floor"), None)
    if floor is None:
        return list(rows)
    same = (floor["accuracy"], floor["gain_ci"])
    models = ("label model", "other label model")
    return [row for row in rows if row["kind"] not in models or (row["accuracy"], row["gain_ci"]) != same]


def titled(row: dict[str, Any]) -> str:
    """What a labeller is called in chart and table."""
    return f"floor: {row['name'].removeprefix('label model: ')}" if row["kind"] == "floor" else row["name"]


def _rivals(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """What the student is compared with: the floor, the label model that taught, majority, the best annotator."""
    best, rows = ("annotator", verdict.get("best")), labellers(verdict)
    annotators = sum(row["kind"] == "annotator" for row in rows)
    return [
        row for row in rows
        if row["kind"] in ("floor", "majority", "label model")
        or ((row["kind"], row["name"]) == best and annotators > 1)
    ]  # fmt: skip


def _untold(facts: dict[str, Any]) -> Markup:
    verdict, trust = facts["verdict"], facts["trust"]
    text = Markup(
        "On items that did not teach it, the student agrees with the label model on <b>{}</b>{}. Where they differ, "
    ).format(percent(trust["same"]), _after(interval(trust["same_ci"])))
    if verdict["gold"]:
        text += Markup("{} gold label{} cannot tell which is right.").format(
            verdict["gold"], "s" if verdict["gold"] != 1 else ""
        )
    else:
        text += Markup("only gold can tell which is right.")
    return text + Markup(
        " About <b>{:,} gold labels</b> of items drawn at random would show a gain of {:.0f} points, since the two "
        "differ on {} of items; 20 give a first impression."
    ).format(verdict["needed"], 100 * verdict["gain"], percent(verdict["differ"], 0))


def _called(row: dict[str, Any]) -> str:
    known = {
        "floor": f"The floor ({row['name']})",
        "annotator": f"The best annotator ({row['name']})",
        "label model": f"The {row['name'].replace(': ', ' ')}",
    }
    return known.get(row["kind"]) or sentence(row["name"])[:-1]


def _list(rows: list[dict[str, Any]]) -> str:
    called = {
        "floor": "the floor", "annotator": "the best annotator",
        "majority": "majority", "label model": "the label model",
    }  # fmt: skip
    return " and ".join(sorted(called[row["kind"]] for row in rows))


def _after(text: str) -> str:
    return f" {text}" if text else ""
