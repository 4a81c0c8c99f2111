"""SLURP's seven recorded systems as supervisors of what a spoken sentence is about, and as a committee that fills slots.

    python bench/slurp.py ../shared/data/slurp --out runs/slurp

Systems named google_* and multi_* heard the sentence (speech recognition), gold_* read its true text, as students do.
The study lets the best of the five that heard teach alone, all five, and all seven. The committee takes what the seven
wrote into the slots of a sentence; it asks no model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

import outgrow
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.prompts import Columns
from outgrow.workflows.committee import committee

HEARD = ("google_sfid", "multi_sfid", "google_hermit", "multi_hermit", "multi_slurp_hermit")
READ = ("gold_sfid", "gold_hermit")


def tables(data: Path, out: Path) -> tuple[Path, Path]:
    """Files of intents, a row a sentence and a column a system, and of slots."""
    sentences = pl.read_parquet(data / "slurp.parquet").filter(pl.col("split") == "test")
    systems = pl.read_parquet(data / "slurp_systems.parquet").rename({"slurp_id": "id"})
    intents = systems.pivot("system", index="id", values="scenario")
    found = sentences.select("id", "text", "scenario").join(intents, on="id").drop_nulls()
    out.mkdir(parents=True, exist_ok=True)
    found.write_parquet(out / "intents.parquet")
    filled = systems.with_columns(answer=_written("slots")).select("id", "system", "answer")
    wide = filled.pivot("system", index="id", values="answer")
    slots = sentences.with_columns(gold=_written("slots")).select("id", "text", "gold").join(wide, on="id").drop_nulls()
    slots.write_parquet(out / "slots.parquet")
    return out / "intents.parquet", out / "slots.parquet"


def _written(column: str) -> pl.Expr:
    """Slots in one order: "date: monday; place: new york", or "none"."""

    def line(slots: pl.Series) -> str:
        return "; ".join(sorted(f"{slot['type']}: {slot['filler'].lower()}" for slot in slots)) or "none"

    return pl.col(column).map_elements(line, return_dtype=pl.String)


def main() -> None:
    """Runs the study and the committee."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the parquet files")
    parser.add_argument("--out", type=Path, default=Path("runs/slurp"))
    parser.add_argument("--strong", nargs="+", default=["minilm-l6", "qwen2.5-coder-0.5b"])
    parser.add_argument("--seeds", type=int, default=8)
    asked = parser.parse_args()
    intents, slots = tables(asked.data, asked.out)
    teams = [("multi_slurp_hermit",), HEARD, (*HEARD, *READ)]
    result = outgrow.Study(
        tasks=[str(intents)],
        weak=["+".join(f"column:{name}" for name in team) for team in teams],
        strong=asked.strong,
        methods=["naive", "hardened", "evidential", "logconf", "co_supervised"],
        seeds=asked.seeds,
        reading=Reading(text="text", label="scenario", votes=(*HEARD, *READ), split="none", id="id"),
        out=asked.out / "study",
    ).run(overwrite=True)
    print(result)
    found = committee(
        str(slots),
        answers=(*HEARD, *READ),
        columns=Columns(prompt="text", gold="gold", scorer="exact", form="words"),
        out=asked.out / "committee",
        overwrite=True,
    )
    for figure in found.facts["figures"]:
        if figure["k"] == found.facts["most"]:
            print(figure["choice"], figure["right"])
    for member in found.facts["members"]:
        print(member["name"], member["right"])


if __name__ == "__main__":
    main()
