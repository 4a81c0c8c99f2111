"""Audits of votes on real tables and on crowds: copied errors, committees, label quality, and how often they cry wolf."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow.audit import read
from outgrow.audits import registry
from outgrow.audits._evidence import Evidence
from outgrow.tasks.reading import Reading

DATA = Path(__file__).parents[2] / "shared" / "data"


def real(name: str) -> Path:
    path = DATA / name / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"needs ../shared/data/{name}")
    return path


def asked(code: str, evidence: Evidence):
    (found,) = registry()[code](evidence)
    return found


def final(text: str) -> str | None:
    """The number that a solution ends with."""
    found = re.search(r"####\s*\$?(-?[\d,]*\.?\d+)\s*$", text)
    return found and found[1].replace(",", "")


def test_the_committee_of_gsm8k_is_the_published_table(tmp_path):
    data = pl.read_parquet(real("gsm8k_w2s")).filter(pl.col("weak_gemma_2b").is_not_null())
    data = data.unique("question", keep="last", maintain_order=True)
    models = ("llama2_7b", "mistral_7b", "gemma_2b")
    rows = [(i, m, final(row[f"weak_{m}"]), final(f"#### {row['answer']}")) for i, row in enumerate(data.to_dicts()) for m in models]
    pl.DataFrame(rows, ["item", "worker", "label", "gold"], orient="row").write_parquet(tmp_path / "gsm8k.parquet")
    evidence = read(str(tmp_path / "gsm8k.parquet"), Reading())
    gain, copy = asked("GAIN", evidence), asked("COPY", evidence)
    agree, who = ({name: float(right.rstrip("%")) / 100 for name, right, _ in sheet.rows} for sheet in gain.sheets)
    pairs = [(float(rho), float(same.rstrip("%"))) for _, rho, _, same, _ in copy.sheets[0].rows]
    assert evidence.votes.items == 6850 and {n for _, _, n in gain.sheets[1].rows} == {"6,850"}
    assert np.allclose([who[m] for m in models], [0.412, 0.655, 0.327], atol=0.005)
    assert np.allclose([who["somebody"], who["somebody, were errors independent"]], [0.7285, 0.864], atol=0.005)
    assert np.allclose([who["the majority"], *(agree[m] for m in "321")], [0.645, 0.952, 0.724, 0.428], atol=0.005)
    assert pairs == [(0.41, 15), (0.39, 11), (0.32, 9)]
    assert gain.severity == "warning" and "mistral_7b" in gain.do and copy.severity == "warning"
