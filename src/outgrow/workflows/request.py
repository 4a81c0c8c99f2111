"""What every study is asked for, and the steps that all of them take."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self

from outgrow.core.errors import UserError
from outgrow.methods import Method
from outgrow.pipeline.keeper import Keeper
from outgrow.pipeline.runner import StudyRows, chosen
from outgrow.store import Store
from outgrow.tasks.tables.files import listed, names_in
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import columns_of
from outgrow.workflows.result import Result

Chosen = Sequence[tuple[Method, Mapping[str, Any]]]
"""Methods with all their hyper-parameters."""


@dataclass(frozen=True, kw_only=True)
class Request(ABC):
    """The arguments of a study. `run()` goes on where an earlier run of the same study stopped."""

    tasks: Sequence[str]
    weak: Sequence[str] = ()
    """Supervisors; empty: all columns of votes together where the reading names some, else WEAK."""
    strong: str | Sequence[str] = "smollm2-135m"
    methods: Sequence[str] = ()
    """Names; empty: the usual ones; "all": every one whose needs the study meets."""
    seeds: int
    """Replicates: 0 .. seeds - 1."""
    seed: int = 0
    """The integer that names the study."""
    weak_gold: int | None = None
    """Gold items that a supervisor learns from; None: all of weak-train."""
    student: str
    """How the student learns."""
    reading: Reading = field(default_factory=Reading)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Hyper-parameters by method name."""
    out: Path | None = None

    WEAK: ClassVar[str]
    """The supervisor where nobody names one."""
    KNOWN: ClassVar[ModuleType]
    """Where the methods are."""

    def __post_init__(self) -> None:
        if any("," in word for word in self.reading.votes):
            votes = listed(self.reading.votes, names_in(self.tasks))
            object.__setattr__(self, "reading", replace(self.reading, votes=votes))
        if not self.weak:
            together = "+".join(f"column:{name}" for name in self.reading.votes)
            object.__setattr__(self, "weak", (together or self.WEAK,))

    def run(self, overwrite: bool = False) -> Result:
        """Compute what is missing and write the run folder.

        Args:
            overwrite: whether another result in the folder may go.

        Raises:
            UserError: what the user can mend.
        """
        from outgrow import report
        from outgrow.audits import examine_all
        from outgrow.report import card
        from outgrow.report.audit import keep
        from outgrow.runs import write
        from outgrow.runs.evidence import of_folder

        methods = self.chosen()
        self.check()
        began, store = time.time(), Store.default()
        loaded, out = self._load(store), self.folder()
        write.claim(out, self, [task for task, *_ in loaded], overwrite)
        asked = [(given, weak, strong) for given in loaded for strong in self.students for weak in self.weak]
        done = []
        for given, weak, strong in asked:
            place = write.kept_in(given[0].name, weak, strong, len(asked))
            keeper = Keeper(out / place, methods, columns_of(self.reading))
            done.append(self._rows(given, weak, strong, methods, keeper))
            done[-1].not_kept.update(keeper.complete(done[-1].cell, done[-1].kinds))
        write.write(out, self, methods, done, began)
        keep(str(out), examine_all(of_folder(out)), out)
        report.write(out)
        card.of_run(out)
        return Result(out)

    @abstractmethod
    def check(self) -> None:
        """Refuse names that mean nothing, before anything is read."""

    @abstractmethod
    def _load(self, store: Store) -> list[tuple[Any, ...]]:
        """Of each task the task, its gold, and what is shared by all that is computed on it."""

    @abstractmethod
    def _rows(self, given: tuple[Any, ...], weak: str, strong: str, chosen: Chosen, keeper: Keeper) -> StudyRows:
        """All rows of one (task, supervisors, student); `given` is one of `_load`."""

    @property
    def students(self) -> list[str]:
        """The models that learn."""
        return [self.strong] if isinstance(self.strong, str) else list(self.strong)

    def chosen(self) -> list[tuple[Method, dict[str, Any]]]:
        """Naive and the methods asked for, each with all its hyper-parameters.

        Raises:
            UserError: there is no such method, or a size is out of range.
        """
        if not 1 <= self.seeds <= 1000:
            raise UserError(f"`seeds` = {self.seeds}: give 1 to 1000 replicates")
        if self.weak_gold is not None and self.weak_gold < 2:
            raise UserError(f"`weak_gold` = {self.weak_gold}: a supervisor needs at least 2 gold items")
        return chosen(self.KNOWN, self.methods, self.parameters)

    def folder(self) -> Path:
        """The run folder: `out`, or a name made from the arguments, so that the same study finds its folder again."""
        from outgrow.runs import write

        if self.out is not None:
            return Path(self.out)
        words = [
            "+".join(Path(name).stem if "." in name else name for name in self.tasks),
            "+".join(self.weak),
            "+".join(self.students),
        ]
        # Every kind of study has its own defaults for seeds and student.
        plain = type(self)(tasks=self.tasks, weak=self.weak, strong=self.strong)  # type: ignore[call-arg]
        return write.named(words, self.asked(), plain.asked())

    def asked(self: Self) -> dict[str, Any]:
        """The arguments as plain data."""
        plain = asdict(self) | {"out": self.out and str(self.out), "strong": self.students}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}
