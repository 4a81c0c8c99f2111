"""Answers that were recorded elsewhere: a table with a row for each answer.

    prompt, answer                                       required columns
    model, draw, logprob, seed, ended, engine            optional columns; `answers.table` writes them all

"answers:FILE" is the model of that file, "answers:FILE,NAME" the one of several with that name. Its k-th answer to a
prompt is the k-th recorded one, in order of the column `draw` (the index of the sample), else of the file. It has no
logits and cannot score other texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from outgrow.core.errors import UserError, unknown
from outgrow.core.seeding import hashed
from outgrow.generation import PLAIN, Answer, Prompting, Sampling
from outgrow.models.damage import first_line
from outgrow.store import disk

if TYPE_CHECKING:
    import polars as pl


ENDED = ("stop", "length", "failed")
"""How an answer ended: by itself, cut at the token limit, or not at all."""


@final
class RecordedModel:
    """A file of answers as a language model.

    Args:
        named: "FILE", or "FILE,NAME" where it holds the answers of several models.

    Raises:
        UserError: there is no such file, or it is no table of answers.
    """

    def __init__(self, named: str):
        given = Path(named).expanduser()
        file, _, model = named.rpartition(",") if "," in named and not given.is_file() else (named, "", "")
        self._path = Path(file).expanduser()
        if not self._path.is_file():
            raise UserError(
                f"no such file of answers: {named!r}; give answers:FILE, "
                "or answers:FILE,MODEL where it has several models"
            )
        self.name = f"answers:{named}"
        self.digest = hashed(disk.sha256(self._path), model)
        self._table = _only(_read(self._path), model, file)
        engines = self._table["engine"].unique().to_list() if "engine" in self._table.columns else []
        self.engine = str(engines[0]) if len(engines) == 1 else "recorded"

    def sample(
        self, prompts: Sequence[str], n: int, how: Sampling, seeds: Sequence[Sequence[int]]
    ) -> list[list[Answer]]:
        """The first n recorded answers to each prompt; `how` and `seeds` do not matter."""
        found = []
        for prompt in prompts:
            answers = self._answers.get(prompt, [])
            if len(answers) < n:
                raise UserError(
                    f"{self._path} has {len(answers)} answers to {prompt[:60]!r}, not {n}: "
                    "ask for fewer, or record more"
                )
            found.append(answers[:n])
        return found

    def logprobs(self, prompts: Sequence[str], texts: Sequence[str], prompting: Prompting = PLAIN) -> list[np.ndarray]:
        """Raises UserError: a file of answers scores nothing."""
        raise UserError(f"{self.name} is a file of answers and cannot score others: name a model")

    @cached_property
    def _answers(self) -> dict[str, list[Answer]]:
        found: dict[str, list[Answer]] = {}
        for number, row in enumerate(self._table.iter_rows(named=True), 1):
            try:
                # One number for the whole answer: the table has no more.
                logprobs = () if row.get("logprob") is None else (float(row["logprob"]),)
                seed = int(row.get("seed") or 0)
            except (ValueError, TypeError, OverflowError):
                raise UserError(
                    f"{self._path}: logprob {row.get('logprob')!r} or seed {row.get('seed')!r} of answer {number} "
                    "is no number: mend it, or leave the column out"
                ) from None
            text, ended = row["answer"] or "", row.get("ended") or "stop"
            if ended not in ENDED:
                raise UserError(
                    f"{self._path}: ended is {ended!r} in answer {number}: give {', '.join(ENDED)}, "
                    "or nothing, which is stop"
                )
            found.setdefault(row["prompt"], []).append(Answer(text, logprobs, (), ended, seed))
        return found


def _read(path: Path) -> pl.DataFrame:
    import polars as pl

    texts = {name: pl.String for name in ("prompt", "answer", "model")}  # an answer may look like a number
    readers = {
        ".parquet": pl.read_parquet,
        ".csv": lambda file: pl.read_csv(file, schema_overrides=texts),
        ".jsonl": pl.read_ndjson,
    }
    if path.suffix not in readers:
        raise UserError(f"{path}: answers are read from {', '.join(readers)} files")
    try:
        table = readers[path.suffix](path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise UserError(f"{path} cannot be read as a table: {first_line(error)}") from None
    missing = [name for name in ("prompt", "answer") if table.schema.get(name) != pl.String]
    if missing:
        raise UserError(
            f"{path} has no column of texts {missing[0]!r}: a table of answers needs prompt and answer; "
            f"it has {', '.join(table.columns)}"
        )
    return _checked(path, table)


def _checked(path: Path, table: pl.DataFrame) -> pl.DataFrame:
    """The table in order of its samples, each once. UserError for a broken value, or two answers of one sample."""
    import polars as pl

    for name, kind, needed in (
        ("prompt", pl.String, True),
        ("model", pl.String, True),
        ("draw", pl.Int64, True),
        ("seed", pl.Int64, False),
        ("logprob", pl.Float64, False),
    ):
        if name not in table.columns:
            continue
        column = table[name]
        cast = column.cast(kind, strict=False)
        broken = cast.is_null() & (column.is_not_null() | needed)
        if kind == pl.Int64 and column.dtype.is_float():
            broken |= (column != column.round()).fill_null(False)
        if broken.any():
            row = int(broken.arg_max() or 0)
            raise UserError(
                f"{path}: column {name!r} holds {column[row]!r:.40} in row {row + 1}: mend it"
                + (", or leave the column out" if name != "prompt" else "")
            )
        table = table.with_columns(cast.alias(name))
    if "draw" not in table.columns:
        return table
    sample = [name for name in ("prompt", "model", "draw") if name in table.columns]
    table = table.unique([*sample, "answer"], maintain_order=True)
    again = table.filter(table.select(sample).is_duplicated())
    if len(again):
        raise UserError(
            f"{path}: draw {again['draw'][0]} for {again['prompt'][0][:60]!r} is there twice, and otherwise: "
            "keep one, or number them"
        )
    return table.sort("draw", maintain_order=True)


def _only(table: pl.DataFrame, model: str, file: str) -> pl.DataFrame:
    """The rows of one model."""
    models = sorted(table["model"].unique().cast(str).to_list()) if "model" in table.columns else []
    if model and model not in models:
        raise unknown(f"model of {file}", model, models)
    if not model and len(models) > 1:
        raise UserError(f"{file} has answers of {len(models)} models: choose one, as in answers:{file},{models[0]}")
    return table.filter(table["model"] == model) if model else table
