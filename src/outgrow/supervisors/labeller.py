"""Zero-shot labels of a table's rows by language models, as columns that every reader of votes understands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.store import Store
from outgrow.tasks.asking import Asking, Question
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.probabilities import column_of
from outgrow.tasks.tables.questions import question, row_texts
from outgrow.tasks.tables.values import blank

EMPTY = "the row has no text"


@final
@dataclass(frozen=True)
class Labeller:
    """A model that labelled a table.

    Args:
        name: of its columns.
        model: as it was named.
        probs: (N, C) float32; NaN over C where a row stays empty.
        why: reason -> number of rows that stay empty for it.
        samples: answers that were sampled for each prompt; 0 where probabilities are those of the model.
        balanced: whether they were divided by each class's mean.
        asked: requests, tokens read, tokens answered and seconds, whenever they were spent.
    """

    name: str
    model: str
    probs: np.ndarray
    why: dict[str, int]
    samples: int
    balanced: bool
    asked: dict[str, float]

    @property
    def form(self) -> str:
        """What the probabilities are, in words."""
        form = f"{self.samples} sampled answers a prompt" if self.samples else "log-probabilities of class words"
        return f"{form}, balanced" if self.balanced else form


@final
@dataclass(frozen=True)
class LabelledTable:
    """A table with the columns of its labellers."""

    table: TableFile
    classes: tuple[str, ...]
    labellers: tuple[Labeller, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of hard labels, which stand for the probabilities beside them wherever votes are named."""
        return tuple(one.name for one in self.labellers)

    def reading(self, reading: Reading) -> Reading:
        """The reading with the labellers among the votes."""
        return replace(reading.with_votes(self.columns), classes=self.classes)

    def told(self) -> list[str]:
        """A line a labeller: rows with a label, shares of classes, and why rows stay empty."""
        return [line for one in self.labellers for line in _told(one, self.classes)]

    def facts(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            one.name: {
                "model": one.model,
                "form": one.form,
                "labelled": int(_spoke(one).sum()),
                "empty": one.why,
                "shares": dict(zip(self.classes, _shares(one), strict=True)),
                **one.asked,
            }
            for one in self.labellers
        }


def labelled(
    table: TableFile, reading: Reading, by: Sequence[str], asking: Asking, seed: int, store: Store
) -> LabelledTable:
    """The table with columns for each model: a label, and a probability a class.

    Args:
        table: the rows.
        reading: what its columns are; `classes` are those to choose from.
        by: names of models.
        asking: how they are asked.
        seed: the seed of sampled answers.
        store: where answers are kept as they come.

    Raises:
        UserError: what the user can mend.
    """
    from outgrow.training import names

    if not by:
        raise UserError("no model to ask: name one or more with `by`")
    for model in by:
        names.check(model)
    classes, asked = question(asking, reading)
    columns = _columns(by, table, classes)
    texts = row_texts(table, reading)
    if all(map(blank, texts)):
        raise UserError(f"{table.name}: no row has a text: name its column with `text`")
    found = tuple(_labeller(model, columns[model], asked, texts, asking, seed, store) for model in columns)
    more: dict[str, list[Any]] = {}
    for one in found:
        spoke, best = _spoke(one), one.probs.argmax(1)
        more[one.name] = [classes[c] if told else None for c, told in zip(best, spoke, strict=True)]
        for c, name in enumerate(classes):
            column = one.probs[:, c].astype(np.float64).round(6).tolist()
            more[column_of(one.name, name)] = [p if told else None for p, told in zip(column, spoke, strict=True)]
    said = hashed(*(repr((name, values)) for name, values in more.items()))[:12]
    how = "; ".join(f"zero-shot labels by {one.name} ({one.form})" for one in found)
    return LabelledTable(replace(table.with_columns(more), source=f"{table.source}; {how}, {said}"), classes, found)


def _labeller(
    model: str, column: str, asked: Question, texts: Sequence[str], asking: Asking, seed: int, store: Store
) -> Labeller:
    from outgrow.generation import class_words
    from outgrow.training.names import named

    asker = named(model, store)
    chat = class_words.chats(asker, asking.prompting)
    full = [i for i, text in enumerate(texts) if not blank(text)]
    items = [asked.prompts(texts[i], chat) for i in full]
    found = class_words.ask(asker, items, asked.words, chat, asking.samples, seed, store)
    probs = np.full((len(texts), len(asked.words)), np.nan, np.float32)
    probs[full] = balanced(found.probs.mean(1)) if asking.balance else found.probs.mean(1)
    why = Counter(reason for reason in found.why if reason)
    why.update({EMPTY: len(texts) - len(full)} if len(full) < len(texts) else {})
    cost, now = asdict(found.cost), asdict(found.now)
    if any(now.values()):
        progress.say(f"labels by {column} cost {_bill(cost)}; of these now {_bill(now)}")
    if len(full) and np.isnan(probs).all():
        raise UserError(f"{column} labelled none of the {len(texts):,} rows: {_reasons(why)}")
    return Labeller(column, _shown(model), probs, dict(why), found.samples, asking.balance, cost)


def balanced(probs: np.ndarray) -> np.ndarray:
    """Probabilities (N, C) divided by their mean over the items, rows again of sum 1; NaN stays NaN.

    A model's liking for a class, whatever the text, is in that mean as well as the class's share: it is for classes of
    about equal shares.

    Source: Zhou et al. 2023, arXiv 2309.17249, batch calibration.

    Example:
        >>> balanced(np.array([[0.9, 0.1], [0.7, 0.3]])).round(2).tolist()
        [[0.69, 0.31], [0.37, 0.63]]
    """
    told = ~np.isnan(probs).any(1)
    if not told.any():
        return probs
    scaled = probs / np.maximum(probs[told].mean(0), 1e-9)
    return np.asarray(scaled / scaled.sum(1, keepdims=True))


def _bill(cost: dict[str, float]) -> str:
    requests = f"{cost['requests']:,} requests, " if cost["requests"] else ""
    return (
        f"{requests}{cost['prompt_tokens']:,} prompt tokens, {cost['tokens']:,} answer tokens, {cost['seconds']:.1f} s"
    )


def _columns(by: Sequence[str], table: TableFile, classes: Sequence[str]) -> dict[str, str]:
    """Model -> its column: the name of the model alone where that tells it apart.

    Raises:
        UserError: the table has such a column.
    """
    short = {model: _short(model) for model in by}
    twice = {name for name, count in Counter(short.values()).items() if count > 1}
    found = {model: _shown(model) if name in twice else name for model, name in short.items()}
    for column in found.values():
        for name in (column, *(column_of(column, c) for c in classes)):
            if name in table.names:
                raise UserError(f"{table.name}: there is a column {name!r}: label a table without it, or rename it")
    return found


def _short(model: str) -> str:
    """A server's name of its model, the last part of a path, or the name itself."""
    if model.startswith("server:"):
        return model.partition(",")[2].partition(",")[0] or model
    return Path(model).name if Path(model).is_dir() else model


def _shown(model: str) -> str:
    """The model as it may be shown: a URL without user name and password."""
    from outgrow.generation import wire

    kind, _, spec = model.partition(":")
    return f"{kind}:{wire.address(spec)}" if kind == "server" else model


def _spoke(one: Labeller) -> np.ndarray:
    return np.asarray(~np.isnan(one.probs).any(1))


def _shares(one: Labeller) -> list[float]:
    """(C,) share of each class among the labels."""
    spoke = _spoke(one)
    counts = np.bincount(one.probs[spoke].argmax(1), minlength=one.probs.shape[1])
    return [float(share) for share in counts / max(spoke.sum(), 1)]


def _told(one: Labeller, classes: Sequence[str]) -> list[str]:
    spoke, rows = int(_spoke(one).sum()), len(one.probs)
    shares = ", ".join(f"{name} {100 * share:.0f}%" for name, share in zip(classes, _shares(one), strict=True))
    lines = [f"{one.name}: {spoke:,} of {rows:,} rows labelled zero-shot by {one.form} ({shares})"]
    if spoke < rows:
        left = rows - spoke
        stay = "rows stay" if left > 1 else "row stays"
        lines.append(f"{one.name}: {left:,} {stay} empty: {_reasons(one.why)}")
    return lines


def _reasons(why: dict[str, int]) -> str:
    return "; ".join(f"{reason} ({count:,})" for reason, count in sorted(why.items(), key=lambda one: -one[1]))
