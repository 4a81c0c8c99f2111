"""The figure of a finding with its interval, seen from 0."""

from __future__ import annotations

from typing import Any

from outgrow.report.audit import figure
from outgrow.report.charts import chart
from outgrow.report.rows import Row, rows


@chart(
    page="audit",
    of="finding",
    order=10,
    wide=True,
    title="The figure behind it",
    caption="The mark is the figure that the audit measured on these data, and the line its 95% interval, seen from "
    "zero.",
)
def finding(found: Any, width: int) -> dict[str, Any] | None:
    """A single row; None of a finding without an interval or whose figure is no share."""
    if not found["ci"] or found["unit"] == "number":
        return None
    low, high = found["ci"]
    says = f"{found['figure']}: {figure(found)}"
    row = Row("", found["value"], (low, high), "method", figure(found).split(" ")[0], says)
    span = [min(0.0, low, found["value"]), max(0.0, high, found["value"])]
    air = 0.03 * max(span[1] - span[0], 0.02)
    return rows([row], description=says, title="", span=[span[0] - air * (span[0] < 0), span[1] + air], room=width)
