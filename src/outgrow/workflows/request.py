"""What every study is asked for, whether its items are classified or answered in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.runs.compare import safe
from outgrow.tasks.tables.files import READERS, listed, read_file
from outgrow.tasks.tables.options import Reading


@dataclass(frozen=True, kw_only=True)
class Request:
    """The arguments of a study."""

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

    @property
    def students(self) -> list[str]:
        """The models that learn."""
        return [self.strong] if isinstance(self.strong, str) else list(self.strong)

    def chosen(self) -> dict[str, dict[str, Any]]:
        """Naive and the methods asked for, each with all its hyper-parameters. Raises UserError for what there is not, and for sizes that cannot be."""
        if not 1 <= self.seeds <= 1000:
            raise UserError(f"seeds = {self.seeds}: give 1 to 1000 replicates")
        if self.weak_gold is not None and self.weak_gold < 2:
            raise UserError(f"weak gold = {self.weak_gold}: a supervisor needs at least 2 gold items")
        known, find = self.KNOWN.registry(), self.KNOWN.find
        names = [n for name in self.methods for n in (known if name == "all" else [name])] or [
            n for n in known if known[n].usual
        ]
        for name in self.parameters:
            find(name)
        return {"naive": find("naive").configured({})} | {
            name: find(name).configured(dict(self.parameters.get(name, {}))) for name in names
        }

    def folder(self) -> Path:
        """Where the results go: `out`, or a name made from what is asked, so that the same study finds its folder again."""
        if self.out is not None:
            return Path(self.out)
        words = [
            "+".join(Path(name).stem if "." in name else name for name in self.tasks),
            "+".join(self.weak),
            "+".join(self.students),
        ]
        asked, usual = (
            {**study.asked(), "out": None}
            for study in (self, type(self)(tasks=self.tasks, weak=self.weak, strong=self.strong))
        )  # type: ignore[call-arg]
        tag = (
            []
            if asked == usual
            else [hashed(json.dumps({k: v for k, v in asked.items() if k != "out"}, sort_keys=True, default=str))[:6]]
        )
        return Path("runs") / "-".join([*map(safe, words), *tag])

    def asked(self: Self) -> dict[str, Any]:
        """The arguments as plain data."""
        plain = asdict(self) | {"out": self.out and str(self.out), "strong": self.students}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}
