"""Votes in arrays and data frames: cells become classes and abstentions, and beliefs become a frame again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from outgrow import label_models
from outgrow.core.errors import UserError, unknown
from outgrow.label_models._votes import Votes, WeakVotes

ITEM, ANNOTATOR, LABEL = ("item", "task", "id"), ("annotator", "worker"), ("label",)
"""What the columns of a long table are called."""


class VotesError(UserError, ValueError):
    """Votes that cannot be read: one line for the user, and a ValueError for scikit-learn."""


@final
@dataclass(frozen=True)
class VoteMatrix:
    """Votes of J annotators on n items.

    Args:
        coded: (n, J) int64, the number of the class; -1 where an annotator abstains.
        classes: (C,) the labels in order, numbers or texts.
        names: (J,) the annotators.
    """

    coded: np.ndarray
    classes: np.ndarray
    names: tuple[str, ...]

    @property
    def votes(self) -> Votes:
        """The votes, a row a vote."""
        item, annotator = np.nonzero(self.coded >= 0)
        said = np.eye(len(self.classes))[self.coded[item, annotator]]
        return Votes(item, annotator, said, *self.coded.shape)


def matrix_of(columns: Sequence[np.ndarray], names: Sequence[str], abstain: Any = None) -> VoteMatrix:
    """Columns of labels (n,) as a matrix of votes.

    Args:
        columns: a column an annotator; None and NaN abstain.
        names: the annotators.
        abstain: a label that abstains, too; None where there is none.

    Raises:
        VotesError: labels are no classes: probabilities, infinite, or texts beside numbers.

    Example:
        >>> found = matrix_of([np.array(["spam", None]), np.array(["ham", "ham"])], ("a", "b"))
        >>> found.classes.tolist(), found.coded.tolist()
        (['ham', 'spam'], [[1, 0], [-1, 0]])
    """
    known = [_spoke(column, abstain) for column in columns]
    parts = [_values(column[at]) for column, at in zip(columns, known, strict=True) if at.any()]
    if len({part.dtype.kind in "US" for part in parts}) > 1:
        raise VotesError("votes mix texts and numbers: give labels of one type")
    classes, code = np.unique(_labels(parts), return_inverse=True)
    coded, start = np.full((len(columns[0]), len(columns)), -1), 0
    for j, at in enumerate(known):
        coded[at, j] = code[start : start + at.sum()]
        start += at.sum()
    return VoteMatrix(coded, classes, tuple(names))


def _spoke(column: np.ndarray, abstain: Any) -> np.ndarray:
    """(n,) bool: where there is a label."""
    if column.dtype.kind == "O":
        return np.array([value is not None and value == value and value != abstain for value in column], bool)
    spoke = ~np.isnan(column) if column.dtype.kind == "f" else np.ones(len(column), bool)
    return spoke if abstain is None else spoke & (column != abstain)


def _values(labels: np.ndarray) -> np.ndarray:
    """Labels as an array of one type. Raises VotesError for texts beside numbers."""
    if labels.dtype.kind == "O":
        if len({isinstance(label, str) for label in labels}) > 1:
            raise VotesError("votes mix texts and numbers: give labels of one type")
        return np.array(labels.tolist())
    return labels


def _labels(parts: Sequence[np.ndarray]) -> np.ndarray:
    """All labels; whole numbers are integers, whatever type they have beside missing ones."""
    labels = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    if labels.dtype.kind != "f":
        return labels
    fractions = labels[labels != np.rint(labels)]
    if np.isinf(labels).any() or (len(fractions) and labels.min() >= 0 and labels.max() <= 1):
        odd = fractions[0] if len(fractions) else np.inf
        raise VotesError(f"votes hold {odd:g}, no label: give the class that each annotator names")
    return labels if len(fractions) else labels.astype(np.int64)


def fit_predict(
    frame: Any,
    votes: Sequence[str] | None,
    label_model: str | Callable[..., Any],
    abstain: Collection[Any],
) -> Any:
    """`label_models.fit_predict`."""
    import narwhals as nw

    try:
        found = nw.from_native(frame)
    except TypeError:
        raise UserError(
            f"votes are a {type(frame).__name__}, no data frame: give one of pandas, polars or pyarrow"
        ) from None
    whole = found.collect() if isinstance(found, nw.LazyFrame) else found
    table, classes, names, kept = _read(whole, votes, abstain)
    if len(classes) < 2:
        raise VotesError(f"the votes name {len(classes)} class: a label model needs two classes or more")
    with ExitStack() as stack:
        (name,) = label_models.LABEL_MODELS.lend(stack, label_model)
        belief = WeakVotes((table,), names, name, complete=table.complete).belief
    probs, silent = belief.probs[0], np.isnan(belief.probs[0]).any(1)
    best = classes[probs.argmax(1)].tolist()
    columns = {**kept, "label": [None if none else label for label, none in zip(best, silent, strict=True)]}
    columns |= {f"p_{label}": _missing(probs[:, c]) for c, label in enumerate(classes.tolist())}
    columns["confidence"] = belief.confidence[0].tolist()
    return nw.from_dict(columns, backend=whole.implementation).to_native()


def _missing(column: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in column]


def _read(
    whole: Any, votes: Sequence[str] | None, abstain: Collection[Any]
) -> tuple[Votes, np.ndarray, tuple[str, ...], dict[str, Any]]:
    """The votes, the classes, the annotators, and the columns that go into the result."""
    names = list(whole.columns)
    roles = [next((name for name in role if name in names), None) for role in (ITEM, ANNOTATOR, LABEL)]
    item, annotator, label = roles
    if votes is None and item and annotator and label:
        return _long(item, cells(whole[item]), cells(whole[annotator]), cells(whole[label], abstain))
    chosen = names if votes is None else list(votes)
    for name in chosen:
        if name not in names:
            raise unknown("column for `votes`", name, names)
    matrix = matrix_of([cells(whole[name], abstain) for name in chosen], chosen)
    kept = {name: whole[name].to_list() for name in names if name not in chosen and name != "label"}
    return replace(matrix.votes, complete=True), matrix.classes, matrix.names, kept


def _long(
    name: str, item: np.ndarray, annotator: np.ndarray, label: np.ndarray
) -> tuple[Votes, np.ndarray, tuple[str, ...], dict[str, Any]]:
    """A row a vote; the last of two votes of an annotator on an item counts."""
    last = {pair: row for row, pair in enumerate(zip(item.tolist(), annotator.tolist(), strict=True))}
    items, annotators = list(dict.fromkeys(item.tolist())), list(dict.fromkeys(annotator.tolist()))
    at, who = ({one: number for number, one in enumerate(names)} for names in (items, annotators))
    coded = matrix_of([label[list(last.values())]], [LABEL[0]])
    said = coded.coded[:, 0]
    pairs = np.array([(at[i], who[j]) for i, j in last], np.int64).reshape(-1, 2)[said >= 0]
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    spoken = np.eye(len(coded.classes))[said[said >= 0][order]]
    votes = Votes(pairs[order, 0], pairs[order, 1], spoken, len(items), len(annotators))
    return votes, coded.classes, tuple(str(one) for one in annotators), {name: items}


def cells(series: Any, abstain: Collection[Any] = ()) -> np.ndarray:
    """(n,) object: the values of a column, None where it has none or one that abstains."""
    missing, out = series.is_null().to_list(), np.empty(len(series), object)
    out[:] = [None if no or value in abstain else value for value, no in zip(series.to_list(), missing, strict=True)]
    return out
