"""What the JSON files of learn, audit, committee and steer hold, with invented figures, for the tests of their pages.

python tests/golden/pages.py FOLDER         write the page of each there
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

LONG = "an_annotator_with_a_very_long_name_that_has_no_end"
WHERE = {"accuracy": 0.8, "student": 0.91, "gain": 0.11, "gain_ci": [0.08, 0.14]}


def learned() -> dict[str, Any]:
    """learn.json of a student that is ahead of all its annotators."""
    names = ("anna", "boris", "rule:mentions_refund", LONG)
    kinds = [
        ("floor", "label model: dawid_skene", 0.88),
        ("majority", "majority", 0.861),
        ("label model", "label model: blocks", 0.87),
        ("best annotator", "best annotator: anna", 0.8),
        ("tfidf", "TF-IDF, same labels", 0.905),
        ("zero-shot", "zero-shot: smollm2-135m", 0.61),
        ("gold", "gold alone: 120 gold labels", 0.93),
        *(("annotator", name, 0.8 - 0.02 * i) for i, name in enumerate(names)),
    ]
    rows: list[dict[str, Any]] = [
        {
            "kind": "student",
            "name": "student",
            "accuracy": 0.912,
            "accuracy_ci": [0.9, 0.924],
            "gain": None,
            "gain_ci": None,
            **measured(0.912, None),
        }
    ]
    rows += [
        {
            "kind": kind,
            "name": name,
            "accuracy": at,
            "accuracy_ci": [at - 0.02, at + 0.02],
            "gain": 0.912 - at,
            "gain_ci": [0.9 - at, 0.924 - at],
            "spoke": 0.7,
            "as_guess": at,
            "as_commonest": at - 0.05,
            "where": WHERE,
            **measured(at, 0.912 - at),
        }
        for kind, name, at in kinds
    ]
    annotators = [
        {
            "name": name,
            "votes": 12_000 - 100 * i,
            "coverage": 0.6,
            "says": {"complaint": 0.4, "other": 0.6},
            "estimated": 0.8,
            "estimated_ci": [0.78, 0.82],
            "student": 0.83,
            "suspected": 0.07,
        }
        for i, name in enumerate(names)
    ]
    shares = {"complaint": 0.41, "other": 0.59}
    return {
        "task": {
            "name": "messages",
            "classes": list(shares),
            "counts": {"rows": 20_000, "items": 19_800},
            "source": "messages.csv",
        },
        "annotators": {
            "count": 4,
            "rows": annotators,
            "same": [[0.75] * 4 for _ in names],
            "together": [[7000] * 4 for _ in names],
            "covered": 0.95,
            "twice": 0.8,
        },
        "trust": {
            "same": 0.87,
            "same_ci": [0.86, 0.88],
            "items": 19_000,
            "silent": 800,
            "commonest": 0.6,
            "lost": [],
            "bins": [{"sure": 0.6 + 0.1 * i, "same": 0.7 + 0.05 * i, "count": 4000} for i in range(4)],
            "labels": shares,
            "heard": shares,
            "votes": shares,
        },
        "verdict": {
            "gold": 2000,
            "judged": 2000,
            "own_split": False,
            "differ": 0.13,
            "gain": 0.02,
            "rows": rows,
            "best": "anna",
            "commonest": 0.59,
            "rare": ["complaint"],
            "confused": [
                {"gold": gold, "given": given, "items": 730.0 if gold == given else 61.0 + len(gold)}
                for gold in shares
                for given in shares
            ],
            "lacks": {"zero-shot": "nobody was asked"},
            "repeats": {"right": 0.97, "wrong": 0.4},
            "calibration": {"ece": 0.03, "bins": [{"confidence": 0.7, "accuracy": 0.72, "count": 900}]},
        },
        "suggest": [
            {"id": "7", "row": 7, "text": "where is my lamp?", "score": 1.0, "student": "other", "label_model": ""}
        ],
        "findings": [finding("COPY", "warning")],
        "canary": {"passed": True, "says": "gold of 400 hidden items permuted, no prediction of auto changed"},
        "how": {
            "strong": "minilm-l6",
            "revision": "8b3219a",
            "layers": [4, 6],
            "heads": 2,
            "head": "linear",
            "method": "auto",
            "named": False,
            "about": "Chooses among methods.",
            "paper": "no paper",
            "label_model": "blocks",
            "taught": 19_800,
            "seconds": 12.5,
        },
        "disagreements": [doubt(label_model={"complaint": 0.88, "other": 0.12})],
        "suspects": {
            "share": 0.08,
            "count": 3100,
            "checked": 310,
            "confirmed": 201,
            "votes_with_gold": 5600,
            "wrong_by_gold": 1120,
            "rows": [doubt(annotator=LONG, given="complaint", probably="other")],
        },
        "cost": {
            "votes": 47_400,
            "gold": 2000,
            "seconds": {"reading, whenever it was done": 95.0, "zero-shot": 610.0},
            "tokens": {"reading": 910_000, "zero-shot": 120_000},
        },
    }


def measured(at: float, gain: float | None) -> dict[str, Any]:
    """Measures by class around a score; the student's own have no gain."""
    ahead = {} if gain is None else {"gain": gain, "gain_ci": [gain - 0.02, gain + 0.02]}
    one = {"value": at, "ci": [at - 0.02, at + 0.02], **ahead}
    return {"macro_f1": one, "recall": {"complaint": one, "other": one}, "average_precision": one}


def doubt(**more: Any) -> dict[str, Any]:
    """An item that a person should look at."""
    said = {"anna": "complaint", LONG: "complaint"}
    item = {"id": "7", "row": 1007, "text": "where is my lamp? " * 12, "votes": said, "gold": "other"}
    return {**item, "student": {"other": 0.97, "complaint": 0.03}, **more}


def finding(code: str, severity: str, unit: str = "points") -> dict[str, Any]:
    return {
        "severity": severity,
        "says": "Two of four annotators repeat one another.",
        "do": "Count them once.",
        "unit": unit,
        "figure": "share of common errors",
        "value": 0.21,
        "ci": [0.1, 0.32],
        "code": code,
        "question": "Does anybody copy?",
        "items": [{"text": "where is my lamp?", "gold": "other", "anna": "complaint"}],
        "sheets": [{"title": "Pairs", "head": ["Pair", "Agreement"], "rows": [["anna and boris", "91%"]]}],
    }


def audited() -> dict[str, Any]:
    """audit.json with a finding of every severity."""
    found = [finding(f"CODE-{severity[:2].upper()}", severity) for severity in ("stop", "warning", "note", "ok")]
    nothing = {
        **finding("ORDER", "not applicable"),
        "says": "needs judgements",
        "value": None,
        "ci": None,
        "sheets": [],
        "items": [],
    }
    return {"source": "messages.csv", "findings": [*found, finding("NUMBER", "note", "number"), nothing]}


def committee() -> dict[str, Any]:
    """committee.json of weak models and a strong one, with two verifiers and rounds of self-improvement."""

    def share(value: float) -> dict[str, Any]:
        return {"value": value, "ci": [max(value - 0.06, 0.0), min(value + 0.06, 1.0)]}

    ways = [
        ("single", None, 0.0),
        ("majority", None, 0.05),
        ("coverage", None, 0.14),
        ("verified", "sudoku", 0.14),
        ("verified", "critic", 0.02),
    ]
    figures, gaps = [], []
    for who, base in (("weak", 0.2), ("strong", 0.4)):
        for choice, verifier, slope in ways:
            for i, k in enumerate((1, 2, 4, 8, 16)):
                right = share(base + slope * i * 0.9)
                figures.append(
                    {"who": who, "choice": choice, "verifier": verifier, "k": k, "right": right, "shown": share(0.8)}
                )
                if choice not in ("single", "coverage"):
                    its = {name: share(slope * i) for name in ("gap", "relative", "over_majority", "left")}
                    gaps.append({"who": who, "choice": choice, "verifier": verifier, "k": k, **its})
    members = [
        {"who": who, "name": name, "right": share(at), "answers": 1600, "cut": 3}
        for who, name, at in (
            ("weak", "smollm2-135m", 0.2),
            ("weak", "gemma3-270m", 0.24),
            ("strong", "a-strong-model", 0.4),
        )
    ]
    return {
        "task": "sudoku:1",
        "of": "generated here",
        "items": 100,
        "groups": 100,
        "counts": {"generated": 100},
        "scorer": "sudoku",
        "own_check": "sudoku",
        "tie": "the first of equally common answers counts",
        "digest": "",
        "most": 16,
        "enough": {"coverage": 0.7, "single": 0.2, "least": 0.5, "times": 1.5, "holds": True},
        "figures": figures,
        "gaps": gaps,
        "members": members,
        "independent": 0.81,
        "agreement": [{"votes": votes, "items": 30, "right": votes / 20} for votes in (16, 12, 8)],
        "quality": [
            {
                "who": "weak",
                "verifier": "critic",
                "says": "sound",
                "answers": 700,
                "share": 0.44,
                "right": 0.31,
                "shown": None,
            }
        ],
        "cost": [
            {"who": "weak", "what": "smollm2-135m", "answers": 1600, "tokens": 82_000, "seconds": 75.0, "flops": 2.2e13}
        ],
        "rounds": [
            {
                "by": by,
                "round": i,
                "kept": 100 * i,
                "kept_right": 0.4 if i else None,
                "single": share(0.2 + 0.02 * i * j),
                "covered": share(0.6),
                "gained": share(0.02 * i * j) if i else None,
            }
            for j, by in enumerate(("no verifier", "its own judgement", "sudoku"))
            for i in range(3)
        ],
        "compared": {"form": "grid", "by_default": ["scorer", "form"]},
        "versions": {"outgrow": "0.1.0", "python": "3.11.9", "numpy": "2.3.4"},
    }


def steered() -> dict[str, Any]:
    """steer.json of two seeds, in which steering closes most of the gap."""
    scores = {"strong": 0.31, "small": 0.22, "tuned small": 0.45, "proxy": 0.52, "tuned strong": 0.58}
    rows = [
        {
            "name": name,
            "score": at,
            "score_ci": [at - 0.05, at + 0.05],
            "knowledge": 0.71,
            "knowledge_ci": [0.66, 0.76],
            "knowledge_change": -0.02 if " " in name or name == "proxy" else None,
            "knowledge_change_ci": None,
            "seconds": 41.0,
            "tokens": 9000,
        }
        for name, at in scores.items()
    ]
    model = {"name": "smollm2-135m", "revision": "instruct", "parameters": 135_000_000}
    return {
        "task": "translations",
        "source": "made of names",
        "metric": "accuracy",
        "train": 400,
        "test": 400,
        "alpha": 1.0,
        "labels": {"kind": "weak", "name": "smollm2-135m", "right": 0.44, "cut": 2},
        "seed": 0,
        "seeds": 2,
        "models": {"strong": {**model, "name": "a-strong-model", "parameters": 1_700_000_000}, "small": model},
        "knowledge": {"task": "cities", "pairs": 300},
        "rows": rows,
        "closed": {"value": 0.78, "ci": [0.6, 0.95], "gap": 0.27, "gap_ci": [0.2, 0.34], "status": "ok"},
        "proxy_over_tuned_small": {"value": 0.07, "ci": [0.02, 0.12]},
        "trained": {
            "tuned small": {"seconds": 310.0, "tokens": 60_000},
            "tuned strong": {"seconds": 1900.0, "tokens": 60_000},
        },
        "examples": [
            {"prompt": "Translate: the lamp", "gold": "die Lampe", "answers": dict.fromkeys(scores, "die Lampe")}
        ],
        "engine": "here, in float32",
        "machine": "a machine",
    }


def pages() -> dict[str, str]:
    """Every page but that of a study, by name."""
    from outgrow.report import audit, learn, proxy_tuning
    from outgrow.report import committee as committee_page

    return {
        "learn": learn.render(learned()),
        "audit": audit.render(audited()),
        "committee": committee_page.render(committee()),
        "committees": committee_page.render_several([committee(), {**committee(), "task": "sat:4"}]),
        "proxy_tuning": proxy_tuning.render(steered()),
    }


if __name__ == "__main__":
    for name, page in pages().items():
        (Path(sys.argv[1]) / f"{name}.html").write_text(page, encoding="utf-8")
