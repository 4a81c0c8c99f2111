"""Expected PGR: what will naive recover? From a rehearsal on the supervisors' own half.

    repeated   share of the supervisors' errors on weak-train that a head trained on their labels of other items repeats
    accuracy   of the supervisors' copies on weak-train items that they have not learned
    PGR        = AT + REPEATED repeated + ACCURACY accuracy,  +- WITHIN
    gain       = accuracy of that head - accuracy,            +- POINTS

Coefficients: bench/expect.py, weighted least squares over the 20 of 36 (task, supervisor, student) whose gap was
resolved, on 12 text tasks, with heads on MiniLM-L6, SmolLM2-135M and Gemma 3 270M; no students of another kind or of
much other size. Each task predicted from the others: correlation .67 with the measured PGR (of ranks .70), typical
error .21, 90% within the interval. The formula was chosen among about thirty on these same cells, so expect less on
others. Gain: correlation .87, typical error 2.7 points.

A note, where PGR is expected below LITTLE, has no level of its own. On planted features with everything trained
(bench/alarms.py) one in 234 students that recovered more than .3 had one, and 144 of 200 that could imitate their
supervisor and recovered nothing.

    outgrow audit TASK --weak NAME --strong NAME
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, audit

AT, REPEATED, ACCURACY = -0.36, -0.78, 1.75
WITHIN, POINTS = 0.46, 0.056
"""Half widths of the 95% intervals, from errors on tasks left out one at a time."""
MOST, LITTLE = 1.0, 0.2
"""No more than the whole gap is expected; below LITTLE another supervisor is worth more than a better method."""
FEWEST = 30
"""Errors that must be known."""


@audit("EXPECT", "How much of the gap will the student recover?")
def expect(before, *, study):
    """PGR and gain of naive, predicted before it is trained."""
    wrong = before.wrong
    if np.nansum(wrong.max(0, where=~np.isnan(wrong), initial=0)) < FEWEST:
        return f"needs {FEWEST} errors of the supervisors on items of their own half"
    repeated, accuracy, gain = quantities(before)
    gap = before.gains(np.ones(len(before.groups), bool))[1]
    value = min(AT + REPEATED * repeated + ACCURACY * accuracy, MOST)
    row = study.rows.get("naive") if study is not None else None
    after = "" if row is None or row["pgr"] is None else f" It recovered {row['pgr']:.2f}."
    says = (
        f"PGR of naive is expected at {value:.2f}, between {value - WITHIN:.2f} and {value + WITHIN:.2f}: the "
        f"student repeats {100 * repeated:.0f}% of the supervisors' "
        f"errors in a rehearsal, and they are right on {100 * accuracy:.0f}% ({ACCURACY:.2f} × {accuracy:.2f} − "
        f"{-REPEATED:.2f} × {repeated:.2f} − {-AT:.2f}).{after}"
    )
    do = (
        "Change the supervisor, or buy gold where it and the student disagree (--method active, improve), "
        "before looking for a better method."
        if value < LITTLE
        else ""
    )
    beyond = f"In the rehearsal naive is right on {100 * gain:.1f} points more items than the supervisors."
    less = (
        "" if row is None else f" On the test items it was {100 * (row['value'] - study.rows['floor']['value']):.1f}."
    )
    share = Finding(
        "note" if do else "ok",
        says,
        do,
        "expected PGR of naive",
        value,
        (value - WITHIN, value + WITHIN),
        "number",
        code="PGR",
    )
    if gap <= 0:
        share = Finding(
            "not applicable",
            "in a rehearsal the student that learns gold is no better than the supervisors: there is no gap to recover",
            code="PGR",
        )
    return [
        share,
        Finding(
            "ok" if gain > 0 else "note",
            beyond + less,
            ""
            if gain > 0
            else "Keep the supervisors' own answers, or take a stronger student: naive will not pass them.",
            "expected gain of naive",
            gain,
            (gain - POINTS, gain + POINTS),
            "points",
            code="GAIN",
        ),
    ]


def quantities(before) -> tuple[float, float, float]:
    """repeated, accuracy, gain."""
    wrong = before.wrong
    erred = wrong == 1
    answer = np.nan_to_num(before.probs).argmax(-1)
    repeated = float((before.rehearsed[0].argmax(-1) == answer)[erred].mean())
    return repeated, float(1 - np.nanmean(wrong)), before.gains(np.ones(len(before.groups), bool))[0]
