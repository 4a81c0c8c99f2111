"""Label models as transformers of scikit-learn: from a matrix of votes to beliefs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from outgrow.label_models import DEFAULT
from outgrow.label_models._em import fitted
from outgrow.label_models._frames import VoteMatrix
from outgrow.label_models._votes import WeakVotes
from outgrow.sklearn.votes import enough, labels_of

SMOOTHING = 0.1
"""Of the confusion tables by which votes are read that `fit` has not seen together."""


class LabelModelTransformer(TransformerMixin, BaseEstimator):
    """A label model as a transformer of scikit-learn.

    X is a matrix of votes (n, J): a row an item, a column an annotator, labels in the cells. None and NaN abstain.

    `transform` gives an item the belief that `fit` gave to an item with the same votes. Votes that `fit` has not seen
    together are read by Bayes' rule with the confusion tables that its beliefs imply. An item on which all abstain has
    the shares of the classes.

    Args:
        label_model: a name (`outgrow list label-models`) or a function of `WeakLabels`.
        abstain: a label that abstains, such as -1, beside None and NaN.
        complete: whether every annotator saw every item, as rules do: a rule for one class then votes by abstaining.

    Attributes:
        classes_: (C,) the classes, in order.
        n_features_in_: J.

    Example:
        >>> votes = np.array([["spam", "spam", "ham"], ["ham", None, "ham"], ["ham", "ham", "ham"]], object)
        >>> found = LabelModelTransformer("majority").fit(votes)
        >>> found.predict(votes).tolist(), found.transform(votes)[0].round(2).tolist()
        (['spam', 'ham', 'ham'], [0.33, 0.67])
    """

    def __init__(
        self, label_model: str | Callable[..., Any] = DEFAULT, *, abstain: Any = None, complete: bool = True
    ) -> None:
        self.label_model = label_model
        self.abstain = abstain
        self.complete = complete

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the label model; `y` is ignored.

        Raises:
            ValueError: X is no matrix of votes for two classes or more.
            UserError: there is no such label model.
        """
        from outgrow.label_models import LABEL_MODELS

        matrix = self._read(X, reset=True)
        enough(matrix.classes)
        self.classes_ = matrix.classes
        with ExitStack() as stack:
            (name,) = LABEL_MODELS.lend(stack, self.label_model)
            belief = WeakVotes((matrix.votes,), matrix.names, name, complete=self.complete).beliefs[0]
        (table,) = WeakVotes((matrix.votes,), matrix.names, complete=self.complete).tables
        self._tables = fitted(table, belief.astype(np.float64), SMOOTHING)
        self._shares = np.nan_to_num(belief.astype(np.float64)).mean(0)
        self._shares /= self._shares.sum()
        self._beliefs = {row.tobytes(): probs for row, probs in zip(matrix.coded, belief, strict=True)}
        return self

    def transform(self, X: Any) -> np.ndarray:
        """(n, C) beliefs in the order of `classes_`."""
        check_is_fitted(self)
        matrix = self._read(X, reset=False)
        place = {label: c for c, label in enumerate(self.classes_.tolist())}
        codes = np.array([*(place.get(label, -1) for label in matrix.classes.tolist()), -1])
        if unseen := [label for label in matrix.classes.tolist() if label not in place]:
            warnings.warn(f"votes for {unseen[0]!r}, which fit has not seen, count as abstentions", stacklevel=2)
        coded = codes[matrix.coded]
        out = self._bayes(VoteMatrix(coded, self.classes_, matrix.names))
        for i, row in enumerate(coded):
            if (known := self._beliefs.get(row.tobytes())) is not None:
                out[i] = known
        out[(coded < 0).all(1)] = self._shares
        return out

    def predict(self, X: Any) -> np.ndarray:
        """(n,) the likeliest class of each item."""
        best = self.transform(X).argmax(1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> np.ndarray:
        """`transform`, by the name that classifiers have for it."""
        return self.transform(X)

    def _read(self, X: Any, reset: bool) -> VoteMatrix:
        read = validate_data(self, X, dtype=None, ensure_all_finite="allow-nan", reset=reset)
        return labels_of(read, self.abstain)

    def _bayes(self, matrix: VoteMatrix) -> np.ndarray:
        """(n, C) by the confusion tables; abstentions of rules for one class count, too."""
        log_prior, log_confusion, log_silence = self._tables
        log_q = log_prior + matrix.votes.matrix @ log_confusion.reshape(-1, len(log_prior))
        log_q += (matrix.coded < 0).astype(np.float64) @ log_silence
        q = np.exp(log_q - log_q.max(1, keepdims=True))
        return q / q.sum(1, keepdims=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags
