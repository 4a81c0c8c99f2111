"""Solutions of GSM8K problems that weak models wrote teach a stronger one: as they are, and those alone that check out.

    python bench/solutions.py ../shared/data/gsm8k_w2s --items 120 --strong qwen2.5-coder-0.5b

After Yang et al. 2024 (arXiv 2407.13647): supervisors are the recorded solutions of fine-tuned Gemma 2B and Llama 2 7B,
the student learns them by low-rank updates, `verified` those whose arithmetic holds; `untrained` is the student as it
comes, which for checkpoints that have seen such problems is the row to look at first.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

import outgrow
from outgrow.tasks.tables.options import Reading

ASKED = "{}\nGo step by step, and end with #### and the number."
WEAK = ("weak_gemma_2b", "weak_llama2_7b")


def table(data: Path, items: int, file: Path) -> Path:
    """A file of prompts, gold solutions without calculator marks, and a column of solutions for each weak model."""
    rows = pl.read_parquet(data / "gsm8k_w2s.parquet").filter(pl.col("split") == "train_w2s", ~pl.col("leak"))
    rows = rows.unique("question", maintain_order=True).sample(items, seed=0)
    asked = pl.format(ASKED, pl.col("question")).alias("prompt")
    gold = pl.col("solution").str.replace_all(r"<<[^>]*>>", "").alias("answer")
    file.parent.mkdir(parents=True, exist_ok=True)
    rows.select("id", asked, gold, *WEAK).write_parquet(file)
    return file


def main() -> None:
    """Runs the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the parquet files")
    parser.add_argument("--items", type=int, default=120)
    parser.add_argument("--strong", default="qwen2.5-coder-1.5b")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/solutions"))
    asked = parser.parse_args()
    result = outgrow.Study(
        tasks=[str(table(asked.data, asked.items, asked.out / "solutions.parquet"))],
        weak=["+".join(f"column:{name}" for name in WEAK)],
        strong=asked.strong,
        methods=["naive", "verified"],
        seeds=asked.seeds,
        reading=Reading(scorer="number", prompt="prompt", answer="answer", votes=WEAK, skip_bad_rows=True),
        out=asked.out / "study",
    ).run(overwrite=True)
    print(result)


if __name__ == "__main__":
    main()
