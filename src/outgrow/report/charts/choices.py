"""What choosing among more and more answers is worth."""

from __future__ import annotations

import math
from typing import Any

from outgrow.report.charts import chart
from outgrow.report.committee import CommitteeSide, both, called
from outgrow.report.curves import Curve, Point, curves, least
from outgrow.report.layout import fitting
from outgrow.report.words import percent

HEIGHT = 330
LOOK = {"coverage": ("ceiling", (6, 3)), "majority": ("floor", (1, 0)), "single": ("control", (2, 3))}
VERIFIERS = ("method", "contrast", "ochre", "sky", "ink")


@chart(
    page="committee",
    of="bench",
    order=10,
    wide=True,
    title="What choosing is worth",
    caption="Share of items on which the answer chosen from so many samples is right by gold, with 95% bands. "
    "Coverage is what a choice that is never wrong would reach.",
)
def choices(bench: CommitteeSide, width: int) -> dict[str, Any] | None:
    """A curve for each way to choose; the strong model alone as a level. None where there is one answer an item."""
    return drawn(bench, width, HEIGHT) if bench.most > 1 else None


def drawn(bench: CommitteeSide, room: int, height: int) -> dict[str, Any]:
    """The same at any size."""
    found = [*_curves(bench)]
    if bench.alone is not None:
        text = f"the strong model alone {percent(bench.alone, 0)}"
        found.append(Curve(text, (Point(bench.figures[0]["k"], bench.alone, None, text),), "ink", (8, 4)))
    counts = sorted({figure["k"] for figure in bench.figures})
    along = [math.log(k / counts[0]) / math.log(max(counts[-1] / counts[0], 2)) for k in counts]
    shown = [counts[i] for i in fitting([place * least(room) for place in along], [f"{k:,}" for k in counts])]
    x = {
        "scale": {"type": "log", "base": 2, "domain": [counts[0], counts[-1]], "nice": False},
        "axis": {
            "title": "answers to choose from",
            "values": shown,
            "format": ",d",
            "grid": False,
            "labelOverlap": False,
        },
    }
    said = "; ".join(curve.points[-1].says for curve in found)
    return curves(found, x, description=f"{bench.title}, share right: {said}.", span=[0, 1], room=room, height=height)


def _curves(bench: CommitteeSide) -> list[Curve]:
    checks = list(dict.fromkeys(figure["verifier"] for figure in bench.figures if figure["verifier"]))
    lines = [("coverage", None), *(("verified", check) for check in checks), ("majority", None), ("single", None)]
    found = []
    for choice, check in lines:
        paint, dash = LOOK.get(choice) or (VERIFIERS[checks.index(check) % len(VERIFIERS)], (1, 0))
        rows = [figure for figure in bench.figures if (figure["choice"], figure["verifier"]) == (choice, check)]
        points = [
            Point(
                row["k"], row["right"]["value"], row["right"]["ci"],
                f"{called(choice, check)}, {row['k']:,} answer{'s' if row['k'] > 1 else ''}: {both(row['right'])}",
            )
            for row in rows
        ]  # fmt: skip
        found.append(Curve(f"{called(choice, check)} {percent(points[-1].at, 0)}", tuple(points), paint, dash))
    return found
