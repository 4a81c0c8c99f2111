"""From texts and names of classes alone to a student, against zero-shot of the model that labelled: as Markdown.

    python bench/ask.py [ag_news | imdb ...] [--items 320] [--by qwen2.5-coder-0.5b] [--strong minilm-l6]

Items are drawn at random, of `imdb` among reviews of at most 500 characters; gold judges alone. Answers and features are
kept in the store, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

import outgrow

DATA = Path(__file__).parents[2] / "shared" / "data"
WORDS = {"ag_news": ("World", "Sports", "Business", "Technology"), "imdb": ("negative", "positive")}
LONGEST = 500


def row(name: str, items: int, by: str, strong: str, balance: bool, folder: Path) -> str:
    """The scores of one set: zero-shot, student, and the student's gain."""
    frame = pl.read_parquet(DATA / name / f"{name}.parquet").select("text", "label")
    frame = frame.filter(pl.col("text").str.len_chars() <= LONGEST) if name == "imdb" else frame
    frame = frame.sample(min(items, len(frame)), shuffle=True, seed=0)
    learned = outgrow.learn(
        frame,
        text="text",
        label="label",
        classes=[str(c) for c in range(len(WORDS[name]))],
        ask=by,
        asking=outgrow.Asking(words=WORDS[name], balance=balance),
        strong=strong,
        out=folder / f"{name}-{balance}",
    )
    student, floor = learned.facts["verdict"]["rows"][:2]
    scores = [f"{100 * one['accuracy']:.1f}% {_ends(one['accuracy_ci'])}" for one in (floor, student)]
    gain = f"{100 * floor['gain']:+.1f} {_ends(floor['gain_ci'])}"
    return f"| {name}{', balanced' if balance else ''} | {len(frame)} | {' | '.join(scores)} | {gain} |"


def _ends(ci: tuple[float, float]) -> str:
    return f"[{', '.join(f'{100 * end:.1f}' for end in ci)}]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(WORDS))
    parser.add_argument("--items", type=int, default=320)
    parser.add_argument("--by", default="qwen2.5-coder-0.5b")
    parser.add_argument("--strong", default="minilm-l6")
    asked = parser.parse_args()
    print(f"| set | items | zero-shot, {asked.by} | student, {asked.strong} | student ahead, points |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as kept:
        for name in asked.sets:
            for balance in (False, True):
                print(row(name, asked.items, asked.by, asked.strong, balance, Path(kept)), flush=True)
