"""What a task is: items in one order, with their gold in an object of its own.

    Task               items with classes, questions with candidates, or pairs of texts of which one is better
    GenerationTask     items that are answered in free text

Both have ids, texts, groups, sides, counts, a source and a digest; a generation task has no classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from outgrow.core.errors import UserError
from outgrow.tasks.prompting import USUAL, Prompting

if TYPE_CHECKING:
    from outgrow.tasks.source import GenerationSource, TaskSource

Kind = Literal["classify", "choose", "prefer", "compare", "generate"]
FREE, POOL, TEST = 0, 1, 2


@dataclass(frozen=True)
class Task:
    """A data set with a question. N items in one order, which is the order of their hashed ids.

    Nothing in here depends on gold. A `choose` task holds every candidate of its questions, one of which is right, or
    more where the data says so.
    """

    name: str
    kind: Kind
    classes: tuple[str, ...]
    """Names of the C classes. `choose`: ("wrong", "right"). `prefer`: ("first", "second"), the better of the two
    texts."""
    ids: np.ndarray
    """(N,) str: 32 hex digits each, ascending, unique."""
    texts: tuple[tuple[str, ...], ...]
    """Per item what a model reads: one text, two for `prefer`, none where an item is an image alone."""
    groups: np.ndarray
    """(N,) int64: items with the same number stay on one side of every split and are resampled together."""
    side: np.ndarray
    """(N,) int8: FREE, or POOL or TEST where the data's own split says so."""
    images: tuple[bytes, ...] | None = None
    """Per item an encoded image, beside its text or alone; None where items have none."""
    question: np.ndarray | None = None
    """`choose` only, (N,) int64: rows with the same number are the candidates of one question."""
    answer: np.ndarray | None = None
    """`choose` only, (N,) int64: rows with the same number are one answer, to this question and that."""
    votes: dict[str, np.ndarray] = field(default_factory=dict)
    """The user's own label columns by name: (N, C) float32 rows that sum to 1; NaN over C = abstained."""
    ask: str = "{text}\nAnswer:"
    """Prompt for a zero-shot language model; `{text}` is the item."""
    words: tuple[str, ...] = ()
    """What a zero-shot language model would answer for each class, in the order of `classes`."""
    counts: dict[str, int] = field(default_factory=dict)
    """Rows read and rows left out, each with its reason: nothing is dropped in silence."""
    template: str = "{text}"
    """How the columns became what a model reads."""
    source: str = ""
    """Where the data came from, in words that let somebody else get the same (package and version, file, revision)."""
    digest: str = ""
    """sha256 over everything above that influences a study, gold included by its own digest."""

    @staticmethod
    def of(frame: Any, name: str = "frame", **columns: Any) -> TaskSource | GenerationSource:
        """A data frame as a task for `Study(tasks=[...])`, which reads it as a file and keeps its gold sealed.

        Args:
            frame: a data frame of pandas, polars, pyarrow or another library that narwhals reads.
            name: what rows and folders call the task.
            columns: which column plays which role, and more (fields of `tasks.tables.options.Reading`). With `scorer`
                the items are answered in free text.

        Raises:
            UserError: there is no such option.

        Example:
            >>> import polars as pl
            >>> frame = pl.DataFrame({"message": ["win a prize", "see you at noon"] * 2, "spam": ["yes", "no"] * 2})
            >>> Task.of(frame, "messages", text="message", label="spam").name
            'messages'
        """
        from outgrow.tasks import frame_source

        return frame_source.of(frame, name, **columns)

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, by: str) -> tuple[tuple[str, ...], ...]:
        """The texts, for a reader of texts. Raises UserError where items are images alone."""
        if not self.texts[0]:
            raise UserError(
                f"{by} reads text, and the items of task {self.name!r} are images alone: take an image model, patches "
                "or convnet, or "
                "name a column with `text`"
            )
        return self.texts

    def even(self, probs: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Probabilities as if right and wrong had been equally likely: of `choose`; others stay as they are.

        With exactly one of k right, odds grow k - 1 times, as the weights in Gold make those of the rows that are
        right, so that a row is called right where it is likelier so than one of k.

        Args:
            probs: (..., n, 2) float32.
            rows: (N,) bool: the n items.

        Source:
            Saerens et al. 2002, Adjusting the outputs of a classifier to new a priori probabilities.
        """
        if self.question is None:
            return probs
        odds = np.stack([np.ones(rows.sum()), np.bincount(self.question)[self.question[rows]] - 1], -1) * probs
        return (odds / odds.sum(-1, keepdims=True)).astype(np.float32)

    def seen(self, by: str) -> tuple[bytes, ...]:
        """The images, for a reader of images. Raises UserError where items have none."""
        if self.images is None:
            raise UserError(
                f"{by} reads images, and the items of task {self.name!r} have none: name their column with `image`"
            )
        return self.images


@final
@dataclass(frozen=True)
class Gold:
    """The true labels of a task, sealed: supervisors open it on weak-train rows, the ceiling and the measures
    beyond."""

    labels: np.ndarray
    """(N,) int64 class numbers."""
    weights: np.ndarray
    """(N,) float32: what a row counts in the measures per row (in `choose` right and wrong rows weigh the same in
    sum)."""


@final
@dataclass(frozen=True, kw_only=True)
class GenerationTask(Task):
    """A task whose items are answered in free text; every item has one text, its prompt."""

    kind: Kind = "generate"
    classes: tuple[str, ...] = ()
    shown: tuple[Mapping[str, Any], ...]
    """Per item what a verifier may see: visible tests, the puzzle, a schema, ..."""
    verifier: str
    """The name of the check that is the task's own ("" where it has none)."""
    scorer: str
    """What compares an answer with gold: a verifier, or a scorer of `metrics/text.py`."""
    tokens: int
    """Room for an answer."""
    stop: tuple[str, ...] = ()
    """An answer ends before the first of these."""
    prompting: Prompting = USUAL
    """How prompts are put to a model."""
    form: str = "words"
    """What makes two answers the same one to a vote (`generation/candidates/forms.py`)."""
    written: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """[column][item]: recorded answers, different ones, at least one each."""

    @cached_property
    def prompts(self) -> tuple[str, ...]:
        """Per item what is to be answered."""
        return tuple(text for (text,) in self.texts)


@final
@dataclass(frozen=True)
class GenerationGold:
    """The sealed gold of a generation task: per item a right answer, and what a scorer needs to judge any answer."""

    answers: tuple[str, ...]
    """One right answer each, to be learned from: weak-train, ceiling and measures alone may open it."""
    keys: tuple[Any, ...]
    """What the scorer compares an answer with: hidden tests, the number, the slots."""
