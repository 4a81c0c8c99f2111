"""A student as a classifier of scikit-learn, taught by votes or by weak probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.label_models import DEFAULT
from outgrow.label_models._frames import VotesError
from outgrow.label_models._votes import WeakVotes
from outgrow.sklearn.votes import probabilities_of, votes_of
from outgrow.store import Store
from outgrow.students.probe import HEADS, Probe, Space
from outgrow.students.saved import SavedStudent
from outgrow.tasks.task import FREE, Task

WEAK = ("votes", "probabilities")


@final
@dataclass(frozen=True)
class EstimatorCell:
    """The resources of a method in `fit`: one replicate, which every item teaches, and no gold."""

    weak: WeakVotes
    student: Probe
    seed: int

    weak_features: ClassVar[None] = None
    weak_train: ClassVar[None] = None
    known_gold: ClassVar[None] = None
    tuned: ClassVar[None] = None
    generator: ClassVar[None] = None
    ladder: ClassVar[None] = None
    auxiliary: ClassVar[None] = None
    oracle: ClassVar[None] = None
    teach: ClassVar[None] = None

    @property
    def features(self) -> list[np.ndarray]:
        """(N, K): the student's features, in the layer that the votes choose."""
        return self.student.embed(self.weak.beliefs)

    @property
    def rivals(self) -> np.ndarray:
        """(N,) no item has rivals."""
        return self.student.groups

    @property
    def rights(self) -> np.ndarray:
        """(N,) -1: nobody knows how many of a group are right."""
        return np.full(len(self.student.groups), -1)

    @property
    def answers(self) -> np.ndarray:
        """(N,) each item is an answer of its own."""
        return self.student.groups

    @property
    def rng(self) -> np.random.Generator:
        """The method's own randomness."""
        return derive(self.seed, "estimator", "method")


class WeakToStrongClassifier(ClassifierMixin, BaseEstimator):
    """A student of weak labels as a classifier of scikit-learn.

    X is a matrix of features (n, D), or n texts, which the model `strong` reads. y is one label an item (n,), the votes
    of several annotators (n, J), or with `weak` = "probabilities" weak probabilities (n, C) or (n, J, C). An empty vote
    (None, NaN) abstains, as does a row of probabilities that are all NaN.

    Args:
        strong: the student's model where X is texts: a name (`outgrow list models`), a hub id or a folder.
        student: the head on the features: linear or mlp.
        method: a name (`outgrow list methods`) or a function of resources.
        parameters: hyper-parameters of the method.
        label_model: a name (`outgrow list label-models`) or a function of `WeakLabels`.
        weak: what y holds: votes or probabilities.
        classes: names of the columns of probabilities; 0 to C - 1 where not given.
        abstain: a label that abstains, such as -1, beside None and NaN.
        seed: names folds and the method's randomness.

    Attributes:
        classes_: (C,) the classes, in order.
        student_: the student, as `outgrow.load` would give it.
        n_features_in_: D, where X is a matrix.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> gold = rng.integers(2, size=300)
        >>> X = rng.normal(size=(300, 4)) + gold[:, None]
        >>> votes = np.where(rng.random((300, 3)) < 0.75, gold[:, None], 1 - gold[:, None])
        >>> found = WeakToStrongClassifier().fit(X, votes)
        >>> bool((found.predict(X) == gold).mean() > (votes == gold[:, None]).mean())
        True
    """

    def __init__(
        self,
        strong: str = "smollm2-135m",
        *,
        student: str = "linear",
        method: str | Callable[..., Any] = "naive",
        parameters: Mapping[str, Any] | None = None,
        label_model: str | Callable[..., Any] = DEFAULT,
        weak: str = "votes",
        classes: Sequence[Any] | None = None,
        abstain: Any = None,
        seed: int = 0,
    ) -> None:
        self.strong = strong
        self.student = student
        self.method = method
        self.parameters = parameters
        self.label_model = label_model
        self.weak = weak
        self.classes = classes
        self.abstain = abstain
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:
        """Teach the student.

        Args:
            X: (n, D) features or n texts.
            y: votes (n,) or (n, J), or probabilities (n, C) or (n, J, C), as `weak` says.

        Raises:
            ValueError: X or y is not of these forms, or all votes are for one class.
            UserError: a name is unknown, or the method cannot be fitted from votes alone.
        """
        from outgrow.label_models import LABEL_MODELS
        from outgrow.methods import METHODS, RESOURCES
        from outgrow.students import features
        from outgrow.students.saving import saved_student, weights

        if self.student not in HEADS:
            raise UserError(f"`student` = {self.student!r}: give {' or '.join(HEADS)}; `outgrow.learn` fine-tunes")
        texts = texts_in(X)
        if texts is None:
            X = validate_data(self, X, dtype=np.float32, ensure_min_samples=2)
        read: Any = X if texts is None else texts
        if self.weak not in WEAK:
            raise UserError(f"`weak` = {self.weak!r}: give {' or '.join(WEAK)}")
        if y is None:
            raise VotesError("fit requires y to be passed, but the target y is None: give votes or weak probabilities")
        votes, self.classes_, names = (
            votes_of(y, read, self.abstain) if self.weak == "votes" else probabilities_of(y, read, self.classes)
        )
        everywhere = np.ones(len(read), bool)
        task = Task(
            name="estimator",
            kind="classify",
            classes=tuple(map(str, self.classes_.tolist())),
            ids=np.array([f"{i:032x}" for i in range(len(read))]),
            texts=tuple((text,) for text in texts or ()),
            groups=np.arange(len(read)),
            side=np.full(len(read), FREE, np.int8),
        )
        store = Store.default()
        space = (
            Space(X[None, None], (1,), everywhere)
            if texts is None
            else features.space_of(task, self.strong, everywhere, store)
        )
        probe = Probe(space, everywhere[None], task.groups, self.seed, [0], self.student)
        with ExitStack() as stack:
            (name,) = METHODS.lend(stack, self.method)
            (model,) = LABEL_MODELS.lend(stack, self.label_model)
            LABEL_MODELS.find(model)
            recipe = METHODS.find(name)
            recipe.check(RESOURCES)
            parameters = recipe.configured(dict(self.parameters or {}))
            cell: Any = EstimatorCell(WeakVotes((votes,), names, model), probe, self.seed)
            fitted = recipe.fit(cell, **parameters)
            if fitted is None:
                raise UserError(
                    f"method {name!r} lacks {'; '.join(recipe.lacks(cell))}: take another `method`, or outgrow.learn"
                )
            taught = {"method": name, "parameters": parameters, "label_model": model, "items": len(read)}
            kept = weights(fitted, 0) if texts is None else None
            self.student_ = (
                saved_student(fitted, task, self.strong, {"text": "text"}, names, taught, store)
                if kept is None
                else _of_features(kept, task.classes, names, taught)
            )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """(n,) the likeliest class of each item of X."""
        best = self.predict_proba(X).argmax(1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> np.ndarray:
        """(n, C) probabilities in the order of `classes_`."""
        check_is_fitted(self)
        if self.student_.reads == "features":
            return self.student_.predict_proba(validate_data(self, X, dtype=np.float32, reset=False))
        texts = texts_in(X)
        if texts is None:
            raise ValueError("the student was taught on texts: give a list of texts")
        return self.student_.predict_proba(texts)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def texts_in(X: Any) -> list[str] | None:
    """The texts, where X is a list, a series or an array of them; None where it is something else."""
    import narwhals as nw

    found = nw.from_native(X, pass_through=True, allow_series=True)
    values = found.to_list() if isinstance(found, nw.Series) else X
    if isinstance(values, np.ndarray) and values.ndim == 1:
        values = values.tolist()
    if not isinstance(values, list | tuple) or not values or not all(isinstance(one, str) for one in values):
        return None
    return list(values)


def _of_features(
    kept: Mapping[str, Any], classes: tuple[str, ...], voters: Sequence[str], taught: Mapping[str, Any]
) -> SavedStudent:
    """A student of features; in double precision an item's probabilities do not depend on the items beside it."""
    arrays = {name: value.astype(np.float64) for name, value in kept["arrays"].items()}
    return SavedStudent(
        classes=classes,
        reads="features",
        model="features",
        digest="",
        revision="",
        pooling="",
        precision="float32",
        head=kept["head"],
        heads=kept["heads"],
        voters=tuple(voters),
        template="",
        columns={},
        words=(),
        taught=taught,
        arrays=arrays,
    )
