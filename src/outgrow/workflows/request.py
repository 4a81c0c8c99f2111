"""What every study is asked for, and the steps that all of them take."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.methods import Method
from outgrow.pipeline.keeper import Keeper
from outgrow.pipeline.runner import StudyRows
from outgrow.runs.compare import safe
from outgrow.store import Store
from outgrow.tasks.tables.files import READERS, listed, read_file
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import ROLES
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
            files = [Path(name) for name in self.tasks if Path(name).suffix.lower() in READERS]
            known = {column for file in files for column in read_file(file.expanduser()).names}
            object.__setattr__(self, "reading", replace(self.reading, votes=listed(self.reading.votes, known)))
        if not self.weak:
            votes = "+".join(f"column:{name}" for name in self.reading.votes)
            object.__setattr__(self, "weak", (votes or self.WEAK,))

    def run(self, overwrite: bool = False) -> Result:
        """Compute what is missing and write the run folder.

        Args:
            overwrite: whether another result in the folder may go.

        Raises:
            UserError: what the user can mend.
        """
        from outgrow import report
        from outgrow.audits import examine_all
        from outgrow.report.audit import keep
        from outgrow.runs import write
        from outgrow.runs.evidence import of_folder

        chosen = self.chosen()
        self._check()
        began, store = time.time(), Store.default()
        loaded, out = self._load(store), self.folder()
        write.claim(out, self, [task for task, *_ in loaded], overwrite)
        asked = [(given, weak, strong) for given in loaded for strong in self.students for weak in self.weak]
        done = []
        for given, weak, strong in asked:
            name = "student" if len(asked) == 1 else f"students/{safe(f'{given[0].name}--{weak}--{strong}')}"
            keeper = Keeper(out / name, chosen, self._columns())
            done.append(self._rows(given, weak, strong, chosen, keeper))
            done[-1].not_kept.update(keeper.complete(done[-1].cell, done[-1].kinds))
        write.write(out, self, chosen, done, began)
        keep(str(out), examine_all(of_folder(out)), out)
        report.write(out)
        return Result(out)

    @abstractmethod
    def _check(self) -> None:
        """Raises UserError for names that mean nothing, before anything is read."""

    @abstractmethod
    def _load(self, store: Store) -> list[tuple[Any, ...]]:
        """Of each task the task, its gold, and what is shared by all that is computed on it."""

    @abstractmethod
    def _rows(self, given: tuple[Any, ...], weak: str, strong: str, chosen: Chosen, keeper: Keeper) -> StudyRows:
        """All rows of one (task, supervisors, student); `given` is one of `_load`."""

    def _columns(self) -> dict[str, str]:
        """By role the columns that the reading names, for what labels new tables later."""
        return {role: name for role in ROLES if (name := self.reading.column(role)) is not None}

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
        known, find = self.KNOWN.registry(), self.KNOWN.find
        names = [n for name in self.methods for n in (known if name == "all" else [name])]
        names = names or [name for name in known if known[name].usual]
        for name in self.parameters:
            find(name)
        asked: dict[str, dict[str, Any]] = {"naive": {}}
        asked |= {name: dict(self.parameters.get(name, {})) for name in names}
        for name in asked:
            find(name).check(self.KNOWN.RESOURCES)
        return [(find(name), find(name).configured(given)) for name, given in asked.items()]

    def folder(self) -> Path:
        """The run folder: `out`, or a name made from the arguments, so that the same study finds its folder again."""
        if self.out is not None:
            return Path(self.out)
        words = [
            "+".join(Path(name).stem if "." in name else name for name in self.tasks),
            "+".join(self.weak),
            "+".join(self.students),
        ]
        # Every kind of study has its own defaults for seeds and student.
        plain = type(self)(tasks=self.tasks, weak=self.weak, strong=self.strong)  # type: ignore[call-arg]
        asked, usual = ({**study.asked(), "out": None} for study in (self, plain))
        told = json.dumps({k: v for k, v in asked.items() if k != "out"}, sort_keys=True, default=str)
        tag = [] if asked == usual else [hashed(told)[:6]]
        return Path("runs") / "-".join([*map(safe, words), *tag])

    def asked(self: Self) -> dict[str, Any]:
        """The arguments as plain data."""
        plain = asdict(self) | {"out": self.out and str(self.out), "strong": self.students}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}
