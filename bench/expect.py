"""The coefficients of the audit EXPECT, and how good its prediction is: run folders in, a table out.

    python bench/expect.py RUN_FOLDER ... [--to FILE]      FILE (.json) keeps what was rehearsed: name it again to go on

Every task is predicted by coefficients of the other tasks, and its interval by their errors on tasks left out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from scipy.stats import t as student

from outgrow.audits.expect import quantities
from outgrow.workflows import evidence as studied

NOISE = 0.15
"""Spread of PGR that no measurement takes away: a cell weighs 1 / (se^2 + NOISE^2)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--to", type=Path)
    asked = parser.parse_args()
    cells = json.loads(asked.to.read_text()) if asked.to and asked.to.exists() else {}
    for folder in asked.folders:
        if folder.name in cells:
            continue
        cells[folder.name] = [cell(one) for one in studied.finished(folder) if one.before is not None]
        if asked.to:
            asked.to.write_text(json.dumps(cells, indent=1))
    show([c for its in cells.values() for c in its])


def cell(evidence) -> dict:
    """What was rehearsed and what was measured of one (task, weak, strong)."""
    rows = evidence.study.rows
    measured = {
        name: (row["pgr"], row["pgr_ci"])
        for name, row in rows.items()
        if row["kind"] == "method" and row["status"] == "ok"
    }
    gain = rows["naive"]["value"] - rows["floor"]["value"]
    return {
        "about": evidence.about,
        "task": evidence.about.split(".")[0],
        "before": quantities(evidence.before),
        "gain": gain,
        "pgr": measured,
    }


def show(cells: list[dict]) -> None:
    kept = [c for c in cells if c["pgr"].get("naive", (None, None))[1]]
    x = np.array([[1, *c["before"][:2]] for c in kept])
    y = np.array([c["pgr"]["naive"][0] for c in kept])
    weight = np.array([1 / ((np.diff(c["pgr"]["naive"][1])[0] / 4) ** 2 + NOISE**2) for c in kept])
    task = np.array([c["task"] for c in kept])
    found = fit(x, y, weight)
    out, reach = np.empty(len(y)), np.empty(len(y))
    for name in np.unique(task):
        others = task != name
        out[~others] = np.minimum(x[~others] @ fit(x[others], y[others], weight[others]), 1)
        reach[~others] = within(*left_out(x[others], y[others], weight[others], task[others]))
    print(f"{len(cells)} cells, {len(kept)} of them with a gap, {len(np.unique(task))} tasks")
    for c, p, r, v in zip(kept, out, reach, y, strict=True):
        print(
            f"  {c['about']:50} repeated {c['before'][0]:.2f}  accuracy {c['before'][1]:.2f}  expected {p:5.2f} ± {r:.2f}  measured {v:5.2f}"
        )
    print(
        f"AT, REPEATED, ACCURACY = {', '.join(f'{b:.2f}' for b in found)}; WITHIN = {within(*left_out(x, y, weight, task)):.2f}"
    )
    say("PGR of naive, tasks left out", out, y)
    print(
        f"  weighted correlation {np.cov(np.c_[out, y].T, aweights=weight)[0, 1] / np.sqrt(np.prod(np.diag(np.cov(np.c_[out, y].T, aweights=weight)))):.2f}; its interval holds {np.mean(abs(out - y) <= reach):.0%}"
    )
    every = [(p, v[0]) for c, p in zip(kept, out, strict=True) for v in c["pgr"].values()]
    say("PGR of every method, tasks left out", *np.array(every).T)
    g, gained = (np.array([pick(c) for c in cells]) for pick in (lambda c: c["before"][2], lambda c: c["gain"]))
    reach = within(g, gained)
    say("gain of naive, all cells", g, gained)
    print(f"  POINTS = {reach:.3f}; holds {np.mean(abs(g - gained) <= reach):.0%}")


def fit(x, y, weight) -> np.ndarray:
    root = np.sqrt(weight)[:, None]
    return np.linalg.lstsq(x * root, y * root[:, 0], rcond=None)[0]


def left_out(x, y, weight, task) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of every task by the others, and what was measured."""
    out = np.empty(len(y))
    for name in np.unique(task):
        others = task != name
        out[~others] = np.minimum(x[~others] @ fit(x[others], y[others], weight[others]), 1)
    return out, y


def within(expected, measured) -> float:
    """Half the 95% interval of another cell."""
    free = len(measured) - 1
    return float(student.ppf(0.975, free) * np.sqrt(((expected - measured) ** 2).mean() * (1 + 1 / len(measured))))


def say(what: str, expected, measured) -> None:
    r, rho = np.corrcoef(expected, measured)[0, 1], spearmanr(expected, measured).statistic
    print(
        f"{what}: {len(measured)} cells, correlation {r:.2f}, of ranks {rho:.2f}, typical error {np.sqrt(((expected - measured) ** 2).mean()):.2f}"
    )


if __name__ == "__main__":
    main()
