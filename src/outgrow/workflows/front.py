"""One `Study` for classes and for generation tasks, with objects wherever names go.

An object is lent to the registry of its kind for as long as a study runs: below this module all is found by name.

    task           a data frame, or `Task.of(frame, ...)`
    supervisor     a function of texts, or of a `SupervisorView`
    method         a function of resources, decorated or plain
    label model    a function of `WeakLabels`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from outgrow.core.errors import UserError
from outgrow.tasks.frame_source import source_of
from outgrow.tasks.source import TASKS, generates
from outgrow.tasks.tables.options import Reading

if TYPE_CHECKING:
    from outgrow.workflows.result import Result

CLASSES_ALONE = ("label_model", "ladder", "auxiliary")
"""Settings of `Study` that do not apply to generation tasks."""
TEXTS_ALONE = ("prompting",)
"""Settings of `Study` that apply to generation tasks alone."""


@final
@dataclass(frozen=True, kw_only=True)
class Study:
    """A weak-to-strong study of tasks with classes or of generation tasks; defaults depend on the kind of task.

    Args:
        tasks: names (`outgrow list tasks`), paths of tables, data frames, or `Task.of(frame, ...)`.
        weak: supervisors: names (`outgrow list supervisors`), functions of the texts or of a `SupervisorView`; several
            that supervise together are joined by + in a name, or are a list.
        strong: the students' models.
        methods: names (`outgrow list methods`) or functions of resources; the usual ones where none is given.
        seeds: replicates, each with its own halves of the training items.
        seed: the one integer that names the randomness.
        weak_gold: gold items that a supervisor learns from; all of its half where not given.
        student: how the student learns: linear, mlp, lora or full.
        prompting: how language models are asked: chat, plain, or auto, chat where a model has a chat template.
        label_model: a name (`outgrow list label-models`) or a function of `WeakLabels`.
        ladder: models between the supervisor and the student, the weakest first.
        auxiliary: other tasks whose gold methods may use.
        reading: how tables are read.
        parameters: hyper-parameters by the names of methods.
        out: the folder of the results; by default runs/ and a name made of the study.

    Example:
        >>> study = Study(tasks=["cities"], weak=["tfidf"], strong="minilm-l6", seeds=4)
        >>> study.generates
        False
    """

    tasks: Sequence[Any] = ()
    weak: Sequence[Any] = ()
    strong: str | Sequence[str] = ()
    methods: Sequence[Any] = ()
    seeds: int | None = None
    seed: int = 0
    weak_gold: int | None = None
    student: str | None = None
    prompting: str | None = None
    label_model: Any = None
    ladder: Sequence[str] = ()
    auxiliary: Sequence[Any] = ()
    reading: Reading = field(default_factory=Reading)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    out: Path | str | None = None

    @property
    def generates(self) -> bool:
        """Whether the tasks are answered in free text."""
        with ExitStack() as stack:
            names = TASKS.lend(stack, self.tasks, source_of)
            return generates(names, self.reading)

    def run(self, overwrite: bool = False) -> Result:
        """Compute what is missing, write the run folder and return the result.

        Args:
            overwrite: another result in the folder may be replaced.

        Raises:
            UserError: there is something that the user can mend.
        """
        with ExitStack() as stack:
            tasks = TASKS.lend(stack, self.tasks, source_of)
            auxiliary = TASKS.lend(stack, self.auxiliary, source_of)
            kind = self._texts if generates(tasks, self.reading) else self._classes
            made, asked = kind(stack)
            asked |= {
                "tasks": tasks,
                "auxiliary": auxiliary,
                "strong": self.strong,
                "seeds": self.seeds,
                "weak_gold": self.weak_gold,
                "student": self.student,
                "prompting": self.prompting,
                "ladder": self.ladder,
                "parameters": self.parameters,
                "out": self.out and Path(self.out),
            }
            given = {name: value for name, value in asked.items() if value not in (None, (), [], {})}
            return made(**given, seed=self.seed, reading=self.reading).run(overwrite=overwrite)

    @property
    def _weak(self) -> list[Any]:
        return list(self.weak) if isinstance(self.weak, list | tuple) else [self.weak]

    def _classes(self, stack: ExitStack) -> tuple[Callable[..., Any], dict[str, Any]]:
        from outgrow.label_models import LABEL_MODELS
        from outgrow.methods import METHODS
        from outgrow.supervisors import SUPERVISORS
        from outgrow.workflows.study import ClassStudy

        for name in TEXTS_ALONE:
            if getattr(self, name) is not None:
                raise UserError(f"`{name}` applies to generation tasks alone: leave it out")
        groups = [one if isinstance(one, list | tuple) else [one] for one in self._weak]
        names = SUPERVISORS.lend(stack, [one for group in groups for one in group])
        weak = ["+".join(names.pop(0) for _ in group) for group in groups]
        model = LABEL_MODELS.lend(stack, [] if self.label_model is None else self.label_model)
        return ClassStudy, {
            "weak": weak,
            "methods": METHODS.lend(stack, self.methods),
            "label_model": model[0] if model else None,
        }

    def _texts(self, stack: ExitStack) -> tuple[Callable[..., Any], dict[str, Any]]:
        from outgrow.methods.text import TEXT_METHODS
        from outgrow.workflows.text_study import TextStudy

        for name in CLASSES_ALONE:
            if getattr(self, name) not in (None, ()):
                raise UserError(f"`{name}` does not apply to generation tasks: leave it out")
        for one in self._weak:
            if not isinstance(one, str):
                raise UserError(
                    f"supervisor {one!r:.80}: a generation task has models or columns of answers: give a name"
                )
        return TextStudy, {"weak": self._weak, "methods": TEXT_METHODS.lend(stack, self.methods)}
