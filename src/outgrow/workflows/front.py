"""The way in from Python: objects wherever names go, and one `Study` for classes and for generation tasks.

An object is lent to the registry of its kind for as long as a job runs: below this module everything is found by name.

    task           a data frame, or `Task.of(frame, ...)`
    supervisor     a function of texts, or of a `SupervisorView`
    method         a function of resources, decorated or plain
    label model    a function of `WeakLabels`
    verifier       a function of attempts
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from outgrow.core.errors import UserError
from outgrow.core.registry import Registry
from outgrow.tasks.source import TASKS, GenerationSource, TaskSource, generation_sources
from outgrow.tasks.tables.options import Reading

if TYPE_CHECKING:
    from outgrow.workflows.committee import CommitteeResult
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
            names = _lend(stack, TASKS, _listed(self.tasks), _task)
            return generates(names, self.reading)

    def run(self, overwrite: bool = False) -> Result:
        """Compute what is missing, write the run folder and return the result.

        Args:
            overwrite: another result in the folder may be replaced.

        Raises:
            UserError: there is something that the user can mend.
        """
        with ExitStack() as stack:
            tasks = _lend(stack, TASKS, _listed(self.tasks), _task)
            auxiliary = _lend(stack, TASKS, _listed(self.auxiliary), _task)
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

    def _classes(self, stack: ExitStack) -> tuple[Callable[..., Any], dict[str, Any]]:
        from outgrow.label_models import LABEL_MODELS
        from outgrow.methods import METHODS
        from outgrow.supervisors import SUPERVISORS
        from outgrow.workflows.study import ClassStudy

        for name in TEXTS_ALONE:
            if getattr(self, name) is not None:
                raise UserError(f"`{name}` applies to generation tasks alone: leave it out")
        groups = [one if isinstance(one, list | tuple) else [one] for one in _listed(self.weak)]
        names = _lend(stack, SUPERVISORS, [one for group in groups for one in group])
        weak = ["+".join(names.pop(0) for _ in group) for group in groups]
        model = _lend(stack, LABEL_MODELS, [] if self.label_model is None else [self.label_model])
        return ClassStudy, {
            "weak": weak,
            "methods": _lend(stack, METHODS, _listed(self.methods)),
            "label_model": model[0] if model else None,
        }

    def _texts(self, stack: ExitStack) -> tuple[Callable[..., Any], dict[str, Any]]:
        from outgrow.methods.text import TEXT_METHODS
        from outgrow.workflows.text_study import TextStudy

        for name in CLASSES_ALONE:
            if getattr(self, name) not in (None, ()):
                raise UserError(f"`{name}` does not apply to generation tasks: leave it out")
        for one in _listed(self.weak):
            if not isinstance(one, str):
                raise UserError(
                    f"supervisor {one!r:.80}: a generation task has models or columns of answers: give a name"
                )
        return TextStudy, {"weak": _listed(self.weak), "methods": _lend(stack, TEXT_METHODS, _listed(self.methods))}


def generates(names: Sequence[str], reading: Reading | None) -> bool:
    """Whether tasks of these names are answered in free text: tables with a scorer, or generation tasks."""
    known = {source.name for source in generation_sources()}
    return (reading is not None and reading.scorer is not None) or any(
        name.partition(":")[0] in known for name in names
    )


def learn(data: str | Path, *, method: Any = None, label_model: Any = "mean", **more: Any) -> Path:
    """Teach a student by the votes in a table, save it in a folder with its report, and return the folder.

    Args:
        data: path of the table.
        method: a name (`outgrow list methods`) or a function of resources.
        label_model: a name (`outgrow list label-models`) or a function of `WeakLabels`.
        more: as of `outgrow.workflows.learn.learn`: reading, votes_table, strong, student, suggest, seed, out and
            overwrite.

    Raises:
        UserError: there is something that the user can mend.

    Example:
        >>> learn("votes.csv", method="naiv")
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: unknown method 'naiv': did you mean 'naive'?
    """
    from outgrow.label_models import LABEL_MODELS
    from outgrow.methods import METHODS
    from outgrow.workflows import learn as workflow

    with ExitStack() as stack:
        chosen = _lend(stack, METHODS, [] if method is None else [method])
        (model,) = _lend(stack, LABEL_MODELS, [label_model])
        return workflow.learn(str(data), method=chosen[0] if chosen else None, label_model=model, **more)


def committee(source: str | Path, *, verifier: Sequence[Any] = (), **more: Any) -> CommitteeResult:
    """Let a committee of weak models answer the items of a task, or take recorded answers, and select by verifiers.

    Args:
        source: the name of a generation task, or the path of a table.
        verifier: names (`outgrow list verifiers`) or functions of attempts.
        more: as of `outgrow.workflows.committee.committee`: weak, strong, draws, judge, items, answers, columns, out
            and others.

    Raises:
        UserError: there is something that the user can mend.

    Example:
        >>> committee("sudoku", verifier=["sudoko"])
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: unknown verifier 'sudoko': did you mean 'sudoku'?
    """
    from outgrow.verifiers import VERIFIERS
    from outgrow.workflows import committee as workflow

    with ExitStack() as stack:
        return workflow.committee(str(source), verifier=_lend(stack, VERIFIERS, _listed(verifier)), **more)


def _listed(value: Any) -> list[Any]:
    """A single one as a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _task(value: Any) -> TaskSource | GenerationSource:
    """What a task that is no name is."""
    from outgrow.tasks import frame_source
    from outgrow.tasks.task import Task

    if isinstance(value, TaskSource | GenerationSource):
        return value
    if isinstance(value, Task):
        raise UserError(
            f"task {value.name!r} has no gold: give the data frame, or Task.of(frame, ...), which keeps it sealed"
        )
    return frame_source.of(value)


def _lend(
    stack: ExitStack, registry: Registry[Any], values: Sequence[Any], made: Callable[[Any], Any] = lambda value: value
) -> list[str]:
    """The names of names and objects; the objects are members of their registry until the stack is left."""
    objects = {id(value): made(value) for value in values if not isinstance(value, str | Path)}
    stack.enter_context(registry.lending(*objects.values()))
    return [str(one) if isinstance(one, str | Path) else registry.of(objects[id(one)]).name for one in values]
