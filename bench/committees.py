"""Committees of SmolLM2 on problems with exact checks: a table of what choices among its answers are worth, and the README's picture.

    python bench/committees.py [--out docs/pictures/committees.png]

The number of blanks, variables and letters was set so that among sixteen answers there is something to choose from: a harder sudoku was not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from outgrow.report import svg
from outgrow.report.charts import WIDE
from outgrow.report.charts.committees import committees
from outgrow.report.committee import called
from outgrow.report.words import interval, percent
from outgrow.workflows.committee import committee

TASKS = {
    "arithmetic:2": {"items": 48},
    "sudoku:1": {"items": 32},
    "sat:4": {"items": 32},
    "human-eval:250": {"items": 28, "temperature": 0.7, "verifier": ("unit_tests", "types")},
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("runs/committees.png"))
    out = parser.parse_args().out
    every = [committee(task, weak=["smollm2-135m"], draws=16, **asked).facts for task, asked in TASKS.items()]
    print("| task | items | choice | right | seen by its own check |\n|---|---|---|---|---|")
    for facts in every:
        for figure in facts["figures"]:
            if figure["k"] == facts["most"] and figure["choice"] != "voted":
                both = [
                    f"{percent(f['value'])} {interval(f['ci'])}" if f else ""
                    for f in (figure["right"], figure["shown"])
                ]
                print(
                    f"| {facts['task']} | {facts['items']} | {called(figure['choice'], figure['verifier'])} | {both[0]} | {both[1]} |"
                )
    out.parent.mkdir(parents=True, exist_ok=True)
    svg.paint(committees(every, WIDE), out, 2)
    print(f"picture: {out}")


if __name__ == "__main__":
    main()
