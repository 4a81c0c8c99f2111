"""What the models of proxy-tuning score."""

from __future__ import annotations

from typing import Any

from outgrow.report.charts import chart
from outgrow.report.proxy_tuning import NAMES
from outgrow.report.rows import Row, rows
from outgrow.report.words import interval, percent

PAINT = {"strong": "floor", "small": "control", "tuned small": "contrast", "proxy": "method", "tuned strong": "ceiling"}


@chart(
    page="proxy_tuning",
    of="page",
    order=10,
    wide=True,
    title="What each model scores",
    caption="Scores of greedy answers to the test items. Lines are 95% intervals over groups of items.",
)
def proxy_scores(facts: Any, width: int) -> dict[str, Any]:
    """A row a model."""
    found = []
    for row in facts["rows"]:
        name = NAMES[row["name"]]
        says = f"{name}: {percent(row['score'])} {interval(row['score_ci'])}".strip()
        found.append(Row(name, row["score"], row["score_ci"], PAINT[row["name"]], percent(row["score"]), says))
    most = max(end for row in facts["rows"] for end in (row["score"], *(row["score_ci"] or ())))
    return rows(
        found,
        description=f"{facts['metric']} on the test half: {'; '.join(row.says for row in found)}.",
        title=f"{facts['metric']} on the test half",
        span=[0.0, min(1.0, 1.05 * max(most, 0.05))],
        room=width,
    )
