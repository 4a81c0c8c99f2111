"""How often the student is right, and how often everybody that it is compared with."""

from __future__ import annotations

from typing import Any

from outgrow.report.charts import chart
from outgrow.report.learn import labellers as compared
from outgrow.report.learn import titled
from outgrow.report.rows import Row, rows
from outgrow.report.theme import domain
from outgrow.report.words import interval, percent

MOST = 15
PAINT = {
    "student": "method",
    "floor": "floor",
    "majority": "ceiling",
    "label model": "contrast",
    "other label model": "contrast",
    "annotator": "control",
    "best annotator": "control",
    "tfidf": "ochre",
    "zero-shot": "ochre",
    "gold": "sky",
    "ceiling": "sky",
}


@chart(
    page="learn",
    of="page",
    order=10,
    wide=True,
    title="How often each is right",
    caption="Share of all items with gold. Lines are 95% intervals over groups of items. The student of gold alone, "
    "label models and methods that weight annotators by gold, and a student that gold taught, learned from the gold of "
    "other items; gold taught nothing to all others. TF-IDF is a logistic regression on words and word pairs, taught "
    "by the label model as the student is. Abstentions count as a guess or as the commonest class, whichever is "
    "better.",
)
def labellers(facts: Any, width: int) -> dict[str, Any] | None:
    """A row for the student, the floor, label models and annotators."""
    shown = compared(facts["verdict"])[:MOST]
    if not shown:
        return None
    ends = [end for row in shown for end in (row["accuracy"], *(row["accuracy_ci"] or ()))]
    said = [f"{titled(row)}: {percent(row['accuracy'])} {interval(row['accuracy_ci'])}".strip() for row in shown]
    return rows(
        [
            Row(titled(row), row["accuracy"], row["accuracy_ci"], PAINT[row["kind"]], percent(row["accuracy"]), says)
            for row, says in zip(shown, said, strict=True)
        ],
        description=f"How often each is right: {'; '.join(said)}.",
        title="right, of all items with gold",
        span=domain(*ends, among=(0, 1)),
        room=width,
    )
