"""Ceiling: is there room above the supervisors, and can the student learn their errors from its inputs?

    gap       ceiling - floor. A study has measured it; before training, the same of heads on weak-train, out of fold
    imitable  AUC(trained on supervisors' labels) - AUC(trained on gold)

AUC: how well a linear head on the student's features, out of fold, separates the supervisors' errors from their right
answers among weak-train items of one gold class; the score is 1 - p(gold). Hard items are found by either head. Errors
that only the head trained on the supervisors' labels finds are a rule of the inputs that a student can learn: it will,
and PGR is near 0. Errors that no head finds leave .5 and 0.

Intervals: the study's own; jackknife over 20 folds of groups. A gap is reported where its interval is above 0: where
there is none, in at most one of 40 cases. Before training it is called too small where its interval is below NEAR: of
larger gaps, at most one in 40.

    outgrow audit TASK --weak NAME --strong NAME        before training; or the folder of a finished study

Source: Burns et al. 2023, arXiv 2312.09390, appendix E (imitation of errors).
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, audit
from outgrow.audits._heads import area
from outgrow.audits._statistics import apart, jackknife

IMITABLE = 0.1
"""From here on it is a warning, below a note. Three pairs of the leaderboard were above: PGR .14, .03 and .01."""
NEAR = 0.02
"""Gap below which it takes thousands of test items to see a method's effect."""
FEWEST = 30
"""Errors, and right answers, that must be known."""


@audit("CEILING", "Is there room above the supervisors, and can the student learn their errors?")
def ceiling(*, before, study):
    """The gap, measured or rehearsed, and whether the student's inputs predict the supervisors' errors."""
    found = [_measured(study)] if study is not None else [_rehearsed(before)] if before is not None else []
    if before is not None:
        found.append(_imitable(before))
    return (
        found or "needs a finished study, or supervisors and a student (outgrow audit TASK --weak NAME --strong NAME)"
    )


def _measured(study) -> Finding:
    row = study.rows["naive"]
    value, ci = row["gap"], row["gap_ci"] and tuple(row["gap_ci"])
    says = f"The ceiling is {100 * value:.1f} points above the floor" + (
        f", between {100 * ci[0]:.1f} and {100 * ci[1]:.1f}."
        if ci
        else "; there are too few replicates or test groups for an interval."
    )
    if ci is None:
        return Finding("note", says, "Run with --seeds 8.", "ceiling less floor", value, None, "points", code="GAP")
    if ci[0] > 0:
        return Finding("ok", says, "", "ceiling less floor", value, ci, "points", code="GAP")
    power = study.details.get("power") or {}
    says += " PGR is not defined without a gap" + (f": {power['says']}." if power.get("says") else ".")
    needed = (
        f"{power['items']:,} test items"
        if power.get("items")
        else f"--seeds {power['replicates']}"
        if power.get("replicates")
        else ""
    )
    do = (
        f"Take a stronger student (--strong) or a weaker supervisor{f', or {needed}' if needed else ''}: nothing "
        "that a method does here can be seen."
    )
    return Finding("stop" if ci[1] < 0 else "warning", says, do, "ceiling less floor", value, ci, "points", code="GAP")


def _rehearsed(before) -> Finding:
    fold = apart(len(before.groups), before.groups)
    value, ci = jackknife(lambda kept: before.gains(np.isin(fold, kept))[1])
    says = (
        "On the supervisors' own half a linear head on the student's features that learns gold is right on "
        f"{100 * value:.1f} points more items than the supervisors."
    )
    if ci and ci[0] > 0:
        return Finding("ok", says, "", "rehearsed ceiling less floor", value, ci, "points", code="GAP")
    if ci is None or ci[1] >= NEAR:
        do = (
            "Give more gold on the supervisors' own half, or take a stronger student (--strong): whether there is "
            "a gap to divide by cannot be told yet."
        )
        return Finding("note", says, do, "rehearsed ceiling less floor", value, ci, "points", code="GAP")
    do = (
        f"Take a stronger student (--strong), or train on gold: the gap is surely smaller than {100 * NEAR:.0f} "
        "points, too small to divide by."
    )
    return Finding("warning", says, do, "rehearsed ceiling less floor", value, ci, "points", code="GAP")


def _imitable(before) -> Finding:
    wrong, (naive, gold, fold) = before.wrong, before.rehearsed
    errors, right = (int((wrong == side).any(0).sum()) for side in (1, 0))
    if min(errors, right) < FEWEST:
        return Finding(
            "not applicable",
            f"the supervisors err on {errors} items of their own half and are right on {right}: too few to tell "
            "them apart",
            code="ERRORS",
        )
    part, classes = apart(len(fold), before.groups), naive.shape[-1]
    scores = [
        1 - np.take_along_axis(probs, np.maximum(before.gold, 0)[..., None], -1)[..., 0] for probs in (naive, gold)
    ]

    def areas(kept: np.ndarray) -> tuple[float, float]:
        cell = np.where(np.isin(part, kept), fold * classes + before.gold, -1)
        cell = np.where(before.gold < 0, -1, cell)
        return area(scores[0], wrong, cell), area(scores[1], wrong, cell)

    taught, hard = areas(np.unique(part))

    def difference(kept: np.ndarray) -> float:
        ours, gold_area = areas(kept)
        return ours - gold_area

    value, ci = jackknife(difference)
    says = (
        "A head on the student's features that learns the supervisors' answers tells their errors with an AUC of "
        f"{taught:.2f}, one that learns gold with {hard:.2f} (.5: not at all)"
    )
    if ci is None or ci[0] <= 0 < IMITABLE < ci[1]:
        return Finding(
            "not applicable",
            "errors and right answers on items of one gold class are too few to tell what a student would imitate",
            code="ERRORS",
        )
    if ci[0] <= 0:
        return Finding(
            "ok",
            f"{says}: errors are no rule of the student's inputs beyond what is hard.",
            "",
            "AUC beyond that of gold",
            value,
            ci,
            "number",
            code="ERRORS",
        )
    do = (
        "Add a supervisor that errs elsewhere, or buy gold where student and supervisor disagree (--method active, "
        "improve): the student copies what it can tell."
    )
    return Finding(
        "warning" if value >= IMITABLE else "note",
        f"{says}: part of their errors is a rule that the student will learn.",
        do,
        "AUC beyond that of gold",
        value,
        ci,
        "number",
        code="ERRORS",
    )
