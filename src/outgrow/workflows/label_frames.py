"""Label from Python: data frames where paths go, and a result that shows itself in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from outgrow.supervisors.labeller import LabelledTable
from outgrow.tasks.asking import Asking
from outgrow.tasks.frame_source import described
from outgrow.tasks.tables.files import plain
from outgrow.tasks.tables.frames import opened
from outgrow.tasks.tables.options import Reading
from outgrow.workflows.label import label as workflow

if TYPE_CHECKING:
    import polars


@final
class LabelResult:
    """A table that language models labelled.

    Args:
        labels: the table and its labellers.
    """

    def __init__(self, labels: LabelledTable) -> None:
        self._labels = labels

    @property
    def frame(self) -> polars.DataFrame:
        """All columns of the table, and for each model NAME its label and NAME p(CLASS), its probabilities."""
        import polars

        table = self._labels.table
        return polars.DataFrame({name: plain(table.column(name)) for name in table.names})

    @property
    def columns(self) -> tuple[str, ...]:
        """The models' columns of labels, for `votes` of `outgrow.learn(result.frame, ...)`."""
        return self._labels.columns

    @property
    def facts(self) -> dict[str, Any]:
        """By column the model, rows labelled, why others are empty, shares of classes, tokens and requests."""
        return self._labels.facts()

    def __repr__(self) -> str:
        return "\n".join(self._labels.told())

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>{self.frame._repr_html_()}"


def label(
    data: Any,
    *,
    by: str | Sequence[str],
    classes: Sequence[str] = (),
    asking: Asking | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    overwrite: bool = False,
    reading: Reading | None = None,
    **said: Any,
) -> LabelResult:
    """Ask language models for the class of every text of a table.

    Args:
        data: a data frame (pandas, polars, pyarrow or another that narwhals reads), or the path of a table.
        by: one or more models: checkpoints, or "server:URL,NAME" for any server with OpenAI's protocol.
        classes: the classes to choose from.
        asking: how models are asked: words for the classes, instructions, examples, chat or plain, samples.
        seed: the seed of sampled answers.
        out: a .parquet, .csv or .jsonl file for the table; none is written where not given.
        overwrite: another file of that name may be replaced.
        reading: what is said about the table, as a record.
        said: the same by name: text, text2, context, question, template and others.

    Returns:
        The frame with the columns of every model, and their names for `votes` of `outgrow.learn`.

    Raises:
        UserError: there is something that the user can mend.

    Example:
        >>> import polars as pl
        >>> label(pl.DataFrame({"message": ["win a prize"]}), text="message", classes=["spam"], by="gemma3-270m")
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: `classes` = spam names one class: name two or more with `classes`, as in ...
    """
    found = workflow(
        opened(data),
        by=[by] if isinstance(by, str) else by,
        reading=described(reading, classes=classes or None, **said),
        asking=asking,
        seed=seed,
        out=None if out is None else Path(out),
        overwrite=overwrite,
    )
    return LabelResult(found)
