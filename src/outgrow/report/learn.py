"""The report of `outgrow learn`: from learn.json to one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from outgrow.core.errors import UserError
from outgrow.core.records import dump
from outgrow.report import gold
from outgrow.report.page import figures, fill
from outgrow.report.words import Headline, interval, percent, point_interval, points
from outgrow.runs import schema
from outgrow.runs.schema.learn import LearnFile

WORTH = 0.005
"""The difference in accuracy from which the headline says how much gold would show it."""


AT_LENGTH = 4
"""Rivals that the answer speaks of one by one, whatever they score."""
SHORT = {
    "floor": "the floor",
    "annotator": "the best annotator",
    "best annotator": "the best annotator",
    "majority": "majority",
    "label model": "the label model",
    "tfidf": "TF-IDF",
    "zero-shot": "zero-shot",
    "gold": "gold alone",
}
TEACHERS = ("floor", "majority", "label model", "annotator", "best annotator")
"""Kinds of rows of what the annotators say."""
RIVALS = tuple(kind for kind in SHORT if kind != "annotator")


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
        measured=by_class(facts["verdict"]),
        titled=titled,
        doubted=doubted,
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
    """Did the student outgrow its annotators? In plain words, or why it cannot be told.

    Where the student is behind a baseline, by interval or in the mean, the label says so.
    """
    found, trust = _answer(facts), facts["trust"]
    behind = _behind(facts["verdict"])
    if failed(facts):
        doubt = f"; the student is {behind}" if behind else ""
        return Headline("unclear", f"A control failed: not to be relied on{doubt}", found.text)
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
    lost = f"has lost {' and '.join(trust['lost'])}"
    return Headline("no", f"The student {f'is {behind} and ' if behind else ''}{lost}", text + found.text)


def _answer(facts: dict[str, Any]) -> Headline:
    verdict = facts["verdict"]
    if "rows" not in verdict:
        return Headline("unclear", "It takes gold to tell", _untold(facts))
    student, rivals = verdict["rows"][0], _rivals(verdict)
    taught = facts.get("gold") and facts["gold"]["taught"]
    who = "each judged by a student of other items' gold" if taught else "none of which taught it"
    text = Markup("On {:,} items with gold, {}, the student is right on <b>{}</b>{}.").format(
        verdict["judged"], who, percent(student["accuracy"]), _after(interval(student["accuracy_ci"]))
    )
    ahead = [row for row in rivals if row["gain_ci"] and row["gain_ci"][0] > 0]
    for row in rivals:
        if row not in ahead or row["kind"] == "floor" or len(rivals) <= AT_LENGTH:
            text += _against(row)
    if rest := [row for row in ahead if row["kind"] != "floor" and len(rivals) > AT_LENGTH]:
        named = "; ".join(f"{_called(row, within=True)} ({percent(row['accuracy'])})" for row in rest)
        text += Markup(" The student is clearly ahead of {}.").format(named)
    alone = next((row for row in rivals if row["kind"] == "gold" and row["gain"] < 0), None)
    if alone and facts.get("gold", {}).get("use") == "weighs":
        text += Markup(" Gold did not teach this student: learn with --gold to be taught by both.")
    teachers = [row for row in rivals if row["kind"] in TEACHERS]
    outgrew = all(row in ahead for row in teachers)
    won = f"outgrew its annotator{'s' if len(teachers) > 1 else ''}"
    if behind := _behind(verdict):
        label = f"The student {f'{won}, but is' if outgrew else 'is'} {behind}"
        return Headline("no" if behind.startswith("behind") else "unclear", label, text)
    others = [row for row in rivals if row not in ahead]
    if outgrew:
        doubt = f", and is not clearly ahead of {_list(others)}" if others else ""
        return Headline("yes", f"The student {won}{doubt}", text)
    clear = f"ahead of {_list(ahead)}, but " if ahead else ""
    return Headline("unclear", f"The student is {clear}not clearly ahead of {_list(others)}", text)


def _behind(verdict: dict[str, Any]) -> str:
    """What the student is behind, clearly or in the mean; nothing where it is behind nobody, or gold is missing."""
    rivals = _rivals(verdict)
    clearly = [row for row in rivals if row["gain_ci"] and row["gain_ci"][1] < 0]
    lower = [row for row in rivals if row["gain"] < 0 and row not in clearly]
    how = (("behind", clearly), ("in the mean behind", lower))
    return " and ".join(f"{words} {_list(rows)}" for words, rows in how if rows)


def _against(row: dict[str, Any]) -> Markup:
    """How the student does against one that it is compared with, and how much gold would settle it."""
    text = Markup(" {}: <b>{}</b>, the student <b>{} points</b>{} {}.").format(
        _called(row),
        percent(row["accuracy"]),
        points(row["gain"]).lstrip("+−"),
        _after(point_interval(row["gain_ci"])),
        "ahead" if row["gain"] >= 0 else "behind",
    )
    if row.get("needed") and abs(row["gain"]) >= WORTH and row["kind"] in TEACHERS:
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


def by_class(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that have measures by class and are no single annotator; none in earlier files."""
    return [row for row in labellers(verdict) if row.get("macro_f1") and row["kind"] != "annotator"]


def doubted(item: dict[str, Any]) -> dict[str, str]:
    """What is said of an item in doubt, by name, in the order of reading."""
    said = {"row": f"{item['row']:,}"}
    if "annotator" in item:
        said |= {"annotator": item["annotator"], "voted": item["given"], "probably": item["probably"]}
    for name in ("student", "label_model"):
        if name in item:
            said[name.replace("_", " ")] = ", ".join(
                f"{c} {percent(p, 0)}" for c, p in item[name].items() if p >= 0.005
            )
    said["votes"] = ", ".join(f"{who}: {what}" for who, what in item["votes"].items())
    return said | ({"gold": item["gold"]} if item["gold"] else {})


def titled(row: dict[str, Any]) -> str:
    """What a labeller is called in chart and table."""
    return f"floor: {row['name'].removeprefix('label model: ')}" if row["kind"] == "floor" else row["name"]


def _rivals(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """What the student is compared with: floor, label model, majority, the best annotator, and what else could be done.

    Other label models are among them where the student is clearly behind. The best annotator is the one that was chosen
    without the gold that judges; in earlier files, by it.
    """
    best, rows = ("annotator", verdict.get("best")), labellers(verdict)
    annotators = sum(row["kind"] == "annotator" for row in rows)
    unseen = any(row["kind"] == "best annotator" for row in rows)
    return [
        row for row in rows
        if row["kind"] in RIVALS
        or (row["kind"] == "other label model" and row["gain_ci"] and row["gain_ci"][1] < 0)
        or ((row["kind"], row["name"]) == best and annotators > 1 and not unseen)
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


def _called(row: dict[str, Any], within: bool = False) -> str:
    """What a row is called in a sentence, at its start or within it."""
    name = row["name"].partition(": ")[2] or row["name"]
    known = {
        "floor": f"the floor ({row['name']})",
        "annotator": f"the best annotator ({row['name']})",
        "best annotator": f"the best annotator ({name})",
        "label model": f"the {row['name'].replace(': ', ' ')}",
        "other label model": f"the {row['name'].replace(': ', ' ')}",
        "tfidf": "TF-IDF with the same labels",
        "zero-shot": f"{name} asked without training",
        "gold": f"the student of {name} alone",
    }
    said = known.get(row["kind"], row["name"])
    return said if within else said[0].upper() + said[1:]


def _list(rows: list[dict[str, Any]]) -> str:
    return _joined(sorted(SHORT.get(row["kind"]) or _called(row, within=True) for row in rows))


def _joined(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _after(text: str) -> str:
    return f" {text}" if text else ""
